// SPDX-License-Identifier: Apache-2.0
// The demo page in a real browser, against a real cluster, which serves the chat alone: the rest
// of the page, which demo_*.test.js are about, is not in its way.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { launch, Visitor } = require("../kit/browser.js");
const { freshRoom } = require("../kit/chat.js");

const CHAT_ALONE = { missing: /\/hubs\/notifications\/negotiate/ };
const PHONE = { viewport: { width: 375, height: 760 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

describe("the demo page", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	let browser = null;
	before(async () => {
		browser = await launch();
	});
	after(() => browser?.close());

	const visit = (t, i, options) => Visitor.open(t, browser, `${cluster().urls[i % 2]}/`, { ...CHAT_ALONE, ...options });
	// Two visitors in one room, each on a gateway of its own.
	const pair = async (t, room, options) => {
		const ada = await visit(t, 0, options);
		const grace = await visit(t, 1, { colorScheme: "dark" });
		await ada.enter("Ada Lovelace", room);
		await grace.enter("Grace Hopper", room);
		await ada.untilRoster(["Ada Lovelace", "Grace Hopper"]);
		return { ada, grace };
	};

	test("two pages in one room talk", async (t) => {
		const { ada, grace } = await pair(t, freshRoom("aurora"));
		await ada.say("Morning! The new cluster is up.");
		await grace.untilMessage("Morning! The new cluster is up.");
		await grace.say("I am on another gateway, and it feels like the same room.");
		await ada.untilMessage("I am on another gateway, and it feels like the same room.");
		assert.deepEqual(await ada.bubbles(), await grace.bubbles());
		await ada.screenshot("chat-light");
		await grace.screenshot("chat-dark");
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("markup in a message is text", async (t) => {
		const { ada, grace } = await pair(t, freshRoom());
		await ada.say("<img src=x onerror=alert(1)><b>bold</b>");
		await grace.untilMessage("<img src=x onerror=alert(1)><b>bold</b>");
		assert.deepEqual(grace.complaints, []);
	});

	test("typing shows at the other, and goes when the message comes", async (t) => {
		const { ada, grace } = await pair(t, freshRoom());
		await ada.page.getByLabel("Message", { exact: true }).pressSequentially("hel");
		await grace.until(() => document.getElementById("typing-text").textContent === "Ada Lovelace is typing");
		assert.equal(await ada.text("typing-text"), "");
		await ada.page.keyboard.press("Enter");
		await grace.until(() => document.getElementById("typing-text").textContent === "");
	});

	test("typing goes when nothing is typed any more", async (t) => {
		const { ada, grace } = await pair(t, freshRoom());
		const box = ada.page.getByLabel("Message", { exact: true });
		await box.pressSequentially("hel");
		await grace.until(() => document.getElementById("typing-text").textContent !== "");
		await box.fill("");
		await grace.until(() => document.getElementById("typing-text").textContent === "");
	});

	test("the roster follows who comes and goes, and a latecomer sees what was said", async (t) => {
		const room = freshRoom();
		const { ada, grace } = await pair(t, room);
		await ada.say("before you came");
		await grace.untilMessage("before you came");
		const katherine = await visit(t, 1);
		await katherine.enter("Katherine Johnson", room);
		await katherine.untilMessage("before you came");
		for (const visitor of [ada, grace, katherine])
			await visitor.untilRoster(["Ada Lovelace", "Grace Hopper", "Katherine Johnson"]);
		await katherine.context.close();
		await ada.untilRoster(["Ada Lovelace", "Grace Hopper"]);
		await grace.page.getByRole("button", { name: "Leave" }).click();
		await ada.untilRoster(["Ada Lovelace"]);
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("the connection card tells transport, gateway and id", async (t) => {
		const ada = await visit(t, 0);
		await ada.enter("Ada Lovelace", freshRoom());
		assert.equal(await ada.text("transport"), "WebSockets");
		assert.equal(await ada.text("gateway"), cluster().addresses[0]);
		assert.match(await ada.text("connection-id"), /^[\w-]{22,}$/);
		await ada.say("hello");
		await ada.until(() => /^in [\d.]+ ms$/.test(document.getElementById("ack").textContent));
		await ada.screenshot("connection");
	});

	test("a reload comes back to the same room", async (t) => {
		const room = freshRoom();
		const { ada, grace } = await pair(t, room);
		await ada.page.reload();
		await ada.untilState("Connected");
		await ada.untilRoster(["Ada Lovelace", "Grace Hopper"]);
		assert.equal(await ada.text("room-title"), room);
		await grace.untilRoster(["Ada Lovelace", "Grace Hopper"]);
	});

	test("everything can be done by keyboard", async (t) => {
		const ada = await visit(t, 0);
		await ada.page.keyboard.type("Ada by keys");
		await ada.page.keyboard.press("Tab");
		await ada.page.keyboard.type(freshRoom());
		await ada.page.keyboard.press("Enter");
		await ada.untilState("Connected");
		await ada.page.keyboard.type("no mouse");
		await ada.page.keyboard.press("Shift+Enter");
		await ada.page.keyboard.type("at all");
		await ada.page.keyboard.press("Enter");
		await ada.untilMessage("no mouse\nat all");
	});

	test("tabs are for arrow keys, too", async (t) => {
		const ada = await visit(t, 0);
		await ada.enter("Ada Lovelace", freshRoom());
		await ada.page.getByRole("tab", { name: "Chat" }).focus();
		await ada.page.keyboard.press("ArrowRight");
		await ada.until(() => document.activeElement.id === "tab-paper" && !document.getElementById("panel-paper").hidden);
		await ada.page.keyboard.press("End");
		await ada.until(() => document.activeElement.id === "tab-live" && document.getElementById("panel-paper").hidden);
		await ada.page.keyboard.press("ArrowRight");
		await ada.until(() => document.activeElement.id === "tab-chat");
		await ada.assertAccessible("the room");
	});

	test("messages are counted while another tab is looked at", async (t) => {
		const { ada, grace } = await pair(t, freshRoom());
		await ada.page.getByRole("tab", { name: "Live chart" }).click();
		await grace.say("one");
		await grace.say("two");
		await ada.until(() => document.getElementById("chat-news").textContent === "2");
		assert.match(await ada.page.title(), /^\(2\) /);
		await ada.page.getByRole("tab", { name: "Chat" }).click();
		await ada.until(() => document.getElementById("chat-news").hidden);
	});

	test("a phone needs no sideways scrolling", async (t) => {
		const room = freshRoom("a-rather-long-room-name-for-a-phone");
		const visitor = await visit(t, 0, PHONE);
		const fits = async (what) => {
			const [content, window] = await visitor.page.evaluate(() =>
				[document.documentElement.scrollWidth, document.documentElement.clientWidth]);
			assert.ok(content <= window, `${what}: ${content} > ${window}`);
		};
		await fits("the form");
		await visitor.screenshot("phone-join");
		await visitor.enter("Katherine Johnson", room);
		await visitor.say("x".repeat(300));
		await visitor.untilMessage("x".repeat(300));
		await visitor.say("Checked twice: every message, once, in order.");
		await visitor.untilMessage("Checked twice: every message, once, in order.");
		await fits("the room");
		await visitor.screenshot("phone-chat");
		await visitor.page.getByRole("button", { name: "Details" }).click();
		await fits("the details");
		await visitor.screenshot("phone-details");
		await visitor.page.evaluate(() => (document.getElementById("chip-text").textContent = "Reconnecting"));
		await fits("the longest state");
		await visitor.page.setViewportSize({ width: 320, height: 600 });
		await fits("the smallest phone");
	});

	test("dark follows the system, and the button overrules it", async (t) => {
		const visitor = await visit(t, 0, { colorScheme: "dark" });
		const background = () => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const dark = await background();
		await visitor.screenshot("join-dark");
		await visitor.page.getByRole("button", { name: "Switch to light theme" }).click();
		const light = await background();
		await visitor.screenshot("join-light");
		assert.notEqual(light, dark);
		await visitor.page.reload();
		assert.equal(await background(), light);
		assert.deepEqual(visitor.complaints, []);
	});

	test("what the cluster does not serve is said, or not there", async (t) => {
		const ada = await visit(t, 0, { missing: /\/hubs\/(notifications|collaboration|livedata)\/negotiate/ });
		await ada.enter("Ada Lovelace", freshRoom());
		await ada.until(() => document.getElementById("bell").hidden);
		await ada.page.getByRole("tab", { name: "Document" }).click();
		await ada.until(() => document.getElementById("paper-note").textContent === "This cluster does not serve the hub collaboration.");
		await ada.page.getByRole("tab", { name: "Live chart" }).click();
		await ada.until(() => document.getElementById("live-note").textContent === "This cluster does not serve the hub livedata.");
		await ada.page.getByRole("tab", { name: "Chat" }).click();
		await ada.say("still here");
		await ada.untilMessage("still here");
		assert.equal(await ada.text("state-text"), "Connected");
		assert.deepEqual(ada.complaints, []);
	});

	test("every control has a name and every field a label", async (t) => {
		const ada = await visit(t, 0);
		await ada.enter("Ada Lovelace", freshRoom());
		const nameless = await ada.page.evaluate(() => [...document.querySelectorAll("button, input, select, textarea, a")]
			.filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length))
			.map((node) => node.outerHTML));
		assert.deepEqual(nameless, []);
	});

	test("the page finds back by itself when its gateway dies and returns", async (t) => {
		const room = freshRoom();
		const { ada, grace } = await pair(t, room);
		await ada.say("before");
		await grace.untilMessage("before");
		const idBefore = await ada.text("connection-id");

		await cluster().kill("g1");
		await ada.until(() => document.body.dataset.state === "reconnecting");
		await ada.screenshot("reconnecting");
		await grace.untilRoster(["Grace Hopper"]);
		await cluster().restart("g1");

		await ada.untilState("Connected");
		assert.notEqual(await ada.text("connection-id"), idBefore);
		await ada.until(() => document.querySelector(".toast.good") !== null);
		await ada.screenshot("reconnected");
		await grace.untilRoster(["Ada Lovelace", "Grace Hopper"]);
		await grace.say("after");
		await ada.untilMessage("after");
		assert.deepEqual(await ada.bubbles(), ["before", "after"]);
	});

	test("the way in waits for a gateway that is not there, and lets itself be stopped", async (t) => {
		const ada = await visit(t, 0);
		const room = freshRoom();
		await cluster().kill("g1");
		await ada.page.getByLabel("Your name").fill("Ada Lovelace");
		await ada.page.getByLabel("Room", { exact: true }).fill(room);
		await ada.page.getByRole("button", { name: "Enter the room" }).click();
		await ada.until(() => /Trying again \(2 of 10\)/.test(document.getElementById("join-error").textContent));
		await ada.screenshot("join-waiting");
		await ada.page.getByRole("button", { name: "Stop trying" }).click();
		await ada.until(() => document.getElementById("join-error").textContent === "" && !document.getElementById("enter").disabled);
		await ada.page.getByRole("button", { name: "Enter the room" }).click();
		await ada.until(() => /Trying again \(1 of 10\)/.test(document.getElementById("join-error").textContent));
		await cluster().restart("g1");
		await ada.untilState("Connected");
		await ada.untilRoster(["Ada Lovelace"]);
	});
});
