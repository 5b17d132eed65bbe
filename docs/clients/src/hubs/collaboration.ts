// SPDX-License-Identifier: Apache-2.0
// Made from collaboration.hub by heliograph-hubgen: change that instead.

/** collaboration: documents that several people write in at the same time */

/** Where a cursor is; both count from 0, columns in UTF-16 code units. */
export interface Position {
	line: number;
	column: number;
}

/** A change of a document's text. Positions and lengths count UTF-16 code units, as JavaScript's strings do. */
export interface Operation {
	type: "insert" | "delete" | "retain";
	position: number;
	/** What is inserted. */
	content?: string | null;
	/** How much is deleted or retained; of an insertion it may be left out. */
	length?: number | null;
	/** The version of the text that the operation was made of. */
	baseVersion: number;
	/** Who made it: the server's word, whatever the client's. */
	userId?: string | null;
	/** The client's name for it, so that it is done once if it is sent again. */
	id?: string | null;
	/** Of the document that baseVersion belongs to. */
	epoch?: string | null;
	/** The document's version behind it: the server's. */
	version?: number | null;
}

/** An operation as it was done. */
export interface AppliedOperation {
	type: "insert" | "delete" | "retain";
	position: number;
	content?: string | null;
	length: number;
	baseVersion: number;
	userId: string;
	id: string;
	epoch: string;
	/** The document's version behind it. */
	version: number;
	/** A deletion that others have typed into is done in several, each with a version of its own: so many; 1 if it is absent. */
	parts?: number | null;
}

export interface ActiveUser {
	userId: string;
	userName: string;
	color: string;
	cursor: Position;
}

/** Lines that somebody asks others to leave alone. */
export interface Section {
	documentId: string;
	lockId: string;
	userId: string;
	startLine: number;
	endLine: number;
	expiresAt: string;
}

export interface Document {
	documentId: string;
	content: string;
	version: number;
	/** Another one when the document has begun anew: versions of two epochs have nothing in common. */
	epoch: string;
	/** Who the caller is: of insertions at one place that of the smaller user id comes first. */
	userId: string;
	activeUsers: ActiveUser[];
	sections: Section[];
}

export interface DocumentUser {
	documentId: string;
	userId: string;
	userName: string;
	color: string;
	cursor: Position;
}

export interface DocumentOperation {
	documentId: string;
	operation: AppliedOperation;
	userId: string;
}

export interface DocumentCursor {
	documentId: string;
	userId: string;
	position: Position;
	color: string;
}

export interface LockRefusal {
	documentId: string;
	reason: string;
	/** Who has a section there. */
	conflictingUser: string;
}

export interface SectionRelease {
	documentId: string;
	lockId: string;
}

export interface OperationList {
	documentId: string;
	epoch: string;
	/** The document's; more operations may be asked for behind the last of the list. */
	version: number;
	operations: AppliedOperation[];
}

/** What the hub calls at its clients. */
export interface CollaborationClient {
	DocumentState(document: Document): void;
	UserJoinedDocument(user: DocumentUser): void;
	UserLeftDocument(user: DocumentUser): void;
	ReceiveOperation(operation: DocumentOperation): void;
	CursorUpdated(cursor: DocumentCursor): void;
	SectionLocked(section: Section): void;
	LockFailed(refusal: LockRefusal): void;
	SectionUnlocked(release: SectionRelease): void;
}

/** What clients call at the hub. */
export interface CollaborationServer {
	/** DocumentState comes to the caller before this returns. */
	JoinDocument(documentId: string): Promise<void>;
	LeaveDocument(documentId: string): Promise<void>;
	SendOperation(documentId: string, operation: Operation): Promise<AppliedOperation>;
	/** What was done behind a version, for who missed some of it. */
	OperationsSince(documentId: string, version: number): Promise<OperationList>;
	UpdateCursor(documentId: string, position: Position): Promise<void>;
	LockSection(documentId: string, startLine: number, endLine: number): Promise<void>;
	UnlockSection(documentId: string, lockId: string): Promise<void>;
}
