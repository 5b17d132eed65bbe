// SPDX-License-Identifier: Apache-2.0
// The drawer with this visitor's notifications, and the form that sends some to others.

import { NotificationService } from "./vendor/heliograph/index.js";
import { NotServedError } from "./hubs.js";
import { $, element, toast } from "./view.js";

const COUNT_SHOWN_MAX = 99;
const PRIORITY_NAMES = { low: "Low priority", normal: "", high: "High priority" };
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class Notices {
	#self;
	#hubs;
	#service;
	#people = new Map(); // userId -> name, of everybody seen in the room
	#chosen = ""; // whom to send to, once somebody was chosen
	#lastChange = null; // who came or went last
	#listening = new AbortController();

	constructor(self, hubs) {
		this.#self = self;
		this.#hubs = hubs;
		this.#service = new NotificationService(hubs.make("notifications"), { onOpen: () => (window.focus(), this.#open()) });
		this.#service.onChange(() => this.#draw());
		this.#service.onNotification((notification) => this.#onArrival(notification));
		this.#service.onUser((change) => {
			this.#lastChange = change;
			this.#drawPresence();
		});
		this.#wire();
		this.#draw();
		$("presence-line").textContent = "Nobody came or went since you are here.";
	}

	// Its failure is shown, and keeps nobody from the rest of the page.
	start() {
		this.#hubs.start("notifications", () => {}).catch((error) => {
			$("bell").hidden = error instanceof NotServedError;
			$("notices-note").textContent = error.message;
		});
	}

	close() {
		this.#listening.abort();
		this.#service.close();
		$("notices").close();
	}

	onStates() {
		const isUp = this.#hubs.isIn("notifications");
		$("send-notice").querySelector("button").disabled = !isUp;
		$("read-all").disabled = !isUp || this.#service.unread === 0;
		if (isUp)
			$("notices-note").textContent = "";
	}

	// Who left can be sent something, too: it waits for them.
	setPeople(members) {
		const list = $("notice-to");
		for (const { userId, userName } of members)
			this.#people.set(userId, userName);
		const isHere = (userId) => members.some((member) => member.userId === userId);
		const others = [...this.#people].sort(([a, nameOfA], [b, nameOfB]) =>
			(a === this.#self.id) - (b === this.#self.id) || isHere(b) - isHere(a) || nameOfA.localeCompare(nameOfB));
		list.replaceChildren(...others.map(([userId, name]) => {
			const option = element("option", "", userId === this.#self.id ? `${name} (you)` : isHere(userId) ? name : `${name} (away)`);
			option.value = userId;
			return option;
		}));
		if (this.#people.has(this.#chosen))
			list.value = this.#chosen;
		this.#drawPresence();
	}

	#wire() {
		const { signal } = this.#listening;
		const on = (id, event, run) => $(id).addEventListener(event, run, { signal });
		on("bell", "click", () => this.#open());
		on("notices-close", "click", () => $("notices").close());
		on("notices", "click", (event) => event.target === $("notices") && $("notices").close()); // its backdrop
		on("read-all", "click", () => this.#tell(this.#service.markAllAsRead()));
		on("notice-to", "change", () => (this.#chosen = $("notice-to").value));
		on("permit-button", "click", async () => {
			await this.#service.requestPermission();
			this.#drawPermission();
		});
		on("send-notice", "submit", (event) => this.#onSend(event));
	}

	#open() {
		this.#drawPermission();
		$("toasts").replaceChildren();
		if (!$("notices").open)
			$("notices").showModal();
	}

	#tell(promise) {
		return promise.catch((error) => ($("notices-note").textContent = error.message));
	}

	async #onSend(event) {
		event.preventDefault();
		const to = $("notice-to").value;
		const name = this.#people.get(to) ?? to;
		$("notice-error").textContent = "";
		try {
			await this.#service.sendToUser(to, {
				title: $("notice-title").value.trim(), message: $("notice-text").value.trim(), priority: $("notice-priority").value,
			});
			$("notice-title").value = "";
			$("notice-text").value = "";
			$("notices-note").textContent = `Sent to ${name}.`;
			$("notice-title").focus();
		} catch (error) {
			$("notice-error").textContent = `Not sent. ${error.message}`;
		}
	}

	#onArrival(notification) {
		if (!notification.read && !$("notices").open)
			toast(`${notification.title}: ${notification.message}`, notification.priority === "high" ? "bad" : "info");
	}

	// Its name may be known only later.
	#drawPresence() {
		if (!this.#lastChange)
			return;
		const { userId, isOnline, at } = this.#lastChange;
		const name = this.#people.get(userId) ?? "Somebody in another room";
		$("presence-line").textContent = `${name} ${isOnline ? "came online" : "went offline"} at ${timeFormat.format(new Date(at))}.`;
	}

	#drawPermission() {
		$("permit").hidden = this.#service.permission !== "default";
	}

	#draw() {
		const { items, unread } = this.#service;
		const count = unread > COUNT_SHOWN_MAX ? `${COUNT_SHOWN_MAX}+` : String(unread);
		$("bell-count").textContent = count;
		$("bell-count").hidden = unread === 0;
		$("bell").setAttribute("aria-label", unread ? `Notifications, ${count} unread` : "Notifications");
		$("notices-empty").hidden = items.length > 0;
		$("read-all").disabled = unread === 0;
		$("notice-list").replaceChildren(...items.map((item) => this.#row(item)));
	}

	#row(item) {
		const row = element("li", `notice ${item.priority}${item.read ? "" : " unread"}`);
		const head = element("p", "notice-head");
		const time = element("time", "", timeFormat.format(new Date(item.createdAt)));
		time.dateTime = item.createdAt;
		head.append(element("strong", "", item.title), time);
		row.append(head, element("p", "notice-text", item.message));
		if (PRIORITY_NAMES[item.priority])
			head.append(element("span", "hidden", PRIORITY_NAMES[item.priority]));
		if (!item.read) {
			const button = element("button", "quiet-button", "Mark read");
			button.type = "button";
			button.setAttribute("aria-label", `Mark read: ${item.title}`);
			button.addEventListener("click", () => this.#markRead(item.id));
			row.append(button);
		}
		return row;
	}

	// The button goes with the drawing; the keyboard's place stays in the list.
	async #markRead(id) {
		await this.#tell(this.#service.markAsRead(id));
		($("notice-list").querySelector("button") ?? $("notices-close")).focus();
	}
}
