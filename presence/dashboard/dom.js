// SPDX-License-Identifier: Apache-2.0
// The few ways in which this page touches the document. What a server sent becomes text and
// nothing else: there is no way here to make markup of it.

export const byId = (id) => document.getElementById(id);

// make("td", {class: "number"}, "12", node): attributes are set as they are, a function is a
// listener, true an empty attribute, false and null none.
export function make(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === "function")
			node.addEventListener(name, value);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			node.setAttribute(name, value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined));
	return node;
}

export function makeSvg(tag, attributes = {}) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes))
		node.setAttribute(name, value);
	return node;
}

// Only what differs is written: screen readers, selections and the layout stay undisturbed.
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function setData(node, name, value) {
	if (value === null || value === undefined || value === "")
		delete node.dataset[name];
	else if (node.dataset[name] !== String(value))
		node.dataset[name] = value;
}

// A table whose rows are kept by key, so that focus stays where it is while numbers move.
// A column: {head, class, text(row)} or {head, class, fill(cell, row)}; the first is a row's header.
export class Table {
	#body;
	#empty;
	#columns;
	#keyOf;
	#rows = new Map();

	constructor(table, { caption, columns, keyOf, empty }) {
		this.#columns = columns;
		this.#keyOf = keyOf;
		this.#body = make("tbody");
		this.#empty = make("tr", { class: "empty" }, make("td", { colspan: columns.length }, empty));
		table.replaceChildren(
			make("caption", { class: "hidden" }, caption),
			make("thead", {}, make("tr", {}, ...columns.map((column) =>
				make("th", { scope: "col", class: column.class }, column.isHeadHidden
					? make("span", { class: "hidden" }, column.head) : column.head)))),
			this.#body,
		);
	}

	update(rows) {
		const seen = new Set();
		let before = null;
		for (const row of rows) {
			const key = this.#keyOf(row);
			seen.add(key);
			const line = this.#rows.get(key) ?? this.#add(key);
			this.#columns.forEach((column, i) => column.fill
				? column.fill(line.cells[i], row) : setText(line.cells[i], column.text(row)));
			const place = before ? before.nextSibling : this.#body.firstChild;
			if (place !== line)
				this.#body.insertBefore(line, place);
			before = line;
		}
		for (const [key, line] of this.#rows)
			if (!seen.has(key)) {
				line.remove();
				this.#rows.delete(key);
			}
		if (rows.length === 0)
			this.#body.replaceChildren(this.#empty);
		else
			this.#empty.remove();
	}

	set emptyText(text) {
		setText(this.#empty.firstChild, text);
	}

	#add(key) {
		const line = make("tr", {}, ...this.#columns.map((column, i) => i === 0
			? make("th", { scope: "row", class: column.class }) : make("td", { class: column.class })));
		this.#rows.set(key, line);
		return line;
	}
}

// Runs `fn` once, a while after the last call.
export function debounce(fn, ms) {
	let timer = 0;
	return (...args) => {
		clearTimeout(timer);
		timer = setTimeout(() => fn(...args), ms);
	};
}

// Says it to screen readers, politely; to nobody else.
export function announce(text) {
	setText(byId("announcer"), text);
}
