// SPDX-License-Identifier: Apache-2.0
// Clients that mean no good, many of one kind:
//
//	node tests/lab/attack.js KIND COUNT HOST:PORT [TOKEN]
//
// It prints "ready" when all have done what begins their harm, then obeys lines on stdin: "status" is
// answered with one line of JSON; "pause" likewise, and nobody reads any more; "again" likewise, when others
// have begun in the places of those that have ended; "stop" likewise, and ends. KINDS below says what they do.
"use strict";

const net = require("node:net");
const readline = require("node:readline");
const { frame, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { nowUs } = require("./history_writer.js");

const STEP_MS = 1000;
const PARALLEL = 100;
const GROUP = "stuck";
const SEAM = 64; // what is looked for is no longer
const CROWD_GROUPS = 250; // of each
const SHOUT_BYTES = 8000;
const SHOUT_MS = 20;
const PIPELINED = 4000;
const MESSAGE_BYTES_MAX = 32768;

const record = (message) => frame(OP.TEXT, JSON.stringify(message) + RECORD_SEPARATOR);

const upgrade = (attack, hub = "relay") => [`GET /hubs/${hub}?access_token=${attack.token} HTTP/1.1`, `Host: ${attack.target}`,
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
	"", ""].join("\r\n");

class Attacker {
	constructor(attack) {
		this.attack = attack;
		this.text = "";
		this.bytes = 0;
		this.endedMs = null;
		this.startedMs = performance.now();
		this.startedUs = nowUs();
		this.socket = net.connect({ host: attack.host, port: attack.port, noDelay: true });
		this.socket.on("error", () => {});
		this.socket.on("data", (data) => {
			this.bytes += data.length;
			if (this.text.length < 4096)
				this.text += data.toString("latin1");
		});
		this.socket.on("end", () => this.#end());
		this.socket.on("close", () => this.#end());
		this.connected = new Promise((resolve) => this.socket.once("connect", resolve).once("close", resolve))
			.then(() => { this.port = this.socket.localPort; });
	}

	get status() {
		return Number(/^HTTP\/1\.1 (\d+)/.exec(this.text)?.[1] ?? 0);
	}

	// The code of the WebSocket Close that it got; 0: none.
	get closeCode() {
		const bytes = Buffer.from(this.text, "latin1");
		const at = bytes.length - (bytes.lastIndexOf(0x88) < 0 ? 0 : bytes.length - bytes.lastIndexOf(0x88));
		return bytes[at] === 0x88 && bytes[at + 1] >= 2 && at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : 0;
	}

	write(data) {
		if (this.endedMs === null)
			this.socket.write(data);
	}

	until(pattern) {
		return new Promise((resolve) => {
			let seen = this.text;
			const look = (data) => {
				if (data)
					seen = seen.slice(-SEAM) + data.toString("latin1");
				return pattern.test(seen) && done(true);
			};
			const done = (found) => {
				this.socket.removeListener("data", look);
				resolve(found);
				return true;
			};
			this.socket.on("data", look);
			this.socket.once("close", () => done(false));
			if (!look() && this.socket.closed)
				done(false); // nothing will come, not even its end
		});
	}

	// A connection of the relay hub.
	async open(protocol = "json", hub = "relay") {
		this.write(upgrade(this.attack, hub));
		await this.until(/\r\n\r\n/);
		if (protocol === null)
			return;
		this.write(record({ protocol, version: 1 }));
		await this.until(/\{\}\x1e/);
	}

	async join(group) {
		this.write(record({ type: 1, invocationId: "j", target: "JoinGroup", arguments: [group] }));
		await this.until(/"invocationId":"j"/);
	}

	#end() {
		this.endedMs ??= performance.now();
	}
}

// A byte each second, for ever.
function drip(attacker, byte) {
	const timer = setInterval(() => attacker.endedMs === null ? attacker.write(byte) : clearInterval(timer), STEP_MS);
}

const fragments = (size, count) => Buffer.concat(Array.from({ length: count }, (_, i) =>
	frame(i ? OP.CONTINUATION : OP.TEXT, "x".repeat(size), { fin: false })));

const KINDS = {
	// A request head that does not end.
	async slowhead(attacker, attack) {
		attacker.write(`GET / HTTP/1.1\r\nHost: ${attack.target}\r\nX-A: `);
		drip(attacker, "a");
	},
	// A body that does not end.
	async slowbody(attacker, attack) {
		attacker.write(`POST /hubs/relay/negotiate?negotiateVersion=1 HTTP/1.1\r\nHost: ${attack.target}\r\nContent-Length: 1000\r\n\r\n`);
		drip(attacker, " ");
	},
	// Answers that nobody reads, until there is no more room for them.
	async slowread(attacker, attack) {
		attacker.socket.pause();
		const request = `POST /hubs/relay/negotiate?negotiateVersion=1 HTTP/1.1\r\nHost: ${attack.target}\r\nContent-Length: 0\r\n\r\n`;
		attacker.write(request.repeat(PIPELINED));
	},
	// Connections of the hub that do nothing, as many as there is room for.
	async hold(attacker, attack) {
		attacker.write(upgrade(attack));
	},
	// Members of a busy group, who read until they are told to pause.
	async stuck(attacker) {
		await attacker.open();
		await attacker.join(GROUP);
	},
	// No harm: members of many groups, each alone in its own. All are there some time after "ready".
	async crowd(attacker, attack) {
		await attacker.open();
		for (let i = 0; i < CROWD_GROUPS; i++)
			attacker.write(record({ type: 1, target: "JoinGroup", arguments: [`crowd-${attack.attackers.indexOf(attacker)}-${i}`] }));
	},
	// Who keeps that group busy, and reads.
	async shout(attacker) {
		await attacker.open();
		await attacker.join(GROUP);
		const text = "x".repeat(SHOUT_BYTES);
		attacker.write(record({ type: 1, target: "SendToGroup", arguments: [GROUP, "s", text] }));
		const timer = setInterval(() => attacker.endedMs === null
			? attacker.write(record({ type: 1, target: "SendToGroup", arguments: [GROUP, "s", text] })) : clearInterval(timer), SHOUT_MS);
	},
	// ---- bombs: each takes what it may, and a little more
	async bomb_headers(attacker, attack) {
		attacker.write(`GET / HTTP/1.1\r\nHost: ${attack.target}\r\n${Array.from({ length: 2000 }, (_, i) => `X-${i}: a\r\n`).join("")}`);
	},
	async bomb_depth(attacker) {
		await attacker.open();
		attacker.write(frame(OP.TEXT, `{"type":1,"target":"SendToAll","arguments":[${"[".repeat(10000)}`));
		attacker.write(frame(OP.TEXT, `${"]".repeat(10000)}]}${RECORD_SEPARATOR}`));
	},
	async bomb_long(attacker) {
		await attacker.open();
		attacker.write(frame(OP.TEXT, `{"type":1,"target":"${"a".repeat(MESSAGE_BYTES_MAX)}`));
	},
	async bomb_varint(attacker) {
		await attacker.open("messagepack");
		attacker.write(frame(OP.BINARY, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])));
	},
	async bomb_msgpack(attacker) {
		await attacker.open("messagepack");
		// An array of 2^32 - 1 items, and a string as long, in ten bytes.
		attacker.write(frame(OP.BINARY, Buffer.from([11, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x01, 0xdb, 0xff, 0xff, 0xff, 0xff])));
	},
	async bomb_ones(attacker) {
		await attacker.open();
		attacker.write(fragments(1, 1100));
	},
	async bomb_nothings(attacker) {
		await attacker.open();
		attacker.write(fragments(0, 1100));
	},
	// It was not negotiated: a compressed frame is an error.
	async bomb_deflate(attacker) {
		await attacker.open();
		attacker.write(frame(OP.TEXT, Buffer.alloc(1000, 0xaa), { rsv: 4 }));
	},
	// ---- what may wait for its end, and what that costs: nearly a whole message, and a frame that is to be the longest there can be
	async keep_declared(attacker) {
		await attacker.open();
		attacker.write(frame(OP.TEXT, "x", { declared: 0x7fffffffffffffffn }));
	},
	async keep_long(attacker) {
		await attacker.open();
		attacker.write(frame(OP.TEXT, `{"type":1,"target":"${"a".repeat(MESSAGE_BYTES_MAX - 1000)}`));
	},
};

