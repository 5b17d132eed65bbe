// SPDX-License-Identifier: Apache-2.0
// A line chart of the last five minutes in SVG. The plot moves on evenly between two samples,
// unless the reader asked for less motion; a gap in the samples is a gap in the line.
// Beside it stand the newest values, or those under the pointer, and a table of the same.

import { make, makeSvg, setText } from "./dom.js";
import { WINDOW_MS } from "./history.js";
import { NONE } from "./format.js";

const MARGIN = { top: 8, right: 10, bottom: 20, left: 52 };
const GAP_MS = 10000; // more between two samples is no line
const TICKS = 4;
const TABLE_STEP_MS = 30000;

const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// The smallest of 1, 2, 5 times a power of ten that is no less.
export function niceStep(least) {
	const power = 10 ** Math.floor(Math.log10(least));
	return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
}

// [0, step, 2 step ...], reaching over `most` with at most TICKS steps.
export function ticksFor(most, isWhole) {
	let step = niceStep(Math.max(most, 1e-9) / TICKS);
	if (isWhole)
		step = Math.max(1, Math.ceil(step));
	const n = Math.max(1, Math.ceil(most / step - 1e-9));
	return Array.from({ length: n + 1 }, (_, i) => i * step);
}

// "M0 1L2 3" of the points; null ends a piece.
function pathOf(points) {
	let path = "";
	let isOpen = false;
	for (const point of points) {
		if (point)
			path += `${isOpen ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
		isOpen = point !== null;
	}
	return path;
}

export class LineChart {
	#history;
	#series;
	#format;
	#tick;
	#least;
	#isWhole;
	#svg;
	#parts = {};
	#values = new Map();
	#note;
	#details;
	#size = { width: 0, height: 0 };
	#drawnEnd = 0;
	#pointer = null;

	// series: [{name, label, style}]; `least` is what the axis reaches at least.
	constructor(figure, history, { title, series, format, tick, least, isWhole = false }) {
		Object.assign(this, { title });
		this.#history = history;
		this.#series = series;
		this.#format = format;
		this.#tick = tick;
		this.#least = least;
		this.#isWhole = isWhole;
		this.#build(figure, title);
		new ResizeObserver(() => this.#resize()).observe(this.#svg);
	}

	// A sample came, `intervalMs` before the next one.
	update(intervalMs) {
		this.#draw();
		this.#slide(intervalMs);
		this.#tell();
		if (this.#details.open)
			this.#fillTable();
	}

	#build(figure, title) {
		const id = `chart-${this.#series[0].name}`;
		this.#svg = makeSvg("svg", { class: "plot", role: "img", "aria-label": title });
		const clip = makeSvg("clipPath", { id });
		this.#parts.clip = makeSvg("rect", { x: 0, y: 0 });
		clip.append(this.#parts.clip);
		this.#parts.grid = makeSvg("g", { class: "grid" });
		const window = makeSvg("g", { "clip-path": `url(#${id})` });
		this.#parts.moving = makeSvg("g");
		this.#parts.lines = this.#series.map((series) => makeSvg("path", { class: `line ${series.style}` }));
		this.#parts.area = makeSvg("path", { class: `area ${this.#series[0].style}` });
		this.#parts.cross = makeSvg("line", { class: "cross", visibility: "hidden" });
		this.#parts.moving.append(this.#parts.area, ...this.#parts.lines.toReversed());
		window.append(this.#parts.moving);
		this.#svg.append(clip, this.#parts.grid, window, this.#parts.cross);
		this.#svg.addEventListener("pointermove", (event) => this.#onPointer(event.offsetX));
		this.#svg.addEventListener("pointerleave", () => this.#onPointer(null));

		this.#note = make("span", { class: "chart-when" });
		const legend = make("ul", { class: "legend" }, ...this.#series.map((series) => {
			const value = make("span", { class: "legend-value" }, NONE);
			this.#values.set(series.name, value);
			const key = makeSvg("svg", { class: "key", viewBox: "0 0 18 8", "aria-hidden": "true" });
			key.append(makeSvg("path", { class: `line ${series.style}`, d: "M0 4H18" }));
			return make("li", {}, key, make("span", {}, series.label), value);
		}));
		this.#details = make("details", { class: "chart-table", toggle: () => this.#details.open && this.#fillTable() },
			make("summary", {}, "Table"), make("table"));
		figure.replaceChildren(
			make("figcaption", {}, make("h3", {}, title), this.#note, legend),
			this.#svg, this.#details);
	}

	#resize() {
		const { width, height } = this.#svg.getBoundingClientRect();
		if (width === this.#size.width && height === this.#size.height)
			return;
		this.#size = { width, height };
		this.#drawnEnd = 0;
		this.#draw();
	}

	get #plot() {
		return { width: Math.max(1, this.#size.width - MARGIN.left - MARGIN.right),
			height: Math.max(1, this.#size.height - MARGIN.top - MARGIN.bottom) };
	}

	#xOf(at) {
		return MARGIN.left + this.#plot.width * (1 - (this.#history.end - at) / WINDOW_MS);
	}

	#most() {
		let most = this.#least;
		for (const { at, values } of this.#history.samples)
			if (at >= this.#history.end - WINDOW_MS)
				for (const { name } of this.#series)
					most = Math.max(most, values[name] ?? 0);
		return most;
	}

	#draw() {
		if (this.#size.width === 0)
			return;
		const { width, height } = this.#plot;
		const ticks = ticksFor(this.#most(), this.#isWhole);
		const yOf = (value) => MARGIN.top + height * (1 - value / ticks.at(-1));
		const { clip, grid, area, lines, cross } = this.#parts;
		for (const [name, value] of Object.entries({ x: MARGIN.left, y: 0, width, height: this.#size.height }))
			clip.setAttribute(name, value);
		cross.setAttribute("y1", MARGIN.top);
		cross.setAttribute("y2", MARGIN.top + height);
		grid.replaceChildren(...ticks.flatMap((tick) => this.#gridRow(yOf(tick), this.#tick(tick))),
			...(width < 360 ? [4, 2, 0] : [5, 4, 3, 2, 1, 0]).flatMap((minutes) => this.#gridColumn(minutes)));
		this.#series.forEach(({ name }, i) => {
			const points = this.#points(name, yOf);
			lines[i].setAttribute("d", pathOf(points));
			if (i === 0)
				area.setAttribute("d", this.#areaOf(points, yOf(0)));
		});
	}

	#gridRow(y, label) {
		const text = makeSvg("text", { x: MARGIN.left - 8, y: y + 3.5, class: "tick-y" });
		text.textContent = label;
		return [makeSvg("line", { x1: MARGIN.left, x2: MARGIN.left + this.#plot.width, y1: y, y2: y }), text];
	}

	#gridColumn(minutes) {
		const x = MARGIN.left + this.#plot.width * (1 - minutes / 5);
		const bottom = MARGIN.top + this.#plot.height;
		const text = makeSvg("text", { x, y: bottom + 15, class: minutes === 0 ? "tick-x last" : minutes === 5 ? "tick-x first" : "tick-x" });
		text.textContent = minutes === 0 ? "now" : `−${minutes} min`;
		return [makeSvg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4 }), text];
	}

	#points(name, yOf) {
		const points = [];
		let before = null;
		for (const { at, values } of this.#history.samples) {
			const value = values[name];
			if (before !== null && at - before > GAP_MS)
				points.push(null);
			points.push(value === null || value === undefined ? null : [this.#xOf(at), yOf(value)]);
			before = at;
		}
		return points;
	}

	// Each piece of the line closed along the axis.
	#areaOf(points, bottom) {
		const pieces = [[]];
		for (const point of points)
			if (point)
				pieces.at(-1).push(point);
			else
				pieces.push([]);
		return pieces.filter((piece) => piece.length > 1).map((piece) =>
			`${pathOf(piece)}L${piece.at(-1)[0].toFixed(1)} ${bottom}L${piece[0][0].toFixed(1)} ${bottom}Z`).join("");
	}

	// What was drawn jumps back to where it was, then moves to where it belongs in the time until
	// the next sample.
	#slide(intervalMs) {
		const end = this.#history.end;
		const shift = (end - this.#drawnEnd) / WINDOW_MS * this.#plot.width;
		const isFirst = this.#drawnEnd === 0 || shift <= 0 || end - this.#drawnEnd > GAP_MS;
		this.#drawnEnd = end;
		if (isFirst || stillness.matches || document.hidden)
			return;
		this.#parts.moving.animate([{ transform: `translateX(${shift}px)` }, { transform: "none" }],
			{ duration: intervalMs, easing: "linear" });
	}

	#onPointer(x) {
		this.#pointer = x === null || x < MARGIN.left ? null : x;
		this.#tell();
	}

	// The values under the pointer, or the newest.
	#tell() {
		const end = this.#history.end;
		const pointed = this.#pointer === null ? null
			: this.#history.nearest(end - (1 - (this.#pointer - MARGIN.left) / this.#plot.width) * WINDOW_MS);
		const sample = pointed ?? this.#history.samples.at(-1);
		for (const { name } of this.#series)
			setText(this.#values.get(name), sample ? this.#format(sample.values[name]) : NONE);
		setText(this.#note, pointed ? `${Math.round((end - pointed.at) / 1000)} s ago` : "");
		this.#parts.cross.setAttribute("visibility", pointed ? "visible" : "hidden");
		if (pointed) {
			this.#parts.cross.setAttribute("x1", this.#xOf(pointed.at));
			this.#parts.cross.setAttribute("x2", this.#xOf(pointed.at));
		}
	}

	#fillTable() {
		const rows = this.#history.every(TABLE_STEP_MS);
		this.#details.lastChild.replaceChildren(
			make("caption", { class: "hidden" }, `${this.title}, every 30 seconds of the last five minutes`),
			make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Ago"),
				...this.#series.map(({ label }) => make("th", { scope: "col", class: "number" }, label)))),
			make("tbody", {}, ...rows.map(({ at, values }) => make("tr", {},
				make("th", { scope: "row" }, `${Math.round((this.#history.end - at) / 1000)} s`),
				...this.#series.map(({ name }) => make("td", { class: "number" }, this.#format(values[name])))))));
	}
}
