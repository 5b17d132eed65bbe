// SPDX-License-Identifier: Apache-2.0
// The cluster from within its world: cluster.js starts it and tells it when to end, on stdin.
//
//	node inside.js FOLDER CGROUP
//
// FOLDER gets the sockets that are reached from outside: "edge" for clients, "admin" for presence's admin
// API, "control" for kubectl. Its stdout: "ready", once everything is; "say …" lines before and after.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const { Api } = require("./api.js");
const { Edge } = require("./edge.js");
const { State } = require("./state.js");

const NAMESPACE = "heliograph";
const READY_MS = Number(process.env.READY_SECONDS ?? 180) * 1000;
const STEP_MS = 100;
const ADMIN = { service: "presence-admin", port: 8090 };

const say = (text) => console.log(`say ${text}`);
const pause = () => new Promise((resolve) => setTimeout(resolve, STEP_MS));

// What an image of the manifests is called here: of Redis there is one, upon the same Debian.
function imageOf(name) {
	return /(^|\/)redis(:|@|$)/.test(name) ? "localhost/redis:here" : name;
}

// Connections to a socket go to a pod of a Service.
function bridge(state, file) {
	const server = net.createServer((socket) => {
		const [pod] = state.endpoints(ADMIN.service, NAMESPACE) ?? [];
		if (!pod)
			return socket.destroy();
		const upstream = net.connect({ host: pod.ip, port: ADMIN.port });
		socket.pipe(upstream).pipe(socket);
		socket.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
		return upstream.on("error", () => socket.destroy()).on("close", () => socket.destroy());
	});
	return new Promise((resolve, reject) => server.once("error", reject).listen(file, resolve));
}

async function untilReady(state, edge) {
	let last = "";
	for (const dueMs = performance.now() + READY_MS; ; await pause()) {
		const waiting = state.workloads.filter((one) => one.live.some((pod) => !pod.isReady) || one.live.length < one.replicas());
		const names = waiting.map((one) => `${one.get().metadata.name} ${one.status.readyReplicas}/${one.replicas()}`).join(", ");
		if (waiting.length === 0 && await edge.isReady())
			return;
		if (names !== last && names)
			say(`waiting for ${names}`);
		last = names;
		if (performance.now() > dueMs)
			throw new Error(`not ready after ${READY_MS / 1000} s: ${names || "no gateway behind the edge"}`);
	}
}

async function main([folder, cgroup]) {
	const state = new State({ folder: path.join(folder, "pods"), cgroup, imageOf });
	state.on("say", say);
	const key = () => state.objects.data("Secret", "clients", "auth.key").toString().split("\n")[0];
	const edge = new Edge({ folder, namespace: NAMESPACE, keyOf: key });
	const lines = readline.createInterface({ input: process.stdin });
	const told = new Promise((resolve) => lines.on("line", resolve).on("close", () => resolve("kill")));
	await state.start();
	await new Api(state).listen(path.join(folder, "control"));
	await bridge(state, path.join(folder, "admin"));
	state.apply(JSON.parse(fs.readFileSync(path.join(folder, "manifests.json"), "utf8")));
	await edge.start();
	const isReady = await Promise.race([untilReady(state, edge).then(() => true, (error) => {
		say(error.message);
		for (const pod of state.pods.filter((one) => !one.isReady))
			say(`${pod.name}: ${pod.why || "not ready"}: ${(pod.container?.lines ?? []).slice(-5).join(" | ")}`);
		return false;
	}), told.then(() => false)]);
	if (isReady)
		console.log("ready");
	const how = isReady ? await told : "kill";
	say("stopping");
	await edge.stop();
	// Nobody is left to be handed over: all that matters is that they end in order.
	await state.stop(how === "stop" ? 5 : 0);
	process.exit(isReady ? 0 : 1);
}

main(process.argv.slice(2)).catch((error) => {
	say(error.stack);
	process.exit(1);
});
