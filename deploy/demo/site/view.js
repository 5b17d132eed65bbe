// SPDX-License-Identifier: Apache-2.0
// Draws the room: messages grouped by sender, roster, typing line, hubs, toasts. Everything that
// users typed enters the page as text nodes, never as markup.

const GROUP_GAP_MS = 5 * 60 * 1000;
const MESSAGES_MAX = 500;
const STACK_MAX = 4;
const TOAST_MS = 4200;
const TOASTS_MAX = 3;

export const $ = (id) => document.getElementById(id);

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function element(tag, className, text) {
	const node = document.createElement(tag);
	if (className)
		node.className = className;
	if (text !== undefined)
		node.textContent = text;
	return node;
}

// Told apart at a glance, next to each other and on both themes.
const HUES = [55, 255, 145, 345, 200, 300, 100, 25, 225, 170, 320, 280];
const hues = new Map(); // userId -> one of them

function hueDistance(a, b) {
	return Math.min(Math.abs(a - b), 360 - Math.abs(a - b));
}

// The same for a user in all parts of the page: of the hues farthest from those of others, one that
// the id chooses (FNV-1a).
export function hueOf(userId) {
	if (hues.has(userId))
		return hues.get(userId);
	let hash = 0x811c9dc5;
	for (const char of userId)
		hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
	const taken = [...hues.values()];
	const room = (hue) => Math.min(180, ...taken.map((other) => hueDistance(hue, other)));
	const farthest = [...HUES].sort((a, b) => room(b) - room(a)).slice(0, taken.length > 0 ? 3 : HUES.length);
	hues.set(userId, farthest[hash % farthest.length]);
	return hues.get(userId);
}

function initials(name) {
	const words = name.trim().split(/\s+/u);
	const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
	return letters.map((word) => [...word][0] ?? "?").join("").toUpperCase();
}

function avatar(user) {
	const node = element("span", "avatar", initials(user.userName || user.userId));
	node.style.setProperty("--hue", hueOf(user.userId));
	node.setAttribute("aria-hidden", "true");
	return node;
}

function dayLabel(date) {
	const today = new Date();
	if (date.toDateString() === today.toDateString())
		return "Today";
	today.setDate(today.getDate() - 1);
	return date.toDateString() === today.toDateString() ? "Yesterday" : dayFormat.format(date);
}

export class MessageList {
	#selfId;
	#seen = new Set();
	#last = null;
	#day = "";

	constructor(selfId) {
		this.#selfId = selfId;
		this.clear();
		$("log").onscroll = () => this.#atEnd() && ($("jump").hidden = true);
	}

	clear() {
		$("messages").replaceChildren();
		$("empty").hidden = false;
		$("jump").hidden = true;
		this.#seen.clear();
		this.#last = null;
		this.#day = "";
	}

	// History comes again after a reconnect: only what is new is added, and not read aloud.
	addHistory(messages) {
		$("log").setAttribute("aria-busy", "true");
		for (const message of messages)
			this.#append(message);
		this.scrollToEnd();
		$("log").removeAttribute("aria-busy");
	}

	// Returns whether it was new.
	add(message) {
		const follow = this.#atEnd() || message.userId === this.#selfId;
		if (!this.#append(message))
			return false;
		if (follow)
			this.scrollToEnd();
		else
			$("jump").hidden = false;
		return true;
	}

	// A line of the room's own: who came, who went.
	note(text) {
		if ($("messages").childElementCount === 0)
			return;
		const follow = this.#atEnd();
		$("messages").append(element("li", "note", text));
		this.#last = null;
		if (follow)
			this.scrollToEnd();
	}

	scrollToEnd() {
		$("log").scrollTop = $("log").scrollHeight;
		$("jump").hidden = true;
	}

	#atEnd() {
		const log = $("log");
		return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
	}

	#append(message) {
		if (this.#seen.has(message.id))
			return false;
		this.#seen.add(message.id);
		$("empty").hidden = true;
		const at = new Date(message.timestamp);
		this.#separateDays(at);
		if (!this.#continues(message, at))
			this.#openGroup(message, at);
		const bubble = element("p", "bubble", message.message);
		bubble.title = timeFormat.format(at);
		this.#last.body.append(bubble);
		this.#last.at = at;
		this.#trim();
		return true;
	}

	#continues(message, at) {
		return this.#last?.userId === message.userId && at - this.#last.at < GROUP_GAP_MS;
	}

	#separateDays(at) {
		const day = at.toDateString();
		if (day === this.#day)
			return;
		this.#day = day;
		this.#last = null;
		$("messages").append(element("li", "day", dayLabel(at)));
	}

	#openGroup(message, at) {
		const isOwn = message.userId === this.#selfId;
		const group = element("li", isOwn ? "group own" : "group");
		group.style.setProperty("--hue", hueOf(message.userId));
		const body = element("div", "group-body");
		const head = element("div", "group-head");
		const time = element("time", "", timeFormat.format(at));
		time.dateTime = at.toISOString();
		head.append(element("span", isOwn ? "hidden" : "who", isOwn ? "You" : message.userName), time);
		body.append(head);
		if (!isOwn)
			group.append(avatar(message));
		group.append(body);
		$("messages").append(group);
		this.#last = { userId: message.userId, at, body };
	}

	// A tab left open for days must not grow for days.
	#trim() {
		const list = $("messages");
		while (list.childElementCount > MESSAGES_MAX)
			list.firstElementChild.remove();
	}
}

export function drawRoster(members, selfId) {
	const sorted = [...members].sort((a, b) => (b.userId === selfId) - (a.userId === selfId) ||
		a.userName.localeCompare(b.userName));
	$("roster").replaceChildren(...sorted.map((member) => {
		const row = element("li", "person");
		row.dataset.userId = member.userId;
		row.append(avatar(member), element("span", "person-name", member.userName));
		if (member.userId === selfId)
			row.append(element("span", "you", "you"));
		return row;
	}));
	$("stack").replaceChildren(...sorted.slice(0, STACK_MAX).map(avatar));
	if (sorted.length > STACK_MAX)
		$("stack").append(element("span", "avatar more", `+${sorted.length - STACK_MAX}`));
	$("roster-count").textContent = String(sorted.length);
	$("room-sub").textContent = sorted.length === 1 ? "Only you, for now" : `${sorted.length} people here`;
}

export function drawTyping(names) {
	const text = names.length === 0 ? ""
		: names.length === 1 ? `${names[0]} is typing`
		: names.length === 2 ? `${names[0]} and ${names[1]} are typing`
		: "Several people are typing";
	$("typing-text").textContent = text;
	$("typing").classList.toggle("on", text !== "");
}

// Which hubs the page is connected to, and how.
export function drawHubs(states) {
	const names = { connecting: "connecting", connected: "connected", reconnecting: "reconnecting",
		disconnected: "not connected" };
	$("hubs").replaceChildren(...states.filter(([, state]) => state !== "idle").map(([name, state]) => {
		const row = element("li", "hub-chip");
		row.dataset.state = state;
		row.append(element("span", "dot"), element("span", "", name), element("span", "hidden", `: ${names[state]}`));
		return row;
	}));
}

export function toast(text, kind = "info") {
	const node = element("p", `toast ${kind}`, text);
	$("toasts").append(node);
	while ($("toasts").childElementCount > TOASTS_MAX)
		$("toasts").firstElementChild.remove();
	setTimeout(() => node.classList.add("gone"), TOAST_MS);
	setTimeout(() => node.remove(), TOAST_MS + 400);
}
