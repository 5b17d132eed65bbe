// SPDX-License-Identifier: Apache-2.0
// A cluster that serves tests/conformance/testhub.c, and clients of it.
"use strict";

const path = require("node:path");
const { ROOT } = require("./program.js");
const { connect } = require("./clients.js");

const HUBS = "chat,testhub,testhub-nowebsockets,authorizedhub,uncreatable,visitors";
const BUILD = process.env.HELIOGRAPH_BUILD || path.join(ROOT, "build/release");

// Options for sharedCluster() or withCluster().
function testhub({ gatewayArgs = [], routerArgs = [], ...options } = {}) {
	return {
		...options,
		gatewayArgs: [`--hubs=${HUBS}`, ...gatewayArgs],
		routerArgs: [`--hubs=${HUBS}`, `--hub_module=${path.join(BUILD, "testhub.so")}`, ...routerArgs],
	};
}

const EVENTS = ["Message", "CustomObject", "StreamCanceled"];

function tester(test, url, options) {
	return connect(test, url, { hub: "testhub", events: EVENTS, ...options });
}

// Subscribes and collects: {items, error, isOver}.
function collect(stream) {
	const seen = { items: [], error: undefined, isOver: false };
	seen.subscription = stream.subscribe({
		next: (item) => seen.items.push(item),
		error: (error) => { seen.error = error.message; seen.isOver = true; },
		complete: () => { seen.isOver = true; },
	});
	return seen;
}

module.exports = { testhub, tester, collect };
