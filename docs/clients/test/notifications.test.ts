// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubClient } from "../src/client.js";
import type { NotificationsClient, NotificationsServer } from "../src/hubs/notifications.js";
import {
	NotificationService, type Notification, type NotificationOptionsOfService,
} from "../src/notifications.js";
import { FakeConnection, settle } from "./fakes.js";

function notification(id: number, rest: Partial<Notification> = {}): Notification {
	const createdAt = new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString();
	return { id: `n${id}`, title: `Title ${id}`, message: `Text ${id}`, priority: "normal", createdAt, read: false, ...rest };
}

// The browser's notifications: what was shown, and is still there.
function fakeBrowser(permission: NotificationPermission = "granted") {
	const shown: { title: string; options: NotificationOptions; isOpen: boolean; onclick: ((event: Event) => void) | null }[] = [];
	class Shown {
		static permission = permission;
		static async requestPermission(): Promise<NotificationPermission> {
			return Shown.permission = "granted";
		}
		readonly title: string;
		readonly options: NotificationOptions;
		isOpen = true;
		onclick: ((event: Event) => void) | null = null;
		constructor(title: string, options: NotificationOptions = {}) {
			this.title = title;
			this.options = options;
			shown.push(this);
		}
		close(): void {
			this.isOpen = false;
		}
	}
	return { browser: Shown, shown };
}

function setUp(options: NotificationOptionsOfService = {}) {
	const connection = new FakeConnection();
	const client = new HubClient<NotificationsServer, NotificationsClient>(connection.connect, { eventTarget: null });
	const service = new NotificationService(client, { browser: null, badge: null, ...options });
	const receive = (...list: Notification[]) => list.forEach((one) => connection.receive("ReceiveNotification", one));
	const ids = () => service.items.map(({ id }) => id).join();
	return { connection, service, receive, ids };
}

describe("the list", () => {
	test("has the newest first, in whatever order they come", () => {
		const { service, receive, ids } = setUp();
		receive(notification(1), notification(3), notification(2));
		assert.equal(ids(), "n3,n2,n1");
		assert.equal(service.unread, 3);
	});

	test("knows what comes again after a reconnection", () => {
		const { service, receive } = setUp();
		const arrivals: string[] = [];
		service.onNotification(({ id }) => arrivals.push(id));
		receive(notification(1), notification(2), notification(1), notification(2, { read: true }));
		assert.deepEqual(arrivals, ["n1", "n2"]);
		assert.deepEqual(service.items.map(({ read }) => read), [true, false]);
	});

	test("lets the oldest go at its limit", () => {
		const { receive, ids } = setUp({ itemsMax: 2 });
		receive(notification(1), notification(2));
		assert.equal(ids(), "n2,n1");
		receive(notification(3));
		assert.equal(ids(), "n3,n2");
		assert.throws(() => setUp({ itemsMax: 0 }), RangeError);
	});

	test("announces nothing again that it has let go", () => {
		const { service, receive, ids } = setUp({ itemsMax: 2 });
		const arrivals: string[] = [];
		service.onNotification(({ id }) => arrivals.push(id));
		const pending = [1, 2, 3, 4].map((id) => notification(id));
		for (let connections = 0; connections < 3; connections++)
			receive(...pending);
		assert.deepEqual(arrivals, ["n1", "n2", "n3", "n4"]);
		assert.equal(ids(), "n4,n3");
	});

	test("remembers 4096 of those, the latest to come", () => {
		const { service, receive } = setUp({ itemsMax: 1 });
		const arrivals: string[] = [];
		receive(...Array.from({ length: 4096 }, (_, id) => notification(id)));
		service.onNotification(({ id }) => arrivals.push(id));
		receive(notification(0), notification(4096), notification(0), notification(2), notification(1));
		assert.deepEqual(arrivals, ["n4096", "n1"]);
	});

	test("is a new one after each change, and tells of it", () => {
		const { service, receive } = setUp();
		let changes = 0;
		const unsubscribe = service.onChange(() => changes++);
		const before = service.items;
		receive(notification(1));
		unsubscribe();
		receive(notification(2));
		assert.equal(before.length, 0);
		assert.equal(changes, 1);
	});

	test("hears nothing any more once closed", () => {
		const { service, receive } = setUp();
		receive(notification(1));
		service.close();
		receive(notification(2));
		assert.equal(service.items.length, 1);
	});
});

