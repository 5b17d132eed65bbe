// SPDX-License-Identifier: Apache-2.0
// The document of the demo page, in two browsers on two gateways: one text, whoever writes in it.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { DemoPage, ADA, GRACE, PHONE } = require("../kit/demo.js");
const { waitFor } = require("../kit/wait.js");

describe("the demo page's document", () => {
	const page = new DemoPage({ before, after, afterEach }, ["collaboration"]);
	const paper = (visitor) => visitor.page.getByLabel("Document", { exact: true }).and(visitor.page.locator("textarea"));
	const untilPaper = (visitor, text) => visitor.until((wanted) => document.getElementById("paper").value === wanted
		&& /everybody has it$/.test(document.getElementById("paper-state").textContent), text);

	const seen = (visitor) => visitor.page.evaluate(() => ({ text: document.getElementById("paper").value,
		isSettled: /everybody has it$/.test(document.getElementById("paper-state").textContent) }));

	async function both(t, options) {
		const two = await page.pair(t, options);
		for (const visitor of [two.ada, two.grace]) {
			await visitor.openTab("Document");
			await visitor.until(() => !document.getElementById("paper").disabled);
		}
		return two;
	}

	test("is everybody's, letter by letter, with their cursors in it", async (t) => {
		const { ada, grace } = await both(t);
		await paper(ada).pressSequentially("Launch notes\n\nThe heliograph is ready.\n");
		await untilPaper(grace, "Launch notes\n\nThe heliograph is ready.\n");
		await paper(grace).click();
		await grace.page.keyboard.press("Control+End");
		await grace.page.keyboard.type("Mirrors are aligned.");
		await untilPaper(ada, "Launch notes\n\nThe heliograph is ready.\nMirrors are aligned.");
		await ada.until((name) => document.querySelector(".caret")?.dataset.name === name, GRACE);
		const line = await ada.page.evaluate(() => [...document.querySelectorAll(".paper-line")].findIndex((row) => row.querySelector(".caret")));
		assert.equal(line, 3);
		await ada.until(() => document.getElementById("writers").children.length === 2);
		await ada.screenshot("paper-light");
		await grace.screenshot("paper-dark");
		await ada.assertAccessible("by day");
		await grace.assertAccessible("by night");
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("is one text, though both write at once", async (t) => {
		const { ada, grace } = await both(t);
		await paper(ada).fill("middle");
		await untilPaper(grace, "middle");
		await paper(ada).press("Control+Home");
		await paper(grace).press("Control+End");
		await Promise.all([ada.page.keyboard.type("Ada wrote this before the "), grace.page.keyboard.type(" and Grace wrote that behind it")]);
		for (const visitor of [ada, grace])
			await untilPaper(visitor, "Ada wrote this before the middle and Grace wrote that behind it");
		await paper(ada).press("Control+A");
		await Promise.all([ada.page.keyboard.press("Delete"), grace.page.keyboard.type("!\u{1f600}")]);
		// What is left depends on who was first, but both have it.
		await waitFor(async () => {
			const [hers, theirs] = await Promise.all([ada, grace].map(seen));
			return hers.isSettled && theirs.isSettled && hers.text === theirs.text;
		}, 15000, "one text");
	});

	test("keeps the place of who writes when others write above", async (t) => {
		const { ada, grace } = await both(t);
		await paper(ada).fill("one\ntwo\n");
		await untilPaper(grace, "one\ntwo\n");
		await paper(grace).press("Control+End");
		await paper(ada).press("Control+Home");
		await ada.page.keyboard.type("zero\n");
		await untilPaper(grace, "zero\none\ntwo\n");
		await grace.page.keyboard.type("three");
		await untilPaper(ada, "zero\none\ntwo\nthree");
	});

	test("has lines that are locked by one, and unlocked again", async (t) => {
		const { ada, grace } = await both(t);
		await paper(ada).fill("one\ntwo\nthree");
		await untilPaper(grace, "one\ntwo\nthree");
		await paper(ada).press("Control+Home");
		await ada.page.getByRole("button", { name: "Lock these lines" }).click();
		await grace.until((name) => document.querySelector(".locked")?.dataset.lock === `locked by ${name}`, ADA);
		await grace.screenshot("paper-locked");
		await paper(grace).press("Control+Home");
		await grace.page.getByRole("button", { name: "Lock these lines" }).click();
		await grace.until(() => document.getElementById("paper-note").textContent !== "");
		await ada.page.getByRole("button", { name: "Unlock" }).click();
		await grace.until(() => document.querySelector(".locked") === null);
	});

	test("is there for who comes late, and forgets the cursor of who leaves", async (t) => {
		const { ada, grace, room } = await both(t);
		await paper(ada).fill("said and done");
		await untilPaper(grace, "said and done");
		await grace.until((name) => document.querySelector(".caret")?.dataset.name === name, ADA);
		await ada.context.close();
		await grace.until(() => document.querySelector(".caret") === null);
		const katherine = await page.visit(t, 0, "Katherine Johnson", room, PHONE);
		await katherine.openTab("Document");
		await untilPaper(katherine, "said and done");
		await katherine.assertFits("the document");
		await katherine.screenshot("paper-phone");
	});

	test("can be written in while the gateway is away", async (t) => {
		const { ada, grace } = await both(t);
		await paper(ada).fill("before ");
		await untilPaper(grace, "before ");
		await page.cluster.kill("g1");
		await ada.until(() => document.body.dataset.state === "reconnecting");
		await paper(ada).press("Control+End");
		await ada.page.keyboard.type("meanwhile");
		await paper(grace).press("Control+Home");
		await grace.page.keyboard.type("Grace, ");
		await page.cluster.restart("g1");
		for (const visitor of [ada, grace])
			await untilPaper(visitor, "Grace, before meanwhile");
	});

	test("and every hub that is not entered, though there is a connection, is entered when tried again", async (t) => {
		const ada = await page.visit(t, 0, ADA);
		const said = await ada.page.evaluate(async () => {
			const { Hubs } = await import(new URL("hubs.js", document.baseURI));
			const troubles = [];
			const hubs = new Hubs({ id: "ann", name: "Ann" }, { states() {}, transport() {}, trouble: (name, error) => troubles.push(error.message) });
			const client = hubs.make("collaboration");
			let entries = 0;
			await hubs.start("collaboration", async () => {
				if (++entries === 1)
					throw new Error("not now");
			}).catch(() => {});
			const before = [hubs.state, client.state];
			hubs.restart();
			await new Promise((resolve) => setTimeout(resolve));
			const after = [hubs.state, entries, ...troubles];
			await hubs.stop();
			return [before, after];
		});
		assert.deepEqual(said, [["disconnected", "connected"], ["connected", 2, "not now"]]);
	});
});
