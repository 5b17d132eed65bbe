// SPDX-License-Identifier: Apache-2.0
// The room's document: a text area whose content is everybody's, with the cursors of the others in
// it. Under the text area lies the same text again, invisible, in which cursors and locks have
// their places.

import { SharedDocument } from "./vendor/heliograph/index.js";
import { $, element, hueOf } from "./view.js";

const NOTE_SHOWN_MS = 5000;
const NAME_SHOWN_MS = 2500; // at a cursor that has moved

const isNarrow = matchMedia("(max-width: 820px)");

export class Paper {
	#self;
	#hubs;
	#documentId;
	#document = null;
	#listening = new AbortController();
	#noteTimer = 0;
	#redraw = 0;
	#moved = new Map(); // userId -> {offset, at}: where that cursor was last seen to move to
	#nameTimer = 0;

	constructor(self, room, hubs) {
		this.#self = self;
		this.#hubs = hubs;
		this.#documentId = `demo-${room}`;
		$("paper").value = "";
		this.#wire();
	}

	// Connects when it is looked at for the first time.
	seen(isSeen) {
		if (isSeen && !this.#document)
			this.#start();
		if (isSeen)
			this.#draw();
	}

	close() {
		this.#listening.abort();
		this.#document?.close();
		cancelAnimationFrame(this.#redraw);
		clearTimeout(this.#noteTimer);
		clearTimeout(this.#nameTimer);
		$("paper-note").textContent = "";
	}

	onStates() {
		const isUp = this.#hubs.isIn("collaboration");
		$("paper").disabled = !this.#document?.isJoined;
		$("lock").disabled = !isUp;
		this.#drawState();
	}

	#start() {
		const client = this.#hubs.make("collaboration");
		const shared = this.#document = new SharedDocument(client, this.#documentId);
		shared.onEdit((move) => this.#onEdit(move));
		shared.onPeople(() => this.#draw());
		shared.onState(() => this.#drawState());
		shared.onTrouble((text) => this.#note(text));
		this.#hubs.start("collaboration", () => shared.join()).catch((error) =>
			($("paper-note").textContent = error.message));
	}

	#wire() {
		const { signal } = this.#listening;
		const on = (id, event, run) => $(id).addEventListener(event, run, { signal });
		on("paper", "input", (event) => event.isComposing || this.#onInput());
		on("paper", "compositionstart", () => this.#document?.hold());
		on("paper", "compositionend", () => {
			this.#onInput();
			this.#document?.release();
		});
		document.addEventListener("selectionchange", () =>
			document.activeElement === $("paper") && this.#document?.moveCursor($("paper").selectionEnd), { signal });
		on("lock", "click", () => this.#onLock());
		window.addEventListener("resize", () => this.#draw(), { signal });
	}

	#onInput() {
		try {
			this.#document.edit($("paper").value);
		} catch (error) {
			this.#note(error.message);
			$("paper").value = this.#document.text;
		}
		this.#document.moveCursor($("paper").selectionEnd);
		this.#draw();
	}

	// `move` says where a place in the text before is now; the selection stays with its words.
	#onEdit(move) {
		const area = $("paper");
		const { selectionStart, selectionEnd, selectionDirection } = area;
		area.value = this.#document.text;
		area.setSelectionRange(move(selectionStart), move(selectionEnd), selectionDirection);
		area.disabled = false;
		this.#draw();
	}

	#lineAt(offset) {
		return this.#document.text.slice(0, offset).split("\n").length - 1;
	}

	// The lines of the selection; those that are one's own lock already are unlocked instead.
	#onLock() {
		const area = $("paper");
		const [first, last] = [this.#lineAt(area.selectionStart), this.#lineAt(area.selectionEnd)];
		const own = this.#ownLock(first, last);
		const done = own ? this.#document.unlock(own.lockId) : this.#document.lock(first, last);
		done.catch((error) => this.#note(error.message));
		area.focus();
	}

	#ownLock(first, last) {
		return this.#document?.sections.find((lock) => lock.userId === this.#self.id && lock.startLine <= last && lock.endLine >= first);
	}

	#note(text) {
		clearTimeout(this.#noteTimer);
		$("paper-note").textContent = text;
		this.#noteTimer = setTimeout(() => ($("paper-note").textContent = ""), NOTE_SHOWN_MS);
	}

	#draw() {
		this.#redraw ||= requestAnimationFrame(() => {
			this.#redraw = 0;
			this.#drawNow();
		});
	}

	#drawNow() {
		if (!this.#document)
			return;
		this.#drawMarks();
		this.#drawWriters();
		this.#drawState();
		const area = $("paper");
		const own = this.#ownLock(this.#lineAt(area.selectionStart), this.#lineAt(area.selectionEnd));
		$("lock").textContent = own ? "Unlock" : "Lock these lines";
	}

	#drawMarks() {
		const { text, writers, sections } = this.#document;
		const others = writers.filter((writer) => writer.userId !== this.#self.id)
			.sort((a, b) => a.offset - b.offset);
		let at = 0;
		$("paper-marks").replaceChildren(...text.split("\n").map((line, number) => {
			const row = this.#markedLine(line, at, others);
			const lock = sections.find(({ startLine, endLine }) => startLine <= number && number <= endLine);
			if (lock)
				this.#markLock(row, lock, number);
			at += line.length + 1;
			return row;
		}));
	}

	#markedLine(line, start, writers) {
		const row = element("div", "paper-line");
		let from = 0;
		for (const writer of writers.filter(({ offset }) => offset >= start && offset <= start + line.length)) {
			const caret = element("span", this.#hasMoved(writer) ? "caret named" : "caret");
			caret.dataset.name = writer.userName;
			caret.dataset.userId = writer.userId;
			caret.style.setProperty("--hue", hueOf(writer.userId)); // as everywhere on this page
			row.append(line.slice(from, writer.offset - start), caret);
			from = writer.offset - start;
		}
		row.append(line.slice(from) || "\u200b"); // an empty line has its height, too
		return row;
	}

	// A name stands over the text: it is shown while its owner is busy.
	#hasMoved({ userId, offset }) {
		const now = performance.now();
		const last = this.#moved.get(userId);
		if (!last || last.offset !== offset) {
			this.#moved.set(userId, { offset, at: now });
			clearTimeout(this.#nameTimer);
			this.#nameTimer = setTimeout(() => this.#draw(), NAME_SHOWN_MS + 50);
			return true;
		}
		return now - last.at < NAME_SHOWN_MS;
	}

	#markLock(row, lock, number) {
		row.classList.add("locked");
		row.style.setProperty("--hue", hueOf(lock.userId));
		if (number === lock.startLine)
			row.dataset.lock = isNarrow.matches ? "locked" : `locked by ${this.#nameOf(lock.userId)}`;
	}

	#nameOf(userId) {
		return userId === this.#self.id ? "you"
			: this.#document.writers.find((writer) => writer.userId === userId)?.userName ?? "somebody";
	}

	#drawWriters() {
		const writers = [...this.#document.writers].sort((a, b) =>
			(b.userId === this.#self.id) - (a.userId === this.#self.id) || a.userName.localeCompare(b.userName));
		$("writers").replaceChildren(...writers.map((writer) => {
			const chip = element("li", "writer");
			chip.style.setProperty("--hue", hueOf(writer.userId));
			chip.append(element("span", "writer-dot"),
				element("span", "writer-name", writer.userId === this.#self.id ? "You" : writer.userName));
			return chip;
		}));
	}

	#drawState() {
		const shared = this.#document;
		if (!shared?.isJoined)
			return;
		const saved = this.#hubs.isIn("collaboration") ? (shared.isSettled ? "everybody has it" : "sending") : "not connected, kept here";
		$("paper-state").textContent = `Version ${shared.version} · ${shared.text.length} characters · ${saved}`;
	}
}
