// SPDX-License-Identifier: Apache-2.0
// A gateway is stopped for longer than its lease and then goes on: the routers have served
// the rest without it, so its clients are told to reconnect instead of missing messages
// without knowing.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { untilOnline } = require("../kit/presence.js");

const LINK = ["--lease=500ms", "--link_stream_timeout=400ms", "--link_ping_interval=100ms"];

test("a gateway that was away past its lease sends its clients to reconnect", async (t) => {
	const options = { gateways: 2, routers: 2, gatewayArgs: LINK, routerArgs: LINK, presenceArgs: LINK };
	await withCluster(options, async (cluster) => {
		const room = freshRoom();
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const away = await connect(t, cluster.urls[1], { reconnect });
		const here = await connect(t, cluster.urls[0]);
		await away.invoke("JoinRoom", room);
		await here.invoke("JoinRoom", room);
		const idBefore = away.id;

		process.kill(cluster.program("g2").pid, "SIGSTOP");
		await here.until(() => here.of("UserLeftRoom").some((event) => event.userId === away.user.userId),
			"the leave");
		// The room's router may give the gateway up a moment after the one that told of the
		// leave; until then nobody can promise that every receiver was reached.
		await waitFor(() => here.invoke("SendMessage", room, "missed").then(() => true), 5000,
			"a send that needs only who is left");
		process.kill(cluster.program("g2").pid, "SIGCONT");

		await away.until(() => away.id !== null && away.id !== idBefore, "a new connection");
		await away.invoke("JoinRoom", room);
		await here.invoke("SendMessage", room, "seen");
		await away.untilText(room, "seen");
		assert.equal((await cluster.metrics("g2")).get('gateway_close_total{reason="fenced"}'), 1);
		assert.deepEqual(here.states, []);
		await untilOnline(cluster, [away.user.userId, here.user.userId]);
	});
});
