// SPDX-License-Identifier: Apache-2.0
// The tables of gateways, shards and groups.

import { make, setData, setText, Table, byId } from "./dom.js";
import { bytes, count, duration, milliseconds, percent, rate, NONE } from "./format.js";

const STALE_MS = 5000; // a process reports once a second

const byName = new Intl.Collator("en", { numeric: true }).compare;

// {text, level}: one word for how a process is; the level chooses the colour beside it.
export function stateOf(process) {
	if (process.isLost)
		return { text: "lost", level: "bad" };
	if (!process.isUp)
		return { text: "link down", level: "bad" };
	if (process.isDraining)
		return { text: "draining", level: "warn" };
	if (process.reportedMs === null)
		return { text: "no report yet", level: "warn" };
	if (process.reportedMs > STALE_MS)
		return { text: `silent ${duration(process.reportedMs)}`, level: "warn" };
	return { text: "up", level: "good" };
}

function fillState(cell, process) {
	const { text, level } = stateOf(process);
	if (!cell.firstChild)
		cell.append(make("span", { class: "state" }));
	setText(cell.firstChild, text);
	setData(cell.firstChild, "level", level);
}

// "4/4", or which are down; what waits for peers when it is worth a word.
function fillLinks(cell, { links }) {
	if (!links) {
		setText(cell, NONE);
		return;
	}
	const down = links.filter((link) => !link.isUp).map((link) => link.name);
	const waiting = links.reduce((sum, link) => sum + link.waitingBytes, 0);
	let text = `${links.length - down.length}/${links.length}`;
	if (down.length > 0)
		text += ` · ${down.slice(0, 3).join(", ")}${down.length > 3 ? " …" : ""} down`;
	if (waiting >= 65536)
		text += ` · ${bytes(waiting)} waiting`;
	setText(cell, text);
	setData(cell, "level", down.length > 0 ? "bad" : "");
}

function fillBar(cell, share, text) {
	if (!cell.firstChild)
		cell.append(make("span", { class: "track", "aria-hidden": "true" }, make("span")), make("span"));
	cell.firstChild.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
	setText(cell.lastChild, text);
}

const number = (head, text) => ({ head, class: "number", text });

const machine = [
	number("CPU", (row) => percent(row.cpu)),
	number("Memory", (row) => bytes(row.memoryBytes)),
	{ head: "Links", class: "links", fill: fillLinks },
	number("Up", (row) => duration(row.upMs)),
];

export class Tables {
	#gateways;
	#shards;
	#groups;

	// onDrain(name)
	constructor({ onDrain }) {
		this.#gateways = new Table(byId("gateways-table"), {
			caption: "Gateways",
			keyOf: (row) => `${row.name} ${row.incarnation}`,
			empty: "No gateway has a lease.",
			columns: [
				{ head: "Name", class: "name", text: (row) => row.name },
				{ head: "State", fill: fillState },
				number("Connections", (row) => count(row.connections)),
				number("In/s", (row) => rate(row.messagesInPerSecond)),
				number("Out/s", (row) => rate(row.messagesOutPerSecond)),
				number("p50", (row) => milliseconds(row.latency?.p50Ms)),
				number("p99", (row) => milliseconds(row.latency?.p99Ms)),
				number("Queued", (row) => bytes(row.queueBytes)),
				...machine,
				{ head: "Act", isHeadHidden: true, class: "act", fill: (cell, row) => this.#fillDrain(cell, row, onDrain) },
			],
		});
		this.#shards = new Table(byId("shards-table"), {
			caption: "Shards",
			keyOf: (row) => `${row.name} ${row.incarnation ?? ""}`,
			empty: "No router has a lease.",
			columns: [
				{ head: "Name", class: "name", text: (row) => row.name },
				{ head: "State", fill: fillState },
				{ head: "Ring", class: "bar", fill: (cell, row) => fillBar(cell, row.share ?? 0, percent(row.share)) },
				number("Groups", (row) => count(row.groups)),
				number("Members", (row) => count(row.memberships)),
				number("Calls", (row) => count(row.calls)),
				number("Invocations/s", (row) => rate(row.messagesInPerSecond)),
				number("Deliveries/s", (row) => rate(row.messagesOutPerSecond)),
				...machine,
			],
		});
		this.#groups = new Table(byId("groups-table"), {
			caption: "Largest groups",
			keyOf: (row) => JSON.stringify([row.hub, row.name]),
			empty: "No group has a member.",
			columns: [
				{ head: "Group", class: "name long", text: (row) => row.name },
				{ head: "Hub", text: (row) => row.hub },
				{ head: "Members", class: "bar", fill: (cell, row) => fillBar(cell, row.members / row.most, count(row.members)) },
			],
		});
	}

	update(cluster) {
		const now = Date.parse(cluster.at);
		const withAge = (process) => ({ ...process,
			upMs: process.startedAt ? Math.max(0, now - Date.parse(process.startedAt)) : null });
		const of = (role) => cluster.processes.filter((process) => process.role === role).map(withAge)
			.sort((a, b) => byName(a.name, b.name));
		const shares = new Map(cluster.shards.map((shard) => [shard.name, shard.share]));
		const lost = cluster.shards.filter((shard) => !shard.isHere).map((shard) => ({ ...shard, isLost: true }));
		this.#gateways.update(of("gateway"));
		this.#shards.update([...of("router").map((row) => ({ ...row, share: shares.get(row.name) })), ...lost]
			.sort((a, b) => byName(a.name, b.name)));
		const most = Math.max(1, ...cluster.groupsTop.map((group) => group.members));
		this.#groups.update(cluster.groupsTop.map((group) => ({ ...group, most })));
	}

	#fillDrain(cell, row, onDrain) {
		if (!cell.firstChild)
			cell.append(make("button", { type: "button", class: "quiet", click: () => onDrain(row.name) },
				"Drain", make("span", { class: "hidden" }, ` ${row.name}`)));
		cell.firstChild.disabled = row.isDraining || !row.isUp;
	}
}
