// SPDX-License-Identifier: Apache-2.0
// Made from notifications.hub by heliograph-hubgen: change that instead.

/** notifications: to a user, wherever it is and whenever it comes, and to groups. */

export interface Notice {
	id: string;
	title: string;
	message: string;
	icon?: string | null;
	priority: "low" | "normal" | "high";
	/** ISO 8601, UTC, with milliseconds */
	createdAt: string;
	read: boolean;
}

/** What a sender says of one; the rest is the hub's. */
export interface NewNotice {
	title: string;
	message: string;
	icon?: string | null;
	/** normal, if not said */
	priority?: "low" | "normal" | "high" | null;
}

export interface Broadcast {
	groupName: string;
	message: string;
	senderId: string;
	timestamp: string;
}

export interface Arrival {
	userId: string;
	connectedAt: string;
	/** "online" */
	status: string;
}

export interface Departure {
	userId: string;
	disconnectedAt: string;
	/** "offline" */
	status: string;
}

/** What the hub calls at its clients. */
export interface NotificationsClient {
	/** Also when a connection begins, for all that were not read, oldest first. */
	ReceiveNotification(notification: Notice): void;
	ReceiveBroadcast(broadcast: Broadcast): void;
	/** A user's first connection has come. */
	UserConnected(user: Arrival): void;
	/** None of a user's is left. */
	UserDisconnected(user: Departure): void;
	NotificationRead(id: string): void;
	/** From whoever sends to the groups of SubscribeToDataUpdates. */
	DataUpdated(update: unknown): void;
}

/** What clients call at the hub. */
export interface NotificationsServer {
	SendNotificationToUser(targetUserId: string, notification: NewNotice): Promise<void>;
	BroadcastToGroup(groupName: string, message: string): Promise<void>;
	MarkNotificationAsRead(notificationId: string): Promise<void>;
	SubscribeToDataUpdates(dataType: string, filter: string): Promise<void>;
	UnsubscribeFromDataUpdates(dataType: string, filter: string): Promise<void>;
}
