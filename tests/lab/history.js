// SPDX-License-Identifier: Apache-2.0
// The history checker: reads what clients wrote down of what they sent, heard and were, and
// says whether the cluster kept its promises.
//
//	node tests/lab/history.js [--tail_ms=1000] [--settle_ms=5000] [--lost_ms=30000] [--json] FILE...
//
// Exit status 0: no promise was broken. 1: one was. 2: this is no history.
//
// A history is any number of files, one of each writer. Each is lines, and each line a JSON
// array: what it is, when (microseconds of CLOCK_MONOTONIC), and
//
//	["h", us, 1, {…}]                                  the first line: version, and who wrote it
//	["o", us, client, life, calledUs, {user, id, kind, transport, …}]
//	                                                   connection number `life` of the client is open; it was begun
//	                                                   at calledUs; kind is "stateful" or "plain"
//	["w", us, client, life, "down"|"up"]               a stateful connection lost its socket, has a new one
//	["e", us, client, life, how, reason]               its end: "own", its user is about to stop it, after what was
//	                                                   due to it has come or is overdue; "left", in the middle; "lost"
//	["j", us, client, life, target, calledUs, outcome] it joined; from calledUs to us it may or may not be in
//	["l", us, client, life, target, calledUs, outcome] it left, likewise
//	["s", us, client, life, target, n]                 is about to send number n: 1, 2, 3 … of this client to this
//	                                                   target, through all its connections
//	["c", us, client, target, n, outcome, reason]      what became of that send
//	["r", us, client, life, sender, target, n]         heard it
//	["pw", us, watcher, "on"|"off"]                    a watcher of presence begins to listen, ends
//	["p", us, watcher, user, "on"|"off"]               it heard that the user came, or went
//	["q", us, calledUs, [user, …]]                     an answer to who is online
//	["m", us, text]                                    what was done to the cluster
//	["z", us]                                          the last line: this file is whole
//
// An outcome is "ok", "refused" (it certainly was not done) or "unknown"; what has none is
// unknown. A target is whatever the writers agree on. Connections that hear of a target
// without joining (a user's) have a "j" line all the same. Lines of one client are in the
// order of its clock; nothing else needs an order. The rules are in history_messages.js and
// history_presence.js.
"use strict";

const fs = require("node:fs");
const { Histogram } = require("./figures.js");
const messages = require("./history_messages.js");
const presence = require("./history_presence.js");
const { Violations } = require("./violations.js");

const VERSION = 1;
const PIECE_BYTES = 1 << 20;
const LINE_CHARACTERS_MAX = 1 << 20;
const DEFAULTS = { tailMs: 1000, settleMs: 5000, lostMs: 30000 };
const DELIVERY = "[\"r\"";

// A file's lines, read a piece at a time.
function* linesOf(file) {
	const fd = fs.openSync(file, "r");
	const piece = Buffer.allocUnsafe(PIECE_BYTES);
	const decoder = new TextDecoder();
	let rest = "";
	try {
		for (let n; (n = fs.readSync(fd, piece, 0, PIECE_BYTES, null)) > 0;) {
			const lines = (rest + decoder.decode(piece.subarray(0, n), { stream: true })).split("\n");
			rest = lines.pop();
			if (rest.length > LINE_CHARACTERS_MAX)
				throw new Error(`a line of more than ${LINE_CHARACTERS_MAX} characters`);
			yield* lines;
		}
		// Without its end: the writer was killed in the middle of it.
		if (rest !== "")
			yield null;
	} finally {
		fs.closeSync(fd);
	}
}

class History {
	constructor(options = {}) {
		const { tailMs, settleMs, lostMs } = { ...DEFAULTS, ...options };
		this.violations = new Violations([...messages.RULES, ...presence.RULES]);
		this.messages = new messages.Messages({ tailUs: tailMs * 1000 }, this.violations);
		this.presence = new presence.Presence({ settleUs: settleMs * 1000, lostUs: lostMs * 1000 }, this.violations);
		this.away = new Histogram();
		this.down = new Map(); // "client life" -> since when
		this.reattached = 0;
		this.cut = 0;
		this.reasons = new Map(); // of outcomes that were not "ok"
		this.stateful = new Set(); // clients who ask for it
		this.unaccepted = { stateful: 0, plain: 0 };
		this.endUs = 0;
	}

