// SPDX-License-Identifier: Apache-2.0
// The rules about messages. First all sends, outcomes, connections and memberships are told
// (define), then all deliveries (deliver), each receiver's in the order of its clock; what
// is owed and did not come is found at the end (finish). Pure.
//
// What is owed to one connection: what was accepted while it certainly was a member, up to
// its horizon. That is, when its user ended it after all had been quiet, so long before its
// end (tailUs); and however it ended, the latest time at which anything was sent that came over it: what was accepted
// before then was in the connection's queue before that, so it cannot have been cut off with
// the end. This is the promise that there is no silent hole inside a connection.
//
// Memory: 21 bytes a message sent; for each pair of a receiving connection and a sender's
// lane, what came as ranges of numbers: one, unless something was left out; and the highest
// number of each of the sender's connections, among which alone there is an order.
"use strict";

const { Histogram, Ranges } = require("./figures.js");
const { Lane } = require("./history_lane.js");
const { Session } = require("./history_session.js");

const RULES = [
	"lost", // accepted, owed, and never came
	"doubled", // came twice over one connection
	"reordered", // came behind a later one of the same sender's connection
	"stranger", // came to a connection that certainly was no member
	"refused", // came although its sender was told that it certainly was not done
	"invented", // was never sent, or came before it was
];

// A pair's gaps: a history with more of them is not worth more memory.
const RANGES_MAX = 20000;

class Messages {
	#options;
	#violations;
	#clients = new Map(); // name -> Map of life -> Session
	#lanes = new Map(); // sender -> Map of target -> Lane
	#lanesTo = new Map(); // target -> its lanes
	#laneCount = 0;
	#arrivals = new Map(); // session -> {pairs, horizonUs, lastUs}
	#marks = [];
	#counts = { connections: 0, sent: 0, accepted: 0, unknown: 0, refused: 0, deliveries: 0, expected: 0, got: 0 };
	#delivery = new Histogram(); // from the call to the arrival
	#lag = new Histogram(); // from the sender's outcome to the arrival
	#answer = new Histogram(); // from the call to its acceptance
	#latest = { us: -1 };
	#silence = { us: -1 };

	// tailUs: see above; what was accepted less than that before a connection's own end
	// may or may not have come.
	constructor(options, violations) {
		this.#options = options;
		this.#violations = violations;
	}

