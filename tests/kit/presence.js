// SPDX-License-Identifier: Apache-2.0
// What presence says, in the few words the tests ask.
"use strict";

const { waitFor } = require("./wait.js");

const WAIT_MS = 15000;

async function onlineUsers(cluster) {
	const { users } = await cluster.adminJson("/api/v1/users");
	return users.map((user) => user.userId).sort();
}

// The connection ids of one user; empty when presence does not know the user.
async function userConnections(cluster, userId) {
	const response = await cluster.admin("p1", `/api/v1/users/${encodeURIComponent(userId)}`);
	if (response.status === 404)
		return [];
	const { connections } = await response.json();
	return connections.map((connection) => connection.connectionId).sort();
}

function untilOnline(cluster, userIds) {
	const wanted = JSON.stringify([...userIds].sort());
	let last = "";
	return waitFor(async () => {
		last = JSON.stringify(await onlineUsers(cluster));
		return last === wanted;
	}, WAIT_MS, `the online users to be ${wanted}`).catch((error) => {
		throw new Error(`${error.message}; last answer: ${last}`);
	});
}

module.exports = { onlineUsers, userConnections, untilOnline };