	// One line that is no delivery.
	define(line) {
		const [what, us, ...rest] = line;
		this.endUs = Math.max(this.endUs, us);
		switch (what) {
		case "o": return this.#open(us, ...rest);
		case "e": return this.messages.session(rest[0], rest[1]).end(us, rest[2], rest[3]);
		case "w": return this.#socket(us, ...rest);
		case "j": return this.messages.session(rest[0], rest[1]).join(rest[2], rest[3], us, rest[4]);
		case "l": return this.messages.session(rest[0], rest[1]).leave(rest[2], rest[3], us, rest[4]);
		case "s": return this.messages.send(us, ...rest);
		case "c": return this.#complete(us, ...rest);
		case "pw": return this.presence.watch(us, ...rest);
		case "p": return this.presence.event(us, ...rest);
		case "q": return this.presence.list(us, ...rest);
		case "m": return this.messages.mark(us, rest[0]);
		default: throw new Error(`"${what}" is no kind of line`);
		}
	}

	// One delivery, after everything else was defined.
	deliver(line) {
		const [, us, client, life, sender, target, n] = line;
		this.endUs = Math.max(this.endUs, us);
		this.messages.deliver(us, client, life, sender, target, n);
	}

	// The end: what was owed and did not come is found now.
	verdict() {
		this.messages.finish();
		for (const session of this.messages.sessions())
			this.presence.connection(session, this.messages.livedUs(session));
		this.presence.finish(this.endUs);
		return {
			ok: this.violations.total === 0,
			broken: this.violations.counts,
			...this.messages.verdict,
			presence: this.presence.counts,
			reattach: { cut: this.cut, back: this.reattached, ...this.away.summary() },
			unaccepted: this.unaccepted,
			reasons: Object.fromEntries([...this.reasons].sort((a, b) => b[1] - a[1])),
			violations: this.violations.first,
		};
	}

	#open(us, client, life, calledUs, about) {
		this.messages.open(us, client, life, calledUs, about);
		if (about.kind === "stateful")
			this.stateful.add(client);
	}

	#complete(us, client, target, n, outcome, reason) {
		this.messages.complete(us, client, target, n, outcome);
		if (outcome !== "ok") {
			this.unaccepted[this.stateful.has(client) ? "stateful" : "plain"]++;
			const key = `${outcome}: ${reason ?? ""}`;
			this.reasons.set(key, (this.reasons.get(key) ?? 0) + 1);
		}
	}

	#socket(us, client, life, state) {
		const key = `${client} ${life}`;
		if (state === "down") {
			this.cut++;
			this.down.set(key, us);
		} else if (this.down.has(key)) {
			this.reattached++;
			this.away.add(us - this.down.get(key));
			this.down.delete(key);
		}
	}
}

// Checks lines of one file at a time, which say what is wrong with the file itself.
class Reader {
	constructor(file) {
		this.file = file;
		this.n = 0;
		this.isWhole = false;
	}

	// Gives each line to `take`, parsed, or skips it if `wants` does not want its text.
	read(wants, take) {
		this.n = 0;
		this.isWhole = false;
		for (const text of linesOf(this.file)) {
			this.n++;
			if (text === null)
				break;
			if (this.isWhole)
				throw this.#error("a line behind the last");
			try {
				this.#line(text, wants, take);
			} catch (error) {
				throw this.#error(error.message);
			}
		}
		if (this.n === 0)
			throw this.#error("an empty file");
	}

	#line(text, wants, take) {
		if (this.n > 1 && !wants(text))
			return;
		const line = JSON.parse(text);
		if (!Array.isArray(line) || !Number.isSafeInteger(line[1]) || line[1] < 0)
			throw new Error("no line of a history");
		if (this.n === 1) {
			if (line[0] !== "h" || line[2] !== VERSION)
				throw new Error(`the first line is no head of version ${VERSION}`);
		} else if (line[0] === "z") {
			this.isWhole = true;
		} else {
			take(line);
		}
	}

	#error(message) {
		return new Error(`${this.file}:${this.n}: ${message}`);
	}
}

// The verdict on some files: their `incomplete` ones are named in it, and make it not ok.
function check(files, options) {
	const history = new History(options);
	const readers = files.map((file) => new Reader(file));
	for (const reader of readers)
		reader.read((text) => !text.startsWith(DELIVERY), (line) => history.define(line));
	const incomplete = readers.filter((reader) => !reader.isWhole).map((reader) => reader.file);
	for (const reader of readers)
		reader.read((text) => text.startsWith(DELIVERY), (line) => history.deliver(line));
	const verdict = history.verdict();
	return { ...verdict, ok: verdict.ok && incomplete.length === 0, incomplete };
}

module.exports = { History, check, DEFAULTS };

if (require.main === module)
	require("./history_main.js").main(process.argv.slice(2));
