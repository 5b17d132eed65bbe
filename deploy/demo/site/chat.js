// SPDX-License-Identifier: Apache-2.0
// The chat of the page: messages, who is here, who types, and the box to write in.

import { Room } from "./room.js";
import { $, MessageList, drawRoster, drawTyping, toast } from "./view.js";

const TYPING_REPEAT_MS = 3000;
const TYPING_IDLE_MS = 2500;
const TYPING_FORGET_MS = 6000;
const BOX_HEIGHT_MAX = 160;

export class Chat {
	#selfId;
	#roomId;
	#hubs;
	#on;
	#room = null;
	#list;
	#members = [];
	#typists = new Map(); // userId -> {name, timer}
	#typingSince = 0;
	#typingIdle = 0;
	#listening = new AbortController();

	// on: { message(message), members(members), flash() }
	constructor(selfId, roomId, hubs, on) {
		this.#selfId = selfId;
		this.#roomId = roomId;
		this.#hubs = hubs;
		this.#on = on;
		this.#list = new MessageList(selfId);
		this.#room = new Room(hubs.make("chat"), roomId, {
			joined: (members, awayMs) => this.#onJoined(members, awayMs),
			history: (messages) => this.#list.addHistory(messages),
			message: (message) => this.#onMessage(message),
			roster: (members) => this.#onRoster(members),
			typing: (event) => this.#onTyping(event),
			ack: (ms) => ($("ack").textContent = ms < 10 ? `in ${ms.toFixed(1)} ms` : `in ${Math.round(ms)} ms`),
		});
		this.#wire();
	}

	async start() {
		await this.#hubs.start("chat", () => this.#room.enter());
	}

	async close() {
		this.#listening.abort();
		this.#stopTyping();
		this.#forgetTypists();
		if (this.#hubs.isIn("chat"))
			await this.#room.leave().catch(() => {}); // the connection ends anyway
	}

	// Its panel is seen again.
	show() {
		this.#list.scrollToEnd();
		$("message").focus({ preventScroll: true });
	}

	onStates() {
		const isUp = this.#hubs.isIn("chat");
		$("send").disabled = !isUp;
		$("message").placeholder = isUp ? "Write a message" : "Reconnecting, hold on";
		if (!isUp)
			this.#forgetTypists();
	}

	#wire() {
		const { signal } = this.#listening;
		$("composer").addEventListener("submit", (event) => this.#onSend(event), { signal });
		$("message").addEventListener("input", () => this.#onInput(), { signal });
		$("message").addEventListener("blur", () => this.#stopTyping(), { signal });
		$("message").addEventListener("keydown", (event) => {
			if (event.key === "Enter" && !event.shiftKey && !event.isComposing)
				this.#onSend(event);
		}, { signal });
		$("jump").addEventListener("click", () => this.#list.scrollToEnd(), { signal });
	}

	#onJoined(members, awayMs) {
		this.#setMembers(members);
		if (awayMs)
			toast(`Back after ${(awayMs / 1000).toFixed(1)} s. You are in ${this.#roomId} again.`, "good");
	}

	#onMessage(message) {
		if (!this.#list.add(message))
			return;
		this.#forgetTypist(message.userId);
		this.#on.flash();
		this.#on.message(message);
	}

	#setMembers(members) {
		this.#members = members;
		drawRoster(members, this.#selfId);
		this.#on.members(members);
	}

	#onRoster(members) {
		const before = new Map(this.#members.map((member) => [member.userId, member]));
		const after = new Map(members.map((member) => [member.userId, member]));
		for (const member of members)
			if (!before.has(member.userId) && member.userId !== this.#selfId)
				this.#list.note(`${member.userName} came in`);
		for (const member of this.#members)
			if (!after.has(member.userId)) {
				this.#list.note(`${member.userName} left`);
				this.#forgetTypist(member.userId);
			}
		this.#setMembers(members);
	}

	#onTyping(event) {
		if (event.userId === this.#selfId)
			return;
		this.#forgetTypist(event.userId);
		if (!event.isTyping)
			return;
		const timer = setTimeout(() => this.#forgetTypist(event.userId), TYPING_FORGET_MS);
		this.#typists.set(event.userId, { name: event.userName, timer });
		this.#drawTyping();
	}

	#forgetTypist(userId) {
		clearTimeout(this.#typists.get(userId)?.timer);
		this.#typists.delete(userId);
		this.#drawTyping();
	}

	#forgetTypists() {
		for (const userId of [...this.#typists.keys()])
			this.#forgetTypist(userId);
	}

	#drawTyping() {
		drawTyping([...this.#typists.values()].map((typist) => typist.name));
	}

	// A cleared idle timer and one "stopped", however often it is called.
	#stopTyping() {
		clearTimeout(this.#typingIdle);
		if (this.#typingSince && this.#hubs.isIn("chat"))
			this.#room.setTyping(false);
		this.#typingSince = 0;
	}

	#onInput() {
		const box = $("message");
		box.style.setProperty("height", "auto");
		box.style.setProperty("height", `${Math.min(box.scrollHeight, BOX_HEIGHT_MAX)}px`);
		if (box.value.trim() === "") {
			this.#stopTyping();
			return;
		}
		if (!this.#typingSince || performance.now() - this.#typingSince > TYPING_REPEAT_MS) {
			this.#typingSince = performance.now();
			if (this.#hubs.isIn("chat"))
				this.#room.setTyping(true);
		}
		clearTimeout(this.#typingIdle);
		this.#typingIdle = setTimeout(() => this.#stopTyping(), TYPING_IDLE_MS);
	}

	async #onSend(event) {
		event.preventDefault();
		const box = $("message");
		const text = box.value.trim();
		if (text === "" || !this.#hubs.isIn("chat"))
			return;
		box.value = "";
		this.#onInput();
		try {
			await this.#room.say(text);
			this.#on.flash();
		} catch {
			toast("That message may not have arrived. It is back in the box.", "bad");
			box.value = box.value ? `${text}\n${box.value}` : text;
			this.#onInput();
		}
	}
}
