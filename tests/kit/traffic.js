// SPDX-License-Identifier: Apache-2.0
// Chat traffic that goes on while a test breaks something, and the judgement afterwards:
// what was acknowledged arrived everywhere, once and in order; nothing arrived twice.
"use strict";

const assert = require("node:assert/strict");
const { waitFor, within } = require("./wait.js");

const FLOW_MS = 30000;
const STOP_MS = 30000;
const REFUSED_PAUSE_MS = 1;

function describe({ sender, acked, refused, waitsFor }) {
	const words = [`${sender.user.userId} (${sender.transport}, ${sender.connection.state}): ${acked.length} acknowledged`];
	if (refused.length)
		words.push(`${refused.length} refused, at last: ${refused.at(-1).error}`);
	if (sender.closed?.error)
		words.push(`closed: ${sender.closed.error.message}`);
	return [...words, `waits for ${waitsFor}`].join(", ");
}

class Traffic {
	#isStopping = false;
	#loops = [];

	// rooms: Map of room id -> its members; all of them are senders.
	constructor(rooms, { stopMs = STOP_MS } = {}) {
		this.rooms = rooms;
		this.stopMs = stopMs;
		this.lanes = []; // one for each sender in each room
		for (const [roomId, members] of rooms)
			for (const sender of members)
				this.lanes.push({ roomId, sender, members, acked: [], refused: [], n: 0, waitsFor: null });
	}

	async start() {
		for (const [roomId, members] of this.rooms)
			await Promise.all(members.map((member) => member.invoke("JoinRoom", roomId)));
		this.#loops = this.lanes.map((lane) => this.#run(lane));
	}

	// Every lane has so many acknowledged messages more than now.
	async flows(count = 10) {
		const goals = this.lanes.map((lane) => lane.acked.length + count);
		await waitFor(() => {
			const behind = this.lanes.filter((lane, i) => lane.acked.length < goals[i]);
			if (behind.length)
				throw new Error(behind.map(describe).join("; "));
			return true;
		}, FLOW_MS, `${count} more messages of each sender`);
	}

	async stop() {
		this.#isStopping = true;
		await within(Promise.all(this.#loops), this.stopMs, "the end of all lanes").catch((error) => {
			const late = this.lanes.filter((lane) => lane.waitsFor !== null);
			throw new Error(`${error.message}; no outcome of ${late.map((lane) => `${lane.waitsFor} in ${lane.roomId}`)}`);
		});
	}

	async check() {
		for (const lane of this.lanes)
			for (const member of lane.members)
				await this.#checkLane(lane, member);
	}

	async #run(lane) {
		while (!this.#isStopping) {
			const text = `${lane.sender.user.userId}:${lane.n++}`;
			lane.waitsFor = text;
			try {
				await lane.sender.invoke("SendMessage", lane.roomId, text);
				lane.acked.push(text);
			} catch (error) {
				lane.refused.push({ text, error: error.message });
				// A connection that has ended refuses at once: others are let run, and the process
				// may end when a test that failed has stopped nothing.
				await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS).unref());
			}
			lane.waitsFor = null;
		}
	}

	async #checkLane(lane, member) {
		const prefix = `${lane.sender.user.userId}:`;
		const mine = () => member.texts(lane.roomId).filter((text) => text.startsWith(prefix));
		const acked = new Set(lane.acked);
		await member.until(() => mine().filter((text) => acked.has(text)).length >= acked.size,
			`all ${acked.size} acknowledged messages of ${prefix} in ${lane.roomId}`);
		const got = mine();
		assert.equal(new Set(got).size, got.length, `a message of ${prefix} arrived twice`);
		assert.deepEqual(got.filter((text) => acked.has(text)), lane.acked, `order of ${prefix}`);
	}
}

module.exports = { Traffic };
