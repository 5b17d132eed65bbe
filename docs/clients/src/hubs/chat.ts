// SPDX-License-Identifier: Apache-2.0
// Made from chat.hub by heliograph-hubgen: change that instead.

/** chat: rooms with history, who is there, and who is typing. */

export interface ChatMessage {
	id: string;
	roomId: string;
	userId: string;
	userName: string;
	message: string;
	/** ISO 8601, UTC, with milliseconds */
	timestamp: string;
	/** of the room's messages: 1, 2, ... without gaps */
	number: number;
}

/** A run of a room's messages, oldest first. */
export interface History {
	messages: ChatMessage[];
	/** there are older ones */
	isMore: boolean;
}

/** Someone who is in a room. */
export interface Member {
	userId: string;
	userName: string;
}

/** Everybody in a room, each user once. */
export interface Roster {
	members: Member[];
}

/** Someone who came to a room, or left it. */
export interface RoomChange {
	userId: string;
	userName: string;
	roomId: string;
}

export interface Typing {
	userId: string;
	userName: string;
	isTyping: boolean;
}

/** What the hub calls at its clients. */
export interface ChatClient {
	ReceiveMessage(message: ChatMessage): void;
	/** The room's last messages, oldest first, to who has joined it. */
	LoadMessages(messages: ChatMessage[]): void;
	UserJoinedRoom(user: RoomChange): void;
	/** Also when a connection ends, for each of its rooms. */
	UserLeftRoom(user: RoomChange): void;
	/** To the others in the room. */
	UserTyping(user: Typing): void;
}

/** What clients call at the hub. */
export interface ChatServer {
	JoinRoom(roomId: string): Promise<Roster>;
	LeaveRoom(roomId: string): Promise<void>;
	/** Also of a room that the caller is not in. */
	RoomMembers(roomId: string): Promise<Roster>;
	/** Those before that number, at most `count` of them, at most 100; before 0: the newest. */
	RoomHistory(roomId: string, before: number, count: number): Promise<History>;
	SendMessage(roomId: string, message: string): Promise<void>;
	StartTyping(roomId: string): Promise<void>;
	StopTyping(roomId: string): Promise<void>;
}
