// SPDX-License-Identifier: Apache-2.0
// The demo page: the way in, the tabs, the connection card, and one visit with its four hubs.

import { Chat } from "./chat.js";
import { Hubs } from "./hubs.js";
import { Live } from "./live.js";
import { Notices } from "./notices.js";
import { Paper } from "./paper.js";
import { $, drawHubs, toast } from "./view.js";

const COUNTDOWN_FROM_MS = 1500;
const TABS = ["chat", "paper", "live"];
const TRANSPORT_NAMES = {
	WebSockets: "WebSockets",
	ServerSentEvents: "Server-Sent Events",
	LongPolling: "Long polling",
};
const STATE_NAMES = { idle: "Not connected", connecting: "Connecting", connected: "Connected",
	reconnecting: "Reconnecting", disconnected: "Not connected" };
const FIRST = ["Amber", "Clear", "Bright", "Distant", "Early", "Quiet", "Northern", "Silver"];
const SECOND = ["Beacon", "Mirror", "Signal", "Lantern", "Ridge", "Comet", "Harbor", "Summit"];

const store = {
	get: (key) => sessionStorage.getItem(`heliograph.${key}`),
	set: (key, value) => sessionStorage.setItem(`heliograph.${key}`, value),
	remove: (key) => sessionStorage.removeItem(`heliograph.${key}`),
};

const page = {
	visit: null, // {hubs, chat, notices, paper, live}
	tab: "chat",
	countdown: 0,
	announced: "",
	unread: 0, // messages while the page or its chat was not looked at
	connectionId: "",
};

function pick(words) {
	return words[Math.floor(Math.random() * words.length)];
}

// One user per tab: two tabs of one browser are two people.
function selfId() {
	let id = store.get("userId");
	if (!id) {
		id = `user-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
		store.set("userId", id);
	}
	return id;
}

function roomFromAddress() {
	try {
		return decodeURIComponent(location.hash.slice(1)).trim().slice(0, 48);
	} catch {
		return "";
	}
}

function setView(view) {
	document.body.dataset.view = view;
	$("join-view").hidden = view !== "join";
	$("room-view").hidden = view !== "room";
	$("bell").hidden = view !== "room";
}

function setTitle() {
	const room = store.get("room");
	const unread = page.unread ? `(${page.unread}) ` : "";
	document.title = page.visit ? `${unread}${room} · Heliograph` : "Heliograph: one room, live";
	$("chat-news").hidden = !page.unread || page.tab === "chat";
	$("chat-news").textContent = String(page.unread);
}

function showStates() {
	const { hubs } = page.visit;
	const { state } = hubs;
	document.body.dataset.state = state;
	drawHubs(hubs.states);
	showCountdown(state, hubs.retry);
	if (page.announced !== state) {
		page.announced = state;
		$("announce").textContent = STATE_NAMES[state]; // without the countdown, which changes each second
	}
	page.connectionId = hubs.isIn("chat") ? hubs.client("chat").connectionId : "";
	$("connection-id").textContent = page.connectionId || "–";
	$("copy-id").disabled = !page.connectionId;
	$("again").hidden = !hubs.states.some(([, each]) => each === "disconnected");
	for (const part of ["chat", "notices", "paper", "live"])
		page.visit[part]?.onStates();
}

function showCountdown(state, retry) {
	const write = () => {
		const leftMs = retry && state === "reconnecting" ? retry.due - performance.now() : 0;
		const text = leftMs > 0 && retry.delayMs > COUNTDOWN_FROM_MS
			? `Retry in ${Math.max(1, Math.round(leftMs / 1000))} s` : STATE_NAMES[state];
		$("state-text").textContent = text;
		$("chip-text").textContent = text;
	};
	clearInterval(page.countdown);
	write();
	if (retry && state === "reconnecting")
		page.countdown = setInterval(write, 1000);
}

// On the way in there is only one hub to wait for, and a form to tell of it.
function showFirstTries() {
	const { retry } = page.visit.hubs;
	$("give-up").hidden = !retry;
	if (retry)
		$("join-error").textContent = `The gateway does not answer. Trying again (${retry.attempt} of 10).`;
}

// The dot answers each message, in or out, like the mirror it is named after.
function flash() {
	for (const dot of document.querySelectorAll(".state .dot, .chip .dot")) {
		dot.classList.remove("flash");
		void dot.offsetWidth; // restarts the animation
		dot.classList.add("flash");
	}
}

function onMessage(message) {
	if (message.userId === selfId() || (!document.hidden && page.tab === "chat"))
		return;
	page.unread++;
	setTitle();
}

function looked() {
	if (document.hidden || page.tab !== "chat" || !page.unread)
		return;
	page.unread = 0;
	setTitle();
}

function onTransport(hub, name) {
	if (hub === "chat")
		$("transport").textContent = TRANSPORT_NAMES[name] ?? name;
}

function makeVisit(name, room) {
	const self = { id: selfId(), name };
	const hubs = new Hubs(self, {
		states: () => {
			if (page.visit?.hubs !== hubs)
				return;
			if (document.body.dataset.view === "room")
				showStates();
			else
				showFirstTries();
		},
		transport: onTransport,
		trouble: (hub, error) => toast(`${hub}: ${error.message}`, "bad"),
	});
	const visit = { hubs };
	visit.chat = new Chat(self.id, room, hubs, {
		message: onMessage,
		members: (members) => {
			visit.notices?.setPeople(members);
			visit.live?.setPeople(members);
		},
		flash,
	});
	visit.notices = new Notices(self, hubs);
	visit.paper = new Paper(self, room, hubs);
	visit.live = new Live(self, room, hubs);
	return visit;
}

async function enter(name, room) {
	if (typeof signalR === "undefined")
		throw new Error("The SignalR client is missing: run make build, then reload.");
	store.set("name", name);
	store.set("room", room);
	$("room-title").textContent = room;
	$("gateway").textContent = location.host;
	$("invite").href = `./#${encodeURIComponent(room)}`;
	const visit = page.visit = makeVisit(name, room);
	try {
		await visit.chat.start();
	} catch (error) {
		page.visit = null;
		await closeVisit(visit);
		throw error;
	}
	history.replaceState(null, "", `#${encodeURIComponent(room)}`);
	store.set("inside", "yes");
	setView("room");
	showStates();
	setTitle();
	selectTab("chat");
	visit.chat.show();
	visit.notices.start();
}

async function tryEnter(name, room) {
	$("join-error").textContent = "";
	$("enter").disabled = true;
	$("enter").textContent = "Entering";
	try {
		await enter(name, room);
	} catch (error) {
		setView("join");
		$("join-error").textContent = error.name === "StoppedError" ? "" : `Could not enter the room. ${error.message}`;
	} finally {
		$("enter").disabled = false;
		$("enter").textContent = "Enter the room";
		$("give-up").hidden = true;
	}
}

async function closeVisit(visit) {
	for (const part of [visit.live, visit.paper, visit.notices])
		part.close();
	await visit.chat.close();
	await visit.hubs.stop();
}

async function leave() {
	const { visit } = page;
	page.visit = null;
	page.unread = 0;
	store.remove("inside");
	clearInterval(page.countdown);
	document.body.dataset.state = "idle";
	setView("join");
	setTitle();
	$("name").focus();
	if (visit)
		await closeVisit(visit);
}

// ---- tabs: arrow keys move and select, as screen readers tell their users

function selectTab(name) {
	page.tab = name;
	for (const tab of TABS) {
		const isOn = tab === name;
		$(`tab-${tab}`).setAttribute("aria-selected", String(isOn));
		$(`tab-${tab}`).tabIndex = isOn ? 0 : -1;
		$(`panel-${tab}`).hidden = !isOn;
	}
	looked();
	setTitle();
	page.visit?.paper.seen(name === "paper");
	page.visit?.live.seen(name === "live");
}

function onTabKey(event) {
	const at = TABS.indexOf(page.tab);
	const to = { ArrowRight: (at + 1) % TABS.length, ArrowLeft: (at + TABS.length - 1) % TABS.length,
		Home: 0, End: TABS.length - 1 }[event.key];
	if (to === undefined)
		return;
	event.preventDefault();
	selectTab(TABS[to]);
	$(`tab-${TABS[to]}`).focus();
}

// ---- theme

function toggleTheme() {
	const theme = isDark() ? "light" : "dark";
	document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem("heliograph.theme", theme);
	} catch {
		// Not kept, then: the next visit follows the system again.
	}
	labelTheme();
}

