// SPDX-License-Identifier: Apache-2.0
// Made from relay.hub by heliograph-hubgen: change that instead.

/**
 * relay: messages between clients, as far as the roles of a token allow them. What
 * receivers hear is named by the senders: it is no part of this interface.
 */

/** What the hub calls at its clients. */
export interface RelayClient {
	[name: string]: (...args: any[]) => any;
}

/** What clients call at the hub. */
export interface RelayServer {
	JoinGroup(group: string): Promise<void>;
	LeaveGroup(group: string): Promise<void>;
	SendToGroup(group: string, event: string, ...arguments_: unknown[]): Promise<void>;
	SendToOthersInGroup(group: string, event: string, ...arguments_: unknown[]): Promise<void>;
	SendToUser(userId: string, event: string, ...arguments_: unknown[]): Promise<void>;
	SendToConnection(connectionId: string, event: string, ...arguments_: unknown[]): Promise<void>;
	SendToAll(event: string, ...arguments_: unknown[]): Promise<void>;
	SendToOthers(event: string, ...arguments_: unknown[]): Promise<void>;
}
