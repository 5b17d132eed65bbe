// SPDX-License-Identifier: Apache-2.0
// Values over the last half minute, a line for each key: steps, for a value holds until the next one.
// Draws on every frame while it is shown, and not at all while there is nothing to move.

import { $, element } from "./view.js";

const SVG = "http://www.w3.org/2000/svg";
const WINDOW_MS = 30000;
const POINTS_MAX = 2000; // of one line
const LINES_MAX = 24;
const TOP = 100; // of the scale
const [WIDTH, HEIGHT] = [600, 240];
const TICKS = [0, 25, 50, 75, 100];

function svg(tag, attributes) {
	const node = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		node.setAttribute(name, value);
	return node;
}

export class Chart {
	#lines = new Map(); // key -> {points: [{at, value}], name, path, dot, label, row}
	#frame = 0;

	constructor() {
		$("chart").setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
		this.clear();
	}

	clear() {
		this.stop();
		this.#lines.clear();
		$("chart").replaceChildren(...TICKS.map((value) => svg("line",
			{ class: "grid", x1: 0, x2: WIDTH, y1: this.#y(value), y2: this.#y(value) })));
		$("plot-labels").replaceChildren(...TICKS.map((value) => {
			const label = element("span", "tick", String(value));
			label.style.setProperty("--y", `${100 - value}%`);
			return label;
		}));
		$("legend").replaceChildren();
		$("plot-empty").hidden = false;
	}

	// `now` is this page's clock: those of others may be wrong.
	add(key, name, value, hue, now = performance.now()) {
		const line = this.#lines.get(key) ?? this.#newLine(key, hue);
		if (!line)
			return;
		$("plot-empty").hidden = true;
		line.points.push({ at: now, value: Math.min(Math.max(value, 0), TOP) });
		if (line.points.length > POINTS_MAX)
			line.points.shift();
		line.row.querySelector(".legend-name").textContent = name;
		line.row.querySelector(".legend-value").textContent = String(Math.round(value));
	}

	get keys() {
		return [...this.#lines.keys()];
	}

	has(key) {
		return this.#lines.has(key);
	}

	remove(key) {
		const line = this.#lines.get(key);
		for (const node of [line.path, line.dot, line.row])
			node.remove();
		this.#lines.delete(key);
	}

	start() {
		const draw = (now) => {
			for (const line of this.#lines.values())
				this.#draw(line, now);
			this.#frame = requestAnimationFrame(draw);
		};
		if (!this.#frame)
			this.#frame = requestAnimationFrame(draw);
	}

	stop() {
		cancelAnimationFrame(this.#frame);
		this.#frame = 0;
	}

	// A key too many has no line: two dozen colours are more than anybody tells apart.
	#newLine(key, hue) {
		if (this.#lines.size === LINES_MAX)
			return null;
		const path = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
		const dot = element("span", "line-end");
		const row = element("li", "legend-row");
		row.dataset.key = key;
		row.append(element("span", "legend-dot"), element("span", "legend-name"), element("span", "legend-value"));
		for (const node of [path, dot, row])
			node.style.setProperty("--hue", hue);
		const line = { points: [], path, dot, row };
		this.#lines.set(key, line);
		$("chart").append(path);
		$("plot-labels").append(dot);
		$("legend").append(row);
		return line;
	}

	#draw(line, now) {
		const { points } = line;
		const since = now - WINDOW_MS;
		while (points.length > 1 && points[1].at <= since)
			points.shift(); // the one before the window still holds at its edge
		const x = (at) => (Math.max(at - since, 0) / WINDOW_MS * WIDTH).toFixed(1);
		let d = "";
		for (const [i, { at, value }] of points.entries())
			d += i === 0 ? `M${x(at)} ${this.#y(value)}` : `H${x(at)}V${this.#y(value)}`;
		const last = points.at(-1);
		line.path.setAttribute("d", `${d}H${WIDTH}`);
		line.dot.style.setProperty("--y", `${100 - last.value}%`);
	}

	#y(value) {
		return (HEIGHT - value / TOP * HEIGHT).toFixed(1);
	}
}
