// SPDX-License-Identifier: Apache-2.0
// The hub `collaboration` as the tests of shared documents play it, and those who write in a document of it.

import assert from "node:assert/strict";
import { HubClient } from "../src/client.js";
import { SharedDocument } from "../src/document.js";
import type { CollaborationClient, CollaborationServer } from "../src/hubs/collaboration.js";
import type { AppliedOperation, Operation } from "../src/shared_text.js";
import { FakeClock, FakeConnection } from "./fakes.js";
import { OtServer } from "./ot_server.js";

export const ID = "paper";

export interface Party {
	user: string;
	connection: FakeConnection;
	document: SharedDocument;
	clock: FakeClock;
	troubles: string[];
	seen: string; // what an editor shows, by what it is told
}

const person = (user: string) => ({ userId: user, userName: user.toUpperCase(), color: "#123456", cursor: { line: 0, column: 0 } });

export const TOO_LONG = "HubException: operation: the document would be too long.";
export const UNKNOWN = "HubException: The outcome is unknown: the router that ran it was lost.";
export const BUSY = "HubException: Too many are writing in the document: try again.";

// As the official client words what the hub answers.
function failure(method: string, text = ""): Error {
	return new Error(`An unexpected error occurred invoking '${method}' on the server. ${text}`);
}

// The hub collaboration, as far as a client can tell.
export class Hub {
	server: OtServer;
	epoch = "e1";
	readonly parties: Party[] = [];
	/** What happens to the next SendOperation: nothing of it, or all but the answer, or it is too old. */
	faults: ("refuse" | "lose" | "forget" | "crash" | "outside")[] = [];
	/** What becomes of the next JoinDocument, and of the next OperationsSince. */
	joinFaults: (string | Promise<void>)[] = [];
	sinceFaults: string[] = [];
	/** Events to others wait here while it is an array. */
	late: (() => void)[] | null = null;
	sends = 0;
	keptSince = 0;

	constructor(text: string) {
		this.server = new OtServer(text);
	}

	async open(user: string): Promise<Party> {
		const connection = new FakeConnection();
		const clock = new FakeClock();
		const client = new HubClient<CollaborationServer, CollaborationClient>(connection.connect, { eventTarget: null });
		const document = new SharedDocument(client, ID, { clock });
		const party: Party = { user, connection, document, clock, troubles: [], seen: "" };
		connection.answer = (method, args) => this.#answer(party, method, args);
		document.onEdit(() => (party.seen = document.text));
		document.onTrouble((text) => party.troubles.push(text));
		this.parties.push(party);
		await client.start();
		await document.join();
		return party;
	}

	#answer(party: Party, method: string, args: unknown[]): unknown {
		switch (method) {
		case "JoinDocument":
			return this.#join(party);
		case "SendOperation":
			return this.#take(party, args[1] as Operation);
		case "OperationsSince":
			if (this.sinceFaults.length > 0)
				throw failure(method, this.sinceFaults.shift());
			if (args[1] as number < this.keptSince)
				throw failure(method, "HubException: Join again: of version 0 it is not known any more how it became 3.");
			return { documentId: ID, epoch: this.epoch, version: this.server.log.length, operations: this.server.log.slice(args[1] as number) };
		default:
			return null;
		}
	}

	async #join(party: Party): Promise<void> {
		const fault = this.joinFaults.shift();
		if (typeof fault === "string")
			throw failure("JoinDocument", fault);
		await fault;
		this.tell(party, "UserJoinedDocument", { documentId: ID, ...person(party.user) });
		party.connection.receive("DocumentState", this.#state(party));
	}

	#state(party: Party): unknown {
		const activeUsers = this.parties.map(({ user }) => person(user));
		return { documentId: ID, content: this.server.text, version: this.server.log.length, epoch: this.epoch, userId: party.user, activeUsers, sections: [] };
	}

	#take(party: Party, operation: Operation): AppliedOperation {
		this.sends++;
		const fault = this.faults.shift();
		if (fault === "refuse")
			throw failure("SendOperation", TOO_LONG);
		if (fault === "forget")
			throw failure("SendOperation", "HubException: Join again: the document has begun anew.");
		if (fault === "crash")
			throw failure("SendOperation", UNKNOWN);
		if (fault === "outside")
			throw failure("SendOperation", "HubException: Join the document first.");
		const before = this.server.log.length;
		const result = this.server.take(operation, party.user);
		for (const part of this.server.log.slice(before))
			this.tell(party, "ReceiveOperation", { documentId: ID, operation: part, userId: party.user });
		if (fault === "lose")
			throw failure("SendOperation", UNKNOWN);
		return result;
	}

	tell(from: Party | null, event: string, argument: unknown): void {
		for (const other of this.parties.filter((party) => party !== from)) {
			const run = () => other.connection.receive(event, argument);
			if (this.late)
				this.late.push(run);
			else if (other.document.isOpen)
				run();
		}
	}
}

export async function twoIn(text: string) {
	const hub = new Hub(text);
	const ann = await hub.open("ann");
	const bob = await hub.open("bob");
	return { hub, ann, bob };
}

export function assertText(hub: Hub, text: string): void {
	assert.equal(hub.server.text, text);
	for (const { document, user } of hub.parties)
		assert.deepEqual([document.text, document.isSettled], [text, true], user);
}
