// SPDX-License-Identifier: Apache-2.0
// The notifications of one user: a list with a count of what is unread, the badge of the
// application, a notification of the browser's own where the user permits it, and who came
// and went. Draws nothing: a page redraws when it is told of a change.

import type { HubClient } from "./client.js";
import type {
	NewNotice as NewNotification, Notice as Notification, NotificationsClient, NotificationsServer,
} from "./hubs/notifications.js";
import { Listeners, type Unsubscribe } from "./listeners.js";

export type { NewNotice as NewNotification, Notice as Notification } from "./hubs/notifications.js";

export interface UserChange {
	userId: string;
	isOnline: boolean;
	/** When it came or went, as the server says. */
	at: string;
}

/** The browser's notifications; pages have them as window.Notification, tests something else. */
export interface BrowserNotifications {
	readonly permission: NotificationPermission;
	requestPermission(): Promise<NotificationPermission>;
	new(title: string, options?: NotificationOptions): {
		onclick: ((event: Event) => void) | null;
		close(): void;
	};
}

/** The application's badge, as navigator has it in browsers that know badges. */
export interface Badge {
	setAppBadge(count: number): Promise<void>;
	clearAppBadge(): Promise<void>;
}

export interface NotificationOptionsOfService {
	/** Past it, the oldest leaves the list. */
	itemsMax?: number;
	/** null: none, even if permitted. */
	browser?: BrowserNotifications | null;
	/** null: none. */
	badge?: Badge | null;
	/** A browser notification was clicked; without it the window comes to the front. */
	onOpen?: (notification: Notification) => void;
}

const ITEMS_MAX = 200;
const KNOWN_MAX = 4096; // more than the hub can be told to keep pending for a user

function browserNotifications(): BrowserNotifications | null {
	return typeof globalThis.Notification === "function" ? globalThis.Notification as BrowserNotifications : null;
}

function navigatorBadge(): Badge | null {
	return typeof navigator === "object" && "setAppBadge" in navigator ? navigator : null;
}

export class NotificationService {
	readonly #client: HubClient<NotificationsServer, NotificationsClient>;
	readonly #itemsMax: number;
	readonly #browser: BrowserNotifications | null;
	readonly #badge: Badge | null;
	readonly #onOpen: (notification: Notification) => void;
	readonly #changes = new Listeners<void>();
	readonly #arrivals = new Listeners<Notification>();
	readonly #users = new Listeners<UserChange>();
	readonly #unsubscribe: Unsubscribe[];
	readonly #known = new Set<string>(); // ids, also of what has left the list, the latest to come last
	readonly #shown = new Map<string, { close(): void }>(); // browser notifications that may still be seen
	#items: readonly Notification[] = []; // newest first
	#badgeCount = 0;

