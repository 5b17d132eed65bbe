// SPDX-License-Identifier: Apache-2.0
// Several workers behind one port: the kernel deals out the connections, and no client may
// notice that its WebSocket lands elsewhere than its negotiation did.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, sayMany, assertComplete } = require("../kit/chat.js");
const { openApi } = require("../kit/openapi.js");
const { Program } = require("../kit/program.js");
const { pause, waitFor, within } = require("../kit/wait.js");

const WORKERS = 3;

describe("workers on one port", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { workers: WORKERS, routers: 2 });

	test("any worker takes the WebSocket of any negotiation", async (t) => {
		const clients = await Promise.all(Array.from({ length: 24 }, () => connect(t, cluster().urls[0])));
		assert.equal(new Set(clients.map((client) => client.id)).size, 24);
	});

	test("members on all workers get each message once and in order", async (t) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 12 }, () => connect(t, cluster().urls[0])));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(0, 3);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 300, "all messages");
			assertComplete(member, room, senders, 100);
		}
	});

	test("a worker that dies is replaced, and its clients come back", async (t) => {
		const room = freshRoom();
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const clients = await Promise.all(Array.from({ length: 12 }, () =>
			connect(t, cluster().urls[0], { reconnect })));
		process.kill(Number(cluster().program("g1").workers[0].pid), "SIGKILL");
		await waitFor(() => clients.some((client) => client.states.includes("reconnected")), 15000,
			"a client to come back");
		await waitFor(() => clients.every((client) => client.connection.state === "Connected"), 15000,
			"all clients to be connected");
		await Promise.all(clients.map((client) => client.invoke("JoinRoom", room)));
		await clients[0].invoke("SendMessage", room, "all here?");
		await Promise.all(clients.map((client) => client.untilText(room, "all here?")));
		await waitFor(() => cluster().program("g1").workers.length === WORKERS + 1, 15000, "a new worker");
	});
});

// The gateway g2, with the arguments of g1 and these; those of its own win; `--option=-`: none.
function another(cluster, more) {
	const args = new Map([...cluster.program("g1").args, "--name=g2", "--listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0", ...more]
		.map((arg) => [arg.split("=")[0], arg]));
	return new Program("gateway", "g2", [...args.values()].filter((arg) => !arg.endsWith("=-")));
}

test("a second gateway with workers on one port is refused, and takes no client", async (t) => {
	await withCluster({ workers: 2 }, async (cluster) => {
		const [address] = cluster.addresses;
		for (const listen of [address, address.replace("127.0.0.1", "0.0.0.0")]) {
			const second = another(cluster, ["--workers=2", "--dev=off", `--listen=${listen}`]);
			await assert.rejects(second.start(), /ended before it was ready: {"code":1,"signal":null}/);
			assert.match(second.tail(), /listen = [0-9.:]+: Address already in use/);
			assert.equal(second.workers.length, 0);
		}
		await Promise.all(Array.from({ length: 8 }, () => connect(t, cluster.urls[0])));
	});
});

// Its workers drain, and listen for a little while yet; what they had accepted is in nobody's way.
test("a gateway with workers whose supervisor was killed is started again on its port", async (t) => {
	await withCluster({ workers: 2 }, async (cluster) => {
		await Promise.all(Array.from({ length: 8 }, () => connect(t, cluster.urls[0])));
		await cluster.kill("g1");
		await waitFor(() => cluster.restart("g1").then(() => true, () => false), 15000, "a start that is not refused");
		await connect(t, cluster.urls[0]);
	});
});

