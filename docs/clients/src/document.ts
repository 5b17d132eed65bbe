// SPDX-License-Identifier: Apache-2.0
// A document of the hub `collaboration` that several people write in at once: the text with
// everybody's changes, their cursors, and the sections they have locked. What changes mean behind
// each other is SharedText's business; here they are sent and received, over connections that come
// and go, so that nothing written is lost and nothing is done twice.

import { systemClock, type Clock, type HubClient } from "./client.js";
import type {
	ActiveUser, AppliedOperation, CollaborationClient, CollaborationServer, Document, LockRefusal, Position, Section,
} from "./hubs/collaboration.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import type { Change } from "./ot.js";
import { Pauses } from "./pauses.js";
import { moveBetween, moveThrough, offsetOf, positionAt, type Move } from "./places.js";
import { isForbidden, isForgotten, isOutside, isRefusal } from "./refusals.js";
import { SharedText, type Operation } from "./shared_text.js";

export type { Section } from "./hubs/collaboration.js";
export type { Move } from "./places.js";

/** Somebody who has the document open. */
export interface Writer {
	userId: string;
	userName: string;
	/** As CSS has it. */
	color: string;
	/** Where the cursor is in the text. */
	offset: number;
}

export interface DocumentOptions {
	clock?: Clock;
}

const CURSOR_EVERY_MS = 80;
const MISSING_MS = 2000; // a version that is late for longer is asked for
const SILENT_RESENDS = 4; // before people are told that something is not sent yet
const EARLY_MAX = 1000; // operations that wait for a join; without the oldest they are asked for

/** An empty text at version 0 is of any epoch: the document gets its own with the first operation. */
function isOf(shared: SharedText, epoch: string): boolean {
	return shared.epoch === epoch || (shared.epoch === "" && shared.version === 0);
}

export class SharedDocument {
	readonly #client: HubClient<CollaborationServer, CollaborationClient>;
	readonly #id: string;
	readonly #clock: Clock;
	readonly #pauses: Pauses;
	readonly #texts = new Listeners<Move>();
	readonly #people = new Listeners<void>();
	readonly #states = new Listeners<void>();
	readonly #troubles = new Listeners<string>();
	readonly #unsubscribe: Unsubscribe[];
	#shared: SharedText | null = null;
	#writers = new Map<string, Writer>();
	#sections = new Map<string, Section>();
	#isOpen = false; // joined, over the connection of now
	#state: Document | null = null; // what the last join was told
	#early: AppliedOperation[] | null = null; // what came while joining
	#turn = 0; // the newest join()
	#mustReset = false; // something here was refused: the next join takes the server's text
	#held: (() => void)[] | null = null;
	#isSending = false;
	#missingTimer: unknown = null;
	#cursorTimer: unknown = null;
	#cursor = { offset: 0, sent: "" };

	constructor(client: HubClient<CollaborationServer, CollaborationClient>, documentId: string, options: DocumentOptions = {}) {
		this.#client = client;
		this.#id = documentId;
		this.#clock = options.clock ?? systemClock;
		this.#pauses = new Pauses(this.#clock);
		this.#unsubscribe = this.#listen();
	}

	/** Calls its handlers with what moves a place in the text before to where it is now. */
	onEdit(handler: (move: Move) => void): Unsubscribe {
		return this.#texts.add(handler);
	}

	/** Somebody came, went, or moved the cursor; or a section was locked or unlocked. */
	onPeople(handler: () => void): Unsubscribe {
		return this.#people.add(handler);
	}

	/** version, isSettled, isJoined or isOpen may have changed. */
	onState(handler: () => void): Unsubscribe {
		return this.#states.add(handler);
	}

	/** Something was refused or lost: what, for people to read. */
	onTrouble(handler: (text: string) => void): Unsubscribe {
		return this.#troubles.add(handler);
	}

	get text(): string {
		return this.#shared?.text ?? "";
	}

	get version(): number {
		return this.#shared?.version ?? 0;
	}

	/** There is a text to edit, be it without a connection for a while. */
	get isJoined(): boolean {
		return this.#shared !== null;
	}

	/** What is written is sent at once. */
	get isOpen(): boolean {
		return this.#isOpen;
	}

