// SPDX-License-Identifier: Apache-2.0
// Exact bytes to a server and back: plain HTTP requests, and a WebSocket client that sends
// whatever a test asks for, right or wrong. It reads strictly, because servers must be right.
"use strict";

const crypto = require("node:crypto");
const net = require("node:net");
const tls = require("node:tls");
const { waitFor } = require("./wait.js");

const WAIT_MS = 8000;
const RECORD_SEPARATOR = "\x1e";
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const OP = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

// A TCP connection that keeps all it has received and not yet been asked for. Under TLS when
// the address begins with "https://".
class RawSocket {
	constructor(url) {
		const address = url.replace(/^https?:\/\//, "");
		const at = address.lastIndexOf(":");
		this.address = address;
		this.bytes = Buffer.alloc(0);
		this.isEnded = false; // the server sent FIN or RST
		this.socket = (url.startsWith("https:") ? tls : net)
			.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true });
		this.socket.on("data", (data) => (this.bytes = Buffer.concat([this.bytes, data])));
		this.socket.on("end", () => (this.isEnded = true));
		this.socket.on("close", () => (this.isEnded = true));
		this.socket.on("error", () => (this.isEnded = true));
	}

	write(data) {
		this.socket.write(data);
	}

	// Each piece in a packet of its own, as far as the kernel lets us say so.
	async writeInPieces(pieces) {
		for (const piece of pieces) {
			await new Promise((resolve) => this.socket.write(piece, resolve));
			await new Promise((resolve) => setImmediate(resolve));
		}
	}

	take(count) {
		const taken = this.bytes.subarray(0, count);
		this.bytes = this.bytes.subarray(count);
		return taken;
	}

	untilEnd(what = "end of the connection") {
		return waitFor(() => this.isEnded, WAIT_MS, what);
	}

	// The connection just vanishes, without a WebSocket Close.
	destroy() {
		this.socket.destroy();
	}

	async head() {
		const at = await waitFor(() => {
			const end = this.bytes.indexOf("\r\n\r\n");
			if (end < 0 && this.isEnded)
				throw new Error("the connection ended");
			return end >= 0 && end + 4;
		}, WAIT_MS, "a response head");
		const [statusLine, ...lines] = this.take(at).toString("latin1").trimEnd().split("\r\n");
		const headers = {};
		for (const line of lines) {
			const colon = line.indexOf(":");
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		return { status: Number(statusLine.split(" ")[1]), headers };
	}

	async response() {
		const { status, headers } = await this.head();
		const body = headers["transfer-encoding"] === "chunked"
			? await this.#chunkedBody() : await this.#plainBody(status, headers);
		return { status, headers, body: body.toString("utf8") };
	}

	async #plainBody(status, headers) {
		if (status === 101 || status === 204)
			return Buffer.alloc(0);
		const length = Number(headers["content-length"]);
		await waitFor(() => this.bytes.length >= length || this.isEnded, WAIT_MS, "a response body");
		return this.take(Number.isNaN(length) ? this.bytes.length : length);
	}

	async #chunkedBody() {
		const parts = [];
		for (;;) {
			const line = await waitFor(() => this.bytes.indexOf("\r\n") >= 0 && this.bytes.indexOf("\r\n"),
				WAIT_MS, "a chunk");
			const size = parseInt(this.take(line + 2).toString(), 16);
			await waitFor(() => this.bytes.length >= size + 2, WAIT_MS, "a chunk's bytes");
			parts.push(Buffer.from(this.take(size)));
			this.take(2);
			if (size === 0)
				return Buffer.concat(parts);
		}
	}
}

// Without its body, of which `length` bytes follow.
function headText(method, target, host, headers, length = 0) {
	const all = { Host: host, ...headers };
	if (length > 0 || method === "POST")
		all["Content-Length"] = String(length);
	const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}`);
	return `${method} ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

function requestText(method, target, host, headers, body = "") {
	return headText(method, target, host, headers, Buffer.byteLength(body)) + body;
}

// One request on a connection of its own: {status, headers, body}.
async function httpRequest(address, method, target, { headers = {}, body = "" } = {}) {
	const raw = new RawSocket(address);
	try {
		raw.write(requestText(method, target, address, headers, body));
		return await raw.response();
	} finally {
		raw.destroy();
	}
}

// A copy. A plain loop, for messages of many MiB; `from` is the place of its first byte.
function masked(bytes, key, from = 0) {
	const copy = Buffer.from(bytes);
	for (let i = 0; i < copy.length; i++)
		copy[i] ^= key[(from + i) & 3];
	return copy;
}

