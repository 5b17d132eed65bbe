// SPDX-License-Identifier: Apache-2.0
// The rules about who is online. The truth is what the clients saw: a user certainly was
// online while one of his connections was open, and possibly from the moment it began to
// open until presence must have heard of its end. What presence said (lists, and events
// that watchers heard) is compared with that. Pure.
"use strict";

const RULES = [
	"ghost", // said to be online, and was not
	"absent", // said to be offline, or not said to be online, and was
	"repeated", // told twice in a row that a user came, or went
];

// Sorted, without overlaps.
function merged(intervals) {
	const result = [];
	for (const [from, to] of intervals.sort((a, b) => a[0] - b[0])) {
		const last = result[result.length - 1];
		if (last && from <= last[1])
			last[1] = Math.max(last[1], to);
		else if (to > from)
			result.push([from, to]);
	}
	return result;
}

const covers = (intervals, from, to) => intervals.some((interval) => interval[0] <= from && to <= interval[1]);
const touches = (intervals, from, to) => intervals.some((interval) => interval[0] <= to && from <= interval[1]);

class Presence {
	#options;
	#violations;
	#users = new Map(); // user -> {certain, possible}
	#lists = [];
	#watchers = new Map(); // name -> [{fromUs, toUs, events: Map of user -> [[us, event]]}]
	#counts = { users: 0, lists: 0, events: 0, listed: 0 };

	// settleUs: within it presence knows of what was done in order. lostUs: within it, of
	// connections whose end nobody told.
	constructor(options, violations) {
		this.#options = options;
		this.#violations = violations;
	}

	list(us, calledUs, users) {
		this.#lists.push({ us, calledUs, users: new Set(users) });
		this.#counts.lists++;
		this.#counts.listed += users.length;
	}

	watch(us, watcher, state) {
		const periods = this.#periods(watcher);
		const last = periods[periods.length - 1];
		if (last && last.toUs === Infinity)
			last.toUs = us;
		if (state === "on")
			periods.push({ fromUs: us, toUs: Infinity, events: new Map() });
	}

	event(us, watcher, user, event) {
		const periods = this.#periods(watcher);
		const period = periods[periods.length - 1];
		if (!period || period.toUs !== Infinity)
			throw new Error(`${watcher} heard of ${user} while it did not listen`);
		if (event !== "on" && event !== "off")
			throw new Error(`"${event}" is no event`);
		const events = period.events.get(user) ?? [];
		events.push({ us, event });
		period.events.set(user, events);
		this.#counts.events++;
	}

	// What became of one connection; livedUs: when it certainly lived last, or null.
	connection(session, livedUs) {
		const { user } = session.about;
		if (user === undefined)
			return;
		const truth = this.#users.get(user) ?? { certain: [], possible: [] };
		this.#users.set(user, truth);
		const isLost = session.how === "lost";
		// A client may take a dead connection for a living one.
		const certainUs = isLost ? Math.max(session.openedUs, livedUs ?? 0) : session.endedUs;
		truth.certain.push([session.openedUs, certainUs]);
		truth.possible.push([session.calledUs, session.endedUs + (isLost ? this.#options.lostUs : this.#options.settleUs)]);
	}

	finish(endUs) {
		this.#counts.users = this.#users.size;
		for (const truth of this.#users.values()) {
			truth.certain = merged(truth.certain);
			truth.possible = merged(truth.possible);
		}
		for (const list of this.#lists)
			this.#checkList(list);
		for (const [watcher, periods] of this.#watchers)
			for (const period of periods)
				this.#checkPeriod(watcher, { ...period, toUs: Math.min(period.toUs, endUs) });
	}

	get counts() {
		return this.#counts;
	}

	#periods(watcher) {
		const periods = this.#watchers.get(watcher) ?? [];
		this.#watchers.set(watcher, periods);
		return periods;
	}

	#checkList({ us, calledUs, users }) {
		for (const [user, truth] of this.#users)
			if (!users.has(user) && covers(truth.certain, calledUs - this.#options.settleUs, us))
				this.#break("absent", user, { listUs: us });
		for (const user of users)
			if (this.#users.has(user) && !touches(this.#users.get(user).possible, calledUs, us))
				this.#break("ghost", user, { listUs: us });
	}

	// Users whom no client of the history was are not ours to judge.
	#checkPeriod(watcher, period) {
		for (const [user, truth] of this.#users) {
			const events = period.events.get(user) ?? [];
			this.#checkEvents(watcher, user, truth, events);
			this.#checkStates(watcher, user, truth, { ...period, events });
		}
	}

	#checkEvents(watcher, user, truth, events) {
		const { settleUs } = this.#options;
		events.forEach(({ us, event }, i) => {
			if (i && events[i - 1].event === event)
				this.#break("repeated", user, { watcher, event, us, beforeUs: events[i - 1].us });
			if (event === "on" && !touches(truth.possible, us - settleUs, us))
				this.#break("ghost", user, { watcher, event, us });
			if (event === "off" && covers(truth.certain, us - settleUs, us))
				this.#break("absent", user, { watcher, event, us });
		});
	}

	// What the watcher must have heard by the time that the truth had lasted long enough.
	#checkStates(watcher, user, truth, { fromUs, toUs, events }) {
		// Of whom it found online it is told first when he goes.
		const first = truth.possible.some(([came, gone]) => came < fromUs && fromUs <= gone) ? "on" : "off";
		for (const [came, went] of truth.certain) {
			const dueUs = came + this.#options.settleUs;
			if (came >= fromUs && dueUs <= Math.min(went, toUs) && stateAt(events, dueUs, first) !== "on")
				this.#break("absent", user, { watcher, sinceUs: came, us: dueUs });
		}
		truth.possible.forEach(([came, gone], i) => {
			const nextUs = truth.possible[i + 1]?.[0] ?? Infinity;
			if (gone >= fromUs && gone < Math.min(nextUs, toUs) && stateAt(events, gone, null) === "on")
				this.#break("ghost", user, { watcher, sinceUs: came, us: gone });
		});
	}

	#break(rule, user, more) {
		this.#violations.add(rule, () => {
			const { certain, possible } = this.#users.get(user);
			return { user, certain, possible, ...more };
		});
	}
}

// `state`: before the first event.
function stateAt(events, us, state) {
	for (const entry of events)
		if (entry.us <= us)
			state = entry.event;
	return state;
}

module.exports = { Presence, RULES };
