// SPDX-License-Identifier: Apache-2.0
// Carries out the plans of cases, several connections at a time, and judges what came:
//
//   OK             as expected
//   NON-STRICT     allowed, but not the best that can be done
//   INFORMATIONAL  the protocol leaves it open
//   FAILED         wrong
//
// Nothing is judged by a short wait. Where a server is to fail the connection and has not
// done so yet, it gets a Ping: if that is answered, it has not noticed.
"use strict";

const { Client } = require("./client.js");
const { Plan, END, HANDSHAKE, text, ping, expectEcho, expectPong, expectHandshake } = require("./plan.js");

const VERDICT = { OK: "OK", NON_STRICT: "NON-STRICT", INFORMATIONAL: "INFORMATIONAL", FAILED: "FAILED" };

const DEFAULTS = {
	jobs: 8,
	waitMs: 20000, // for whatever must come
	graceMs: 5000, // for a failure that is due, before the server is asked
};

const SETTLED = "settled?";

// ---- carrying out

class Run {
	constructor(testCase, plan, options) {
		this.case = testCase;
		this.plan = plan;
		this.options = options;
		this.client = new Client(options.address, options.path);
		this.client.onEvent = (event) => this.#onEvent(event);
		this.came = []; // in the words of plan.js
		this.hasCome = new Set(); // the same
		this.isLate = false; // failed only after more was sent than needed
		this.problem = null; // why it could not be carried out to its end
	}

	// In the words of plan.js.
	#onEvent(event) {
		this.came.push(this.#wordsFor(event));
		this.hasCome.add(this.came.at(-1));
	}

	#wordsFor(event) {
		switch (event.kind) {
		case "echo":
			return event.text === this.plan.calls.get(event.id) ? `echo ${event.id}` : `wrong answer ${event.id}`;
		case "pong":
			return `pong ${event.payload.toString("hex")}`;
		case "hub-close":
			return event.error ? "hub error" : "hub close";
		default:
			return event.kind;
		}
	}

	#forget(...expected) {
		this.came = this.came.filter((item) => !expected.includes(item));
	}

	// Waits for one more thing; a case that cannot get it is over.
	async #await(expected) {
		if (!await this.client.until(() => this.hasCome.has(expected), this.options.waitMs))
			throw new Error(`waited in vain for: ${expected}`);
	}

	async #open() {
		this.client.open(this.plan.opening);
		if (!await this.client.until(() => this.client.status === 101, this.options.waitMs))
			throw new Error("no WebSocket");
		if (!this.plan.hasHandshake)
			return;
		await this.client.write([text(HANDSHAKE)]);
		await this.#await(expectHandshake);
		this.#forget(expectHandshake);
	}

	async #roundTrips(trips) {
		for (const { bytes, expected } of trips) {
			await this.client.write([bytes]);
			await this.#await(expected);
		}
	}

	async #failsHere() {
		const isFailed = () => this.client.close !== null;
		if (!await this.client.until(isFailed, this.options.graceMs) && !this.client.isEnded)
			this.isLate = true;
	}

	async #step(step) {
		switch (step.kind) {
		case "write":
			return this.client.write(step.chops);
		case "await":
			return this.#await(step.expected);
		case "round-trips":
			return this.#roundTrips(step.trips);
		case "fails-here":
			return this.#failsHere();
		default:
			throw new Error(`no such step: ${step.kind}`);
		}
	}

	// Both layers answer once more, so whatever was to come before has come.
	async #settle() {
		const call = this.plan.call(SETTLED);
		const marks = [expectEcho(call), expectPong(SETTLED)];
		const complete = () => this.#isComplete();
		if (this.plan.ok.some((list) => list.length > 0))
			await this.client.until(complete, this.options.graceMs);
		await this.client.write([text(call.bytes)]);
		await this.#await(marks[0]);
		await this.client.until(complete, this.options.graceMs);
		await this.client.write([ping(SETTLED)]);
		await this.#await(marks[1]);
		this.#forget(...marks);
	}

	#isComplete() {
		return this.plan.ok.some((list) =>
			this.came.length >= list.length && list.every((expected) => this.hasCome.has(expected)));
	}

	async #untilFailed() {
		const isFailed = () => this.client.close !== null;
		if (await this.client.until(isFailed, this.options.graceMs) || this.client.isEnded)
			return;
		const probe = expectPong(SETTLED);
		await this.client.write([ping(SETTLED)]);
		await this.client.until(() => isFailed() || this.hasCome.has(probe), this.options.waitMs);
		if (!isFailed() && !this.client.isEnded)
			throw new Error("the connection was not failed");
	}

	async #finish() {
		const isSettled = this.plan.end === END.ALIVE;
		if (isSettled) {
			await this.#settle();
			this.client.sendClose(1000);
		} else if (this.plan.end === END.FAILED) {
			await this.#untilFailed();
		}
		if (!await this.client.until(() => this.client.close !== null, this.options.waitMs) && !this.client.isEnded)
			throw new Error("no Close came");
		if (!await this.client.until(() => this.client.isEnded, this.options.waitMs))
			throw new Error("the server did not end the TCP connection");
	}

	async carryOut() {
		this.client.hasSentClose = this.plan.end === END.CLOSED;
		try {
			await this.#open();
			for (const step of this.plan.steps)
				await this.#step(step);
			await this.#finish();
		} catch (error) {
			this.problem = error.message;
		} finally {
			this.client.destroy();
		}
	}
}