// A client frame. `mask: false` and friends make it a wrong one.
function frame(opcode, payload = "", { fin = true, mask = true, rsv = 0, declared = null } = {}) {
	const bytes = Buffer.from(payload);
	const length = declared ?? BigInt(bytes.length);
	const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
	const maskBit = mask ? 0x80 : 0;
	if (length < 126n) {
		head.push(maskBit | Number(length));
	} else if (length < 65536n) {
		head.push(maskBit | 126, Number(length >> 8n), Number(length & 255n));
	} else {
		head.push(maskBit | 127);
		for (let shift = 56n; shift >= 0n; shift -= 8n)
			head.push(Number((length >> shift) & 255n));
	}
	if (!mask)
		return Buffer.concat([Buffer.from(head), bytes]);
	const key = crypto.randomBytes(4);
	return Buffer.concat([Buffer.from(head), key, masked(bytes, key)]);
}

function closePayload(code, reason = "") {
	const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
	payload.writeUInt16BE(code);
	payload.write(reason, 2);
	return payload;
}

function upgradeText(address, target, key, headers = {}) {
	return requestText("GET", target, address, {
		Connection: "Upgrade", Upgrade: "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, ...headers,
	});
}

class RawWebSocket extends RawSocket {
	#messages = []; // hub messages cut from text frames and not yet taken

	static async open(address, target, headers) {
		const ws = new RawWebSocket(address);
		const key = crypto.randomBytes(16).toString("base64");
		ws.write(upgradeText(ws.address, target, key, headers));
		ws.opened = await ws.response();
		if (ws.opened.status === 101)
			ws.checkAccept(key);
		return ws;
	}

	checkAccept(key) {
		const expected = crypto.createHash("sha1").update(key + ACCEPT_GUID).digest("base64");
		if (this.opened.headers["sec-websocket-accept"] !== expected)
			throw new Error("wrong Sec-WebSocket-Accept");
	}

	// The next frame of the server, of any kind.
	async frame() {
		const size = await waitFor(() => {
			const total = this.#frameSize();
			if (!total && this.isEnded)
				throw new Error("the connection ended without another frame");
			return total;
		}, WAIT_MS, "a frame");
		const bytes = this.take(size.total);
		return { fin: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 15, payload: bytes.subarray(size.head) };
	}

	// The server's Close: {code, reason}; hub messages before it are kept for message().
	async close() {
		for (;;) {
			const { opcode, payload } = await this.frame();
			if (opcode === OP.CLOSE)
				return { code: payload.length ? payload.readUInt16BE() : null, reason: payload.subarray(2).toString() };
			if (opcode === OP.TEXT)
				this.#cut(payload);
		}
	}

	send(...messages) {
		this.write(frame(OP.TEXT, messages.map((message) => JSON.stringify(message) + RECORD_SEPARATOR).join("")));
	}

	// The next hub message; pings are left out unless asked for.
	async message({ pings = false } = {}) {
		for (;;) {
			while (this.#messages.length === 0) {
				const { opcode, payload } = await this.frame();
				if (opcode === OP.CLOSE)
					throw new Error(`closed by the server: ${payload.toString("latin1")}`);
				if (opcode !== OP.PONG)
					this.#cut(payload);
			}
			const message = this.#messages.shift();
			if (pings || message.type !== 6)
				return message;
		}
	}

	// Messages already cut and not asked for.
	get pending() {
		return this.#messages.filter((message) => message.type !== 6);
	}

	async handshake(request = { protocol: "json", version: 1 }) {
		this.send(request);
		return this.message();
	}

	// The Completion for that id, skipping events that come before it.
	async completion(invocationId) {
		for (;;) {
			const message = await this.message();
			if (message.type === 3 && message.invocationId === invocationId)
				return message;
			if (message.type === 7)
				throw new Error(`hub Close instead of a completion: ${JSON.stringify(message)}`);
		}
	}

	async call(target, ...args) {
		const invocationId = String(this.calls = (this.calls ?? 0) + 1);
		this.send({ type: 1, invocationId, target, arguments: args });
		return this.completion(invocationId);
	}

	#cut(payload) {
		const text = payload.toString("utf8");
		if (!text.endsWith(RECORD_SEPARATOR))
			throw new Error(`a hub message was split over two WebSocket messages: ${text}`);
		for (const part of text.slice(0, -1).split(RECORD_SEPARATOR))
			this.#messages.push(JSON.parse(part));
	}

	#frameSize() {
		if (this.bytes.length < 2)
			return null;
		if (this.bytes[1] & 0x80)
			throw new Error("a server frame must not be masked");
		const short = this.bytes[1];
		const head = short < 126 ? 2 : short === 126 ? 4 : 10;
		if (this.bytes.length < head)
			return null;
		const length = short < 126 ? short : short === 126 ? this.bytes.readUInt16BE(2)
			: Number(this.bytes.readBigUInt64BE(2));
		return this.bytes.length < head + length ? null : { head, total: head + length };
	}
}

module.exports = {
	RawSocket, RawWebSocket, httpRequest, upgradeText, headText, requestText, frame, masked, closePayload, OP, RECORD_SEPARATOR,
};
