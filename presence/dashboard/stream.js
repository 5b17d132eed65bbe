// SPDX-License-Identifier: Apache-2.0
// Follows the event stream by fetch(), which, unlike EventSource, can send the token. Goes on
// after a break with the last id it saw.

import { ask, headers } from "./api.js";

const PATH = "/api/v1/events";
const RETRY_MS = 1000;
const RETRY_MAX_MS = 15000;
const SILENCE_MS = 45000; // a comment comes every 15 s
const LINE_LENGTH_MAX = 1 << 16;

// Text in, events out: {event, id, data}, as the HTML standard cuts them.
export class EventParser {
	#rest = "";
	#isAfterCr = false;
	#data = [];
	#event = "";
	id = "";

	constructor(onEvent) {
		this.onEvent = onEvent;
	}

	push(text) {
		if (text === "")
			return;
		const isPairsEnd = this.#isAfterCr && text[0] === "\n";
		this.#isAfterCr = text.endsWith("\r");
		if (isPairsEnd)
			text = text.slice(1);
		const lines = (this.#rest + text).split(/\r\n|\r|\n/);
		this.#rest = lines.pop();
		if (this.#rest.length > LINE_LENGTH_MAX)
			throw new RangeError("a line without an end");
		lines.forEach((line) => this.#onLine(line));
	}

	#onLine(line) {
		if (line === "")
			return this.#dispatch();
		const colon = line.indexOf(":");
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
		if (field === "data")
			this.#data.push(value);
		else if (field === "event")
			this.#event = value;
		else if (field === "id" && !value.includes("\0"))
			this.id = value;
	}

	#dispatch() {
		if (this.#data.length > 0)
			this.onEvent({ event: this.#event || "message", id: this.id, data: this.#data.join("\n") });
		this.#data = [];
		this.#event = "";
	}
}

export class EventFollower {
	#lastId = "";
	#abort = null;
	#failures = 0;
	#wake = null;

	// onEvent({event, id, data}), onState("live" | "waiting", why)
	constructor({ onEvent, onState }) {
		this.onEvent = onEvent;
		this.onState = onState;
	}

	start() {
		if (this.#abort)
			return;
		this.#abort = new AbortController();
		this.#failures = 0;
		this.#run(this.#abort.signal);
	}

	stop() {
		this.#abort?.abort();
		this.#abort = null;
		this.#wake?.();
	}

	async #run(signal) {
		while (!signal.aborted) {
			try {
				await this.#follow(signal);
				this.onState("waiting", "The stream ended.");
			} catch (error) {
				if (signal.aborted)
					return;
				this.onState("waiting", error.message);
				if (error.status === 401)
					return this.stop();
				// The id may be one that nobody remembers.
				if (error.status === 400 || error.status === 404 || error.status === 410)
					this.#lastId = "";
			}
			await this.#pause(signal);
		}
	}

	// Spread out: a presence that restarts is not met by all its watchers at once.
	#pause(signal) {
		const most = Math.min(RETRY_MS * 2 ** this.#failures++, RETRY_MAX_MS);
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, most * (0.5 + Math.random() / 2));
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
			if (signal.aborted)
				this.#wake();
		});
	}

	async #follow(signal) {
		const silence = new AbortController();
		let timer = 0;
		const heard = () => {
			clearTimeout(timer);
			timer = setTimeout(() => silence.abort(new Error("The stream fell silent.")), SILENCE_MS);
		};
		heard();
		try {
			const more = { Accept: "text/event-stream" };
			if (this.#lastId)
				more["Last-Event-ID"] = this.#lastId;
			const response = await ask(PATH, { headers: headers(more), signal: AbortSignal.any([signal, silence.signal]) });
			this.#failures = 0;
			this.onState("live", "");
			const parser = new EventParser((event) => {
				this.#lastId = event.id || this.#lastId;
				this.onEvent(event);
			});
			const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
			for (;;) {
				const { value, done } = await reader.read();
				if (done)
					return;
				heard();
				parser.push(value);
			}
		} finally {
			clearTimeout(timer);
		}
	}
}
