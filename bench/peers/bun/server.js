// SPDX-License-Identifier: Apache-2.0
//
// Bun's WebSocket server, which is uWebSockets: what one client says goes to all of one
// topic. No compression, no pings, and a queue as long as it needs.
"use strict";

const QUEUE_BYTES_MAX = 256 << 20;

const server = Bun.serve({
	hostname: "127.0.0.1",
	port: Number(process.argv[2] ?? 0),
	fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("", { status: 400 })),
	websocket: {
		perMessageDeflate: false,
		sendPings: false,
		idleTimeout: 0,
		backpressureLimit: QUEUE_BYTES_MAX,
		maxPayloadLength: 2 << 20,
		open: (socket) => socket.subscribe("bench"),
		message: (socket, text) => server.publish("bench", text),
	},
});
console.log(`listening ${server.port}`);
