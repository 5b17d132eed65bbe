// SPDX-License-Identifier: Apache-2.0
// Clients who send or read as slowly as they dare, straight to one gateway, while honest ones
// connect.
"use strict";

const { atMost, keptConnections, outcomes } = require("../checks.js");

const KINDS = { slowhead: 1000, slowbody: 500, slowread: 500 };
const GONE_MS_MAX = 30000;

// Sockets of attackers that the gateway has not ended: who does not read does not notice.
async function open(stage, gateway) {
	const { stdout } = await stage.net.in("attackers", "ss", "-Htn", "state", "established", "dst", stage.net.ip(gateway));
	return stdout.split("\n").filter(Boolean).length;
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
		figures.gone = await stage.until(async () => await open(stage, gateway) === 0, GONE_MS_MAX, "all attackers gone");
		figures.attackers = Object.fromEntries(await Promise.all(attacks.map(async (attack, i) =>
			[Object.keys(KINDS)[i], await attack.status()])));
		figures.honest = (await honest)?.figures ?? null;
		await Promise.all(attacks.map((attack) => attack.kill()));
	},

	checks(stage, verdict) {
		const { gone, honest } = stage.figures;
		return [atMost("honest connect p99", honest ? honest.connect_p99_us / 1000 : Infinity, 100),
			{ what: "honest connects that failed", goal: "0", value: honest?.connect_errors ?? Infinity, isMet: honest?.connect_errors === 0 },
			atMost("the last attacker gone after", gone, 10000), keptConnections(verdict), outcomes(verdict)];
	},
};