// Does `pid` hold back SIGHUP by now?
function holdsHup(pid) {
	const [, mask] = /^SigBlk:\t([0-9a-f]+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
	return (BigInt(`0x${mask}`) & 1n) === 1n;
}

// As `systemctl reload` right after a start; the rest of the start has many moments.
test("a reload while workers start ends none of them", async () => {
	await withCluster({ routers: 1 }, async (cluster) => {
		const gateway = another(cluster, ["--workers=8"]);
		let isOver = false;
		const started = gateway.start().finally(() => {
			isOver = true;
		});
		const reloads = (async () => {
			await waitFor(() => isOver || holdsHup(gateway.child.pid), 15000, "a program that knows of SIGHUP");
			while (!isOver) {
				process.kill(gateway.child.pid, "SIGHUP");
				await pause(1);
			}
		})();
		await started;
		await reloads;
		assert.equal(gateway.workers.length, 8);
		assert.equal(gateway.log.filter((line) => line.includes("event=workers.lost")).length, 0);
		await gateway.stop();
	});
});

async function ended(gateway) {
	assert.deepEqual(await within(gateway.ended, 15000, "the end"), { code: 0, signal: null });
	assert.equal(gateway.workers.length, WORKERS, "no worker was started again");
	assert.equal(gateway.log.filter((line) => line.includes("event=proc.draining")).length, WORKERS);
	assert.equal(gateway.log.filter((line) => line.includes("event=proc.forced_exit")).length, 0);
}

test("a drain of any worker, or of several, is one of the whole gateway", async (t) => {
	await withCluster({ workers: WORKERS }, async (cluster) => {
		const api = await openApi(cluster);
		const client = await connect(t, cluster.urls[0]);
		const gateway = cluster.program("g1");
		gateway.wasKilled = true; // it is to end
		await waitFor(async () => (await api.ok("listProcesses")).processes
			.filter(({ role }) => role === "gateway").length === WORKERS, 10000, "presence to know all workers");

		const drain = (name) => api.call("drainGateway", { params: { gateway: name } });
		const answers = await Promise.all(["g1.1", "g1.0", "g1.1"].map(drain));
		assert.ok(answers.some(({ status }) => status === 200 || status === 202), JSON.stringify(answers));

		await client.until(() => client.states.includes("closed"), "the client to be sent away");
		await ended(gateway);
	});
});

test("workers that ask their supervisor at once to drain are heard once", async () => {
	await withCluster({ workers: WORKERS }, async (cluster) => {
		const gateway = cluster.program("g1");
		gateway.wasKilled = true; // it is to end
		process.kill(gateway.pid, "SIGUSR1");
		process.kill(gateway.pid, "SIGUSR1");
		await ended(gateway);
	});
});

// A gateway with a worker that stands still; it is told to end.
async function withStopped(args, fn) {
	await withCluster({ routers: 1 }, async (cluster) => {
		const gateway = another(cluster, ["--workers=2", ...args]);
		await gateway.start();
		try {
			process.kill(Number(gateway.workers[1].pid), "SIGSTOP");
			await fn(gateway);
		} finally {
			for (const { pid } of gateway.exit ? [] : [...gateway.workers, gateway])
				process.kill(Number(pid), "SIGKILL");
		}
	});
}

// How long after the first signal each that was killed was; `gateway` has ended.
async function killed(gateway) {
	await waitFor(() => gateway.log.some((line) => line.includes("event=workers.stopped")), 5000, "the log's end");
	return gateway.log.map((line) => /event=workers\.killed node=g2 worker=[01] after_ms=([0-9]+)/.exec(line)).filter(Boolean)
		.map(([, afterMs]) => Number(afterMs));
}

test("a worker that stands still is killed soon after drain_timeout", async () => {
	await withStopped(["--drain_timeout=1s"], async (gateway) => {
		gateway.signal("SIGTERM");
		assert.deepEqual(await within(gateway.ended, 10000, "the end"), { code: 0, signal: null });
		const [afterMs, ...others] = await killed(gateway);
		assert.deepEqual(others, []);
		assert.ok(afterMs >= 3000, `killed after ${afterMs} ms`);
	});
});

test("a worker that stands still is killed soon after a second signal", async () => {
	await withStopped(["--drain_timeout=10m"], async (gateway) => {
		gateway.signal("SIGTERM");
		await waitFor(() => gateway.log.some((line) => line.includes("event=proc.draining")), 10000, "the drain to begin");
		gateway.signal("SIGTERM");
		assert.deepEqual(await within(gateway.ended, 10000, "the end"), { code: 1, signal: null });
		assert.equal((await killed(gateway)).length, 1);
	});
});

// Workers look at the file by themselves, their supervisor when it has them drain.
test("the drain_timeout of workers is what the file says when they are told to end", async (t) => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const file = path.join(folder, "gateway.conf");
	fs.writeFileSync(file, "drain_timeout = 0s\n");
	await withStopped([`--conf=${file}`, "--drain_timeout=-", "--reload_interval=1s"], async (gateway) => {
		fs.writeFileSync(file, "drain_timeout = 2s\n");
		gateway.signal("SIGTERM");
		assert.equal((await within(gateway.ended, 10000, "the end")).code, 0);
		const [afterMs] = await killed(gateway);
		assert.ok(afterMs >= 4000, `killed after ${afterMs} ms`);
	});
});