// ---- judging

// Answers of calls may overtake each other; everything else is in order.
function inOrder(list) {
	const all = [];
	let echoes = [];
	const flush = () => {
		all.push(...echoes.sort((a, b) => Number(a.slice(5)) - Number(b.slice(5))));
		echoes = [];
	};
	for (const item of list) {
		if (item.startsWith("echo ")) {
			echoes.push(item);
		} else {
			flush();
			all.push(item);
		}
	}
	flush();
	return all;
}

function same(a, b) {
	return a.length === b.length && a.every((item, i) => item === b[i]);
}

function short(list) {
	const texts = list.map((item) => (item.length > 40 ? `${item.slice(0, 40)}...` : item));
	return texts.length > 6 ? `${texts.slice(0, 6).join(", ")}, ... (${texts.length})` : texts.join(", ") || "nothing";
}

// [verdict, why]
function judgeEnd(run) {
	const { plan, client } = run;
	if (client.close === null)
		return plan.end === END.FAILED ? [VERDICT.NON_STRICT, "dropped without a Close"]
			: [VERDICT.FAILED, "the connection ended without a Close"];
	if (!plan.codes.includes(client.close.code))
		return [VERDICT.FAILED, `closed with ${client.close.code}, expected ${plan.codes.map((code) => code ?? "nothing").join(" or ")}`];
	if (plan.isRefusedByHub && !run.hasCome.has("hub error"))
		return [VERDICT.FAILED, "the hub protocol did not refuse it"];
	return run.isLate ? [VERDICT.NON_STRICT, "failed, but late"] : [VERDICT.OK, ""];
}

function judge(run) {
	const { plan, client } = run;
	const seen = inOrder(run.came.filter((item) => !item.startsWith("hub ")));
	if (client.faults.length > 0)
		return [VERDICT.FAILED, client.faults[0]];
	if (run.problem)
		return [VERDICT.FAILED, `${run.problem}; came: ${short(seen)}`];
	if (plan.end === END.ANY)
		return [VERDICT.INFORMATIONAL, `closed with ${client.close?.code ?? "nothing"}; came: ${short(seen)}`];
	const [verdict, why] = judgeEnd(run);
	if (verdict === VERDICT.FAILED || plan.ok.some((list) => same(inOrder(list), seen)))
		return [verdict, why];
	if (plan.nonStrict.some((list) => same(inOrder(list), seen)))
		return [VERDICT.NON_STRICT, `came: ${short(seen)}`];
	return [VERDICT.FAILED, `came: ${short(seen)}; expected: ${plan.ok.map(short).join(" | ")}`];
}

// ---- all of them

async function runCase(testCase, options) {
	const start = performance.now();
	const plan = new Plan();
	testCase.fill(plan);
	const run = new Run(testCase, plan, options);
	await run.carryOut();
	const [verdict, why] = judge(run);
	return {
		id: testCase.id,
		title: testCase.title,
		verdict,
		why,
		closeCode: run.client.close?.code ?? null,
		ms: Math.round(performance.now() - start),
	};
}

// Results in the order of the cases; `onResult` hears of each as it comes.
async function runCases(cases, options) {
	const all = { ...DEFAULTS, onResult: () => {}, ...options };
	const results = new Map();
	const work = async (list) => {
		for (let testCase = list.shift(); testCase; testCase = list.shift()) {
			results.set(testCase, await runCase(testCase, all));
			all.onResult(results.get(testCase));
		}
	};
	const together = cases.filter((testCase) => !testCase.isAlone);
	await Promise.all(Array.from({ length: all.jobs }, () => work(together)));
	await work(cases.filter((testCase) => testCase.isAlone));
	return cases.map((testCase) => results.get(testCase));
}

module.exports = { VERDICT, DEFAULTS, runCases };
