// SPDX-License-Identifier: Apache-2.0
// Who is online: search by the beginning of an id, page by page, and one user in detail.

import * as api from "./api.js";
import { announce, byId, debounce, make, setText, Table } from "./dom.js";
import { confirm } from "./dialogs.js";
import { count, dateAndTime, plural } from "./format.js";

const PAGE = 25;
const SEARCH_PAUSE_MS = 200;
const REASON_OF_STORE = 503;

export class Users {
	#table;
	#prefix = "";
	#cursors = [""]; // of the pages up to this one
	#next = "";
	#abort = null;
	#detail;

	constructor() {
		this.#table = new Table(byId("users-table"), {
			caption: "Users online",
			keyOf: (row) => row.userId,
			empty: "Nobody is online.",
			columns: [
				{ head: "User", class: "name long", fill: (cell, row) => this.#fillName(cell, row) },
				{ head: "Name", class: "long", text: (row) => row.name },
				{ head: "Connections", class: "number", text: (row) => count(row.connections) },
				{ head: "Since", class: "when", text: (row) => dateAndTime(row.since) },
			],
		});
		this.#detail = new UserDetail(() => this.refresh());
		const search = byId("users-search");
		const find = debounce(() => this.#find(search.value), SEARCH_PAUSE_MS);
		search.addEventListener("input", find);
		byId("users-form").addEventListener("submit", (event) => {
			event.preventDefault();
			this.#find(search.value);
		});
		byId("users-previous").addEventListener("click", () => this.#turn(-1));
		byId("users-next").addEventListener("click", () => this.#turn(1));
	}

	// The page that is shown, as it is now.
	async refresh() {
		this.#abort?.abort();
		const abort = this.#abort = new AbortController();
		try {
			const page = await api.users({ prefix: this.#prefix, limit: PAGE, cursor: this.#cursors.at(-1) }, abort.signal);
			if (!abort.signal.aborted)
				this.#show(page);
		} catch (error) {
			if (!abort.signal.aborted && error.status !== 401)
				this.#fail(error);
		}
	}

	open(userId) {
		this.#detail.open(userId);
	}

	#find(prefix) {
		if (prefix === this.#prefix)
			return;
		this.#prefix = prefix;
		this.#cursors = [""];
		this.refresh();
	}

	#turn(direction) {
		if (direction > 0 && this.#next)
			this.#cursors.push(this.#next);
		else if (direction < 0 && this.#cursors.length > 1)
			this.#cursors.pop();
		this.refresh();
	}

	#show({ users, next = "", total }) {
		this.#next = next ?? "";
		this.#table.emptyText = this.#prefix ? `Nobody is online whose id begins with “${this.#prefix}”.` : "Nobody is online.";
		this.#table.update(users);
		const page = this.#cursors.length;
		// The API counts all users, not those whose id begins so.
		const of = typeof total === "number" && this.#prefix === "" ? ` of ${count(total)}` : "";
		const first = (page - 1) * PAGE + 1;
		setText(byId("users-status"), users.length === 0 ? "" : `${count(first)} to ${count(first + users.length - 1)}${of}`);
		byId("users-previous").disabled = page === 1;
		byId("users-next").disabled = this.#next === "";
	}

	#fail(error) {
		if (error.status === 400 && this.#cursors.length > 1) {
			this.#cursors = [""]; // the page is gone; begin anew
			this.refresh();
			return;
		}
		setText(byId("users-status"), error.status === REASON_OF_STORE ? "The store does not answer." : error.message);
	}

	#fillName(cell, row) {
		if (!cell.firstChild)
			cell.append(make("button", { type: "button", class: "link", click: () => this.open(row.userId) }));
		setText(cell.firstChild, row.userId);
	}
}

// One user in a dialog, with all connections and what can be done about them.
class UserDetail {
	#dialog = byId("user");
	#connections = byId("user-connections");
	#id = "";
	#cursors = [""];
	#next = "";
	#onChange;

	constructor(onChange) {
		this.#onChange = onChange;
		byId("user-close").addEventListener("click", () => this.#dialog.close());
		byId("user-refresh").addEventListener("click", () => this.#load());
		byId("user-disconnect").addEventListener("click", () => this.#disconnectAll());
		byId("user-previous").addEventListener("click", () => this.#turn(-1));
		byId("user-next").addEventListener("click", () => this.#turn(1));
	}

	open(id) {
		this.#id = id;
		this.#cursors = [""];
		setText(byId("user-title"), id);
		setText(byId("user-facts"), "");
		setText(byId("user-error"), "");
		this.#connections.replaceChildren();
		byId("user-disconnect").disabled = true;
		if (!this.#dialog.open)
			this.#dialog.showModal();
		byId("user-close").focus();
		return this.#load();
	}

	async #load() {
		const id = this.#id;
		try {
			const user = await api.user(id, { limit: PAGE, cursor: this.#cursors.at(-1) });
			if (id === this.#id)
				this.#show(user);
		} catch (error) {
			if (id === this.#id)
				this.#fail(error);
		}
	}

	#turn(direction) {
		if (direction > 0 && this.#next)
			this.#cursors.push(this.#next);
		else if (direction < 0 && this.#cursors.length > 1)
			this.#cursors.pop();
		this.#load();
	}

	#fail(error) {
		const isGone = error.status === 404;
		if (isGone) {
			this.#connections.replaceChildren();
			setText(byId("user-facts"), "Not online.");
			byId("user-disconnect").disabled = true;
			byId("user-pager").hidden = true;
		}
		setText(byId("user-error"), isGone ? "" : error.message);
	}

	#show(user) {
		const facts = [user.name, plural(user.connectionCount ?? user.connections.length, "connection"), `online since ${dateAndTime(user.since)}`];
		setText(byId("user-facts"), facts.filter(Boolean).join(" · "));
		setText(byId("user-error"), "");
		byId("user-disconnect").disabled = false;
		this.#next = user.next ?? "";
		byId("user-pager").hidden = this.#next === "" && this.#cursors.length === 1;
		byId("user-previous").disabled = this.#cursors.length === 1;
		byId("user-next").disabled = this.#next === "";
		this.#connections.replaceChildren(...user.connections.map((connection) => this.#card(connection)));
	}

	#card(connection) {
		const facts = [
			["Hub", connection.hub],
			["Gateway", connection.gateway],
			["Transport", `${connection.transport}, ${connection.protocol}`],
			["Address", connection.remote],
			["Open since", dateAndTime(connection.connectedAt ?? connection.openedAt)],
			["Client", connection.userAgent],
		];
		return make("li", { class: "connection" },
			make("div", { class: "connection-head" },
				make("code", {}, connection.connectionId),
				make("button", { type: "button", class: "quiet danger", click: () => this.#disconnect(connection.connectionId) },
					"Disconnect", make("span", { class: "hidden" }, ` ${connection.connectionId}`))),
			make("dl", {}, ...facts.filter(([, value]) => value).map(([name, value]) =>
				make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
	}

	async #disconnect(connectionId) {
		await this.#after(await confirm({
			title: "Disconnect this connection?",
			text: `${connectionId} of ${this.#id} is closed. The client may connect again.`,
			action: "Disconnect",
			hasReason: true,
			act: (reason) => api.disconnect(connectionId, reason),
		}), "The connection is disconnected.");
	}

	async #disconnectAll() {
		await this.#after(await confirm({
			title: `Disconnect ${this.#id}?`,
			text: "All connections of this user are closed, on every gateway. The clients may connect again.",
			action: "Disconnect all",
			hasReason: true,
			act: (reason) => api.disconnectUser(this.#id, reason),
		}), "The user is disconnected.");
	}

	async #after(done, text) {
		if (!done)
			return;
		announce(text);
		byId("user-close").focus();
		this.#cursors = [""];
		await this.#load();
		this.#onChange();
	}
}
