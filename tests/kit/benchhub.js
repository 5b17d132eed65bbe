// SPDX-License-Identifier: Apache-2.0
// A cluster that serves the hub of bench/HUB.md, and official clients of it.
"use strict";

const path = require("node:path");
const { ROOT } = require("./program.js");
const { connect } = require("./clients.js");

const BUILD = process.env.HELIOGRAPH_BUILD || path.join(ROOT, "build/release");

// Options for sharedCluster() or withCluster().
function benchhub({ gatewayArgs = [], routerArgs = [], ...options } = {}) {
	return {
		...options,
		gatewayArgs: ["--hubs=bench", ...gatewayArgs],
		routerArgs: ["--hubs=bench", `--hub_module=${path.join(BUILD, "bench_hub.so")}`, ...routerArgs],
	};
}

function bencher(test, url, options) {
	return connect(test, url, { hub: "bench", events: ["Receive"], ...options });
}

module.exports = { benchhub, bencher };
