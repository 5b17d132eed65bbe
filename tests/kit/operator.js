// SPDX-License-Identifier: Apache-2.0
// Somebody at the dashboard, in a real Chromium.
"use strict";

const { Visitor } = require("./browser.js");

class Operator extends Visitor {
	static async open(test, browser, cluster, options) {
		const operator = await super.open(test, browser, `http://${cluster.program("p1").admins[0]}/`, options);
		Object.setPrototypeOf(operator, Operator.prototype);
		return operator;
	}

	untilLive() {
		return this.untilText("live", "live");
	}

	untilText(id, text) {
		return this.until(([of, wanted]) => document.getElementById(of).textContent === wanted, [id, text]);
	}

	// What a tile shows, as a number.
	tile(name) {
		return this.page.evaluate((wanted) => Number([...document.querySelectorAll(".tile")]
			.find((tile) => tile.querySelector("dt").textContent === wanted)
			.querySelector("dd span").textContent.replaceAll(",", "").replace(/ ms$/, "")), name);
	}

	// Until a tile shows at least so much.
	untilTile(name, least) {
		return this.until(([wanted, n]) => [...document.querySelectorAll(".tile")].some((tile) =>
			tile.querySelector("dt").textContent === wanted
			&& Number.parseFloat(tile.querySelector("dd span").textContent.replaceAll(",", "")) >= n), [name, least]);
	}

	// The rows of a table as texts; [] while it says that it is empty.
	rows(table) {
		return this.page.evaluate((id) => [...document.querySelectorAll(`#${id} tbody tr:not(.empty)`)]
			.map((row) => [...row.cells].map((cell) => cell.textContent)), table);
	}

	untilRows(table, n) {
		return this.until(([id, wanted]) => document.querySelectorAll(`#${id} tbody tr:not(.empty)`).length === wanted, [table, n]);
	}

	async search(prefix) {
		await this.page.getByLabel("Find users whose id begins with").fill(prefix);
	}

	async openUser(userId) {
		await this.search(userId);
		await this.page.locator("#users-table").getByRole("button", { name: userId, exact: true }).click();
		await this.until(() => document.querySelector("#user-connections li") !== null);
	}

	// Where the focus is: an id, or what the control says.
	focused() {
		return this.page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
	}
}

module.exports = { Operator };
