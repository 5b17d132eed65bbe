// SPDX-License-Identifier: Apache-2.0
// The strip over the shards while routers come and go: the phases, from whom to whom, and who
// is waited for. It is not there while all is as it is wanted.

import { byId, make, setData, setText } from "./dom.js";

const PHASES = [
	{ phase: "prepare", text: "Prepare", about: "the next owners are told of members" },
	{ phase: "commit", text: "Commit", about: "senders go by the next routers" },
	{ phase: "stable", text: "Clean up", about: "the old owners forget" },
];
const NAMES_MAX = 6;
const WHY = { doing: "is not done", untold: "is of an older version", absent: "is not here" };
const WAITING = {
	disagreed: "Most processes were not given the same list of routers: make the option routers the same everywhere.",
	paused: "It was given up, and is tried again after reshard_timeout.",
	refused: "These routers cannot follow those that are: one has another address, or they are too many.",
};

const namesOf = (list) => {
	const names = list.map((one) => one.name);
	return names.slice(0, NAMES_MAX).join(", ") + (names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : "");
};

// Is there anything to be seen? For a moment after the start nobody has agreed on anything.
export const isUnderWay = ({ epoch, phase, state }) => phase !== "stable" || (epoch > 0 && state !== "rest");

export function waitingText({ state, waitingFor }) {
	const some = waitingFor.slice(0, NAMES_MAX).map(({ name, why }) => `${name} ${WHY[why] ?? why}`);
	if (waitingFor.length > NAMES_MAX)
		some.push(`and ${waitingFor.length - NAMES_MAX} more`);
	return WAITING[state] ?? (some.length > 0 ? `Waits: ${some.join(", ")}.` : "");
}

export class ShardMap {
	#box = byId("shard-map");
	#steps;
	#names = make("span", { class: "names" });
	#waiting = make("span", { class: "muted" });

	constructor() {
		this.#steps = PHASES.map(({ text, about }) => make("li", { title: about }, text));
		this.#box.append(make("ol", {}, ...this.#steps), this.#names, this.#waiting);
	}

	update(map) {
		this.#box.hidden = !isUnderWay(map);
		const at = PHASES.findIndex(({ phase }) => phase === map.phase);
		this.#steps.forEach((step, i) => {
			setData(step, "state", i < at ? "done" : i === at ? "now" : "");
			i === at ? step.setAttribute("aria-current", "step") : step.removeAttribute("aria-current");
		});
		setText(this.#names, map.next.length > 0 ? `${namesOf(map.routers)} → ${namesOf(map.next)}` : namesOf(map.routers));
		setText(this.#waiting, waitingText(map));
	}
}
