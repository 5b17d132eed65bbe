// SPDX-License-Identifier: Apache-2.0
// The two ends of a connection, for tests of the lab's network: "echo.js serve HOST" sends back
// what it gets and prints a line for each; "echo.js ask HOST" is told "send" on stdin, and prints
// after how many milliseconds that was back.
"use strict";

const net = require("node:net");
const readline = require("node:readline");

const PORT = 9000;
const [, , what, host] = process.argv;

if (what === "serve") {
	net.createServer((socket) => {
		socket.setNoDelay();
		socket.on("error", () => {});
		socket.on("data", (data) => {
			console.log("got");
			socket.write(data);
		});
	}).listen(PORT, host, () => console.log("ready"));
} else {
	const socket = net.connect({ host, port: PORT, noDelay: true });
	let sentMs = 0;
	socket.on("connect", () => console.log("ready"));
	socket.on("data", () => console.log(performance.now() - sentMs));
	readline.createInterface({ input: process.stdin }).on("line", () => {
		sentMs = performance.now();
		socket.write("x");
	}).on("close", () => process.exit(0));
}
