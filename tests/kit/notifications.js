// SPDX-License-Identifier: Apache-2.0
// Clusters that serve the notifications hub, and its clients.
"use strict";

const { connect, signalR } = require("./clients.js");

const EVENTS = ["ReceiveNotification", "ReceiveBroadcast", "UserConnected", "UserDisconnected", "NotificationRead",
	"DataUpdated"];

// Presence that began empty tells of nobody for a lease.
function notifying(options) {
	const args = ["--hubs=notifications,chat"];
	return { presenceArgs: ["--lease=1s"], ...options, routerArgs: [...args, ...options.routerArgs ?? []],
		gatewayArgs: [...args, ...options.gatewayArgs ?? []] };
}

function listen(test, url, options) {
	return connect(test, url, { hub: "notifications", events: EVENTS, ...options });
}

// Long polling is no transport of this hub's.
function listenSse(test, url, options) {
	return listen(test, url, { ...options, http: { transport: signalR.HttpTransportType.ServerSentEvents } });
}

function untilOf(client, event, count) {
	return client.until(() => client.of(event).length >= count && client.of(event), `${count} of ${event}`);
}

module.exports = { listen, listenSse, notifying, untilOf };
