// SPDX-License-Identifier: Apache-2.0
// A small SignalR server (JSON over WebSockets, no negotiation) with the bench hub's Echo,
// groups and SendToGroup, that does wrong on purpose and counts how often: what a load tool
// has to find.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");

const ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const SEPARATOR = "\u001e";
const EVERY = 50;
const HOLD_MS = 300;

const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;

// Server frames are not masked.
function frame(opcode, payload) {
	const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length])
		: Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]);
	return Buffer.concat([head, payload]);
}

// {opcode, payload, rest} of the first frame, or null while it is not whole.
function cut(bytes) {
	let at = 2;
	if (bytes.length < at)
		return null;
	let length = bytes[1] & 0x7f;
	if (length === 127)
		throw new Error("no client of this server sends frames that long");
	if (length === 126) {
		at = 4;
		if (bytes.length < at)
			return null;
		length = bytes.readUInt16BE(2);
	}
	const mask = bytes.subarray(at, at + 4);
	at += 4;
	if (bytes.length < at + length)
		return null;
	const payload = Buffer.from(bytes.subarray(at, at + length)).map((byte, i) => byte ^ mask[i % 4]);
	return { opcode: bytes[0] & 0x0f, payload, rest: bytes.subarray(at + length) };
}

class Peer {
	constructor(liar, socket) {
		this.liar = liar;
		this.socket = socket;
		this.isGreeted = false;
		this.held = new Map(); // sender -> the message kept back
		this.bytes = Buffer.alloc(0);
		socket.on("data", (data) => this.#onData(data));
		socket.on("error", () => {});
		socket.on("close", () => liar.forget(this));
	}

	say(message) {
		if (!this.socket.destroyed)
			this.socket.write(frame(OPCODE_TEXT, Buffer.from(JSON.stringify(message) + SEPARATOR)));
	}

	#onData(data) {
		this.bytes = Buffer.concat([this.bytes, data]);
		for (let found; (found = cut(this.bytes)) !== null;) {
			this.bytes = found.rest;
			if (found.opcode === OPCODE_CLOSE)
				return this.socket.end(frame(OPCODE_CLOSE, found.payload));
			if (found.opcode === OPCODE_TEXT)
				for (const text of found.payload.toString().split(SEPARATOR).slice(0, -1))
					this.#onMessage(JSON.parse(text));
		}
	}

	#onMessage(message) {
		if (!this.isGreeted) {
			this.isGreeted = true;
			this.say({});
		} else if (message.type === 1)
			this.liar.invoke(this, message);
	}
}

class Liar {
	// drop, double, swap, stranger, garble, cut, stain, misname: of deliveries; mute, repeat:
	// of answers.
	constructor(fault) {
		this.fault = fault;
		this.planted = 0; // how often it did wrong
		this.seen = 0; // occasions
		this.peers = new Set();
		this.groups = new Map();
		this.server = http.createServer((request, response) => response.writeHead(404).end());
		this.server.on("upgrade", (request, socket) => {
			const key = crypto.createHash("sha1").update(request.headers["sec-websocket-key"] + ACCEPT);
			socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				`Sec-WebSocket-Accept: ${key.digest("base64")}\r\n\r\n`);
			this.peers.add(new Peer(this, socket));
		});
	}

	async start() {
		await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
		return `http://127.0.0.1:${this.server.address().port}/hubs/bench`;
	}

	stop() {
		for (const peer of this.peers)
			peer.socket.destroy();
		return new Promise((resolve) => this.server.close(resolve));
	}

	forget(peer) {
		this.peers.delete(peer);
		for (const members of this.groups.values())
			members.delete(peer);
	}

	invoke(peer, { target, arguments: args, invocationId }) {
		if (target === "JoinGroup")
			this.groups.set(args[0], (this.groups.get(args[0]) ?? new Set()).add(peer));
		if (target === "SendToGroup")
			for (const member of this.groups.get(args[0]))
				this.#deliver(member, args[0], args[1]);
		if (invocationId !== undefined)
			this.#answer(peer, { type: 3, invocationId, result: target === "Echo" ? args[0] : null },
				target === "Echo");
	}

	#isTurn(...faults) {
		return faults.includes(this.fault) && ++this.seen % EVERY === 0;
	}

	#deliver(member, group, payload) {
		const message = { type: 1, target: "Receive", arguments: [payload] };
		const sender = payload.slice(1, 9);
		const held = member.held.get(sender);
		if (held) {
			member.held.delete(sender);
			member.say(message);
			this.planted++;
			return member.say(held);
		}
		if (!this.#isTurn("drop", "double", "swap", "stranger", "garble", "cut", "stain", "misname"))
			return member.say(message);
		if (this.fault === "swap")
			return this.#hold(member, sender, message);
		this.planted++;
		if (this.fault === "garble")
			message.arguments = [`x${payload}`];
		if (this.fault === "cut")
			message.arguments = [payload.slice(0, -1)];
		if (this.fault === "stain")
			message.arguments = [`${payload.slice(0, -1)}x`];
		if (this.fault === "misname")
			message.target = "Deceive";
		if (this.fault === "stranger")
			[...this.peers].find((peer) => !this.groups.get(group).has(peer)).say(message);
		if (this.fault === "double")
			member.say(message);
		if (this.fault !== "drop")
			member.say(message);
	}

	// Until the same sender's next one has passed it; the last one of all has no next.
	#hold(member, sender, message) {
		member.held.set(sender, message);
		setTimeout(() => {
			if (member.held.get(sender) !== message)
				return;
			member.held.delete(sender);
			member.say(message);
		}, HOLD_MS).unref();
	}

	#answer(peer, message, isEcho) {
		const isTurn = isEcho && this.#isTurn("mute", "repeat");
		if (isTurn)
			this.planted++;
		if (isTurn && this.fault === "repeat")
			peer.say(message);
		if (!isTurn || this.fault === "repeat")
			peer.say(message);
	}
}

module.exports = { Liar };
