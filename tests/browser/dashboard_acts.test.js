// SPDX-License-Identifier: Apache-2.0
// The dashboard of a cluster that asks for a token, and what ends a process.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { connect } = require("../kit/clients.js");
const { launch } = require("../kit/browser.js");
const { Operator } = require("../kit/operator.js");
const { withCluster } = require("../kit/cluster.js");
const { startRedis } = require("../kit/redis.js");

const TOKEN = "0123456789abcdef0123456789abcdef";

describe("the dashboard's acts", () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	const tokenFile = path.join(folder, "admin.token");
	let browser = null;
	before(async () => {
		fs.writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
		browser = await launch();
	});
	after(async () => {
		await browser?.close();
		fs.rmSync(folder, { recursive: true, force: true });
	});

	test("asks for the token, and keeps it in its tab alone", async (t) => {
		await withCluster({ presenceArgs: [`--admin_token_file=${tokenFile}`] }, async (cluster) => {
			await connect(t, cluster.urls[0], { userId: "ann" });
			const operator = await Operator.open(t, browser, cluster);
			const token = operator.page.getByLabel("Token");
			await token.waitFor();
			assert.equal(await operator.focused(), "login-token");
			await operator.assertAccessible("the question for the token");
			await operator.page.keyboard.press("Escape");
			await operator.page.keyboard.press("Escape");
			assert.ok(await token.isVisible(), "Escape leads nowhere");
			await token.pressSequentially("wrong");
			await operator.page.keyboard.press("Enter");
			await operator.untilText("login-error", "The API does not take this token.");
			await token.fill(TOKEN);
			await operator.page.keyboard.press("Enter");
			await operator.untilLive();
			await operator.untilRows("users-table", 1);
			await operator.untilText("events-state", "live");

			await operator.page.reload();
			await operator.untilLive();
			const stores = await operator.page.evaluate(() => [Object.values(sessionStorage), Object.values(localStorage), document.cookie]);
			assert.deepEqual(stores, [[TOKEN], [], ""]);
			await operator.page.getByRole("button", { name: "Sign out" }).click();
			await token.waitFor();
			assert.equal(await operator.page.evaluate(() => sessionStorage.length), 0);
			const unexpected = operator.complaints.filter((line) => !/status of 401/.test(line));
			assert.deepEqual(unexpected, []);
		});
	});

	test("says when the store is away, and what is shown then", async (t) => {
		const redis = await startRedis();
		t.after(() => redis.stop());
		await withCluster({ presenceArgs: [`--redis=${redis.url()}`] }, async (cluster) => {
			const client = await connect(t, cluster.urls[0], { userId: "ann" });
			const operator = await Operator.open(t, browser, cluster);
			await operator.untilTile("Users online", 1);
			const isTold = (wanted) => operator.until((is) =>
				/The store \(redis\) has been away/.test(document.getElementById("banners").textContent) === is, wanted);
			await isTold(false);
			await redis.master.kill();
			await isTold(true);
			assert.equal(await operator.tile("Users online"), 1);
			await operator.assertAccessible("a banner");
			await operator.screenshot("dashboard-store-away");
			await redis.master.start();
			await isTold(false);
			await operator.untilTile("Users online", 1);
			assert.equal(client.closed, null);
		});
	});

	test("drains a gateway when that is meant", async (t) => {
		await withCluster({ gateways: 2 }, async (cluster) => {
			const operator = await Operator.open(t, browser, cluster);
			await operator.untilRows("gateways-table", 2);
			const client = await connect(t, cluster.urls[1], { userId: "ann" });
			const drain = operator.page.getByRole("button", { name: "Drain g2" });
			await drain.click();
			await operator.page.getByRole("button", { name: "Cancel" }).click();
			assert.equal(client.closed, null);
			await drain.click();
			cluster.program("g2").wasKilled = true; // it ends, and is meant to
			await operator.page.locator("#confirm-act").click();
			await client.until(() => client.closed, "the end of the connection");
			await operator.until(() => !/g2up/.test(document.getElementById("gateways-table").textContent));
			const exit = await cluster.program("g2").ended;
			assert.equal(exit.code, 0);
			assert.deepEqual(operator.complaints, []);
		});
	});
});
