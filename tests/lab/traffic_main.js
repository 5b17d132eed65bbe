// SPDX-License-Identifier: Apache-2.0
// The command line of traffic.js, which has its manual.
"use strict";

const readline = require("node:readline");
const { OPTIONS, Traffic } = require("./traffic.js");

function parse(args) {
	const options = {};
	for (const arg of args) {
		const [, name, value] = /^--([a-z_]+)=(.*)$/s.exec(arg) ?? [];
		if (!name || !(name in OPTIONS))
			throw new Error(`${arg}: no such option; there are ${Object.keys(OPTIONS).join(", ")}`);
		options[name] = typeof OPTIONS[name] === "number" ? Number(value) : value;
		if (Number.isNaN(options[name]))
			throw new Error(`${arg}: no number`);
	}
	for (const name of ["history", "urls"])
		if (!options[name])
			throw new Error(`--${name} is missing`);
	return options;
}

const say = (word, what) => console.log(what === undefined ? word : `${word} ${JSON.stringify(what)}`);

// One line's act; true: it was the last.
async function obey(traffic, line) {
	const [word] = line.split(" ", 1);
	switch (word) {
	case "status":
		say("status", traffic.status);
		return false;
	case "mark":
		traffic.mark(line.slice(word.length + 1));
		say("marked");
		return false;
	case "stop":
		say("quiet", { ...await traffic.stop(), ...traffic.status });
		return false;
	case "close":
		await traffic.close();
		say("closed");
		return true;
	default:
		say("what", line);
		return false;
	}
}

// The official client throws from the events of a stream that breaks while it connects; its
// start() fails as well, which is what counts.
function onUncaught(error) {
	if (/[/]@microsoft[/]signalr[/]/.test(error.stack))
		return;
	console.error(error);
	process.exit(1);
}

async function main(args) {
	process.on("uncaughtException", onUncaught);
	const traffic = new Traffic(parse(args));
	const ends = new AbortController();
	for (const signal of ["SIGTERM", "SIGINT"])
		process.once(signal, () => ends.abort());
	await traffic.start();
	say("ready", traffic.status);
	const lines = readline.createInterface({ input: process.stdin });
	ends.signal.addEventListener("abort", () => lines.close());
	if (ends.signal.aborted)
		lines.close();
	for await (const line of lines)
		if (await obey(traffic, line))
			process.exit(0);
	await obey(traffic, "stop");
	await obey(traffic, "close");
	process.exit(0);
}

module.exports = {
	main: (args) => main(args).catch((error) => {
		console.error(`traffic: ${error.message}`);
		process.exit(1);
	}),
};