	constructor(client: HubClient<NotificationsServer, NotificationsClient>, options: NotificationOptionsOfService = {}) {
		this.#client = client;
		this.#itemsMax = options.itemsMax ?? ITEMS_MAX;
		if (!Number.isInteger(this.#itemsMax) || this.#itemsMax < 1)
			throw new RangeError("itemsMax: a whole number from 1 on is wanted");
		this.#browser = options.browser === undefined ? browserNotifications() : options.browser;
		this.#badge = options.badge === undefined ? navigatorBadge() : options.badge;
		this.#onOpen = options.onOpen ?? (() => globalThis.window?.focus());
		this.#unsubscribe = [
			client.on("ReceiveNotification", (notification) => this.#receive(notification)),
			client.on("NotificationRead", (id) => this.#markRead(id)),
			client.on("UserConnected", ({ userId, connectedAt }) =>
				this.#users.emit({ userId, isOnline: true, at: connectedAt })),
			client.on("UserDisconnected", ({ userId, disconnectedAt }) =>
				this.#users.emit({ userId, isOnline: false, at: disconnectedAt })),
		];
	}

	/** Newest first. A new array after each change, never a changed one. */
	get items(): readonly Notification[] {
		return this.#items;
	}

	get unread(): number {
		return this.#items.reduce((count, item) => count + (item.read ? 0 : 1), 0);
	}

	/** "unsupported" where the browser has no notifications. */
	get permission(): NotificationPermission | "unsupported" {
		return this.#browser?.permission ?? "unsupported";
	}

	/** Browsers want this to be called by a click or a key. */
	async requestPermission(): Promise<NotificationPermission | "unsupported"> {
		return await this.#browser?.requestPermission() ?? "unsupported";
	}

	/** Called when items or unread are others than before. */
	onChange(handler: () => void): Unsubscribe {
		return this.#changes.add(handler);
	}

	/** Called once for each notification, also for those that waited while this user was away. */
	onNotification(handler: (notification: Notification) => void): Unsubscribe {
		return this.#arrivals.add(handler);
	}

	onUser(handler: (change: UserChange) => void): Unsubscribe {
		return this.#users.add(handler);
	}

	/** The item counts as read once the hub knows it, here and wherever it would be delivered later. */
	async markAsRead(id: string): Promise<void> {
		await this.#client.invoke("MarkNotificationAsRead", id);
		this.#markRead(id);
	}

	/** One after the other; the first that fails ends it. */
	async markAllAsRead(): Promise<void> {
		for (const item of this.#items)
			if (!item.read)
				await this.markAsRead(item.id);
	}

	async sendToUser(userId: string, notification: NewNotification): Promise<void> {
		await this.#client.invoke("SendNotificationToUser", userId, notification);
	}

	async broadcast(groupName: string, message: string): Promise<void> {
		await this.#client.invoke("BroadcastToGroup", groupName, message);
	}

	/** Stops listening. The connection is its owner's. */
	close(): void {
		for (const unsubscribe of this.#unsubscribe)
			unsubscribe();
		this.#shown.clear();
	}

	// What is pending comes again with every connection: known ids are no news.
	#receive(notification: Notification): void {
		const isKnown = this.#isKnown(notification.id);
		const at = this.#items.findIndex((item) => item.id === notification.id);
		if (at >= 0) {
			const known = this.#items[at]!;
			if (notification.read && !known.read)
				this.#markRead(notification.id);
			return;
		}
		if (isKnown)
			return; // and has left the list
		this.#items = this.#inserted(notification);
		this.#changed();
		this.#arrivals.emit(notification);
		if (!notification.read)
			this.#show(notification);
	}

	// Whether it came before; from now on it has.
	#isKnown(id: string): boolean {
		const isKnown = this.#known.delete(id); // to be the latest again: what is pending outlives the rest
		this.#known.add(id);
		for (const oldest of this.#known) {
			if (this.#known.size <= KNOWN_MAX)
				break;
			this.#known.delete(oldest);
		}
		return isKnown;
	}

	// By time, so that a list put together of old and new ones reads well; of one time, the later arrival first.
	#inserted(notification: Notification): readonly Notification[] {
		const time = Date.parse(notification.createdAt);
		const at = this.#items.findIndex((item) => !(Date.parse(item.createdAt) > time));
		const items = [...this.#items];
		items.splice(at < 0 ? items.length : at, 0, notification);
		return items.slice(0, this.#itemsMax);
	}

	#markRead(id: string): void {
		this.#shown.get(id)?.close();
		this.#shown.delete(id);
		if (!this.#items.some((item) => item.id === id && !item.read))
			return;
		this.#items = this.#items.map((item) => item.id === id ? { ...item, read: true } : item);
		this.#changed();
	}

	#changed(): void {
		this.#changes.emit();
		const count = this.unread;
		if (!this.#badge || count === this.#badgeCount)
			return;
		this.#badgeCount = count;
		const done = count > 0 ? this.#badge.setAppBadge(count) : this.#badge.clearAppBadge();
		done.catch(() => {}); // a hint on an icon that may not even be there
	}

	#show(notification: Notification): void {
		if (this.#browser?.permission !== "granted")
			return;
		try {
			const shown = new this.#browser(notification.title, {
				body: notification.message,
				tag: notification.id, // several tabs of one user show it once
				requireInteraction: notification.priority === "high",
				silent: notification.priority === "low",
				...(notification.icon && { icon: notification.icon }),
			});
			shown.onclick = () => {
				shown.close();
				this.#onOpen(notification);
			};
			this.#shown.set(notification.id, shown);
			this.#trimShown();
		} catch {
			// Some browsers have the constructor for service workers only: the list has it all the same.
		}
	}

	#trimShown(): void {
		for (const id of this.#shown.keys()) {
			if (this.#shown.size <= this.#itemsMax)
				return;
			this.#shown.delete(id);
		}
	}
}
