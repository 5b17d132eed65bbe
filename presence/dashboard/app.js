// SPDX-License-Identifier: Apache-2.0
// The dashboard's clockwork: asks every two seconds how the cluster is, and hands the answer to
// tiles, charts, tables and banners. Before all, a token, when the API wants one.

import * as api from "./api.js";
import { LineChart } from "./chart.js";
import { confirm, login } from "./dialogs.js";
import { announce, byId, make, setData, setText } from "./dom.js";
import { Feed } from "./feed.js";
import * as format from "./format.js";
import { History } from "./history.js";
import { ShardMap } from "./shard_map.js";
import { Tables } from "./tables.js";
import { Users } from "./users.js";

const POLL_MS = 2000;
const POLL_SLOW_MS = 8000; // while nobody answers
const USERS_MS = 10000;

const history = new History();
const users = new Users();
const shardMap = new ShardMap();
const tables = new Tables({ onDrain: drain });
const feed = new Feed({ onUser: (id) => users.open(id), onReset: () => users.refresh() });

const charts = [
	new LineChart(byId("chart-people"), history, {
		title: "Connections", format: format.count, tick: format.compact, least: 4, isWhole: true,
		series: [{ name: "connections", label: "connections", style: "one" }, { name: "users", label: "users", style: "two" }],
	}),
	new LineChart(byId("chart-messages"), history, {
		title: "Messages/s", format: format.rate, tick: format.compact, least: 1,
		series: [{ name: "out", label: "to clients", style: "one" }, { name: "in", label: "from clients", style: "two" }],
	}),
	new LineChart(byId("chart-latency"), history, {
		title: "Latency", format: format.milliseconds, tick: tickMilliseconds, least: 1,
		series: [{ name: "p99", label: "p99", style: "three" }, { name: "p95", label: "p95", style: "two" },
			{ name: "p50", label: "p50", style: "one" }],
	}),
];

function tickMilliseconds(ms) {
	return ms >= 1000 ? `${format.compact(ms / 1000)} s` : `${format.compact(ms)} ms`;
}

/* ---- tiles */

const TILES = [
	{ name: "Users online", text: ({ stats }) => format.count(stats.users) },
	{ name: "Connections", text: ({ stats }) => format.count(stats.connections) },
	{ name: "From clients", unit: "msg/s", text: ({ stats }) => format.rate(stats.messagesInPerSecond) },
	{ name: "To clients", unit: "msg/s", text: ({ stats }) => format.rate(stats.messagesOutPerSecond) },
	{ name: "Latency p50", text: ({ stats }) => format.milliseconds(stats.latency.p50Ms) },
	{ name: "Latency p99", text: ({ stats }) => format.milliseconds(stats.latency.p99Ms) },
	{ name: "Gateways", text: ({ stats }) => format.count(stats.gateways) },
	{ name: "Shards", text: ({ cluster }) => `${cluster.shards.filter((shard) => shard.isHere).length}/${cluster.shards.length}` },
];

const tileValues = TILES.map(({ name, unit }) => {
	const value = make("span", {}, format.NONE);
	byId("tiles").append(make("div", { class: "tile" }, make("dt", {}, name),
		make("dd", {}, value, unit ? make("span", { class: "unit" }, ` ${unit}`) : null)));
	return value;
});

/* ---- banners */

// [{id, level, text}] of what an operator should know at once, the worst first.
function troublesOf({ stats, cluster }) {
	const troubles = [];
	const gone = cluster.shards.filter((shard) => !shard.isHere);
	if (gone.length > 0) {
		const share = gone.reduce((sum, shard) => sum + shard.share, 0);
		troubles.push({ id: "shards", level: "bad", text: `${gone.map((shard) => shard.name).join(", ")} ${gone.length > 1 ? "are" : "is"} not here: `
			+ `what concerns ${format.percent(share)} of the groups, users and connections waits or fails.` });
	}
	if (stats.store?.isAway) {
		const since = typeof stats.store.staleSeconds === "number" ? ` for ${format.duration(stats.store.staleSeconds * 1000)}` : "";
		troubles.push({ id: "store", level: "bad", text: `The store (${stats.store.kind}) has been away${since}. `
			+ "Messages go on; who is online is as it was then." });
	}
	if (!stats.isSettled)
		troubles.push({ id: "settled", level: "warn", text: "Presence has just started and may not know every process and connection yet." });
	return troubles;
}

// Kept by id, so that screen readers hear of a new one, and not of each second that passes.
function showTroubles(troubles) {
	const box = byId("banners");
	const left = new Map([...box.children].map((node) => [node.dataset.id, node]));
	for (const { id, level, text } of troubles) {
		const node = left.get(id) ?? box.appendChild(make("p", { class: "banner", "data-id": id }));
		left.delete(id);
		setData(node, "level", level);
		setText(node, text);
	}
	left.forEach((node) => node.remove());
}

/* ---- the clockwork */

let lastAnswerAt = 0;
let run = 0; // the one that counts; signing out and in begins another

