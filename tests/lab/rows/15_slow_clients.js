// SPDX-License-Identifier: Apache-2.0
// Clients who send or read as slowly as they dare, straight to one gateway, while honest ones
// connect.
"use strict";

const { atMost, keptConnections, outcomes, worst } = require("../checks.js");
const { nowUs } = require("../history_writer.js");

const KINDS = { slowhead: 1000, slowbody: 500, slowread: 500 };
const GONE_MS_MAX = 30000;
const LOOK_MS = 100;

// Ports of attackers whose sockets the gateway has not ended: who does not read does not notice.
async function open(stage, gateway) {
	const { stdout } = await stage.net.in("attackers", "ss", "-Htn", "state", "established", "dst", stage.net.ip(gateway));
	return stdout.split("\n").filter(Boolean).map((line) => Number(/:(\d+)$/.exec(line.trim().split(/\s+/)[2])[1]));
}

// Looks until none is open, or GONE_MS_MAX are over: when each look was, and which ports were open.
async function watch(stage, gateway) {
	const looks = [];
	const dueUs = nowUs() + GONE_MS_MAX * 1000;
	let ports;
	do {
		ports = new Set(await open(stage, gateway));
		looks.push({ us: nowUs(), ports });
		await stage.pause(LOOK_MS);
	} while (ports.size > 0 && nowUs() < dueUs);
	return looks;
}

// How long the last of them was there, from its connecting to the first look that did not find it.
function longest(begun, looks) {
	return worst(begun.map(([port, startedUs]) => {
		const last = looks.findLastIndex((look) => look.ports.has(port));
		return last + 1 < looks.length ? (looks[last + 1].us - startedUs) / 1000 : Infinity;
	}));
}

module.exports = {
	row: 15,
	title: "slowloris 1,000 + slow body 500 + slow read 500",
	goal: "honest connect p99 <= 100 ms; attackers gone <= 10 s",

	async faults(stage) {
		const { cluster, figures, net } = stage;
		const gateway = stage.pick(cluster.gateways);
		await net.in("attackers", "sh", "-c", "echo 4096 4096 8192 > /proc/sys/net/ipv4/tcp_rmem");
		stage.mark(`against ${gateway}`);
		const attacks = await Promise.all(Object.entries(KINDS).map(([kind, count]) => stage.attack(kind, count, gateway)));
		stage.mark("all attack");
		const honest = stage.bench([`--url=${cluster.gatewayUrl(gateway)}/hubs/bench`, "--scenario=churn", "--connections=50",
			"--rate=20", "--warm_up=0", `--duration=${stage.ms(8, 60)}s`], 120000);
		const looks = await watch(stage, gateway);
		figures.lives = {};
		figures.attackers = {};
		for (const [i, kind] of Object.keys(KINDS).entries()) {
			const { begun, ...status } = await attacks[i].status();
			figures.attackers[kind] = status;
			figures.lives[kind] = longest(begun, looks);
		}
		figures.honest = (await honest)?.figures ?? null;
		await Promise.all(attacks.map((attack) => attack.kill()));
	},

	checks(stage, verdict) {
		const { lives, honest } = stage.figures;
		return [atMost("honest connect p99", honest ? honest.connect_p99_us / 1000 : Infinity, 100),
			{ what: "honest connects that failed", goal: "0", value: honest?.connect_errors ?? Infinity, isMet: honest?.connect_errors === 0 },
			...Object.entries(lives).map(([kind, ms]) => atMost(`the last ${kind} gone, from its connecting on, after`, ms, 10000)),
			keptConnections(verdict), outcomes(verdict)];
	},
};
