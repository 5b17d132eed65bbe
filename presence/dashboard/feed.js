// SPDX-License-Identifier: Apache-2.0
// Who comes and goes, the newest first. However many events come, a frame draws them once, and
// only so many rows are kept; screen readers hear a sum now and then.

import { announce, byId, make, setText, setData } from "./dom.js";
import { count, plural, timeOfDay } from "./format.js";
import { EventFollower } from "./stream.js";

const ROWS_MAX = 200;
const SUM_PAUSE_MS = 15000;

const WORDS = {
	online: "came online",
	offline: "went offline",
	reset: "Changes were missed: who is here was read anew.",
};

export class Feed {
	#list = byId("events-list");
	#waiting = []; // to be drawn, the oldest first
	#isDue = false;
	#isPaused = false;
	#skipped = 0;
	#sum = { online: 0, offline: 0 };
	#total = 0;
	#follower;
	#onUser;

	// onUser(userId): one was clicked; onReset(): who is here has to be read anew.
	constructor({ onUser, onReset }) {
		this.#onUser = onUser;
		this.onReset = onReset;
		this.#follower = new EventFollower({
			onEvent: (event) => this.#onEvent(event),
			onState: (state, why) => this.#onState(state, why),
		});
		byId("events-pause").addEventListener("click", () => this.#togglePause());
		byId("events-clear").addEventListener("click", () => this.#clear());
		setInterval(() => this.#tell(), SUM_PAUSE_MS);
	}

	start() {
		this.#follower.start();
	}

	stop() {
		this.#follower.stop();
	}

	#onState(state, why) {
		setText(byId("events-state"), state === "live" ? "live" : "reconnecting");
		setData(byId("events-state"), "level", state === "live" ? "good" : "warn");
		byId("events-state").title = why;
	}

	#onEvent({ event, data }) {
		if (!Object.hasOwn(WORDS, event))
			return;
		let change = {};
		try {
			change = JSON.parse(data) ?? {};
		} catch {
			return; // not one of ours
		}
		if (event === "reset")
			this.onReset();
		else
			this.#sum[event]++;
		this.#total++;
		this.#waiting.push({ event, change });
		if (this.#waiting.length > ROWS_MAX) {
			this.#waiting.shift();
			this.#skipped++;
		}
		this.#schedule();
	}

	#schedule() {
		if (this.#isDue)
			return;
		this.#isDue = true;
		requestAnimationFrame(() => this.#draw());
	}

	#draw() {
		this.#isDue = false;
		if (this.#isPaused) {
			this.#tellCount();
			return;
		}
		const rows = this.#waiting.map((entry) => this.#row(entry)).reverse();
		this.#waiting = [];
		this.#list.prepend(...rows);
		while (this.#list.childElementCount > ROWS_MAX)
			this.#list.lastChild.remove();
		this.#tellCount();
		byId("events-empty").hidden = this.#list.childElementCount > 0;
	}

	#tellCount() {
		const shown = this.#list.childElementCount;
		const more = this.#isPaused ? `${plural(this.#waiting.length + this.#skipped, "event")} since the pause`
			: this.#total > shown ? `the last ${count(shown)} of ${count(this.#total)}` : "";
		setText(byId("events-count"), more);
	}

	#row({ event, change }) {
		const time = make("time", change.at ? { datetime: change.at } : {}, timeOfDay(change.at));
		if (event === "reset")
			return make("li", { class: "event", "data-kind": event }, time, make("span", {}, WORDS.reset));
		return make("li", { class: "event", "data-kind": event }, time,
			make("span", { class: "event-text" },
				make("button", { type: "button", class: "link", click: () => this.#onUser(change.userId) }, change.userId),
				change.userName ? make("span", { class: "muted" }, ` ${change.userName}`) : null,
				` ${WORDS[event]}`));
	}

	#togglePause() {
		this.#isPaused = !this.#isPaused;
		const button = byId("events-pause");
		setText(button, this.#isPaused ? "Resume" : "Pause");
		this.#skipped = this.#isPaused ? this.#skipped : 0;
		this.#schedule();
	}

	#clear() {
		this.#list.replaceChildren();
		this.#waiting = [];
		this.#total = this.#skipped = 0;
		this.#tellCount();
		byId("events-empty").hidden = false;
	}

	#tell() {
		const { online, offline } = this.#sum;
		if (online + offline > 0)
			announce(`${plural(online, "user")} came online, ${count(offline)} went offline.`);
		this.#sum = { online: 0, offline: 0 };
	}
}
