// SPDX-License-Identifier: Apache-2.0
// Routers that come and go, as the admin API tells and is told.
"use strict";

const assert = require("node:assert/strict");
const { waitFor } = require("./wait.js");

const WAIT_MS = 60000;

const shardMap = (cluster, replica = "p1") => cluster.adminJson("/api/v1/cluster/routers", replica);

// Resolves with the map, once `isIt` says that it is this one.
function untilMap(cluster, isIt, what, { replica = "p1", deadlineMs = WAIT_MS } = {}) {
	let last = null;
	return waitFor(async () => {
		last = await shardMap(cluster, replica);
		return isIt(last) && last;
	}, deadlineMs, what).catch((error) => {
		throw new Error(`${error.message}; last: ${JSON.stringify(last)}`);
	});
}

// Nothing is under way, and nobody is waited for.
const isAtRest = (map) => map.state === "rest" && map.waitingFor.length === 0;

// All processes go by one map, and presence makes the next.
const untilAgreed = (cluster, replica) =>
	untilMap(cluster, (map) => map.epoch > 0 && isAtRest(map) && map.isSettled, "all to agree on a map", { replica });

const untilPhase = (cluster, phase, replica) =>
	untilMap(cluster, (map) => map.phase === phase, `the phase ${phase}`, { replica });

// The routers of these names, and nobody is waited for.
const untilRouters = (cluster, names, replica) =>
	untilMap(cluster, (map) => map.phase === "stable" && isAtRest(map) &&
		map.routers.map((router) => router.name).join() === [...names].sort().join(), `the routers ${names.join()}`, { replica });

async function putRouters(cluster, list, replica = "p1") {
	const response = await fetch(`http://${cluster.program(replica).admins[0]}/api/v1/cluster/routers`, {
		method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ routers: list }) });
	assert.equal(response.status, 202, await response.text());
}

module.exports = { shardMap, untilMap, untilAgreed, untilPhase, untilRouters, putRouters };
