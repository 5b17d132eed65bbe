// SPDX-License-Identifier: Apache-2.0
// The demo page: wires the form, the room and the connection card to one Session.

import { Session } from "./session.js";
import { $, MessageList, drawRoster, drawTyping, toast } from "./view.js";

const TYPING_REPEAT_MS = 3000;
const TYPING_IDLE_MS = 2500;
const TYPING_FORGET_MS = 6000;

const TRANSPORT_NAMES = {
	WebSockets: "WebSockets",
	ServerSentEvents: "Server-Sent Events",
	LongPolling: "Long polling",
};
const FIRST = ["Amber", "Clear", "Bright", "Distant", "Early", "Quiet", "Northern", "Silver"];
const SECOND = ["Beacon", "Mirror", "Signal", "Lantern", "Ridge", "Comet", "Harbor", "Summit"];

const store = {
	get: (key) => sessionStorage.getItem(`heliograph.${key}`),
	set: (key, value) => sessionStorage.setItem(`heliograph.${key}`, value),
	remove: (key) => sessionStorage.removeItem(`heliograph.${key}`),
};

const page = {
	session: null,
	list: null,
	members: [],
	typists: new Map(), // userId -> {name, timer}
	typingSince: 0,
	typingIdle: 0,
	countdown: 0,
	unread: 0,
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
	$("chat-view").hidden = view !== "chat";
}

function setTitle() {
	const room = store.get("room");
	const unread = page.unread ? `(${page.unread}) ` : "";
	document.title = page.session ? `${unread}${room} · Heliograph` : "Heliograph: live chat";
}

function showState(state, retry) {
	const inSeconds = (ms) => `${Math.max(1, Math.round(ms / 1000))} s`;
	const words = { idle: "Not connected", connecting: "Connecting", connected: "Connected",
		reconnecting: "Reconnecting" };
	clearInterval(page.countdown);
	document.body.dataset.state = state;
	const write = (text) => {
		$("state-text").textContent = text;
		$("chip-text").textContent = text;
	};
	write(words[state]);
	$("announce").textContent = words[state]; // without the countdown, which changes each second
	if (retry?.delay > 1500) {
		const due = performance.now() + retry.delay;
		const tick = () => write(`Retry in ${inSeconds(Math.max(0, due - performance.now()))}`);
		tick();
		page.countdown = setInterval(tick, 1000);
	}
	const isUp = state === "connected";
	page.connectionId = isUp ? page.session.connectionId : "";
	$("connection-id").textContent = page.connectionId || "–";
	$("copy-id").disabled = !page.connectionId;
	$("send").disabled = !isUp;
	$("message").placeholder = state === "reconnecting" ? "Reconnecting, hold on" : "Write a message";
	if (state !== "connected")
		forgetTypists();
}

// The dot answers each message, in or out, like the mirror it is named after.
function flash() {
	for (const dot of document.querySelectorAll(".dot")) {
		dot.classList.remove("flash");
		void dot.offsetWidth; // restarts the animation
		dot.classList.add("flash");
	}
}

function forgetTypist(userId) {
	clearTimeout(page.typists.get(userId)?.timer);
	page.typists.delete(userId);
	drawTyping([...page.typists.values()].map((typist) => typist.name));
}

function forgetTypists() {
	for (const userId of [...page.typists.keys()])
		forgetTypist(userId);
}

function onTyping(event) {
	if (event.userId === selfId())
		return;
	forgetTypist(event.userId);
	if (!event.isTyping)
		return;
	const timer = setTimeout(() => forgetTypist(event.userId), TYPING_FORGET_MS);
	page.typists.set(event.userId, { name: event.userName, timer });
	drawTyping([...page.typists.values()].map((typist) => typist.name));
}

function onMessage(message) {
	if (!page.list.add(message))
		return;
	forgetTypist(message.userId);
	flash();
	if (document.hidden && message.userId !== selfId()) {
		page.unread++;
		setTitle();
	}
}

function setMembers(members) {
	page.members = members;
	drawRoster(members, selfId());
}