	/** Everything written here is known to be the server's. */
	get isSettled(): boolean {
		return this.#shared?.isSettled ?? true;
	}

	get writers(): readonly Writer[] {
		return [...this.#writers.values()];
	}

	get sections(): readonly Section[] {
		return [...this.#sections.values()];
	}

	/**
	 * To be called after every connection, the first included. What was written meanwhile is sent then. If the server
	 * cannot tell any more what that would mean now, it is lost, and onTrouble() says so. Tries again, less and less often,
	 * while there is the connection; rejects when it ends, and when the document is not for this user.
	 */
	async join(): Promise<void> {
		const turn = ++this.#turn;
		const { connectionId } = this.#client;
		const isCurrent = () => turn === this.#turn && this.#client.state === "connected" && this.#client.connectionId === connectionId;
		this.#isOpen = false;
		this.#pauses.end();
		for (let failed = 0; ; failed++)
			try {
				return await this.#enter(isCurrent);
			} catch (error) {
				if (turn === this.#turn)
					this.#early = null;
				if (!isCurrent() || isForbidden(error))
					throw error;
				if (failed === 0)
					this.#complain(error);
				await this.#pauses.wait(failed);
				if (!isCurrent())
					throw error;
			}
	}

	/** The text is now this one, all in all: for text areas, which tell no more. */
	edit(text: string): void {
		const shared = this.#joined();
		const before = shared.text;
		shared.assign(text);
		this.#moveWriters(moveBetween(before, shared.text));
		this.#states.emit();
		void this.#pump();
	}

	/** Where this user's cursor is. Sent some times a second at most. */
	moveCursor(offset: number): void {
		this.#cursor.offset = offset;
		this.#cursorTimer ??= this.#clock.setTimeout(() => {
			this.#cursorTimer = null;
			this.#sendCursor();
		}, CURSOR_EVERY_MS);
	}

	/** Others' changes wait from now on: while an input method composes, a text area must not be written to. */
	hold(): void {
		this.#held ??= [];
	}

	release(): void {
		const held = this.#held ?? [];
		this.#held = null;
		for (const run of held)
			run();
	}

	/** Lines from 0 on, both included. That somebody else has locked some of them is told by onTrouble(). */
	async lock(startLine: number, endLine: number): Promise<void> {
		await this.#client.invoke("LockSection", this.#id, startLine, endLine);
	}

	async unlock(lockId: string): Promise<void> {
		await this.#client.invoke("UnlockSection", this.#id, lockId);
	}

	/** Stops listening. The connection is its owner's. */
	close(): void {
		for (const unsubscribe of this.#unsubscribe)
			unsubscribe();
		this.#clock.clearTimeout(this.#cursorTimer);
		this.#clock.clearTimeout(this.#missingTimer);
		this.#isOpen = false;
		this.#turn++;
		this.#early = null;
		this.#pauses.end();
	}

	#joined(): SharedText {
		if (!this.#shared)
			throw new Error("The document is not there yet.");
		return this.#shared;
	}

	#listen(): Unsubscribe[] {
		const client = this.#client;
		const here = (event: { documentId: string }) => event.documentId === this.#id;
		return [
			client.on("DocumentState", (state) => void (here(state) && (this.#state = state))),
			client.on("ReceiveOperation", (event) => void (here(event) && this.#onOperation(event.operation))),
			client.on("UserJoinedDocument", (user) => void (here(user) && this.#whenFree(() => this.#setWriter(user)))),
			client.on("UserLeftDocument", (user) => void (here(user) && this.#whenFree(() => this.#removeWriter(user.userId)))),
			client.on("CursorUpdated", (event) => void (here(event) && this.#whenFree(() => this.#onCursor(event)))),
			client.on("SectionLocked", (section) => void (here(section) && this.#setSection(section))),
			client.on("SectionUnlocked", ({ documentId, lockId }) => void (documentId === this.#id && this.#removeSection(lockId))),
			client.on("LockFailed", (refusal) => void (here(refusal) && this.#onLockFailed(refusal))),
			client.onState(({ state }) => {
				if (state === "connected")
					return; // join() is to come
				this.#isOpen = false;
				this.#pauses.end();
				this.#states.emit();
			}),
		];
	}

	#whenFree(run: () => void): void {
		if (this.#held)
			this.#held.push(run);
		else
			run();
	}

	#untilFree(): Promise<void> {
		return new Promise((resolve) => this.#whenFree(resolve));
	}

	// ---- the text

	async #enter(isCurrent: () => boolean): Promise<void> {
		const check = () => {
			if (!isCurrent())
				throw new Error("The connection was lost while the document was joined.");
		};
		this.#state = null;
		this.#early = [];
		await this.#client.invoke("JoinDocument", this.#id);
		await this.#untilFree();
		check();
		if (!this.#state)
			throw new Error("The hub sent no DocumentState.");
		await this.#adopt(this.#state, check);
		this.#isOpen = true;
		this.#cursor.sent = "";
		this.#sendCursor();
		this.#states.emit();
		void this.#pump();
	}

	/** join() on this client's own account. */
	#rejoin(): void {
		const turn = this.#turn + 1;
		this.join().catch((error: unknown) => {
			if (turn === this.#turn && this.#client.state === "connected")
				this.#complain(error); // without a connection the next one's join tries again
		});
	}

	/** The document as the server has it. What is not settled here stays, and goes on being sent. */
	async #adopt(state: Document, check: () => void): Promise<void> {
		const shared = this.#shared;
		let isCurrent = false;
		if (shared && !shared.isSettled && !this.#mustReset) {
			isCurrent = isOf(shared, state.epoch) && await this.#catchUp();
			check();
			if (!isCurrent)
				this.#troubles.emit("The document has moved on too far: what was written here since is lost.");
		}
		const before = this.text;
		this.#mustReset = false;
		if (!shared)
			this.#shared = new SharedText(state);
		else if (!isCurrent)
			shared.reset(state);
		if (!isCurrent)
			this.#texts.emit(moveBetween(before, this.text));
		this.#writers = new Map(state.activeUsers.map((user) => [user.userId, this.#writer(user)]));
		this.#sections = new Map(state.sections.map((section) => [section.lockId, section]));
		this.#people.emit();
		const early = this.#early ?? [];
		this.#early = null;
		early.forEach((operation) => this.#receive(operation));
	}

	/** Takes in what was missed. False: the server has not all of it any more. */
	async #catchUp(): Promise<boolean> {
		const shared = this.#joined();
		try {
			for (;;) {
				const since = shared.version;
				const list = await this.#client.invoke("OperationsSince", this.#id, since);
				if (!isOf(shared, list.epoch))
					return false;
				list.operations.forEach((operation) => this.#receive(operation));
				if (shared.version >= list.version)
					return true;
				if (shared.version === since)
					return false; // nothing more comes of asking
			}
		} catch (error) {
			if (isForgotten(error))
				return false;
			throw error; // which says nothing of what is written here: the next join tries again
		}
	}

	/** What comes while the document is neither open nor being joined is in what the next join is told. */
	#onOperation(operation: AppliedOperation): void {
		if (this.#early) {
			if (this.#early.push(operation) > EARLY_MAX)
				this.#early.shift();
		} else if (this.#isOpen) {
			this.#whenFree(() => this.#receive(operation));
		}
	}

	#receive(operation: Operation): void {
		const shared = this.#joined();
		this.#apply(shared.receive(operation), operation.userId ?? "");
		if (shared.again() === null)
			void this.#pump();
	}

	#apply(changes: readonly Change[], author: string): void {
		this.#watchMissing();
		if (changes.length > 0) {
			const move = moveThrough(changes);
			this.#moveWriters(move);
			this.#placeAuthor(author, changes.at(-1)!);
			this.#cursor.offset = move(this.#cursor.offset);
			this.#texts.emit(move);
		}
		this.#states.emit();
	}

	/** Versions that are late: asked for, or else the document is taken as it is now. */
	#watchMissing(): void {
		if (!this.#joined().isMissing) {
			this.#clock.clearTimeout(this.#missingTimer);
			this.#missingTimer = null;
			return;
		}
		this.#missingTimer ??= this.#clock.setTimeout(async () => {
			this.#missingTimer = null;
			if (!this.#isOpen)
				return;
			const turn = this.#turn;
			const isWhole = await this.#catchUp().catch(() => false);
			if (!isWhole && this.#isOpen && turn === this.#turn)
				this.#rejoin();
		}, MISSING_MS);
	}

	/** Sends one operation after the other, each behind the answer to the one before. */
	async #pump(): Promise<void> {
		const shared = this.#shared;
		if (this.#isSending || !this.#isOpen || !shared)
			return;
		this.#isSending = true;
		try {
			let operation = shared.again() ?? shared.next();
			while (operation && await this.#deliver(shared, operation))
				operation = this.#isOpen ? shared.next() : null;
		} finally {
			this.#isSending = false;
		}
	}

	/**
	 * An error may mean that the operation was refused, or that nobody knows: a process died. Then it is sent again for as
	 * long as there is a connection; the server does it once. False: not delivered, or not by this connection.
	 */
	async #deliver(shared: SharedText, operation: Operation): Promise<boolean> {
		for (let failed = 0; this.#isOpen && shared.again()?.id === operation.id; failed++)
			try {
				const result = await this.#client.invoke("SendOperation", this.#id, operation);
				await this.#untilFree();
				this.#apply(shared.acknowledge(result), "");
				return true;
			} catch (error) {
				if (!this.#isOpen)
					return false; // the next join goes on with it
				if (isRefusal(error))
					return this.#giveUp(error);
				if (failed === SILENT_RESENDS)
					this.#complain(error);
				await this.#pauses.wait(failed);
				if (this.#isOpen && isOutside(error)) {
					this.#rejoin();
					return false;
				}
			}
		return this.#isOpen; // it is done, or gone with all that was not settled
	}

	/** What is refused is taken back, and what was written behind it: the document is what the server has. */
	#giveUp(error: unknown): false {
		this.#mustReset = true;
		this.#complain(error);
		this.#rejoin();
		return false;
	}

	#complain(error: unknown): void {
		this.#troubles.emit(error instanceof Error ? error.message : String(error));
	}

	// ---- people

	#writer({ userId, userName, color, cursor }: ActiveUser): Writer {
		return { userId, userName, color, offset: offsetOf(this.text, cursor) };
	}

	#setWriter(user: ActiveUser): void {
		this.#writers.set(user.userId, this.#writer(user));
		this.#people.emit();
	}

	#removeWriter(userId: string): void {
		if (this.#writers.delete(userId))
			this.#people.emit();
	}

	#onCursor({ userId, position, color }: { userId: string; position: Position; color: string }): void {
		const writer = this.#writers.get(userId);
		if (!writer)
			return; // whose coming was not told
		this.#writers.set(userId, { ...writer, color, offset: offsetOf(this.text, position) });
		this.#people.emit();
	}

	#moveWriters(move: Move): void {
		for (const [userId, writer] of this.#writers)
			this.#writers.set(userId, { ...writer, offset: move(writer.offset) });
	}

	/** Who typed stands behind it, and need not say so. */
	#placeAuthor(userId: string, change: Change): void {
		const writer = this.#writers.get(userId);
		if (writer && change.type === "insert")
			this.#writers.set(userId, { ...writer, offset: change.position + change.content.length });
	}

	#sendCursor(): void {
		if (!this.#isOpen)
			return;
		const position = positionAt(this.text, this.#cursor.offset);
		const said = `${position.line}:${position.column}`;
		if (said === this.#cursor.sent)
			return;
		this.#cursor.sent = said;
		this.#client.send("UpdateCursor", this.#id, position).catch(() => {}); // the next one tells
	}

	// ---- locked sections

	#setSection(section: Section): void {
		this.#sections.set(section.lockId, section);
		this.#people.emit();
	}

	#removeSection(lockId: string): void {
		if (this.#sections.delete(lockId))
			this.#people.emit();
	}

	#onLockFailed({ reason, conflictingUser }: LockRefusal): void {
		const name = this.#writers.get(conflictingUser)?.userName;
		this.#troubles.emit(name ? `${reason} (${name})` : reason);
	}
}
