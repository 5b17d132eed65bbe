// SPDX-License-Identifier: Apache-2.0
// The lab's own network, in a world of its own: a cut is a cut one way, what is worsened is as
// late and as lossy as was asked, and other hosts see nothing of it. The file runs itself again in that world.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { buildFolder } = require("../kit/program.js");
const { Helper } = require("./helper.js");
const { Net } = require("./net.js");
const world = require("./world.js");

const WAIT_MS = 30000;
const LIMIT_MS = 100000;
const QUIET_MS = 300;
const DELAY_MS = 500;

class Line {
	static async open(net, from, to) {
		const line = new Line();
		const tool = (name, what) => new Helper(what, [...net.at(name), process.execPath, path.join(__dirname, "echo.js"), what, net.ip(to)]);
		line.server = tool(to, "serve");
		await line.server.answer(WAIT_MS, "its beginning");
		line.client = tool(from, "ask");
		await line.client.answer(WAIT_MS, "its connection");
		return line;
	}

	// Milliseconds there and back.
	async send() {
		return Number(await this.client.ask("send", WAIT_MS));
	}

	async close() {
		await Promise.all([this.server.kill(), this.client.kill()]);
	}
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "nothing"));

async function cutsOneWay(net, line) {
	await line.send();
	await line.server.answer(WAIT_MS, "the first");
	await net.cut("b", "a");
	const answer = line.send();
	await line.server.answer(WAIT_MS, "what still comes to it");
	assert.equal(await Promise.race([answer, pause(QUIET_MS)]), "nothing");
	await net.mend("b", "a");
	await answer;
}

async function partsAndJoins(net, line) {
	await net.part("a", ["b", "c"]);
	const answer = line.send();
	assert.equal(await Promise.race([answer, pause(QUIET_MS)]), "nothing");
	await net.join("a", ["b", "c"]);
	await answer;
}

async function delays(net, line, other) {
	const end = await net.worsen("a", "b", { delayMs: DELAY_MS });
	assert.ok(await line.send() >= DELAY_MS);
	const others = [await other.send(), await other.send(), await other.send(), await other.send()];
	assert.ok(Math.min(...others) < DELAY_MS, `who is not meant is late, too: ${others}`);
	const { seen, lost } = await end();
	assert.ok(seen > 0 && lost === 0, `${lost} of ${seen} lost`);
}

async function loses(net, line) {
	const end = await net.worsen("a", "b", { lossPercent: 100 });
	const answer = line.send();
	assert.equal(await Promise.race([answer, pause(QUIET_MS)]), "nothing");
	const { seen, lost } = await end();
	assert.ok(seen > 0 && lost === seen, `${lost} of ${seen} lost`);
	await answer; // TCP tries again
}

async function inside() {
	world.settle();
	const net = new Net();
	await net.start();
	for (const [i, name] of ["a", "b", "c"].entries())
		await net.add(name, 11 + i);
	const line = await Line.open(net, "a", "b");
	const other = await Line.open(net, "c", "a");
	for (const check of [cutsOneWay, partsAndJoins, delays, loses])
		await check(net, line, other);
	await Promise.all([line.close(), other.close()]);
}

function skip() {
	const why = world.missing();
	if (why)
		return why;
	return fs.existsSync(path.join(buildFolder(), "tests/lab/nfqd")) ? false : "nfqd is not built (make lab-short)";
}

if (world.isInside())
	inside().then(() => process.exit(0), (error) => {
		console.error(error);
		process.exit(1);
	});
else
	test("hosts are cut off, delayed and lossy as asked", { skip: skip() }, async () => {
		assert.equal(await world.enter({}, LIMIT_MS), 0);
	});
