// SPDX-License-Identifier: Apache-2.0
// A Prometheus of a test's own: in a folder of its own, on a port that the kernel chose,
// scraping what it is told to with the rules of deploy/monitoring. Owns its process.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { waitFor } = require("../../kit/wait.js");

const MONITORING = path.resolve(__dirname, "../../../deploy/monitoring");
const READY_MS = 60000;
const ANSWER_MS = 20000;
const STARTS_MAX = 5;

const running = new Set();
process.on("exit", () => {
	for (const child of running)
		child.kill("SIGKILL");
});

// promtool's exit status and words.
function promtool(...args) {
	const { error, status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
	if (error)
		throw new Error(`promtool does not run (deploy/deps.sh test installs it): ${error.message}`);
	return { status, said: `${stdout}${stderr}` };
}

function freePort() {
	return new Promise((resolve, reject) => {
		const listener = net.createServer();
		listener.on("error", reject);
		listener.listen(0, "127.0.0.1", () => {
			const { port } = listener.address();
			listener.close(() => resolve(port));
		});
	});
}

class Prometheus {
	// `jobs`: name -> [[instance, address]]
	constructor(jobs) {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-prometheus-"));
		this.log = "";
		const config = {
			global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
			rule_files: [path.join(MONITORING, "rules.yaml")],
			scrape_configs: Object.entries(jobs).map(([name, targets]) => ({
				job_name: name,
				static_configs: targets.map(([instance, address]) => ({ targets: [address], labels: { cluster: "test", instance } })),
			})),
		};
		// JSON is YAML.
		fs.writeFileSync(path.join(this.folder, "prometheus.yml"), JSON.stringify(config));
	}

	// Again with another port when somebody was quicker to take the one that was free.
	async start() {
		for (let i = 1; ; i++) {
			const port = await freePort();
			this.address = `127.0.0.1:${port}`;
			const child = spawn("prometheus", [`--config.file=${path.join(this.folder, "prometheus.yml")}`,
				`--storage.tsdb.path=${path.join(this.folder, "data")}`, `--web.listen-address=${this.address}`, "--log.level=warn"],
			{ stdio: ["ignore", "ignore", "pipe"] });
			let failed = null;
			this.child = child;
			running.add(child);
			child.stderr.on("data", (text) => { this.log = (this.log + text).slice(-20000); });
			this.ended = new Promise((resolve) => {
				const end = (why) => {
					failed = why;
					running.delete(child);
					resolve();
				};
				child.on("error", (error) => end(error.message));
				child.on("exit", (code, signal) => end(`exit ${code} ${signal}`));
			});
			await waitFor(async () => failed || (await fetch(`http://${this.address}/-/ready`)).ok, READY_MS, "Prometheus");
			if (!failed)
				return;
			if (i === STARTS_MAX)
				throw new Error(`prometheus ended: ${failed}\n${this.log}`);
		}
	}

	async stop() {
		this.child.kill("SIGKILL");
		await this.ended;
		fs.rmSync(this.folder, { recursive: true, force: true });
	}

	async ask(what) {
		const response = await fetch(`http://${this.address}/api/v1/${what}`, { signal: AbortSignal.timeout(ANSWER_MS) });
		const answer = await response.json();
		if (answer.status !== "success")
			throw new Error(`${what}: ${answer.error}`);
		return answer.data;
	}

	// [{metric, value: number}] of now.
	async query(expr) {
		const { result } = await this.ask(`query?query=${encodeURIComponent(expr)}`);
		return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
	}

	async rules() {
		return (await this.ask("rules")).groups.flatMap((group) => group.rules);
	}

	// Pending or firing now: "HeliographDown g2".
	async alerts() {
		return (await this.ask("alerts")).alerts.map(({ labels }) =>
			[labels.alertname, labels.instance].filter(Boolean).join(" "));
	}
}

module.exports = { MONITORING, Prometheus, promtool };
