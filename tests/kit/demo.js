// SPDX-License-Identifier: Apache-2.0
// The demo page on a cluster that serves certain hubs, and the people on it.
"use strict";

const assert = require("node:assert/strict");
const { sharedCluster } = require("./cluster.js");
const { launch, Visitor } = require("./browser.js");
const { freshRoom } = require("./chat.js");

const PHONE = { viewport: { width: 375, height: 760 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const [ADA, GRACE] = ["Ada Lovelace", "Grace Hopper"];

class Guest extends Visitor {
	openTab(name) {
		return this.page.getByRole("tab", { name }).click();
	}

	untilText(id, text) {
		return this.until(([of, wanted]) => document.getElementById(of).textContent === wanted, [id, text]);
	}

	// Nothing to scroll to sideways.
	async assertFits(what) {
		const [content, window] = await this.page.evaluate(() =>
			[document.documentElement.scrollWidth, document.documentElement.clientWidth]);
		assert.ok(content <= window, `${what}: ${content} > ${window}`);
	}
}

// For all tests of a file: two gateways, two routers, and the hubs named, beside the chat.
class DemoPage {
	#browser = null;
	#cluster;
	#missing;

	constructor(hooks, hubs) {
		const served = `--hubs=${["chat", ...hubs].join()}`;
		this.#cluster = sharedCluster(hooks, { gateways: 2, routers: 2, gatewayArgs: [served], routerArgs: [served] });
		this.#missing = hubs.includes("notifications") ? null : /\/hubs\/notifications\/negotiate/;
		hooks.before(async () => {
			this.#browser = await launch();
		});
		hooks.after(() => this.#browser?.close());
	}

	get cluster() {
		return this.#cluster();
	}

	// Somebody in a room, by way of gateway i.
	async visit(t, i, name, room = freshRoom(), options = {}) {
		const guest = await Guest.open(t, this.#browser, `${this.cluster.urls[i]}/`, { missing: this.#missing, ...options });
		Object.setPrototypeOf(guest, Guest.prototype);
		await guest.enter(name, room);
		return guest;
	}

	// Two in one room, each on a gateway of its own, the second by night.
	async pair(t, options = {}) {
		const room = freshRoom();
		const ada = await this.visit(t, 0, ADA, room, options);
		const grace = await this.visit(t, 1, GRACE, room, { colorScheme: "dark" });
		for (const guest of [ada, grace])
			await guest.untilRoster([ADA, GRACE]);
		return { ada, grace, room };
	}
}

module.exports = { DemoPage, ADA, GRACE, PHONE };
