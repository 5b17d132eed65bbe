// SPDX-License-Identifier: Apache-2.0
// Histories of a cluster that keeps its promises, made by chance: none is found broken. The
// same with one fault planted, of each kind and anywhere: all are found, under the right
// name. HELIOGRAPH_SEED=n repeats a run.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { randomOf } = require("../kit/random.js");
const { judge } = require("./story.js");

const SEED = Number(process.env.HELIOGRAPH_SEED ?? Date.now() % 1000000);
const HISTORIES = 60;
const CLIENTS = 6;
const GROUPS = ["g:a", "g:b"];
const STEPS = 400;
const MS = 1000;
const OPTIONS = { tailMs: 1000, settleMs: 5000, lostMs: 8000 };

// A cluster without processes: whatever is done takes effect at one moment between its call
// and its return, and each connection hears what was sent in that order.
class Model {
	constructor(seed) {
		this.random = randomOf(seed);
		this.us = 1e9;
		this.lines = [];
		this.numbers = new Map();
		this.clients = Array.from({ length: CLIENTS }, (_, i) => ({ name: `c${i}`, user: `u${i % 4}`, life: 0, isUp: false }));
		this.watched = new Map(); // user -> what the watcher was told
		this.add(this.us, "pw", "w", "on");
	}

	pick(list) {
		return list[Math.floor(this.random() * list.length)];
	}

	ms(max) {
		return Math.floor(this.random() * max * MS) + 1;
	}

	add(us, what, ...rest) {
		this.lines.push([what, us, ...rest]);
	}

	run() {
		for (const client of this.clients)
			this.open(client);
		this.tell();
		for (let i = 0; i < STEPS; i++) {
			this.us += this.ms(40);
			this.step(this.pick(this.clients));
		}
		this.us += 3000 * MS;
		for (const client of this.clients.filter(({ isUp }) => isUp))
			this.end(client, "own");
		this.tell();
		this.us += 9000 * MS;
		this.list();
		this.lines.sort((a, b) => a[1] - b[1]);
		return this.lines;
	}

	step(client) {
		const what = this.random();
		if (!client.isUp)
			this.open(client);
		else if (what < 0.8)
			this.send(client, this.pick(GROUPS));
		else if (what < 0.9)
			this.move(client, this.pick(GROUPS));
		else if (what < 0.93)
			this.end(client, this.random() < 0.5 ? "own" : "lost");
		else if (what < 0.97)
			this.us += 6000 * MS;
		else
			this.list();
		this.tell();
	}

	open(client) {
		const calledUs = this.us;
		this.us += this.ms(5);
		Object.assign(client, { life: client.life + 1, isUp: true, groups: new Set(), heardUs: this.us });
		this.add(this.us, "o", client.name, client.life, calledUs, { user: client.user, kind: "plain", id: `${client.name}/${client.life}` });
		for (const group of GROUPS)
			if (this.random() < 0.7)
				this.move(client, group);
	}

	end(client, how) {
		// What is on the way comes before an end in order, and is cut off otherwise.
		if (how === "own")
			this.us = Math.max(this.us, client.heardUs);
		else
			this.lines = this.lines.filter(([what, us, name, life]) => what !== "r" || name !== client.name
				|| life !== client.life || us <= this.us);
		this.us += 1;
		client.isUp = false;
		this.add(this.us, "e", client.name, client.life, how, "");
	}

	// In, if it was out; out, if it was in. Its effect is at the moment it is called, or later.
	move(client, group) {
		const calledUs = this.us;
		const isIn = client.groups.has(group);
		const returnedUs = calledUs + this.ms(5);
		client.groups[isIn ? "delete" : "add"](group);
		this.us = returnedUs;
		this.add(returnedUs, isIn ? "l" : "j", client.name, client.life, group, calledUs, "ok");
	}

