// SPDX-License-Identifier: Apache-2.0
// The live chart, driven by the hub livedata: every visitor is a producer, who streams the place of
// a slider, and a reader, who is streamed what those of all others in the room say.

import { Subject } from "./vendor/heliograph/index.js";
import { Chart } from "./chart.js";
import { $, hueOf } from "./view.js";

const SEND_EVERY_MS = 60;
const WANDER_EVERY_MS = 350;
const WANDER_STEP = 9;

export class Live {
	#self;
	#hubs;
	#dataType;
	#chart = new Chart();
	#client = null;
	#people = new Map(); // userId -> name, of those in the room
	#latest = new Map(); // key -> value, also of those whose coming we have not heard of yet
	#isStarted = false;
	#isOwnOnly = false;
	#readings = null; // the stream to the hub
	#subscription = null; // the stream from it
	#sendTimer = 0;
	#wanderTimer = 0;
	#isSeen = false;
	#listening = new AbortController();

	constructor(self, room, hubs) {
		this.#self = self;
		this.#hubs = hubs;
		this.#dataType = `signals-${room}`;
		this.#wire();
		this.#press(false);
	}

	// The hub keeps the last value of those who left; the chart is of those who are here.
	setPeople(members) {
		this.#people = new Map(members.map(({ userId, userName }) => [userId, userName]));
		for (const key of this.#chart.keys)
			if (!this.#people.has(key))
				this.#chart.remove(key);
		for (const [key, value] of this.#latest)
			if (!this.#chart.has(key))
				this.#draw(key, value);
	}

	// Connects when it is looked at for the first time.
	seen(isSeen) {
		this.#isSeen = isSeen;
		if (isSeen && !this.#isStarted)
			this.#start();
		if (isSeen && !document.hidden)
			this.#chart.start();
		else
			this.#chart.stop();
	}

	close() {
		this.#listening.abort();
		this.#chart.clear();
		this.#wander(false);
		clearTimeout(this.#sendTimer);
		this.#readings?.complete();
	}

	onStates() {
		const isUp = this.#hubs.isIn("livedata");
		$("signal").disabled = $("wander").disabled = !isUp;
		if (!isUp && this.#isStarted)
			this.#wander(false);
	}

	#start() {
		this.#isStarted = true;
		this.#client = this.#hubs.make("livedata");
		this.#client.on("DataUpdated", () => {}); // for readers of notifications; here the stream has it
		this.#hubs.start("livedata", () => this.#enter()).catch((error) =>
			($("live-note").textContent = error.message));
	}

	// Streams end with their connection.
	#enter() {
		$("live-note").textContent = "";
		this.#readings = new Subject();
		this.#client.send("Publish", this.#dataType, this.#readings).catch(() => {}); // the state tells
		this.#subscribe();
	}

	#subscribe() {
		this.#subscription?.dispose();
		this.#chart.clear();
		this.#latest.clear();
		if (this.#isSeen)
			this.#chart.start();
		this.#subscription = this.#client.stream("Subscribe", this.#dataType, this.#isOwnOnly ? this.#self.id : "*").subscribe({
			next: (update) => this.#onUpdate(update),
			error: (error) => this.#hubs.isIn("livedata") && ($("live-note").textContent = error.message),
			complete: () => {},
		});
	}

	#onUpdate({ key, value }) {
		if (typeof value !== "number")
			return;
		this.#latest.set(key, value);
		this.#draw(key, value);
	}

	#draw(key, value) {
		const name = this.#people.get(key);
		if (name)
			this.#chart.add(key, key === this.#self.id ? `${name} (you)` : name, value, hueOf(key));
	}

	#wire() {
		const { signal } = this.#listening;
		$("signal").addEventListener("input", () => this.#onSlide(), { signal });
		$("wander").addEventListener("change", () => this.#wander($("wander").checked), { signal });
		$("show-all").addEventListener("click", () => this.#show(false), { signal });
		$("show-own").addEventListener("click", () => this.#show(true), { signal });
		document.addEventListener("visibilitychange", () => this.seen(this.#isSeen), { signal });
	}

	#press(isOwnOnly) {
		$("show-all").setAttribute("aria-pressed", String(!isOwnOnly));
		$("show-own").setAttribute("aria-pressed", String(isOwnOnly));
	}

	#show(isOwnOnly) {
		this.#isOwnOnly = isOwnOnly;
		this.#press(isOwnOnly);
		if (this.#hubs.isIn("livedata"))
			this.#subscribe();
	}

	// A slider moves more often than anybody looks: the latest place, some times a second.
	#onSlide() {
		$("signal-value").textContent = $("signal").value;
		this.#sendTimer ||= setTimeout(() => {
			this.#sendTimer = 0;
			if (this.#hubs.isIn("livedata"))
				this.#readings.next({ key: this.#self.id, value: Number($("signal").value) });
		}, SEND_EVERY_MS);
	}

	#wander(isOn) {
		$("wander").checked = isOn;
		clearInterval(this.#wanderTimer);
		if (!isOn)
			return;
		this.#wanderTimer = setInterval(() => {
			const slider = $("signal");
			slider.value = String(Number(slider.value) + Math.round((Math.random() - 0.5) * 2 * WANDER_STEP));
			this.#onSlide();
		}, WANDER_EVERY_MS);
	}
}
