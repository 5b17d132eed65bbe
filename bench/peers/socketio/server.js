// SPDX-License-Identifier: Apache-2.0
//
// Socket.IO with one room that all are in: what one says in "broadcast" goes to the room as
// "receive". WebSockets only, no compression, no pings while figures are taken.
"use strict";

const http = require("node:http");
const { Server } = require("socket.io");

const PING_MS = 600000;

const server = http.createServer();
const io = new Server(server, {
	transports: ["websocket"],
	perMessageDeflate: false,
	httpCompression: false,
	serveClient: false,
	pingInterval: PING_MS,
	pingTimeout: PING_MS,
	maxHttpBufferSize: 2 << 20,
});

io.on("connection", (socket) => {
	socket.join("bench");
	socket.on("broadcast", (payload) => io.to("bench").emit("receive", payload));
});
server.listen({ host: "127.0.0.1", port: Number(process.argv[2] ?? 0), backlog: 65535 }, () =>
	console.log(`listening ${server.address().port}`));