	send(client, group) {
		const key = `${client.name} ${group}`;
		const n = (this.numbers.get(key) ?? 0) + 1;
		const sentUs = this.us;
		const luck = this.random();
		const outcome = luck < 0.9 ? "ok" : luck < 0.95 ? "unknown" : "refused";
		this.numbers.set(key, n);
		this.add(sentUs, "s", client.name, client.life, group, n);
		this.us += this.ms(1);
		if (outcome === "ok" || (outcome === "unknown" && this.random() < 0.5))
			for (const receiver of this.clients.filter(({ isUp, groups }) => isUp && groups.has(group))) {
				receiver.heardUs = Math.max(receiver.heardUs + 1, this.us + this.ms(30));
				this.add(receiver.heardUs, "r", receiver.name, receiver.life, client.name, group, n);
			}
		this.add(this.us + this.ms(1), "c", client.name, group, n, outcome);
	}

	isOnline(user) {
		return this.clients.some((client) => client.isUp && client.user === user);
	}

	// What presence would say of users whose coming or going is news.
	tell() {
		for (const { user } of this.clients) {
			const event = this.isOnline(user) ? "on" : "off";
			if ((this.watched.get(user) ?? "off") !== event) {
				this.watched.set(user, event);
				this.add(this.us + 1, "p", "w", user, event);
			}
		}
	}

	list() {
		this.add(this.us, "q", this.us, [...new Set(this.clients.map(({ user }) => user))].filter((user) => this.isOnline(user)));
	}
}

// Where one fault can be planted, and what the lines are then. Places are tried in a random
// order, and the first that fits is taken.
class Planter {
	constructor(lines, random) {
		this.random = random;
		this.lines = lines;
		this.sends = new Map();
		this.accepted = new Map();
		this.connections = new Map(); // "client life" -> its lines, in order
		for (const line of lines) {
			const [what, us, client, life, target, n] = line;
			if (what === "s")
				this.sends.set(`${client} ${target} ${n}`, { us, life });
			else if (what === "c" && line[5] === "ok")
				this.accepted.set(`${client} ${line[3]} ${line[4]}`, us);
			if ("ejlor".includes(what))
				this.#connection(client, life).push(line);
		}
	}

	static key([, , , , sender, target, n]) {
		return `${sender} ${target} ${n}`;
	}

	send(line) {
		return this.sends.get(Planter.key(line));
	}

	of(line) {
		return this.#connection(line[2], line[3]);
	}

	// All lines of that kind, each once, in a random order.
	*any(kind) {
		const lines = this.lines.filter((line) => line[0] === kind);
		while (lines.length)
			yield lines.splice(Math.floor(this.random() * lines.length), 1)[0];
	}

	// A delivery that its connection was owed: accepted while it was in, with another behind.
	*owed() {
		for (const line of this.any("r")) {
			const sentUs = this.send(line).us;
			const acceptedUs = this.accepted.get(Planter.key(line)) ?? Infinity;
			const moves = this.of(line).filter((move) => "jl".includes(move[0]) && move[4] === line[5]);
			const joined = moves.filter((move) => move[0] === "j" && move[1] <= sentUs).pop();
			const left = moves.find((move) => move[0] === "l" && joined && move[1] > joined[1]);
			if (joined && acceptedUs < (left?.[5] ?? Infinity)
				&& this.of(line).some((other) => other[0] === "r" && other[1] > line[1] && this.send(other).us > acceptedUs))
				yield line;
		}
	}

	// Two that one connection heard of the same connection of a sender, of which the later
	// was sent before the earlier came.
	*neighbours() {
		for (const line of this.any("r")) {
			const later = this.of(line).find((other) => other[0] === "r" && other[1] > line[1] && other[4] === line[4]
				&& other[5] === line[5] && this.send(other).life === this.send(line).life);
			if (later && this.send(later).us < line[1])
				yield [line, later];
		}
	}

	// Two that one connection heard of the same connection of a sender, and a third, behind
	// them, of a later one of that sender.
	*beforeTheNext() {
		for (const line of this.any("r")) {
			const { life } = this.send(line);
			const behind = this.of(line).filter((other) => other[0] === "r" && other[1] > line[1] && other[4] === line[4]
				&& other[5] === line[5]);
			const later = behind.find((other) => this.send(other).life === life);
			const next = behind.find((other) => later && other[1] > later[1] && this.send(other).life > life);
			if (next)
				yield [line, later, next];
		}
	}

	// A delivery, and a connection that never was a member of its target.
	*outsiders() {
		for (const line of this.any("r"))
			for (const open of this.any("o"))
				if (open[1] < line[1] && !this.of(open).some((join) => join[0] === "j" && join[4] === line[5]))
					yield [line, open];
	}

