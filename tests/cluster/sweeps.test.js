// SPDX-License-Identifier: Apache-2.0
// A crowd far larger than a slice hears many senders at once, while some of it come, go and
// are spoken to alone: everybody gets exactly what he should, in the order of each sender.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { frame, RawWebSocket, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");

const SLICE = 16;
const CROWD = 640;
const SENDERS = 8;
const MOVERS = 60; // half of them leave, half join
const SAID = 40; // by each sender, to the crowd
const WAIT_MS = 60000;
const ROLES = ["relay.join", "relay.send", "relay.user", "relay.all"];

// A raw client that keeps all it hears, as it comes.
class Member {
	heard = []; // [event, sender, number] and, for an answer, ["answer", id]

	static async open(cluster) {
		const { token } = await (await fetch(`${cluster.urls[0]}/dev/token`, {
			method: "POST", body: JSON.stringify({ userId: "crowd", roles: ROLES }) })).json();
		const member = new Member();
		member.ws = await RawWebSocket.open(cluster.addresses[0], `/hubs/relay?access_token=${token}`);
		const { connectionId } = await member.ws.handshake();
		assert.equal(connectionId, undefined);
		member.ws.socket.on("data", () => member.#cut());
		return member;
	}

	#cut() {
		for (;;) {
			const { bytes } = this.ws;
			if (bytes.length < 4)
				return;
			assert.equal(bytes[0], 0x80 | OP.TEXT);
			const head = bytes[1] < 126 ? 2 : 4;
			const len = head === 2 ? bytes[1] : bytes.readUInt16BE(2);
			if (bytes.length < head + len)
				return;
			const text = this.ws.take(head + len).subarray(head).toString();
			for (const part of text.split(RECORD_SEPARATOR).slice(0, -1))
				this.#on(JSON.parse(part));
		}
	}

	#on(message) {
		if (message.type === 1)
			this.heard.push([message.target, ...message.arguments]);
		else if (message.type === 3)
			this.heard.push(["answer", message.error ?? null]);
		else
			assert.equal(message.type, 6);
	}

	// Without waiting.
	send(target, ...args) {
		this.ws.write(frame(OP.TEXT, JSON.stringify({ type: 1, target, arguments: args }) + RECORD_SEPARATOR));
	}

	// Resolves with how much was heard before the answer.
	async call(target, ...args) {
		const from = this.heard.length;
		this.ws.send({ type: 1, invocationId: "1", target, arguments: args });
		const at = await waitFor(() => {
			const index = this.heard.findIndex((entry, i) => i >= from && entry[0] === "answer");
			return index >= 0 && index + 1;
		}, WAIT_MS, `an answer to ${target}`);
		assert.equal(this.heard[at - 1][1], null);
		return at;
	}

	of(event, sender) {
		return this.heard.filter((entry) => entry[0] === event && entry[1] === sender).map((entry) => entry[2]);
	}
}

const below = (n) => Array.from({ length: n }, (_, i) => i);

async function crowd(cluster) {
	const members = [];
	while (members.length < CROWD)
		members.push(...await Promise.all(below(64).map(() => Member.open(cluster))));
	return members;
}

// Every third message leaves its sender out.
async function speak(members) {
	const senders = members.slice(0, SENDERS);
	for (const number of below(SAID)) {
		senders.forEach((sender, who) => {
			sender.send(number % 3 === 0 ? "SendToOthersInGroup" : "SendToGroup", "crowd", "said", who, number);
			sender.send("SendToAll", "called", who, number);
			sender.send("SendToGroup", "few", "whispered", who, number);
		});
		await new Promise((resolve) => setImmediate(resolve));
	}
	await Promise.all(senders.map((sender, who) => sender.call("SendToAll", "over", who, 0)));
}

// What a mover heard before the answer to its `target`, and all behind it.
async function move(member, target) {
	await waitFor(() => member.of("said", 0).length > 0 || member.of("called", 0).length > 0, WAIT_MS, "a first word");
	const at = await member.call(target, "crowd");
	return { member, at };
}

test("a crowd served in slices hears everything once and in order", async () => {
	const options = { gateways: 1, routers: 2, gatewayArgs: [`--sweep_slice=${SLICE}`, "--dev=on",
		"--user_connections_max=0", "--user_negotiates_per_minute_max=0", "--address_negotiates_per_minute_max=0"] };
	await withCluster(options, async (cluster) => {
		const members = await crowd(cluster);
		const joiners = members.slice(-MOVERS / 2);
		const leavers = members.slice(-MOVERS, -MOVERS / 2);
		const stayers = members.slice(0, -MOVERS);
		const few = stayers.slice(-SLICE / 2);
		for (const member of few)
			await member.call("JoinGroup", "few");
		await Promise.all([...stayers, ...leavers].map((member) => member.call("JoinGroup", "crowd")));

		const [, joined, left] = await Promise.all([
			speak(members),
			Promise.all(joiners.map((member) => move(member, "JoinGroup"))),
			Promise.all(leavers.map((member) => move(member, "LeaveGroup"))),
		]);
		const isOver = (member) => below(SENDERS).every((who) => member.of("over", who).length === 1);
		await waitFor(() => members.every(isOver), WAIT_MS, "the end of all");

		for (const who of below(SENDERS)) {
			for (const member of members)
				assert.deepEqual(member.of("called", who), below(SAID));
			stayers.forEach((member, i) => assert.deepEqual(member.of("said", who),
				below(SAID).filter((number) => i !== who || number % 3 !== 0)));
			for (const member of few)
				assert.deepEqual(member.of("whispered", who), below(SAID));
			for (const { member, at } of left) {
				const said = member.of("said", who);
				assert.deepEqual(said, below(said.length));
				assert.ok(!member.heard.slice(at).some(([event]) => event === "said"));
			}
			for (const { member } of joined) {
				const said = member.of("said", who);
				assert.deepEqual(said, below(SAID).slice(SAID - said.length));
			}
		}
		const metrics = await cluster.metrics("g1");
		assert.ok(metrics.get("gateway_sweep_total") > 0);
		assert.ok(metrics.get("gateway_sweep_slices_total") >= CROWD / SLICE);
		assert.ok(metrics.get("gateway_sweep_catch_up_total") > 0);
		assert.equal(metrics.get("gateway_sweeps"), 0);
		assert.equal(metrics.get("gateway_sweep_bytes"), 0);
		members.forEach((member) => member.ws.destroy());
	});
});
