// SPDX-License-Identifier: Apache-2.0
// Notifications on the demo page, between two browsers on two gateways.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { DemoPage, ADA, GRACE, PHONE } = require("../kit/demo.js");

describe("the demo page's notifications", () => {
	const page = new DemoPage({ before, after, afterEach }, ["notifications"]);
	const bell = (visitor) => visitor.page.getByRole("button", { name: /^Notifications/ });

	async function send(visitor, to, title, priority = "normal") {
		if (!await visitor.page.locator("#notices").isVisible())
			await bell(visitor).click();
		await visitor.page.getByLabel("To", { exact: true }).selectOption({ label: to });
		await visitor.page.getByLabel("Priority").selectOption(priority);
		await visitor.page.getByLabel("Title").fill(title);
		await visitor.page.getByLabel("Text").fill(`${title}, in more words.`);
		await visitor.page.getByRole("button", { name: "Send", exact: true }).click();
		await visitor.until((name) => document.getElementById("notices-note").textContent.startsWith(`Sent to ${name}`), to.replace(/ \(.*\)$/, ""));
	}

	const titles = (visitor) => visitor.page.locator("#notice-list .notice strong").allTextContents();

	test("go to the other, are counted and read", async (t) => {
		const { ada, grace } = await page.pair(t);
		await send(grace, ADA, "Tea is ready", "low");
		await send(grace, ADA, "Mirror 3 is out of line", "high");
		await ada.untilText("bell-count", "2");
		await ada.until(() => document.querySelectorAll(".toast").length === 2);
		await bell(ada).click();
		assert.deepEqual(await titles(ada), ["Mirror 3 is out of line", "Tea is ready"]);
		await ada.page.getByRole("button", { name: "Mark read: Tea is ready" }).click();
		await ada.untilText("bell-count", "1");
		await ada.screenshot("notices-light");
		await grace.screenshot("notices-dark");
		await ada.assertAccessible("by day");
		await grace.assertAccessible("by night");
		await ada.page.getByRole("button", { name: "Mark all read" }).click();
		await ada.until(() => document.getElementById("bell-count").hidden);
		assert.deepEqual(await titles(grace), []);
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("wait for who is away, and come but once", async (t) => {
		const grace = await page.visit(t, 0, GRACE);
		const room = await grace.text("room-title");
		const ada = await page.visit(t, 1, ADA, room);
		// A presence that has just begun tells of nobody for a while, and of none who went meanwhile.
		await grace.until(() => /^Ada Lovelace came online at /.test(document.getElementById("presence-line").textContent));
		await ada.page.getByRole("button", { name: "Leave" }).click();
		await grace.untilRoster([GRACE]);
		await grace.until(() => /^Ada Lovelace went offline at /.test(document.getElementById("presence-line").textContent));
		await send(grace, `${ADA} (away)`, "First");
		await send(grace, `${ADA} (away)`, "Second");
		await ada.enter(ADA, room);
		await grace.until(() => /^Ada Lovelace came online at /.test(document.getElementById("presence-line").textContent));
		await ada.untilText("bell-count", "2");
		await bell(ada).click();
		assert.deepEqual(await titles(ada), ["Second", "First"]);
		await ada.page.getByRole("button", { name: "Mark all read" }).click();
		await ada.until(() => document.getElementById("bell-count").hidden);
		await ada.page.reload();
		await ada.untilState("Connected");
		await ada.until(() => [...document.querySelectorAll(".hub-chip")]
			.some((chip) => chip.textContent.startsWith("notifications") && chip.dataset.state === "connected"));
		await send(grace, ADA, "Third");
		await ada.untilText("bell-count", "1");
		assert.deepEqual(await titles(ada), ["Third"]);
	});

	test("are the browser's own, too, where that is permitted", async (t) => {
		const { ada, grace } = await page.pair(t, { permissions: ["notifications"] });
		await ada.page.evaluate(() => {
			window.shown = [];
			window.Notification = new Proxy(window.Notification, {
				construct: (_target, [title, options]) => (window.shown.push([title, options.requireInteraction]), { close() {} }),
			});
		});
		// The page took its Notification when it was entered.
		await ada.page.getByRole("button", { name: "Leave" }).click();
		await ada.enter(ADA, await grace.text("room-title"));
		await grace.untilRoster([ADA, GRACE]);
		await send(grace, ADA, "Calm");
		await send(grace, ADA, "Urgent", "high");
		await ada.until(() => window.shown.length === 2);
		assert.deepEqual(await ada.page.evaluate(() => window.shown), [["Calm", false], ["Urgent", true]]);
	});

	test("fit a phone, and close with Escape", async (t) => {
		const visitor = await page.visit(t, 0, ADA, undefined, PHONE);
		await send(visitor, `${ADA} (you)`, "x".repeat(80), "high");
		await visitor.until(() => document.querySelector("#notice-list .notice") !== null);
		await visitor.assertFits("the drawer");
		await visitor.screenshot("notices-phone");
		await visitor.page.keyboard.press("Escape");
		await visitor.until(() => !document.getElementById("notices").open);
		await visitor.assertFits("the room");
	});
});
