// SPDX-License-Identifier: Apache-2.0
// Somebody who writes in a shared document, over the client that docs/clients publishes: as an
// application does, joining again after each connection. What is written is chance, by a seed.
"use strict";

const { mintToken } = require("./clients.js");
const { waitFor } = require("./wait.js");

const SETTLE_MS = 60000;
// Characters of nobody else's: each writer has so many.
const OWN_FIRST = 0xe000;
const OWN_MAX = 2000;
const SCRAPS = ["a", "bc", "def ", "\u00e9", "\u20ac!", "\u{1f600}", "x\u{1f600}y", "\n"];

// The package is of modules, and made by `make`.
const library = () => import("../../docs/clients/dist/src/index.js");

// xorshift
function randomOf(seed) {
	let state = seed | 0 || 1;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

class Writer {
	#random;
	#isStopping = false;
	#loop = Promise.resolve();

	constructor({ HubClientBuilder, SharedDocument }, url, documentId, user, seed, { number = 0, isCounting = false }) {
		this.user = user;
		this.number = number;
		this.isCounting = isCounting; // types characters of its own, each once, and deletes nothing
		this.troubles = []; // what was refused or lost
		this.edits = 0;
		this.#random = randomOf(seed);
		this.client = new HubClientBuilder(`${url}/hubs/collaboration`)
			.withToken(() => mintToken(url, user))
			.withRetry({ firstMs: 50, maxMs: 500, tries: 1000 })
			.build();
		this.document = new SharedDocument(this.client, documentId);
		this.document.onTrouble((text) => this.troubles.push(text));
		this.client.onState(({ state }) => {
			if (state === "connected")
				void this.#join();
		});
	}

	async start() {
		await this.client.start();
		await waitFor(() => this.document.isOpen, SETTLE_MS, `${this.user.userId} in the document`);
	}

	async stop() {
		this.#isStopping = true;
		await this.#loop;
		this.document.close();
		await this.client.stop();
	}

	// Types on and on, a moment after each change, until stopTyping().
	startTyping() {
		this.#isStopping = false;
		this.#loop = this.#type();
	}

	async stopTyping() {
		this.#isStopping = true;
		await this.#loop;
	}

	// Something into, or out of, any place of the text.
	editOnce() {
		const chars = Array.from(this.document.text);
		if (this.isCounting)
			return this.#editAt(chars, this.#random(chars.length + 1), 0, this.ownChar(this.edits));
		const [from, to] = [this.#random(chars.length + 1), this.#random(chars.length + 1)].sort((a, b) => a - b);
		const until = Math.min(to, from + 8);
		const isDeletion = chars.length > 20 && this.#random(3) === 0;
		this.#editAt(chars, from, isDeletion ? until - from : 0, isDeletion ? "" : SCRAPS[this.#random(SCRAPS.length)]);
	}

	// The character of its own that it types at the n-th change.
	ownChar(n) {
		if (n >= OWN_MAX)
			throw new Error(`more than ${OWN_MAX} changes of one writer`);
		return String.fromCharCode(OWN_FIRST + this.number * OWN_MAX + n);
	}

	#editAt(chars, at, gone, text) {
		this.document.edit([...chars.slice(0, at), text, ...chars.slice(at + gone)].join(""));
		this.edits++;
	}

	// Of a connection that is lost meanwhile the next one's join is waited for.
	async #join() {
		for (let tries = 0; tries < 100 && !this.#isStopping && this.client.state === "connected"; tries++)
			try {
				return await this.document.join();
			} catch (error) {
				this.troubles.push(`join: ${error.message}`);
				await new Promise((resolve) => setTimeout(resolve, 50));
			}
	}

	async #type() {
		while (!this.#isStopping) {
			this.editOnce();
			await new Promise((resolve) => setTimeout(resolve, this.#random(10)));
		}
	}
}

// One writer for each URL; they are gone when the test ends.
async function startWriters(t, urls, documentId, seed, options = {}) {
	const made = await library();
	const writers = urls.map((url, number) => new Writer(made, url, documentId,
		{ userId: `w${number}`, name: `Writer ${number}` }, seed * 100 + number + 1, { ...options, number }));
	for (const writer of writers)
		t.after(() => writer.stop());
	await Promise.all(writers.map((writer) => writer.start()));
	return writers;
}

// All have everything, and it is the same; the text.
async function untilConverged(writers) {
	const isSame = () => writers.every(({ document }) => document.isOpen && document.isSettled
		&& document.version === writers[0].document.version);
	await waitFor(isSame, SETTLE_MS, "all to be at one version").catch((error) => {
		throw new Error(`${error.message}: ${writers.map(({ user, document, troubles }) =>
			`${user.userId} at ${document.version}${document.isSettled ? "" : ", unsettled"}; ${troubles.slice(-2)}`).join("; ")}`);
	});
	const [text, ...others] = writers.map(({ document }) => document.text);
	for (const other of others)
		if (other !== text)
			throw new Error(`at version ${writers[0].document.version} the texts differ:\n${JSON.stringify(text)}\n${JSON.stringify(other)}`);
	return text;
}

module.exports = { startWriters, untilConverged };
