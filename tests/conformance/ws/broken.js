// SPDX-License-Identifier: Apache-2.0
// A small WebSocket server with a hub behind it that can be broken on demand: it proves
// that the conformance cases find what they are for. Without a defect it is right in all
// they ask. One socket is one Peer; each place where a defect can be is marked by is().
"use strict";

const crypto = require("node:crypto");
const net = require("node:net");
const { isUtf8 } = require("node:buffer");
const { TextDecoder } = require("node:util");
const { masked, OP, RECORD_SEPARATOR } = require("../../kit/raw.js");
const { HUB, ECHO_START, ECHO_END } = require("./client.js");

const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CONTROL_BYTES_MAX = 125;
const FRAGMENTS_MAX = 1024;
const SPLIT_BYTES = 64;

// Name -> what it does wrong.
const DEFECTS = {
	"no-mask-check": "takes frames without a mask",
	"masked-answers": "masks its own frames",
	"rsv-ignored": "ignores reserved bits",
	"reserved-opcode": "ignores frames with a reserved opcode",
	"long-lengths": "takes lengths that are not in their shortest form",
	"short-lengths": "reads 16 bits of every long length",
	"long-control": "takes control frames of any length",
	"fragmented-control": "takes control frames in fragments",
	"wrong-pong": "answers every Ping with an empty Pong",
	"late-pong": "answers Pings when the message around them is complete",
	"pong-for-pong": "answers Pongs",
	"interleaved-data": "lets a message begin inside another",
	"continuation-of-nothing": "takes a continuation without a start",
	"lost-fragment": "loses the second fragment of every message",
	"no-utf8": "does not check UTF-8",
	"late-utf8": "checks UTF-8 when the message is complete",
	"half-utf8": "does not see half a character at the end of a message",
	"one-byte-close": "takes a Close of one byte",
	"any-close-code": "takes any close code",
	"any-close-reason": "takes a reason that is no UTF-8",
	"wrong-close-code": "answers every Close with 1011",
	"no-close": "does not answer a Close",
	"open-after-close": "leaves the TCP connection open after the closing handshake",
	"reads-after-close": "handles what comes after a Close",
	"talks-after-close": "sends a message after its own Close",
	"dropped": "ends failed connections without a Close",
	"wrong-failure": "fails every connection with 1011",
	"split-answers": "spreads long hub messages over two WebSocket messages",
	"lost-behind-opening": "loses what comes in one packet with the request",
};

class Failure extends Error {
	constructor(code) {
		super(`fail with ${code}`);
		this.code = code;
	}
}

function closeBytes(code) {
	const payload = Buffer.alloc(2);
	payload.writeUInt16BE(code);
	return payload;
}

