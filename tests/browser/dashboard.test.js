// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser, with a real cluster and official clients behind it.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { launch } = require("../kit/browser.js");
const { Operator } = require("../kit/operator.js");
const { sharedCluster } = require("../kit/cluster.js");
const { untilOnline } = require("../kit/presence.js");
const { putRouters, untilAgreed } = require("../kit/shards.js");
const { waitFor } = require("../kit/wait.js");

const PAGE = 25; // of users

describe("the dashboard", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	let browser = null;
	before(async () => {
		browser = await launch();
	});
	after(() => browser?.close());

	const watch = async (t, options) => {
		const operator = await Operator.open(t, browser, cluster(), options);
		await operator.untilLive();
		return operator;
	};
	const people = (t, names) => Promise.all(names.map((userId, i) => connect(t, cluster().urls[i % 2], { userId })));

	// A room in which everybody says something again and again until the test ends.
	const chatter = async (t, names) => {
		const room = freshRoom("chatter");
		const clients = await people(t, names);
		await Promise.all(clients.map((client) => client.invoke("JoinRoom", room)));
		let isOver = false;
		t.after(() => (isOver = true));
		clients.forEach(async (client, i) => {
			for (let n = 0; !isOver; n++)
				await client.invoke("SendMessage", room, `${i}:${n}`).catch(() => (isOver = true));
		});
		return { room, clients };
	};

	test("shows what clients do, on every gateway and shard", async (t) => {
		const operator = await watch(t);
		const { room } = await chatter(t, ["ann", "bob", "cay"]);
		await operator.untilTile("Users online", 3);
		await operator.untilTile("Connections", 3);
		await operator.untilTile("From clients", 1);
		await operator.untilTile("To clients", 1);
		await operator.untilTile("Latency p50", 0.01);
		assert.equal(await operator.tile("Gateways"), 2);

		await operator.untilRows("gateways-table", 2);
		const gateways = await operator.rows("gateways-table");
		assert.deepEqual(gateways.map(([name, state]) => [name, state]), [["g1", "up"], ["g2", "up"]]);
		await operator.untilRows("shards-table", 2);
		const shards = await operator.rows("shards-table");
		assert.deepEqual(shards.map(([name, state]) => [name, state]), [["r1", "up"], ["r2", "up"]]);
		const whole = shards.reduce((sum, [, , share]) => sum + Number.parseFloat(share), 0);
		assert.ok(Math.abs(whole - 100) < 0.3, `shares add up to ${whole} %`);

		await operator.until((name) => [...document.querySelectorAll("#groups-table tbody tr")]
			.some((row) => row.cells[0].textContent.includes(name) && row.cells[2].textContent === "3"), room);
		await operator.until(() => [...document.querySelectorAll(".plot .line")]
			.every((line) => (line.getAttribute("d").match(/L/g) ?? []).length >= 2));
		assert.deepEqual(operator.complaints, []);
	});

	test("a chart's table says the same in words", async (t) => {
		await chatter(t, ["ann", "bob"]);
		const operator = await watch(t);
		await operator.page.locator("#chart-people summary").click();
		await operator.until(() => document.querySelector("#chart-people tbody tr") !== null);
		const head = await operator.page.locator("#chart-people thead th").allTextContents();
		assert.deepEqual(head, ["Ago", "connections", "users"]);
		await operator.until(() => document.querySelector("#chart-people tbody tr").cells[2].textContent === "2");
	});

	test("a chart begins before the page was opened", async (t) => {
		await connect(t, cluster().urls[0], { userId: "early" });
		await waitFor(async () => (await cluster().adminJson("/api/v1/stats/history")).samples.filter((sample) => sample.users > 0).length >= 3,
			30000, "three samples with somebody online");
		const operator = await watch(t);
		await operator.until(() => (document.querySelector("#chart-people .plot .line.one").getAttribute("d").match(/L/g) ?? []).length >= 3);
		const span = await operator.page.evaluate(() => document.querySelector("#chart-people .plot .line.one").getBBox().width);
		assert.ok(span >= 3, `the line is ${span} px wide`);
		assert.deepEqual(operator.complaints, []);
	});

	test("plots move on evenly, unless less motion is asked for", async (t) => {
		const lively = await watch(t);
		await lively.until(() => document.getAnimations().length > 0);
		const calm = await watch(t, { reducedMotion: "reduce" });
		const uptime = await calm.text("whoami");
		await calm.until((before) => document.getElementById("whoami").textContent !== before, uptime);
		assert.equal(await calm.page.evaluate(() => document.getAnimations().length), 0);
	});

	test("cuts the stream of events as the standard does", async (t) => {
		const operator = await watch(t);
		const events = await operator.page.evaluate(async () => {
			const { EventParser } = await import("/dashboard/stream.js");
			const text = ": hello\nid: 1\nevent: online\ndata: a\ndata: b\n\n\r\ndata:c\r\n\r\nid: 2\n\ndata\n\nevent: x\n\ndata: d\r\rdata: lost";
			const cut = (n) => {
				const seen = [];
				const parser = new EventParser(({ event, id, data }) => seen.push([event, id, data]));
				for (let at = 0; at < text.length; at += n)
					parser.push(text.slice(at, at + n));
				return JSON.stringify(seen);
			};
			return Array.from({ length: text.length }, (_, i) => cut(i + 1));
		});
		const expected = JSON.stringify([["online", "1", "a\nb"], ["message", "1", "c"], ["message", "2", ""], ["message", "2", "d"]]);
		events.forEach((seen, i) => assert.equal(seen, expected, `in pieces of ${i + 1}`));
	});

	test("finds users by the beginning of their id, page by page", async (t) => {
		const names = Array.from({ length: PAGE + 3 }, (_, i) => `paging-${String(i).padStart(2, "0")}`);
		await people(t, [...names, "someone"]);
		await untilOnline(cluster(), [...names, "someone"]);
		const operator = await watch(t);
		await operator.search("paging-");
		await operator.untilText("users-status", `1 to ${PAGE}`);
		assert.deepEqual((await operator.rows("users-table")).map(([id]) => id), names.slice(0, PAGE));
		await operator.page.getByRole("button", { name: "Next page of users" }).click();
		await operator.untilText("users-status", `${PAGE + 1} to ${PAGE + 3}`);
		assert.deepEqual((await operator.rows("users-table")).map(([id]) => id), names.slice(PAGE));
		await operator.page.getByRole("button", { name: "Previous page of users" }).click();
		await operator.untilText("users-status", `1 to ${PAGE}`);
		await operator.search("nobody-");
		await operator.until(() => document.querySelector("#users-table .empty")?.textContent
			=== "Nobody is online whose id begins with “nobody-”.");
		assert.deepEqual(operator.complaints, []);
	});

	test("a disconnect reaches the client, with its reason", async (t) => {
		const [eve, ann] = await people(t, ["eve", "ann"]);
		const operator = await watch(t);
		await operator.openUser("eve");
		assert.match(await operator.text("user-connections"), new RegExp(eve.id));
		await operator.page.getByRole("button", { name: `Disconnect ${eve.id}` }).click();
		await operator.page.getByLabel(/^Reason/).fill("please read the rules");
		await operator.page.locator("#confirm-act").click();
		await eve.until(() => eve.closed, "the end of the connection");
		assert.match(eve.closed.error.message, /please read the rules/);
		await operator.until(() => document.getElementById("user-facts").textContent === "Not online.");
		assert.equal(ann.closed, null);
		assert.equal(await operator.page.locator("#confirm").isVisible(), false);
	});

	test("a disconnect can be called off", async (t) => {
		const [eve] = await people(t, ["eve-stays"]);
		const operator = await watch(t);
		await operator.openUser("eve-stays");
		await operator.page.getByRole("button", { name: "Disconnect all" }).click();
		await operator.page.getByRole("button", { name: "Cancel" }).click();
		await operator.until(() => !document.getElementById("confirm").open);
		await operator.page.getByRole("button", { name: "Refresh" }).last().click();
		await operator.until(() => document.querySelectorAll("#user-connections li").length === 1);
		assert.equal(eve.closed, null);
	});

	test("tells who comes and goes as it happens", async (t) => {
		const operator = await watch(t);
		await operator.untilText("events-state", "live");
		const [kay] = await people(t, ["kay"]);
		const sees = (what) => operator.until((wanted) => [...document.querySelectorAll("#events-list .event-text")]
			.some((row) => row.textContent === wanted), `kay Name of kay ${what}`);
		await sees("came online");
		await kay.stop();
		await sees("went offline");
		await operator.page.getByRole("button", { name: "Pause" }).click();
		await people(t, ["lou"]);
		await operator.until(() => /^[1-9]\d* events? since the pause$/.test(document.getElementById("events-count").textContent));
		assert.doesNotMatch(await operator.text("events-list"), /lou/);
		await operator.page.getByRole("button", { name: "Resume" }).click();
		await operator.until(() => /lou/.test(document.getElementById("events-list").textContent));
		assert.deepEqual(operator.complaints, []);
	});

	test("makes no markup of what a client calls itself", async (t) => {
		const bad = "<img src=x onerror=alert(1)>";
		await connect(t, cluster().urls[0], { userId: bad, name: "<script>alert(2)</script>" });
		const operator = await watch(t);
		await operator.openUser(bad);
		assert.equal(await operator.text("user-title"), bad);
		assert.equal(await operator.page.locator("main img, dialog img").count(), 0);
		assert.deepEqual(operator.complaints, []);
	});

	test("can be used by keyboard alone", async (t) => {
		await people(t, ["tabitha"]);
		const operator = await watch(t, { reducedMotion: "reduce" });
		const { keyboard } = operator.page;
		await keyboard.press("Tab");
		assert.equal(await operator.focused(), "Skip to content");
		await keyboard.press("Enter");
		await operator.until(() => location.hash === "#main");
		await operator.search("tabitha");
		await operator.untilRows("users-table", 1);
		await operator.page.getByLabel("Find users whose id begins with").focus();
		for (let i = 0; i < 2; i++)
			await keyboard.press("Tab"); // past the table's region to the user in it
		assert.equal(await operator.focused(), "tabitha");
		await keyboard.press("Enter");
		await operator.until(() => document.querySelector("#user-connections li") !== null);
		for (let i = 0; i < 12; i++) {
			await keyboard.press("Tab");
			const isInside = await operator.page.evaluate(() => document.activeElement === document.body
				|| document.getElementById("user").contains(document.activeElement));
			assert.ok(isInside, "the focus left the dialog");
		}
		await keyboard.press("Escape");
		await operator.until(() => !document.getElementById("user").open);
		assert.equal(await operator.focused(), "tabitha");
	});

	test("focus stays where it is while numbers move", async (t) => {
		await chatter(t, ["ann"]);
		const operator = await watch(t);
		await operator.untilRows("gateways-table", 2);
		const drain = operator.page.getByRole("button", { name: "Drain g2" });
		await drain.focus();
		const uptime = await operator.text("whoami");
		await operator.until((before) => document.getElementById("whoami").textContent !== before, uptime);
		assert.equal(await operator.focused(), "Drain g2");
	});

	for (const colorScheme of ["light", "dark"])
		test(`breaks no rule of accessibility, ${colorScheme}`, async (t) => {
			await chatter(t, ["ann", "bob", "cay"]);
			const operator = await watch(t, { colorScheme, viewport: { width: 1440, height: 1000 } });
			await operator.untilRows("users-table", 3);
			await operator.untilTile("To clients", 1);
			await operator.assertAccessible("the page");
			await operator.screenshot(`dashboard-${colorScheme}`);
			await operator.openUser("bob");
			await operator.assertAccessible("a user");
			await operator.screenshot(`dashboard-user-${colorScheme}`);
			await operator.page.getByRole("button", { name: "Disconnect all" }).click();
			await operator.assertAccessible("a question");
			assert.deepEqual(operator.complaints, []);
		});

	test("a phone needs no sideways scrolling", async (t) => {
		await chatter(t, ["ann", "a-user-whose-id-is-so-long-that-it-cannot-stand-in-one-line-of-a-phone"]);
		const operator = await watch(t, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
		const fits = async (what) => {
			const [content, window] = await operator.page.evaluate(() =>
				[document.documentElement.scrollWidth, document.documentElement.clientWidth]);
			assert.ok(content <= window, `${what}: ${content} > ${window}`);
		};
		await operator.untilRows("gateways-table", 2);
		await operator.untilRows("users-table", 2);
		await fits("the page");
		await operator.screenshot("dashboard-phone");
		await operator.openUser("a-user-whose-id-is-so-long-that-it-cannot-stand-in-one-line-of-a-phone");
		await fits("a user");
		await operator.screenshot("dashboard-phone-user");
	});

	test("dark follows the system, and the button overrules it", async (t) => {
		const operator = await watch(t, { colorScheme: "dark" });
		const background = () => operator.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const dark = await background();
		await operator.page.getByRole("button", { name: "Switch to light theme" }).click();
		const light = await background();
		assert.notEqual(light, dark);
		await operator.page.reload();
		await operator.untilLive();
		assert.equal(await background(), light);
	});

	test("says when presence does not answer, and goes on by itself", async (t) => {
		const operator = await watch(t);
		await operator.untilText("events-state", "live");
		await cluster().kill("p1");
		await operator.untilText("live", "no answer");
		assert.match(await operator.text("banners"), /^Presence cannot be reached\. What you see is as of \d\d:\d\d:\d\d\.$/);
		await cluster().restart("p1");
		await operator.untilLive();
		await operator.untilText("events-state", "live");
		await operator.until(() => !/cannot be reached/.test(document.getElementById("banners").textContent));
		await connect(t, cluster().urls[0], { userId: "after" });
		await operator.until(() => /after/.test(document.getElementById("events-list").textContent));
	});

	test("shows routers that come and go, and who is waited for", async (t) => {
		const operator = await watch(t);
		const { list } = await untilAgreed(cluster());
		await putRouters(cluster(), `${list},r9=tcp://127.0.0.1:9`);
		await operator.until(() => /r9 is not here/.test(document.getElementById("shard-map").textContent));
		assert.equal(await operator.page.isVisible("#shard-map"), true);
		await putRouters(cluster(), list);
		await operator.until(() => document.getElementById("shard-map").hidden);
	});

	test("says which shard is gone", async (t) => {
		const operator = await watch(t);
		await operator.untilRows("shards-table", 2);
		await cluster().kill("r2");
		await operator.until(() => /r2 down/.test(document.getElementById("gateways-table").textContent));
		await cluster().restart("r2");
		await operator.until(() => !/r2 down/.test(document.getElementById("gateways-table").textContent));
	});
});
