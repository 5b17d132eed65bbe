// SPDX-License-Identifier: Apache-2.0
// The live chart of the demo page, in browsers on two gateways.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { DemoPage, ADA, GRACE, PHONE } = require("../kit/demo.js");

describe("the demo page's live chart", () => {
	const page = new DemoPage({ before, after, afterEach }, ["livedata"]);
	const value = (visitor, name) => visitor.page.evaluate((wanted) => [...document.querySelectorAll(".legend-row")]
		.find((row) => row.querySelector(".legend-name").textContent === wanted)?.querySelector(".legend-value").textContent, name);
	const untilValue = (visitor, name, wanted) => visitor.until(([who, what]) => [...document.querySelectorAll(".legend-row")]
		.some((row) => row.querySelector(".legend-name").textContent === who && row.querySelector(".legend-value").textContent === what), [name, wanted]);
	const slider = (visitor) => visitor.page.getByRole("slider", { name: "Your signal" });

	async function both(t) {
		const two = await page.pair(t);
		for (const visitor of [two.ada, two.grace]) {
			await visitor.openTab("Live chart");
			await visitor.until(() => !document.getElementById("signal").disabled);
		}
		return two;
	}

	test("shows everybody's signal to everybody", async (t) => {
		const { ada, grace } = await both(t);
		await slider(ada).fill("72");
		await slider(grace).press("ArrowRight");
		for (const visitor of [ada, grace]) {
			const you = (name) => visitor.name === name ? `${name} (you)` : name;
			await untilValue(visitor, you(ADA), "72");
			await untilValue(visitor, you(GRACE), "51");
		}
		await ada.until(() => document.querySelectorAll("#chart .line").length === 2
			&& [...document.querySelectorAll("#chart .line")].every((line) => /^M.*H600$/.test(line.getAttribute("d"))));
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("moves by itself while the switch is on", async (t) => {
		const { ada, grace } = await both(t);
		await ada.page.getByText("Let it wander").click();
		await grace.page.getByText("Let it wander").click();
		await grace.until((name) => {
			const row = [...document.querySelectorAll(".legend-row")].find((each) => each.querySelector(".legend-name").textContent === name);
			(window.values ??= new Set()).add(row?.querySelector(".legend-value").textContent);
			return window.values.size > 12;
		}, ADA);
		await ada.screenshot("live-light");
		await grace.screenshot("live-dark");
		await ada.assertAccessible("by day");
		await grace.assertAccessible("by night");
	});

	test("begins with what is known, for who comes late, and drops who leaves", async (t) => {
		const { ada, grace, room } = await both(t);
		await slider(ada).fill("33");
		await untilValue(grace, ADA, "33");
		const katherine = await page.visit(t, 1, "Katherine Johnson", room, PHONE);
		await katherine.openTab("Live chart");
		await untilValue(katherine, ADA, "33");
		await katherine.assertFits("the chart");
		await katherine.screenshot("live-phone");
		await ada.context.close();
		await katherine.until((name) => ![...document.querySelectorAll(".legend-name")].some((row) => row.textContent === name), ADA);
	});

	test("can be of one's own signal alone", async (t) => {
		const { ada, grace } = await both(t);
		await slider(ada).fill("10");
		await untilValue(grace, ADA, "10");
		await grace.page.getByRole("button", { name: "Only me" }).click();
		await slider(grace).fill("90");
		await untilValue(grace, `${GRACE} (you)`, "90");
		assert.equal(await value(grace, ADA), undefined);
		await grace.page.getByRole("button", { name: "Everybody" }).click();
		await untilValue(grace, ADA, "10");
	});
});