function isGoodCode(code) {
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

// A frame's head once it is all there, or null.
function readHead(bytes) {
	const short = bytes.length < 2 ? 0 : bytes[1] & 127;
	const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
	const maskBytes = bytes.length >= 2 && bytes[1] & 0x80 ? 4 : 0;
	const size = 2 + lengthBytes + maskBytes;
	if (bytes.length < 2 || bytes.length < size)
		return null;
	return {
		size,
		lengthBytes,
		isFinal: (bytes[0] & 0x80) !== 0,
		rsv: bytes[0] & 0x70,
		opcode: bytes[0] & 15,
		mask: maskBytes ? Buffer.from(bytes.subarray(size - 4, size)) : null,
		length: lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? bytes.readBigUInt64BE(2) : short,
	};
}

function unmasked(bytes, mask, from) {
	return mask ? masked(bytes, mask, from) : Buffer.from(bytes);
}

class Peer {
	constructor(socket, defects) {
		this.socket = socket;
		this.defects = defects;
		this.rest = Buffer.alloc(0);
		this.isOpen = false; // the opening request is answered
		this.isOver = false; // a Close was sent or is not going to be
		this.frame = null; // the data frame whose payload is coming
		this.done = 0; // bytes of it
		this.opcode = 0; // of the message
		this.fragments = 0; // of the message, 0: none is open
		this.decoder = null;
		this.bytes = []; // of the message, when UTF-8 is checked late
		this.latePongs = [];
		this.hub = ""; // not yet a whole hub message
		this.hasShaken = false;
		socket.on("data", (data) => this.#onData(data));
		socket.on("end", () => socket.end());
		socket.on("error", () => socket.destroy());
	}

	is(defect) {
		return this.defects.has(defect);
	}

	// ---- out

	#send(opcode, payload) {
		const length = payload.length;
		const mask = this.is("masked-answers") ? 0x80 : 0;
		const head = [0x80 | opcode];
		if (length < 126)
			head.push(mask | length);
		else if (length < 65536)
			head.push(mask | 126, length >> 8, length & 255);
		else
			head.push(mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255));
		this.socket.write(Buffer.concat([Buffer.from(head), Buffer.alloc(mask ? 4 : 0), payload]));
	}

	#sendHub(message) {
		const bytes = Buffer.from(JSON.stringify(message) + RECORD_SEPARATOR);
		if (this.is("split-answers") && bytes.length > SPLIT_BYTES) {
			this.#send(OP.TEXT, bytes.subarray(0, SPLIT_BYTES));
			this.#send(OP.TEXT, bytes.subarray(SPLIT_BYTES));
		} else {
			this.#send(OP.TEXT, bytes);
		}
	}

	#close(code) {
		if (!this.is("reads-after-close"))
			this.isOver = true;
		this.#send(OP.CLOSE, closeBytes(code));
		if (this.is("talks-after-close"))
			this.#sendHub({ type: HUB.PING });
		if (!this.is("open-after-close"))
			setImmediate(() => this.socket.end());
	}

	#fail(code) {
		this.isOver = true;
		if (this.is("dropped"))
			this.socket.end();
		else
			this.#close(this.is("wrong-failure") ? 1011 : code);
	}

	// ---- in

	#onData(data) {
		this.rest = Buffer.concat([this.rest, data]);
		try {
			if (!this.isOpen)
				this.#readOpening();
			while (this.isOpen && !this.isOver && this.#read())
				;
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			this.#fail(error.code);
		}
		if (this.isOver)
			this.rest = Buffer.alloc(0);
	}

	#readOpening() {
		const end = this.rest.indexOf("\r\n\r\n");
		if (end < 0)
			return;
		const key = /sec-websocket-key: *(\S+)/i.exec(this.rest.subarray(0, end).toString("latin1"))[1];
		const accept = crypto.createHash("sha1").update(key + ACCEPT_GUID).digest("base64");
		this.socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
		this.isOpen = true;
		this.rest = this.is("lost-behind-opening") ? Buffer.alloc(0) : this.rest.subarray(end + 4);
	}

	// A head with a whole control frame, or a part of a data frame; false: more has to come.
	#read() {
		if (this.frame)
			return this.rest.length > 0 && this.#readData();
		const head = readHead(this.rest);
		if (this.rest.length >= 2)
			this.#checkStart(this.rest[0], this.rest[1]);
		if (!head)
			return false;
		this.#checkLength(head);
		if (head.opcode >= OP.CLOSE)
			return this.#readControl(head);
		this.rest = this.rest.subarray(head.size);
		this.#startData(head);
		return this.#readData();
	}

	#checkStart(first, second) {
		const opcode = first & 15;
		const isControl = opcode >= OP.CLOSE;
		if (first & 0x70 && !this.is("rsv-ignored"))
			throw new Failure(1002);
		if (!(second & 0x80) && !this.is("no-mask-check"))
			throw new Failure(1002);
		if (![0, 1, 2, 8, 9, 10].includes(opcode) && !this.is("reserved-opcode"))
			throw new Failure(1002);
		if (isControl && !(first & 0x80) && !this.is("fragmented-control"))
			throw new Failure(1002);
		if (isControl && (second & 127) > CONTROL_BYTES_MAX && !this.is("long-control"))
			throw new Failure(1002);
	}

	#checkLength(head) {
		const isShortest = head.lengthBytes === 0 || (head.lengthBytes === 2 ? head.length >= 126 : head.length > 65535n);
		if (!isShortest && !this.is("long-lengths"))
			throw new Failure(1002);
		if (head.lengthBytes === 8 && head.length >> 63n)
			throw new Failure(1002);
		head.length = Number(head.length);
		if (head.lengthBytes === 8 && this.is("short-lengths"))
			head.length &= 0xffff;
	}

	#readControl(head) {
		if (this.rest.length < head.size + head.length)
			return false;
		const payload = unmasked(this.rest.subarray(head.size, head.size + head.length), head.mask, 0);
		this.rest = this.rest.subarray(head.size + head.length);
		if (head.opcode === OP.CLOSE)
			this.#onClose(payload);
		else if (head.opcode === OP.PING && this.is("late-pong") && this.fragments > 0)
			this.latePongs.push(payload);
		else if (head.opcode === OP.PING)
			this.#send(OP.PONG, this.is("wrong-pong") ? Buffer.alloc(0) : payload);
		else if (head.opcode === OP.PONG && this.is("pong-for-pong"))
			this.#send(OP.PONG, payload);
		return true;
	}

	#onClose(payload) {
		if (payload.length === 1 && !this.is("one-byte-close"))
			throw new Failure(1002);
		if (payload.length > 1 && !isGoodCode(payload.readUInt16BE()) && !this.is("any-close-code"))
			throw new Failure(1002);
		if (!isUtf8(payload.subarray(2)) && !this.is("any-close-reason"))
			throw new Failure(1007);
		if (!this.is("no-close"))
			this.#close(this.is("wrong-close-code") ? 1011 : 1000);
	}

	#startData(head) {
		if (head.opcode === OP.CONTINUATION && this.fragments === 0) {
			if (!this.is("continuation-of-nothing"))
				throw new Failure(1002);
			head.isIgnored = true;
		} else if (head.opcode !== OP.CONTINUATION && head.opcode <= OP.BINARY) {
			if (this.fragments > 0 && !this.is("interleaved-data"))
				throw new Failure(1002);
			this.opcode = head.opcode;
			this.decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
			this.fragments = 0;
			this.bytes = [];
		} else if (head.opcode > OP.BINARY) {
			head.isIgnored = true; // reserved
		}
		if (!head.isIgnored && ++this.fragments > FRAGMENTS_MAX)
			throw new Failure(1008);
		this.frame = head;
		this.done = 0;
	}

	// What has come of the payload, if it is only a part.
	#readData() {
		const { frame } = this;
		const part = unmasked(this.rest.subarray(0, frame.length - this.done), frame.mask, this.done);
		this.rest = this.rest.subarray(part.length);
		this.done += part.length;
		const isEndOfFrame = this.done === frame.length;
		if (isEndOfFrame)
			this.frame = null;
		if (frame.isIgnored)
			return true;
		const isEnd = isEndOfFrame && frame.isFinal;
		this.#checkText(part, isEnd);
		if (!(this.is("lost-fragment") && this.fragments === 2))
			this.#onBytes(part);
		if (isEnd)
			this.#endMessage();
		return true;
	}

	#checkText(part, isEnd) {
		if (this.opcode !== OP.TEXT || this.is("no-utf8"))
			return;
		this.bytes.push(part);
		if (this.is("late-utf8")) {
			if (isEnd && !isUtf8(Buffer.concat(this.bytes)))
				throw new Failure(1007);
			return;
		}
		try {
			this.decoder.decode(part, { stream: !isEnd || this.is("half-utf8") });
		} catch {
			throw new Failure(1007);
		}
	}

	#endMessage() {
		this.fragments = 0;
		for (const payload of this.latePongs.splice(0))
			this.#send(OP.PONG, payload);
	}

	// ---- the hub

	// latin1 keeps bytes as they are until a hub message is whole.
	#onBytes(part) {
		const records = (this.hub + part.toString("latin1")).split(RECORD_SEPARATOR);
		this.hub = records.pop();
		for (const record of records)
			if (!this.isOver)
				this.#onRecord(Buffer.from(record, "latin1").toString("utf8"));
	}

	#onRecord(record) {
		let message;
		try {
			message = JSON.parse(record);
		} catch {
			this.#sendHub({ type: HUB.CLOSE, error: "Connection closed with an error." });
			throw new Failure(1011);
		}
		if (!this.hasShaken) {
			this.hasShaken = true;
			this.#sendHub({});
		} else if (message.type === HUB.INVOCATION && message.invocationId !== undefined) {
			const { invocationId, target } = message;
			this.#sendHub({ type: HUB.COMPLETION, invocationId, error: `${ECHO_START}${target}${ECHO_END}` });
		}
	}
}

// {address, stop()} of a server with these defects.
async function startServer(...defects) {
	for (const defect of defects)
		if (!(defect in DEFECTS))
			throw new Error(`no such defect: ${defect}`);
	const sockets = new Set();
	const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		new Peer(socket, new Set(defects));
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		address: `127.0.0.1:${server.address().port}`,
		stop: () => new Promise((resolve) => {
			server.close(resolve);
			for (const socket of sockets)
				socket.destroy();
		}),
	};
}

module.exports = { startServer, DEFECTS };