function onRoster(members) {
	const before = new Map(page.members.map((member) => [member.userId, member]));
	const after = new Map(members.map((member) => [member.userId, member]));
	for (const member of members)
		if (!before.has(member.userId) && member.userId !== selfId())
			page.list.note(`${member.userName} came in`);
	for (const member of page.members)
		if (!after.has(member.userId)) {
			page.list.note(`${member.userName} left`);
			forgetTypist(member.userId);
		}
	setMembers(members);
}

function onJoined(members, awayMs) {
	setMembers(members);
	if (awayMs)
		toast(`Back after ${(awayMs / 1000).toFixed(1)} s. You are in ${store.get("room")} again.`, "good");
}

function callbacks() {
	return {
		state: showState,
		transport: (name) => ($("transport").textContent = TRANSPORT_NAMES[name] ?? name),
		joined: onJoined,
		history: (messages) => page.list.addHistory(messages),
		message: onMessage,
		roster: onRoster,
		typing: onTyping,
		ack: (ms) => ($("ack").textContent = ms < 10 ? `in ${ms.toFixed(1)} ms` : `in ${Math.round(ms)} ms`),
	};
}

async function enter(name, room) {
	if (typeof signalR === "undefined")
		throw new Error("The SignalR client is missing: run make build, then reload.");
	store.set("name", name);
	store.set("room", room);
	page.list = new MessageList(selfId());
	page.session = new Session({ id: selfId(), name }, room, callbacks());
	$("room-title").textContent = room;
	$("gateway").textContent = location.host;
	$("invite").href = `./#${encodeURIComponent(room)}`;
	try {
		await page.session.start();
	} catch (error) {
		await page.session.stop();
		page.session = null;
		throw error;
	}
	history.replaceState(null, "", `#${encodeURIComponent(room)}`);
	store.set("inside", "yes");
	setView("chat");
	setTitle();
	page.list.scrollToEnd();
	$("message").focus({ preventScroll: true });
}

async function tryEnter(name, room) {
	$("join-error").textContent = "";
	$("enter").disabled = true;
	$("enter").textContent = "Entering";
	try {
		await enter(name, room);
	} catch (error) {
		setView("join");
		$("join-error").textContent = `Could not enter the room. ${error.message}`;
	} finally {
		$("enter").disabled = false;
		$("enter").textContent = "Enter the room";
	}
}

async function leave() {
	const session = page.session;
	page.session = null;
	store.remove("inside");
	stopTyping();
	setView("join");
	setTitle();
	$("name").focus();
	await session?.stop();
}

// A cleared idle timer and one "stopped", however often it is called.
function stopTyping() {
	clearTimeout(page.typingIdle);
	if (page.typingSince)
		page.session?.setTyping(false);
	page.typingSince = 0;
}

function onInput() {
	const box = $("message");
	box.style.setProperty("height", "auto");
	box.style.setProperty("height", `${Math.min(box.scrollHeight, 160)}px`);
	if (box.value.trim() === "") {
		stopTyping();
		return;
	}
	if (!page.typingSince || performance.now() - page.typingSince > TYPING_REPEAT_MS) {
		page.typingSince = performance.now();
		page.session?.setTyping(true);
	}
	clearTimeout(page.typingIdle);
	page.typingIdle = setTimeout(stopTyping, TYPING_IDLE_MS);
}

async function onSend(event) {
	event.preventDefault();
	const box = $("message");
	const text = box.value.trim();
	if (text === "" || !page.session?.isConnected)
		return;
	box.value = "";
	onInput();
	try {
		await page.session.say(text);
		flash();
	} catch {
		toast("That message may not have arrived. It is back in the box.", "bad");
		box.value = box.value ? `${text}\n${box.value}` : text;
		onInput();
	}
}

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
	$("composer").addEventListener("submit", onSend);
	$("message").addEventListener("input", onInput);
	$("message").addEventListener("blur", stopTyping);
	$("message").addEventListener("keydown", (event) => {
		if (event.key === "Enter" && !event.shiftKey && !event.isComposing)
			onSend(event);
	});
	$("leave").addEventListener("click", leave);
	$("jump").addEventListener("click", () => page.list.scrollToEnd());
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
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden) {
			page.unread = 0;
			setTitle();
		}
	});
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
