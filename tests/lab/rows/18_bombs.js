// SPDX-License-Identifier: Apache-2.0
// Messages that would be large if anybody believed them.
"use strict";

const { atMost, keptConnections, outcomes } = require("../checks.js");

const COUNT = 200; // of each kind
const MESSAGE_KIB_MAX = 32;
// How each must end (docs/WIRE.md): the status of the answer, or the code of the WebSocket Close,
// which for what is wrong in a hub message comes behind a hub Close with an error.
const ENDS = {
	bomb_headers: { statuses: [431] },
	bomb_depth: { closes: [1011] },
	bomb_long: { closes: [1011] },
	bomb_varint: { closes: [1011] },
	bomb_msgpack: { closes: [1011] },
	bomb_ones: { closes: [1008] },
	bomb_nothings: { closes: [1008] },
	bomb_deflate: { closes: [1002] },
};
// What is not wrong yet, and may wait for its end: message_timeout.
const KEPT = ["keep_long", "keep_declared"];

module.exports = {
	row: 18,
	title: "bombs: deflate, depth, msgpack lengths, 1-byte and 0-byte fragments, VarInt, 2,000 headers",
	goal: "RSS growth per connection <= 2 x max message; close code right",

	async faults(stage) {
		const { cluster, figures } = stage;
		const gateway = stage.pick(cluster.gateways);
		figures.bombs = {};
		for (const kind of Object.keys(ENDS)) {
			stage.mark(`${COUNT} × ${kind} at ${gateway}`);
			const before = cluster.usage(gateway).rssBytes;
			const attack = await stage.attack(kind, COUNT, gateway);
			await stage.until(async () => (await attack.status()).ended === COUNT, 20000, "all ended");
			const growth = (cluster.usage(gateway).rssBytes - before) / COUNT / 1024;
			figures.bombs[kind] = { ...await attack.status(), growthKib: growth };
			await attack.kill();
		}
		figures.keptKib = {};
		for (const kind of KEPT) {
			const before = cluster.usage(gateway).rssBytes;
			const attack = await stage.attack(kind, COUNT, gateway);
			await stage.pause(1000);
			figures.keptKib[kind] = (cluster.usage(gateway).rssBytes - before) / COUNT / 1024;
			await attack.kill();
		}
	},

	checks(stage, verdict) {
		const { bombs, keptKib } = stage.figures;
		const ends = Object.entries(bombs).map(([kind, status]) => {
			const { statuses, closes } = ENDS[kind];
			const of = statuses ? status.statuses : status.closes;
			const right = (statuses ?? closes).reduce((sum, code) => sum + (of[code] ?? 0), 0);
			return { what: kind, goal: `all end with ${(statuses ?? closes).join(" or ")}`, value: JSON.stringify(of),
				isMet: right === status.count };
		});
		const worst = Math.max(...Object.values(bombs).map((status) => status.growthKib), ...Object.values(keptKib));
		return [...ends, atMost("RSS growth of a connection", worst, 2 * MESSAGE_KIB_MAX, "KiB"), keptConnections(verdict),
			outcomes(verdict)];
	},
};
