// SPDX-License-Identifier: Apache-2.0
// The network of the pods: each has a namespace with one interface and an address of its own, all on
// one bridge. What is at the bridge (probes, DNS, the edge) is the node to them.
"use strict";

const { tool } = require("./world.js");

const NETWORK = "10.244.0";
const BITS = 24;
const NODE = `${NETWORK}.1`;
const [FIRST, LAST] = [10, 250];

class Net {
	#addresses = new Map(); // pod -> its last number
	#next = FIRST;
	#count = 0; // of interfaces so far: their names are short

	// run: world.js's tool(), or what is in its place.
	constructor(run = tool) {
		this.run = run;
	}

	async start() {
		await this.run("ip", ["-batch", "-"], { input: `link add br0 type bridge\naddr add ${NODE}/${BITS} dev br0\nlink set br0 up\n` });
	}

	// Resolves with the pod's address, or leaves nothing of it. One that was another pod's is not used again for long.
	async add(name) {
		try {
			return await this.#add(name);
		} catch (error) {
			await this.remove(name).catch(() => {}); // it may not have come to be
			throw error;
		}
	}

	async #add(name) {
		const number = this.#free();
		this.#addresses.set(name, number);
		const link = `v${++this.#count}`;
		const ip = `${NETWORK}.${number}`;
		await this.run("ip", ["netns", "add", name]);
		await this.run("ip", ["-batch", "-"], { input: `link add ${link} type veth peer name eth0 netns ${name}
link set ${link} master br0 up\n` });
		await this.run("ip", ["-n", name, "-batch", "-"], { input: `link set lo up\nlink set eth0 up\naddr add ${ip}/${BITS} dev eth0
route add default via ${NODE}\n` });
		return ip;
	}

	async remove(name) {
		this.#addresses.delete(name);
		await this.run("ip", ["netns", "delete", name]);
	}

	#free() {
		const used = new Set(this.#addresses.values());
		for (let i = FIRST; i <= LAST; i++) {
			const number = this.#next;
			this.#next = number === LAST ? FIRST : number + 1;
			if (!used.has(number))
				return number;
		}
		throw new Error(`no address is free for more than ${LAST - FIRST + 1} pods`);
	}
}

const namespaceOf = (pod) => `/run/netns/${pod}`;

module.exports = { Net, NODE, namespaceOf };