function status(attackers) {
	const over = attackers.filter((attacker) => attacker.endedMs !== null);
	const count = (of) => {
		const counts = {};
		for (const attacker of attackers)
			counts[of(attacker)] = (counts[of(attacker)] ?? 0) + 1;
		return counts;
	};
	const lives = over.map((attacker) => attacker.endedMs - attacker.startedMs);
	return { count: attackers.length, ended: over.length, statuses: count((attacker) => attacker.status),
		closes: count((attacker) => attacker.closeCode), longestMs: lives.length ? Math.max(...lives) : 0,
		begun: attackers.map((attacker) => [attacker.port, attacker.startedUs]) };
}

async function main([kind, count, target, token = ""]) {
	if (!KINDS[kind] || !(Number(count) > 0) || !target)
		throw new Error(`usage: attack.js ${Object.keys(KINDS).join("|")} COUNT HOST:PORT [TOKEN]`);
	const [host, port] = target.split(":");
	const attackers = [];
	const attack = { host, port: Number(port), target, token, attackers };
	const begin = async () => {
		while (attackers.length < Number(count)) {
			const attacker = new Attacker(attack);
			attackers.push(attacker);
			await attacker.connected;
			await KINDS[kind](attacker, attack);
		}
	};
	const beginAll = () => Promise.all(Array.from({ length: PARALLEL }, begin));
	const again = async () => {
		const left = attackers.filter((attacker) => attacker.endedMs === null && !attacker.socket.isPaused());
		for (const attacker of attackers)
			if (!left.includes(attacker))
				attacker.socket.destroy();
		attackers.splice(0, attackers.length, ...left);
		await beginAll();
	};
	await beginAll();
	console.log("ready");
	for await (const line of readline.createInterface({ input: process.stdin })) {
		if (line === "pause")
			for (const attacker of attackers)
				attacker.socket.pause();
		if (line === "again")
			await again();
		console.log(JSON.stringify(status(attackers)));
		if (line === "stop")
			break;
	}
	process.exit(0);
}

main(process.argv.slice(2)).catch((error) => {
	console.error(`attack: ${error.message}`);
	process.exit(1);
});
