// SPDX-License-Identifier: Apache-2.0
// The client of the conformance cases: writes exactly the bytes it is told to, in the
// pieces it is told to, and notes in order what comes back. It reads without mercy: every
// breach of RFC 6455 by the server is a fault, whatever the case was about.
"use strict";

const crypto = require("node:crypto");
const net = require("node:net");
const { isUtf8 } = require("node:buffer");
const { frame, closePayload, upgradeText, OP, RECORD_SEPARATOR } = require("../../kit/raw.js");

const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CONTROL_BYTES_MAX = 125;
const HEAD_END = "\r\n\r\n";

const HUB = { INVOCATION: 1, COMPLETION: 3, PING: 6, CLOSE: 7 };

// What the calls' answers look like: nobody has a method of such a name, and says so.
const ECHO_START = "Failed to invoke '";
const ECHO_END = "' due to an error on the server. HubException: Method does not exist.";

function bytesOfHead(second) {
	const short = second & 127;
	return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

class Client {
	#rest = Buffer.alloc(0);
	#parts = null; // of a fragmented message
	#partsOpcode = 0;
	#waiters = new Set();

	constructor(address, target) {
		const at = address.lastIndexOf(":");
		this.address = address;
		this.target = target;
		this.onEvent = () => {}; // {kind: "handshake" | "echo" | "hub-close" | "ping" | "pong", ...}
		this.faults = []; // what the server did wrong
		this.status = 0; // of the answer to the opening request
		this.close = null; // the server's: {code, reason}
		this.isEnded = false; // the server has ended the TCP connection
		this.hasSentClose = false;
		this.socket = net.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true });
		this.socket.on("data", (data) => this.#onData(data));
		for (const event of ["end", "close", "error"])
			this.socket.on(event, () => this.#onEnd());
	}

	// The opening request, with whatever is to come in the same packet.
	open(behind = Buffer.alloc(0)) {
		const key = crypto.randomBytes(16).toString("base64");
		this.accept = crypto.createHash("sha1").update(key + ACCEPT_GUID).digest("base64");
		this.socket.write(Buffer.concat([Buffer.from(upgradeText(this.address, this.target, key)), behind]));
	}

	async write(pieces) {
		for (const piece of pieces) {
			if (this.isEnded)
				return;
			await new Promise((resolve) => this.socket.write(piece, resolve));
			if (pieces.length > 1)
				await new Promise((resolve) => setImmediate(resolve));
		}
	}

	sendClose(code) {
		this.hasSentClose = true;
		this.socket.write(frame(OP.CLOSE, closePayload(code)));
	}

	// Whether `ask` becomes true within the time, and before the connection is at its end.
	until(ask, ms) {
		if (ask() || this.isEnded)
			return Promise.resolve(ask());
		return new Promise((resolve) => {
			const waiter = () => {
				if (!ask() && !this.isEnded)
					return;
				clearTimeout(timer);
				this.#waiters.delete(waiter);
				resolve(ask());
			};
			const timer = setTimeout(() => {
				this.#waiters.delete(waiter);
				resolve(ask());
			}, ms);
			this.#waiters.add(waiter);
		});
	}

	destroy() {
		this.socket.destroy();
	}

	#wake() {
		for (const waiter of [...this.#waiters])
			waiter();
	}

	#fault(what) {
		this.faults.push(what);
	}

	#onEnd() {
		if (this.isEnded)
			return;
		this.isEnded = true;
		if (this.#rest.length > 0)
			this.#fault("the connection ended inside a frame");
		this.#wake();
	}

	#onData(data) {
		this.#rest = this.#rest.length ? Buffer.concat([this.#rest, data]) : data;
		if (this.status === 0)
			this.#readOpening();
		while (this.status === 101 && this.faults.length === 0 && this.#readFrame())
			;
		// After the first fault nothing that comes can be trusted to be a frame.
		if (this.faults.length > 0)
			this.#rest = Buffer.alloc(0);
		this.#wake();
	}

	#readOpening() {
		const end = this.#rest.indexOf(HEAD_END);
		if (end < 0)
			return;
		const lines = this.#rest.subarray(0, end).toString("latin1").split("\r\n");
		const value = (name) => lines.find((line) => line.toLowerCase().startsWith(`${name}:`))
			?.slice(name.length + 1).trim();
		this.status = Number(lines[0].split(" ")[1]);
		this.#rest = this.#rest.subarray(end + HEAD_END.length);
		if (this.status !== 101)
			this.#fault(`the opening request was answered with ${lines[0]}`);
		else if (value("sec-websocket-accept") !== this.accept)
			this.#fault("wrong Sec-WebSocket-Accept");
		else if (value("sec-websocket-extensions") || value("sec-websocket-protocol"))
			this.#fault("agreed to an extension or subprotocol that was not offered");
	}

	// True when there was a whole one.
	#readFrame() {
		const bytes = this.#rest;
		if (bytes.length < 2)
			return false;
		const head = bytesOfHead(bytes[1]);
		if (bytes.length < head)
			return false;
		const short = bytes[1] & 127;
		const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
		this.#checkHead(bytes[0], bytes[1], length);
		if (this.faults.length > 0 || bytes.length < head + length)
			return false;
		this.#rest = bytes.subarray(head + length);
		this.#onFrame((bytes[0] & 0x80) !== 0, bytes[0] & 15, bytes.subarray(head, head + length));
		return true;
	}

	#checkHead(first, second, length) {
		const opcode = first & 15;
		const short = second & 127;
		if (this.close)
			this.#fault("the server sent something after its Close");
		if (second & 0x80)
			this.#fault("a server's frame is masked");
		if (first & 0x70)
			this.#fault("a server's frame has a reserved bit");
		if ((short === 126 && length < 126) || (short === 127 && length < 65536))
			this.#fault("a length is not in its shortest form");
		if (opcode >= 8 && (!(first & 0x80) || length > CONTROL_BYTES_MAX))
			this.#fault("a control frame is fragmented or too long");
		if (opcode === OP.CONTINUATION ? !this.#parts : opcode <= OP.BINARY && this.#parts)
			this.#fault("fragments out of order");
	}

	#onFrame(isFinal, opcode, payload) {
		switch (opcode) {
		case OP.CONTINUATION:
		case OP.TEXT:
		case OP.BINARY:
			this.#partsOpcode = opcode || this.#partsOpcode;
			this.#parts = [...(this.#parts ?? []), payload];
			if (isFinal) {
				const whole = Buffer.concat(this.#parts);
				this.#parts = null;
				this.#onMessage(this.#partsOpcode, whole);
			}
			break;
		case OP.CLOSE:
			this.#onClose(payload);
			break;
		case OP.PING:
			this.socket.write(frame(OP.PONG, payload));
			this.onEvent({ kind: "ping" });
			break;
		case OP.PONG:
			this.onEvent({ kind: "pong", payload: Buffer.from(payload) });
			break;
		default:
			this.#fault(`a frame has the opcode ${opcode}`);
		}
	}

	#onClose(payload) {
		if (payload.length === 1 || !isUtf8(payload.subarray(2)))
			this.#fault("a Close has a malformed payload");
		else
			this.close = {
				code: payload.length ? payload.readUInt16BE() : null,
				reason: payload.subarray(2).toString(),
			};
		if (!this.hasSentClose && this.close)
			this.sendClose(this.close.code ?? 1000);
	}

	#onMessage(opcode, payload) {
		const text = payload.toString("utf8");
		if (opcode === OP.TEXT && !isUtf8(payload))
			this.#fault("a text message is not UTF-8");
		else if (!text.endsWith(RECORD_SEPARATOR))
			this.#fault("a hub message was split over two WebSocket messages");
		else
			for (const record of text.slice(0, -1).split(RECORD_SEPARATOR))
				this.#onRecord(record);
	}

	#onRecord(record) {
		let message;
		try {
			message = JSON.parse(record);
		} catch {
			this.#fault("a hub message is not JSON");
			return;
		}
		if (message.type === undefined)
			this.onEvent({ kind: "handshake", error: message.error });
		else if (message.type === HUB.COMPLETION)
			this.onEvent({ kind: "echo", id: message.invocationId, text: echoed(message.error) });
		else if (message.type === HUB.CLOSE)
			this.onEvent({ kind: "hub-close", error: message.error });
		else if (message.type !== HUB.PING && message.type !== HUB.INVOCATION)
			this.#fault(`a hub message has the type ${message.type}`);
	}
}

// The text that a call carried to the server and back, or null.
function echoed(error) {
	if (typeof error !== "string" || !error.startsWith(ECHO_START) || !error.endsWith(ECHO_END))
		return null;
	return error.slice(ECHO_START.length, -ECHO_END.length);
}

module.exports = { Client, HUB, ECHO_START, ECHO_END };
