// SPDX-License-Identifier: Apache-2.0
// The command line of the history checker (history.js has its manual), and a verdict in
// words.
"use strict";

const { check } = require("./history.js");

const USAGE = "usage: node tests/lab/history.js [--tail_ms=N] [--settle_ms=N] [--lost_ms=N] [--json] FILE...";
const OPTIONS = { tail_ms: "tailMs", settle_ms: "settleMs", lost_ms: "lostMs" };

function parse(args) {
	const result = { files: [], options: {}, isJson: false };
	for (const arg of args) {
		const [, name, value] = /^--([a-z_]+)=(\d+)$/.exec(arg) ?? [];
		if (arg === "--json")
			result.isJson = true;
		else if (name && OPTIONS[name])
			result.options[OPTIONS[name]] = Number(value);
		else if (arg.startsWith("-"))
			throw new Error(`${arg}: no such option\n${USAGE}`);
		else
			result.files.push(arg);
	}
	if (result.files.length === 0)
		throw new Error(USAGE);
	return result;
}

const times = ({ p50_ms, p99_ms, max_ms }) => `p50 ${p50_ms} ms, p99 ${p99_ms} ms, max ${max_ms} ms`;

function* tell(verdict) {
	const { counts, ends, broken, presence } = verdict;
	yield `${counts.clients} clients, ${counts.connections} connections: ${ends.own} ended by themselves, ${ends.left} in between, ${ends.lost_stateful} stateful and `
		+ `${ends.lost_plain} plain lost, ${ends.open} open`;
	yield `${counts.sent} sent: ${counts.accepted} accepted, ${counts.unknown} unknown, ${counts.refused} refused`;
	yield `${counts.got} deliveries, ${counts.expected} owed: ${broken.lost} lost, ${broken.doubled} doubled, ${broken.reordered} reordered, `
		+ `${broken.stranger} to strangers, ${broken.refused} refused, ${broken.invented} invented`;
	yield `delivery ${times(verdict.delivery)}; answer ${times(verdict.answer)}; after the answer ${times(verdict.lag)}`;
	if (verdict.silence)
		yield `longest silence ${verdict.silence.us / 1000} ms at ${verdict.silence.receiver}`;
	for (const mark of verdict.marks)
		yield `from "${mark.text}" on: ${mark.delivery.n} deliveries, ${times(mark.delivery)}`;
	if (verdict.reattach.cut)
		yield `${verdict.reattach.back} of ${verdict.reattach.cut} sockets came back: ${times(verdict.reattach)}`;
	if (presence.lists || presence.events)
		yield `${presence.users} users, ${presence.lists} lists and ${presence.events} events of presence: ${broken.ghost} ghosts, `
			+ `${broken.absent} absent, ${broken.repeated} repeated`;
	for (const [reason, n] of Object.entries(verdict.reasons))
		yield `${n} × ${reason}`;
	for (const file of verdict.incomplete)
		yield `INCOMPLETE ${file}: its writer did not end in order`;
	for (const violation of verdict.violations)
		yield `BROKEN ${JSON.stringify(violation)}`;
	yield verdict.ok ? "kept" : "BROKEN";
}

// A verdict for people.
function words(verdict) {
	return [...tell(verdict)].join("\n");
}

function main(args) {
	let verdict;
	let isJson;
	try {
		const parsed = parse(args);
		isJson = parsed.isJson;
		verdict = check(parsed.files, parsed.options);
	} catch (error) {
		console.error(error.message);
		process.exitCode = 2;
		return;
	}
	console.log(isJson ? JSON.stringify(verdict, null, "\t") : words(verdict));
	process.exitCode = verdict.ok ? 0 : 1;
}

module.exports = { main, words };