	*sessions() {
		for (const lives of this.#clients.values())
			yield* lives.values();
	}

	open(us, client, life, calledUs, about) {
		const lives = subMap(this.#clients, client);
		if (lives.has(life))
			throw new Error(`connection ${client}/${life} opens twice`);
		lives.set(life, new Session(client, life, us, calledUs, about));
		this.#counts.connections++;
	}

	// When the connection certainly lived last by what came over it: when the latest of that was sent, for
	// it may have waited for a poll since. null: nothing came.
	livedUs(session) {
		return this.#arrivals.get(session)?.horizonUs ?? null;
	}

	session(client, life) {
		const session = this.#clients.get(client)?.get(life);
		if (!session)
			throw new Error(`no connection ${client}/${life} was opened`);
		return session;
	}

	send(us, client, life, target, n) {
		const targets = subMap(this.#lanes, client);
		let lane = targets.get(target);
		if (!lane) {
			lane = new Lane(this.#laneCount++, client, target);
			targets.set(target, lane);
			const all = this.#lanesTo.get(target);
			if (all)
				all.push(lane);
			else
				this.#lanesTo.set(target, [lane]);
		}
		lane.add(n, life, us);
	}

	complete(us, client, target, n, outcome) {
		const lane = this.#lanes.get(client)?.get(target);
		if (!lane)
			throw new Error(`an outcome of ${client} to ${target}, who sent nothing there`);
		lane.complete(n, outcome, us);
		if (outcome === "ok")
			this.#answer.add(us - lane.sentUs(n));
	}

	mark(us, text) {
		this.#marks.push({ us, text, delivery: new Histogram() });
		this.#marks.sort((a, b) => a.us - b.us);
	}

	deliver(us, client, life, sender, target, n) {
		const session = this.session(client, life);
		const lane = this.#lanes.get(sender)?.get(target);
		this.#counts.deliveries++;
		if (!lane?.has(n) || lane.sentUs(n) > us) {
			this.#violations.add("invented", () => ({ receiver: session.told, sender, target, n, us }));
			return;
		}
		const arrival = this.#arrival(session);
		this.#time(us, session, arrival, lane, n);
		arrival.horizonUs = Math.max(arrival.horizonUs, lane.sentUs(n));
		if (!session.mayHear(target, lane.sentUs(n), lane.acceptedUs(n)))
			this.#break("stranger", session, lane, n, { us, memberships: session.targets.get(target) ?? [] });
		if (lane.isRefused(n))
			this.#break("refused", session, lane, n, { us });
		this.#place(us, session, arrival, lane, n);
	}

	finish() {
		for (const targets of this.#lanes.values())
			for (const lane of targets.values())
				lane.count(this.#counts);
		for (const session of this.sessions())
			for (const [target, windows] of session.targets)
				for (const lane of this.#lanesTo.get(target) ?? [])
					this.#settle(session, windows, lane);
	}

	get verdict() {
		const sessions = [...this.sessions()];
		const ended = (how, isStateful) => sessions.filter((session) => session.how === how
			&& session.isStateful === isStateful).length;
		const both = (how) => ended(how, true) + ended(how, false);
		return {
			counts: { ...this.#counts, clients: this.#clients.size },
			ends: { own: both("own"), left: both("left"), lost_stateful: ended("lost", true),
				lost_plain: ended("lost", false), open: sessions.filter((session) => !session.how).length },
			delivery: { ...this.#delivery.summary(), latest: this.#latest.us < 0 ? null : this.#latest },
			lag: this.#lag.summary(),
			answer: this.#answer.summary(),
			silence: this.#silence.us < 0 ? null : this.#silence,
			marks: this.#marks.map(({ us, text, delivery }) => ({ us, text, delivery: delivery.summary() })),
			phases: this.#phases(),
		};
	}

	// Marks of one kind, which is what stands before a colon, taken together; `halves`: every other one
	// of them, to tell a difference from chance.
	#phases() {
		const phases = new Map();
		for (const { text, delivery } of this.#marks) {
			const kind = text.split(":")[0];
			if (!phases.has(kind))
				phases.set(kind, { parts: 0, all: new Histogram(), halves: [new Histogram(), new Histogram()] });
			const phase = phases.get(kind);
			phase.all.addAll(delivery);
			phase.halves[phase.parts++ % 2].addAll(delivery);
		}
		return Object.fromEntries([...phases].map(([kind, { parts, all, halves }]) =>
			[kind, { parts, ...all.summary(), halves: halves.map((half) => half.summary()) }]));
	}

	// Is it the next, a later one, one that was overtaken, or one that is known?
	#place(us, session, arrival, lane, n) {
		let pair = arrival.pairs.get(lane.id);
		if (!pair) {
			pair = { numbers: new Ranges(), highs: new Map() };
			arrival.pairs.set(lane.id, pair);
		}
		const high = pair.highs.get(lane.life(n)) ?? 0;
		if (!pair.numbers.add(n)) {
			this.#break("doubled", session, lane, n, { us });
			return;
		}
		if (pair.numbers.size > RANGES_MAX)
			throw new Error(`${lane.sender} to ${lane.target} at ${session.client}: more than ${RANGES_MAX} gaps`);
		this.#counts.got++;
		if (n > high)
			pair.highs.set(lane.life(n), n);
		else
			this.#break("reordered", session, lane, n, { us, behind: high });
	}

	#time(us, session, arrival, lane, n) {
		const sentUs = lane.sentUs(n);
		const took = us - sentUs;
		this.#delivery.add(took);
		if (lane.isAccepted(n))
			this.#lag.add(us - lane.acceptedUs(n));
		this.#markOf(sentUs)?.delivery.add(took);
		if (took > this.#latest.us)
			this.#latest = { us: took, sender: lane.sender, target: lane.target, n, sentUs, receiver: session.client };
		if (arrival.lastUs !== null && us - arrival.lastUs > this.#silence.us)
			this.#silence = { us: us - arrival.lastUs, fromUs: arrival.lastUs, receiver: session.client,
				life: session.life };
		arrival.lastUs = us;
	}

	// The last mark before then.
	#markOf(us) {
		for (let i = this.#marks.length - 1; i >= 0; i--)
			if (this.#marks[i].us <= us)
				return this.#marks[i];
		return undefined;
	}

	#arrival(session) {
		let arrival = this.#arrivals.get(session);
		if (!arrival) {
			arrival = { pairs: new Map(), horizonUs: -Infinity, lastUs: null };
			this.#arrivals.set(session, arrival);
		}
		return arrival;
	}

	// Counts what one lane owes to one connection, and finds what did not come.
	#settle(session, windows, lane) {
		const arrival = this.#arrival(session);
		const numbers = arrival.pairs.get(lane.id)?.numbers ?? new Ranges();
		const tailUs = session.how === "own" ? session.endedUs - this.#options.tailUs : -Infinity;
		const horizonUs = Math.max(arrival.horizonUs, tailUs);
		for (const window of windows) {
			const untilUs = Math.min(window.leaveCalledUs, horizonUs);
			for (let n = lane.firstSince(window.joinedUs); n <= lane.n && lane.sentUs(n) <= untilUs; n++) {
				if (!lane.isAccepted(n) || lane.acceptedUs(n) > untilUs)
					continue;
				this.#counts.expected++;
				if (!numbers.has(n))
					this.#break("lost", session, lane, n, { window, ...numbers.around(n) });
			}
		}
	}

	#break(rule, session, lane, n, more) {
		this.#violations.add(rule, () => ({ sender: lane.sender, target: lane.target, n,
			connection: this.#clients.get(lane.sender)?.get(lane.life(n))?.told ?? { life: lane.life(n) },
			outcome: lane.outcome(n), sentUs: lane.sentUs(n), acceptedUs: finite(lane.acceptedUs(n)),
			receiver: session.told, ...more }));
	}
}

function finite(us) {
	return us === Infinity ? null : us;
}

function subMap(map, key) {
	let inner = map.get(key);
	if (!inner) {
		inner = new Map();
		map.set(key, inner);
	}
	return inner;
}

module.exports = { Messages, RULES };
