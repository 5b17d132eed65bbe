// SPDX-License-Identifier: Apache-2.0
// A real Chromium on one of our pages. Every console error, page error and foreign request is
// kept, so that a test can demand that there were none.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const axe = require("axe-core");
const { chromium } = require("playwright-core");
const { ROOT } = require("./program.js");

const SCREENSHOTS = path.join(ROOT, "build/screenshots");
const WAIT_MS = 15000;

function launch() {
	fs.mkdirSync(SCREENSHOTS, { recursive: true });
	return chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync"],
	});
}

// One visitor: a browser context of its own, on the page.
class Visitor {
	// `missing`: what the page may ask for in vain, by its URL.
	static async open(test, browser, url, { missing = null, ...options } = {}) {
		const visitor = new Visitor();
		visitor.complaints = [];
		visitor.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
		test.after(() => visitor.context.close());
		const page = visitor.page = await visitor.context.newPage();
		page.setDefaultTimeout(WAIT_MS);
		page.on("console", (line) => ["error", "warning"].includes(line.type()) && !missing?.test(line.location().url)
			&& visitor.complaints.push(`${line.type()}: ${line.text()}`));
		page.on("pageerror", (error) => visitor.complaints.push(`page error: ${error.message}`));
		page.on("request", (request) => new URL(request.url()).host !== new URL(url).host
			&& visitor.complaints.push(`foreign request: ${request.url()}`));
		await page.goto(url);
		return visitor;
	}

	async enter(name, room) {
		this.name = name;
		await this.page.getByLabel("Your name").fill(name);
		await this.page.getByLabel("Room", { exact: true }).fill(room);
		await this.page.getByRole("button", { name: "Enter the room" }).click();
		await this.untilState("Connected");
	}

	async say(text) {
		await this.page.getByLabel("Message", { exact: true }).fill(text);
		await this.page.keyboard.press("Enter");
	}

	untilState(state) {
		return this.until((wanted) => document.getElementById("state-text").textContent === wanted
			&& !document.getElementById("room-view").hidden, state);
	}

	untilMessage(text) {
		return this.until((wanted) => [...document.querySelectorAll(".bubble")]
			.some((bubble) => bubble.textContent === wanted), text);
	}

	untilRoster(names) {
		return this.until((wanted) => JSON.stringify([...document.querySelectorAll("#roster .person-name")]
			.map((row) => row.textContent).sort()) === wanted, JSON.stringify([...names].sort()));
	}

	until(ask, argument) {
		return this.page.waitForFunction(ask, argument, { polling: 20 });
	}

	text(id) {
		return this.page.locator(`#${id}`).textContent();
	}

	bubbles() {
		return this.page.locator(".bubble").allTextContents();
	}

	// Every rule of axe for WCAG 2.2 AA and its best practices.
	async assertAccessible(what) {
		await this.page.evaluate(axe.source);
		const violations = await this.page.evaluate(async () => (await window.axe.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		})).violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 4).map((node) => node.html.slice(0, 160)) })));
		assert.deepEqual(violations, [], what);
	}

	screenshot(name) {
		return this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
	}
}

module.exports = { launch, Visitor };
