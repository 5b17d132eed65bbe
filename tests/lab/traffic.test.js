// SPDX-License-Identifier: Apache-2.0
// The tools that make traffic end in bounded time, whatever the server does, and say who did not.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { waitFor, within } = require("../kit/wait.js");
const { Traffic } = require("../kit/traffic.js");

const WAIT_MS = 60000;
const STOP_MS = 1000;
const SEPARATOR = "\u001e";

// Long polling for one client after the other, until somebody leaves a group: it is told that it has left, and to
// reconnect, and nobody is answered any more.
class Mute {
	#ids = 0;
	#conns = new Map(); // id -> {out, poll}
	isMute = false;

	async start() {
		this.server = http.createServer((request, response) => {
			let body = "";
			request.on("data", (data) => { body += data; });
			request.on("end", () => this.isMute || this.#on(request, body, response));
		});
		await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
		return `http://127.0.0.1:${this.server.address().port}`;
	}

	stop() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}

	#on(request, body, response) {
		const url = new URL(request.url, "http://mute");
		const json = (value) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
		if (url.pathname === "/dev/token")
			return json({ token: "any" });
		if (url.pathname.endsWith("/negotiate")) {
			const id = `id${++this.#ids}`;
			return json({ negotiateVersion: 1, connectionId: id, connectionToken: id,
				availableTransports: [{ transport: "LongPolling", transferFormats: ["Text", "Binary"] }] });
		}
		const id = url.searchParams.get("id");
		if (request.method === "GET" && !this.#conns.has(id)) {
			this.#conns.set(id, { out: "", poll: null });
			return response.end();
		}
		const conn = this.#conns.get(id);
		if (request.method === "GET") {
			conn.poll = response;
		} else {
			response.writeHead(request.method === "DELETE" ? 202 : 200).end();
			for (const text of body.split(SEPARATOR).filter(Boolean))
				conn.out += this.#answers(JSON.parse(text)).map((one) => JSON.stringify(one) + SEPARATOR).join("");
		}
		this.#flush(conn);
	}

	#answers(message) {
		if (message.protocol)
			return [{}];
		if (message.type !== 1)
			return [];
		this.isMute = message.target === "LeaveGroup";
		const completion = { type: 3, invocationId: message.invocationId, result: null };
		return this.isMute ? [completion, { type: 7, allowReconnect: true }] : [completion];
	}

	#flush(conn) {
		if (!conn.poll || !conn.out)
			return;
		conn.poll.writeHead(200, { "Content-Type": "application/octet-stream" }).end(conn.out);
		Object.assign(conn, { out: "", poll: null });
	}
}

// In a process of its own: one that is not let go on cannot tell that it is late.
test("a client that the server leaves hanging holds up nothing, and is named", async (t) => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-traffic-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const mute = new Mute();
	const url = await mute.start();
	t.after(() => mute.stop());
	const child = spawn(process.execPath, [path.join(__dirname, "traffic.js"), `--history=${path.join(folder, "history")}`,
		`--urls=${url}`, "--clients=1", "--groups=1", "--rate=0", "--churn=20", "--stateful_share=0", "--longpolling_share=1",
		"--messagepack_share=0", "--retry_ms=50", `--stop_ms=${STOP_MS}`], { stdio: "pipe" });
	t.after(() => child.kill("SIGKILL"));
	const said = { out: "", err: "" };
	child.stdout.on("data", (data) => { said.out += data; });
	child.stderr.on("data", (data) => { said.err += data; });
	const ended = new Promise((resolve) => child.on("exit", resolve));
	await waitFor(() => mute.isMute, WAIT_MS, "somebody to leave");
	child.stdin.write("stop\nclose\n");
	assert.equal(await within(ended, WAIT_MS, "the traffic's end"), 1);
	const quiet = JSON.parse(/^quiet (.*)$/m.exec(said.out)[1]);
	assert.equal(quiet.answered, false);
	assert.match(quiet.late.join(), /^t0 \(plain longpolling json, .*joins or begins again/);
	assert.match(said.err, /the end of all clients took over 1000 ms; late: t0 \(plain longpolling json, /);
	const lines = fs.readFileSync(path.join(folder, "history"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
	assert.equal(lines.at(-1)[0], "z", "the history is whole");
});

test("a lane whose message has no outcome is named", async () => {
	const member = {
		user: { userId: "ada" },
		invoke: (method) => (method === "JoinRoom" ? Promise.resolve() : new Promise(() => {})),
	};
	const traffic = new Traffic(new Map([["room", [member]]]), { stopMs: 50 });
	await traffic.start();
	await assert.rejects(traffic.stop(), /took over 50 ms; no outcome of ada:0 in room$/);
});