describe("reading", () => {
	test("is told to the hub first, and stays unread when that fails", async () => {
		const { connection, service, receive } = setUp();
		receive(notification(1));
		connection.answer = () => Promise.reject(new Error("not now"));
		await assert.rejects(service.markAsRead("n1"), /not now/);
		assert.equal(service.unread, 1);
		connection.answer = () => null;
		await service.markAsRead("n1");
		assert.equal(service.unread, 0);
		assert.deepEqual(connection.calls.at(-1), { kind: "invoke", method: "MarkNotificationAsRead", args: ["n1"] });
	});

	test("all asks for what is unread only", async () => {
		const { connection, service, receive } = setUp();
		receive(notification(1), notification(2, { read: true }), notification(3));
		await service.markAllAsRead();
		assert.deepEqual(connection.calls.map(({ args }) => args[0]), ["n3", "n1"]);
		assert.equal(service.unread, 0);
	});

	test("follows the hub's event, once", () => {
		const { connection, service, receive } = setUp();
		receive(notification(1));
		let changes = 0;
		service.onChange(() => changes++);
		connection.receive("NotificationRead", "n1");
		connection.receive("NotificationRead", "n1");
		connection.receive("NotificationRead", "unknown");
		assert.equal(changes, 1);
		assert.equal(service.unread, 0);
	});
});

describe("the browser's notifications", () => {
	test("show the text, and insist where it is urgent", () => {
		const { browser, shown } = fakeBrowser();
		const { receive } = setUp({ browser });
		receive(notification(1, { icon: "/bell.png" }), notification(2, { priority: "high" }), notification(3, { priority: "low" }));
		assert.deepEqual(shown.map(({ title, options }) => [title, options]), [
			["Title 1", { body: "Text 1", tag: "n1", requireInteraction: false, silent: false, icon: "/bell.png" }],
			["Title 2", { body: "Text 2", tag: "n2", requireInteraction: true, silent: false }],
			["Title 3", { body: "Text 3", tag: "n3", requireInteraction: false, silent: true }],
		]);
	});

	test("are not shown without permission, nor for what was read elsewhere", async () => {
		const { browser, shown } = fakeBrowser("default");
		const { service, receive } = setUp({ browser });
		receive(notification(1));
		assert.equal(service.permission, "default");
		assert.equal(await service.requestPermission(), "granted");
		receive(notification(2, { read: true }), notification(3));
		assert.deepEqual(shown.map(({ title }) => title), ["Title 3"]);
	});

	test("go when theirs is read, and open it when clicked", async () => {
		const { browser, shown } = fakeBrowser();
		const opened: string[] = [];
		const { service, receive } = setUp({ browser, onOpen: ({ id }) => opened.push(id) });
		receive(notification(1), notification(2));
		await service.markAsRead("n1");
		shown[1]!.onclick!(new Event("click"));
		assert.deepEqual(shown.map(({ isOpen }) => isOpen), [false, false]);
		assert.deepEqual(opened, ["n2"]);
	});

	test("that cannot be made leave the list as it is", () => {
		class Refusing {
			static readonly permission = "granted";
			static requestPermission = async () => "granted" as const;
			onclick = null;
			constructor(_title: string) {
				throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
			}
			close(): void {}
		}
		const { receive, ids } = setUp({ browser: Refusing });
		receive(notification(1));
		assert.equal(ids(), "n1");
	});

	test("may be missing", async () => {
		const { service } = setUp();
		assert.equal(service.permission, "unsupported");
		assert.equal(await service.requestPermission(), "unsupported");
	});
});

test("the badge counts what is unread", async () => {
	const told: number[] = [];
	const badge = {
		setAppBadge: async (count: number) => void told.push(count),
		clearAppBadge: () => (told.push(0), Promise.reject(new Error("no icon"))),
	};
	const { service, receive } = setUp({ badge });
	receive(notification(1), notification(2), notification(3, { read: true }));
	await service.markAllAsRead();
	await settle();
	assert.deepEqual(told, [1, 2, 1, 0]);
});

test("who comes and goes is told", () => {
	const { connection, service } = setUp();
	const changes: unknown[] = [];
	service.onUser((change) => changes.push(change));
	connection.receive("UserConnected", { userId: "ann", connectedAt: "2026-01-01T00:00:00.000Z", status: "online" });
	connection.receive("UserDisconnected", { userId: "ann", disconnectedAt: "2026-01-01T00:00:01.000Z", status: "offline" });
	assert.deepEqual(changes, [
		{ userId: "ann", isOnline: true, at: "2026-01-01T00:00:00.000Z" },
		{ userId: "ann", isOnline: false, at: "2026-01-01T00:00:01.000Z" },
	]);
});

test("sending names the hub's methods", async () => {
	const { connection, service } = setUp();
	await service.sendToUser("bob", { title: "T", message: "M", priority: "high" });
	await service.broadcast("role-ops", "all hands");
	assert.deepEqual(connection.calls.map(({ method, args }) => [method, ...args]), [
		["SendNotificationToUser", "bob", { title: "T", message: "M", priority: "high" }],
		["BroadcastToGroup", "role-ops", "all hands"],
	]);
});