	// A refused send, and a connection that was a member then.
	*refused() {
		for (const line of this.any("c"))
			for (const join of this.any("j"))
				if (line[5] === "refused" && join[4] === line[3] && join[1] < line[1]
					&& !this.of(join).some((end) => "le".includes(end[0]) && end[1] > join[1] && end[1] <= line[1] + 1))
					yield [line, join];
	}

	// A user's last going.
	*goings() {
		for (const line of this.any("p"))
			if (line[4] === "off" && !this.lines.some((later) => later[0] === "p" && later[3] === line[3] && later[1] > line[1]))
				yield line;
	}

	without(line) {
		return this.lines.filter((other) => other !== line);
	}

	with(...more) {
		return [...this.lines, ...more].sort((a, b) => a[1] - b[1]);
	}

	again(line) {
		return this.with([line[0], line[1] + 1, ...line.slice(2)]);
	}

	#connection(client, life) {
		const key = `${client} ${life}`;
		if (!this.connections.has(key))
			this.connections.set(key, []);
		return this.connections.get(key);
	}
}

// What: the rule that it breaks, where, and how.
const FAULTS = {
	"one owed left out": ["lost", (planter) => planter.owed(), (planter, line) => planter.without(line)],
	"one that came again": ["doubled", (planter) => planter.any("r"), (planter, line) => planter.again(line)],
	"one overtaken": ["reordered", (planter) => planter.neighbours(), (planter, [line, later]) =>
		planter.lines.map((other) => other === line ? [...line.slice(0, 6), later[6]]
			: other === later ? [...later.slice(0, 6), line[6]] : other)],
	"one overtaken, both behind one of their sender's next connection": ["reordered", (planter) => planter.beforeTheNext(),
		(planter, [line, later, next]) => planter.with([later[0], next[1] + 1, ...later.slice(2)], [line[0], next[1] + 2, ...line.slice(2)])
			.filter((other) => other !== line && other !== later)],
	"one to who never joined": ["stranger", (planter) => planter.outsiders(), (planter, [line, open]) =>
		planter.with(["r", line[1], open[2], open[3], ...line.slice(4)])],
	"one that was refused": ["refused", (planter) => planter.refused(), (planter, [line, join]) =>
		planter.with(["r", line[1] + 1, join[2], join[3], line[2], line[3], line[4]])],
	"one that nobody sent": ["invented", (planter) => planter.any("r"), (planter, line) =>
		planter.with([...line.slice(0, 6), line[6] + 100000])],
	"a list with one who is long gone": ["ghost", (planter) => planter.lines.slice(-1), (planter, last) =>
		planter.with(["q", last[1], last[1], ["u0"]])],
	"a going that was not told": ["ghost", (planter) => planter.goings(), (planter, line) => planter.without(line)],
	"an event told again": ["repeated", (planter) => planter.any("p"), (planter, line) => planter.again(line)],
};

describe(`histories by chance (HELIOGRAPH_SEED=${SEED})`, () => {
	const histories = Array.from({ length: HISTORIES }, (_, i) => new Model(SEED + i).run());

	test("of a cluster that keeps its promises none is broken", () => {
		for (const lines of histories) {
			const verdict = judge(lines, OPTIONS);
			assert.deepEqual(verdict.violations, []);
			assert.ok(verdict.counts.expected > 100, `${verdict.counts.expected} owed`);
		}
	});

	for (const [what, [rule, places, plant]] of Object.entries(FAULTS))
		test(`with ${what} each is found: ${rule}`, (t) => {
			const random = randomOf(SEED);
			let planted = 0;
			for (const lines of histories) {
				const planter = new Planter(lines, random);
				const [place] = places(planter);
				if (!place)
					continue;
				planted++;
				const { broken } = judge(plant(planter, place), OPTIONS);
				assert.ok(broken[rule] >= 1, `${JSON.stringify(place)}: ${JSON.stringify(broken)}`);
			}
			t.diagnostic(`planted ${planted} times`);
			assert.ok(planted >= HISTORIES / 2, `planted ${planted} times only`);
		});
});
