// SPDX-License-Identifier: Apache-2.0
// Who is compared: how each is started, spoken to, and why it may be absent.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "../..");
const BUILD = path.resolve(ROOT, process.env.HELIOGRAPH_BUILD || "build/release");

function firstLine(command, args) {
	try {
		return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
			.trim().split("\n")[0];
	} catch {
		return null;
	}
}

function npmVersion(folder, name) {
	const file = path.join(__dirname, folder, "node_modules", name, "package.json");
	return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).version : null;
}

function start(folder) {
	return (port) => [path.join(__dirname, folder, "start.sh"), String(port)];
}

function floor(mode) {
	return (port) => [path.join(BUILD, "bench/micro/floor"), `--serve=${mode}`, `--port=${port}`];
}

function plain(port) {
	return [`--url=http://127.0.0.1:${port}/`, "--protocol=plain"];
}

// `command(port)` becomes the server; `load(port)` is what the load tool needs to know;
// `version()` is null when the peer is not to be had here. `isBatch`: measured only where
// there is something to batch.
const PEERS = [
	{ name: "floor", title: "floor, unbatched", command: floor("unbatched"), load: plain,
		version: () => "this tree", },
	{ name: "floor-batched", title: "floor, batched", isBatch: true, command: floor("batched"),
		load: plain, version: () => "this tree" },
	{ name: "heliograph", title: "Heliograph", version: () => fs.readFileSync(path.join(ROOT, "VERSION"), "utf8").trim() },
	{ name: "bun", title: "Bun (uWebSockets)", command: start("bun"), load: plain,
		version: () => npmVersion("bun", "bun"), absent: "npm has no binary of it for this machine" },
	{ name: "nats", title: "nats-server", command: start("nats"),
		load: (port) => [`--url=nats://127.0.0.1:${port}`, "--protocol=nats", "--transport=tcp"],
		version: () => firstLine("nats-server", ["--version"])?.replace("nats-server: v", "") ?? null,
		absent: "no nats-server on PATH (apt-get install nats-server)" },
	{ name: "aspnetcore", title: "ASP.NET Core SignalR", command: start("aspnetcore"),
		load: (port) => [`--url=http://127.0.0.1:${port}/hubs/bench`, "--protocol=json"],
		version: () => firstLine("dotnet", ["--version"]), absent: "no dotnet SDK on PATH" },
	{ name: "socketio", title: "Socket.IO", command: start("socketio"),
		load: (port) => [`--url=http://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`,
			"--protocol=socketio"],
		version: () => npmVersion("socketio", "socket.io"), absent: "npm could not install it" },
];

// The rows of PEERS that were asked for and are here, and the names and reasons of the rest.
function choose(wanted) {
	const unknown = wanted.filter((name) => !PEERS.some((peer) => peer.name === name));
	if (unknown.length)
		throw new Error(`PEERS: ${unknown.join(" ")}: there are ${PEERS.map((peer) => peer.name).join(" ")}`);
	const present = [];
	const absent = [];
	for (const peer of PEERS.filter(({ name }) => !wanted.length || wanted.includes(name))) {
		const version = peer.version();
		if (version === null)
			absent.push({ ...peer, why: peer.absent });
		else
			present.push({ ...peer, version });
	}
	return { present, absent };
}

module.exports = { BUILD, ROOT, choose, firstLine };