function show(stats, cluster) {
	const answer = { stats, cluster };
	lastAnswerAt = Date.now();
	history.add(lastAnswerAt, { connections: stats.connections, users: stats.users, in: stats.messagesInPerSecond,
		out: stats.messagesOutPerSecond, ...latencyOf(stats) });
	TILES.forEach((tile, i) => setText(tileValues[i], tile.text(answer)));
	charts.forEach((chart) => chart.update(POLL_MS));
	tables.update(cluster);
	shardMap.update(cluster.shardMap);
	showTroubles(troublesOf(answer));
	setText(byId("whoami"), `${cluster.presence} · up ${format.duration(stats.uptimeMs)}`);
	setText(byId("live"), "live");
	setData(byId("live"), "level", "good");
}

// Presence keeps the last minutes; its clock need not be ours.
async function fillHistory() {
	const { at, samples } = await api.statsHistory();
	const shift = Date.now() - Date.parse(at);
	history.prepend(samples.map((sample) => ({ at: Date.parse(sample.at) + shift, values: {
		connections: sample.connections, users: sample.users, in: sample.messagesInPerSecond,
		out: sample.messagesOutPerSecond, p50: sample.p50Ms, p95: sample.p95Ms, p99: sample.p99Ms } })));
	charts.forEach((chart) => chart.update(POLL_MS));
}

const latencyOf = ({ latency }) => ({ p50: latency.p50Ms, p95: latency.p95Ms, p99: latency.p99Ms });

function showSilence(error) {
	setText(byId("live"), "no answer");
	setData(byId("live"), "level", "bad");
	const asOf = lastAnswerAt ? ` What you see is as of ${format.timeOfDay(lastAnswerAt)}.` : "";
	showTroubles([{ id: "silence", level: "bad", text: `${error.message}${asOf}` }]);
}

async function poll(mine) {
	let pause = POLL_MS;
	const started = performance.now();
	try {
		const [stats, cluster] = await Promise.all([api.stats(), api.cluster()]);
		if (mine === run)
			show(stats, cluster);
	} catch (error) {
		if (mine !== run || error.status === 401)
			return;
		showSilence(error);
		pause = lastAnswerAt > Date.now() - 30000 ? POLL_MS : POLL_SLOW_MS;
	}
	const spent = performance.now() - started;
	setTimeout(() => mine === run && poll(mine), Math.max(250, pause - spent));
}

function start() {
	run++;
	byId("sign-out").hidden = !api.hasToken();
	poll(run);
	if (history.samples.length === 0)
		fillHistory().catch(() => {}); // without it the charts begin now
	users.refresh();
	feed.start();
}

function stop() {
	run++;
	feed.stop();
}

let isAsking = false;

async function askForToken(wasWrong) {
	stop();
	api.setToken("");
	if (isAsking)
		return;
	isAsking = true;
	await login({ wasWrong, check: tryToken });
	isAsking = false;
	start();
}

async function tryToken(token) {
	const response = await fetch("/api/v1/stats", { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" })
		.catch(() => { throw new api.ApiError(0, "Presence cannot be reached."); });
	if (!response.ok)
		throw new api.ApiError(response.status, `The API answered ${response.status}.`);
	api.setToken(token);
}

/* ---- what can be done */

async function drain(name) {
	const done = await confirm({
		title: `Drain ${name}?`,
		text: "It takes no new clients, tells those it has to connect again elsewhere, over its drain_timeout, and ends.",
		action: `Drain ${name}`,
		act: () => api.drain(name),
	});
	if (done)
		announce(`${name} drains.`);
}

function setUpTheme() {
	const root = document.documentElement;
	const button = byId("theme");
	const system = matchMedia("(prefers-color-scheme: dark)");
	const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
	const tell = () => {
		button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} theme`);
		setData(button, "shows", isDark() ? "sun" : "moon");
	};
	button.addEventListener("click", () => {
		root.dataset.theme = isDark() ? "light" : "dark";
		try {
			localStorage.setItem("heliograph.theme", root.dataset.theme);
		} catch {
			// Refused: the choice lasts as long as the page.
		}
		tell();
	});
	system.addEventListener("change", tell);
	tell();
}

// One control of the header is the section one is in.
function setUpSections() {
	const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
	const seen = new Set();
	const observer = new IntersectionObserver((entries) => {
		for (const { target, isIntersecting } of entries)
			seen[isIntersecting ? "add" : "delete"](target.id);
		const current = [...links.keys()].find((id) => seen.has(id));
		links.forEach((link, id) => id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
	}, { rootMargin: "-64px 0px -50% 0px" });
	links.forEach((_, id) => observer.observe(byId(id)));
}

api.whenUnauthorized(askForToken);
byId("confirm-cancel").addEventListener("click", () => byId("confirm").close());
byId("users-refresh").addEventListener("click", () => users.refresh());
byId("sign-out").addEventListener("click", () => askForToken(false));
setInterval(() => !document.hidden && !isAsking && users.refresh(), USERS_MS);
setUpTheme();
setUpSections();
start();
