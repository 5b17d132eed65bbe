// SPDX-License-Identifier: Apache-2.0
// A container's probes, asked as a kubelet does: from the node, again and again, with thresholds.
"use strict";

const http = require("node:http");
const net = require("node:net");

const DEFAULTS = { initialDelaySeconds: 0, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3, successThreshold: 1 };

// The number behind a port's name.
function portOf(container, port) {
	if (typeof port === "number")
		return port;
	const named = container.ports?.find(({ name }) => name === port);
	if (!named)
		throw new Error(`container ${container.name} has no port ${port}`);
	return named.containerPort;
}

function httpGet({ host, port, path = "/", httpHeaders = [] }, timeoutMs) {
	return new Promise((resolve) => {
		const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]));
		const request = http.get({ host, port, path, headers, agent: false, timeout: timeoutMs }, (response) => {
			response.resume();
			resolve(response.statusCode >= 200 && response.statusCode < 400);
		});
		request.on("timeout", () => request.destroy()).on("error", () => resolve(false));
	});
}

function tcpSocket({ host, port }, timeoutMs) {
	return new Promise((resolve) => {
		const socket = net.connect({ host, port, timeout: timeoutMs });
		const end = (isFine) => {
			socket.destroy();
			resolve(isFine);
		};
		socket.on("connect", () => end(true)).on("timeout", () => end(false)).on("error", () => end(false));
	});
}

class Probe {
	#timer = null;
	#isStopped = false;
	#right = 0; // in a row
	#wrong = 0;

	// exec(command, timeoutMs): whether it ended with 0. onResult(isFine): when a threshold is reached.
	constructor(spec, container, ip, { exec, onResult }) {
		this.spec = { ...DEFAULTS, ...spec };
		Object.assign(this, { container, ip, exec, onResult });
		this.#timer = setTimeout(() => this.#ask(), this.spec.initialDelaySeconds * 1000);
	}

	stop() {
		this.#isStopped = true;
		clearTimeout(this.#timer);
	}

	async #ask() {
		const isFine = await act(this.spec, this.container, this.ip, this.exec, this.spec.timeoutSeconds * 1000);
		if (this.#isStopped)
			return;
		this.#right = isFine ? this.#right + 1 : 0;
		this.#wrong = isFine ? 0 : this.#wrong + 1;
		this.#timer = setTimeout(() => this.#ask(), this.spec.periodSeconds * 1000);
		if (this.#right === this.spec.successThreshold || this.#wrong === this.spec.failureThreshold)
			this.onResult(isFine);
	}
}

// What probes and hooks do; true when it went well.
function act(what, container, ip, exec, timeoutMs) {
	if (what.httpGet) {
		const { port, host = ip } = what.httpGet;
		return httpGet({ ...what.httpGet, host, port: portOf(container, port) }, timeoutMs);
	}
	if (what.tcpSocket)
		return tcpSocket({ host: ip, port: portOf(container, what.tcpSocket.port) }, timeoutMs);
	if (what.exec)
		return exec(what.exec.command, timeoutMs);
	if (what.sleep)
		return new Promise((resolve) => setTimeout(resolve, what.sleep.seconds * 1000, true));
	throw new Error(`neither httpGet, tcpSocket, exec nor sleep: ${Object.keys(what).join()}`);
}

module.exports = { Probe, act, portOf };