function isDark() {
	const chosen = document.documentElement.dataset.theme;
	return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function labelTheme() {
	$("theme").setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} theme`);
	document.body.dataset.dark = isDark() ? "yes" : "no";
}

function wire() {
	$("join-form").addEventListener("submit", (event) => {
		event.preventDefault();
		tryEnter($("name").value.trim() || "Guest", $("room").value.trim() || "lobby");
	});
	$("give-up").addEventListener("click", () => page.visit?.hubs.stop());
	$("leave").addEventListener("click", leave);
	$("again").addEventListener("click", () => page.visit?.hubs.restart());
	window.addEventListener("online", () => page.visit?.hubs.restart());
	for (const tab of TABS) {
		$(`tab-${tab}`).addEventListener("click", () => selectTab(tab));
		$(`tab-${tab}`).addEventListener("keydown", onTabKey);
	}
	$("theme").addEventListener("click", toggleTheme);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", labelTheme);
	$("details").addEventListener("click", () => {
		const isOpen = document.body.classList.toggle("details-open");
		$("details").setAttribute("aria-expanded", String(isOpen));
		$("details").textContent = isOpen ? "Hide" : "Details";
	});
	$("copy-id").addEventListener("click", async () => {
		await navigator.clipboard.writeText(page.connectionId).then(
			() => toast("Connection id copied."),
			() => toast("The browser did not allow copying.", "bad"));
	});
	document.addEventListener("visibilitychange", looked);
}

function start() {
	labelTheme();
	wire();
	$("name").value = store.get("name") || `${pick(FIRST)} ${pick(SECOND)}`;
	$("room").value = roomFromAddress() || store.get("room") || "lobby";
	if (store.get("inside"))
		tryEnter($("name").value, $("room").value);
	else
		$("name").select();
}

start();
