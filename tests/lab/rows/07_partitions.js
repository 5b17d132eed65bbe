// SPDX-License-Identifier: Apache-2.0
// One router is cut off from all others of the cluster: both ways, one way, the other way, and
// again and again for a second at a time. Links to it must be noticed to be dead.
"use strict";

const { atMost, keptConnections, none, outcomes, worst } = require("../checks.js");

const HEALED_MS_MAX = 30000;
const FLAP_MS = 1000;

const peersUp = (cluster) => Promise.all(cluster.gateways.map((name) => cluster.value(name, "link_peers_up")));

// Every gateway has all its peers, every router its whole table.
async function isWhole(cluster, up) {
	const answers = await Promise.all(cluster.all.map((name) => cluster.get(name, "/readyz")));
	return answers.every((answer) => answer.ok) && (await peersUp(cluster)).every((count, i) => count >= up[i]);
}

const others = (cluster, name) => cluster.all.filter((peer) => peer !== name);

const CUTS = {
	"both ways": {
		cut: (stage, name) => stage.net.part(name, others(stage.cluster, name)),
		heal: (stage, name) => stage.net.join(name, others(stage.cluster, name)),
	},
	"nothing comes to it": {
		cut: (stage, name) => Promise.all(others(stage.cluster, name).map((peer) => stage.net.cut(peer, name))),
		heal: (stage, name) => stage.net.join(name, others(stage.cluster, name)),
	},
	"nothing comes from it": {
		cut: (stage, name) => Promise.all(others(stage.cluster, name).map((peer) => stage.net.cut(name, peer))),
		heal: (stage, name) => stage.net.join(name, others(stage.cluster, name)),
	},
};

async function part(stage, kind, ms) {
	const { cluster, figures } = stage;
	const name = stage.pick(cluster.routers);
	const before = await peersUp(cluster);
	stage.mark(`${name} cut off, ${kind}`);
	await CUTS[kind].cut(stage, name);
	// Every gateway misses it.
	const noticed = stage.until(async () => (await peersUp(cluster)).every((up, i) => up < before[i]), ms, "a router missed");
	await stage.pause(ms);
	figures.noticed.push(await noticed);
	stage.mark(`${name} healed`);
	await CUTS[kind].heal(stage, name);
	figures.healed.push(await stage.until(() => isWhole(cluster, before), HEALED_MS_MAX, "all ready"));
}

module.exports = {
	row: 7,
	title: "partition of one router: two-way; one-way, both directions; flapping each second",
	goal: "detection <= 3 s; 0 double delivery (fencing); 0 accepted lost; converged <= 5 s after heal, ghosts 0",

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.noticed = [];
		figures.healed = [];
		for (const kind of Object.keys(CUTS)) {
			await part(stage, kind, stage.ms(8000, 30000));
			await stage.pause(2000);
		}
		const before = await peersUp(cluster);
		const name = stage.pick(cluster.routers);
		stage.mark(`${name} flaps`);
		for (let i = 0; i < stage.ms(4, 30); i++) {
			await stage.net.part(name, others(cluster, name));
			await stage.pause(FLAP_MS);
			await stage.net.join(name, others(cluster, name));
			await stage.pause(FLAP_MS);
		}
		figures.healed.push(await stage.until(() => isWhole(cluster, before), HEALED_MS_MAX, "all ready"));
	},

	checks(stage, verdict) {
		const { noticed, healed } = stage.figures;
		return [atMost("noticed after", worst(noticed), 3000), atMost("converged after", worst(healed), 5000),
			none("ghosts", verdict.broken.ghost), keptConnections(verdict), outcomes(verdict)];
	},
};
