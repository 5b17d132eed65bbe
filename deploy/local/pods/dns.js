// SPDX-License-Identifier: Apache-2.0
// The cluster's DNS: Services and pods by the names that they have in a cluster. Answers A questions;
// for others the name has nothing.
//
//	<pod>.<service>.<namespace>.svc.cluster.local    a pod of a headless Service
//	<service>.<namespace>.svc.cluster.local          all pods of it, in an order by chance
//
// A Service with an address of its own is answered likewise, with the pods that are ready: nobody
// plays kube-proxy here.
"use strict";

const dgram = require("node:dgram");

const DOMAIN = "svc.cluster.local";
const TTL_S = 1;
const HEAD_BYTES = 12;
const LABEL_BYTES_MAX = 63;
const [TYPE_A, CLASS_IN] = [1, 1];
const [NO_ERROR, NO_SUCH_NAME, REFUSED] = [0, 3, 5];
const FLAGS = 0x8580; // an answer, by who has the authority, who would also ask others
const NAME_OF_QUESTION = 0xc000 | HEAD_BYTES;

// {name, type, end} of the first question, or null.
function question(packet) {
	if (packet.length < HEAD_BYTES || packet.readUInt16BE(4) !== 1 || packet[2] & 0x80)
		return null;
	const labels = [];
	let at = HEAD_BYTES;
	for (let length; (length = packet[at]) !== 0; at += 1 + length) {
		if (length === undefined || length > LABEL_BYTES_MAX || at + 1 + length >= packet.length)
			return null;
		labels.push(packet.toString("latin1", at + 1, at + 1 + length).toLowerCase());
	}
	if (at + 5 > packet.length)
		return null;
	return { name: labels.join("."), type: packet.readUInt16BE(at + 1), end: at + 5 };
}

// ask(name): addresses, or null for a name that there is not; undefined: none of ours.
function answer(packet, ask) {
	const asked = question(packet);
	if (!asked)
		return null;
	const found = ask(asked.name);
	const rows = asked.type === TYPE_A ? found ?? [] : [];
	const head = Buffer.from(packet.subarray(0, asked.end));
	head.writeUInt16BE(FLAGS | (found === undefined ? REFUSED : found === null ? NO_SUCH_NAME : NO_ERROR), 2);
	head.writeUInt16BE(rows.length, 6);
	head.writeUInt32BE(0, 8);
	return Buffer.concat([head, ...rows.map((ip) => {
		const row = Buffer.alloc(16);
		row.writeUInt16BE(NAME_OF_QUESTION, 0);
		row.writeUInt16BE(TYPE_A, 2);
		row.writeUInt16BE(CLASS_IN, 4);
		row.writeUInt32BE(TTL_S, 6);
		row.writeUInt16BE(4, 10);
		Buffer.from(ip.split(".").map(Number)).copy(row, 12);
		return row;
	})]);
}

function shuffled(list) {
	const all = [...list];
	for (let i = all.length - 1; i > 0; i--) {
		const k = Math.floor(Math.random() * (i + 1));
		[all[i], all[k]] = [all[k], all[i]];
	}
	return all;
}

class Dns {
	// endpoints(service, namespace): [{name, ip}] of its pods that are to be found, or null.
	constructor(endpoints) {
		this.endpoints = endpoints;
	}

	async start(address) {
		this.socket = dgram.createSocket("udp4");
		this.socket.on("message", (packet, from) => {
			const said = answer(packet, (name) => this.lookup(name));
			if (said)
				this.socket.send(said, from.port, from.address);
		});
		await new Promise((resolve, reject) => this.socket.once("error", reject).bind(53, address, resolve));
		this.socket.removeAllListeners("error").on("error", () => {}); // a pod that has gone
	}

	lookup(name) {
		if (!name.endsWith(`.${DOMAIN}`))
			return name.endsWith("cluster.local") ? null : undefined;
		const [namespace, service, pod, more] = name.slice(0, -DOMAIN.length - 1).split(".").reverse();
		const pods = more === undefined && service ? this.endpoints(service, namespace) : null;
		if (!pods)
			return null;
		const found = pod ? pods.filter((one) => one.name === pod) : pods;
		return found.length > 0 ? shuffled(found.map(({ ip }) => ip)) : null;
	}

	stop() {
		this.socket?.close();
	}
}

// What pods have as /etc/resolv.conf.
function resolvConf(address, namespace) {
	return `nameserver ${address}\nsearch ${namespace}.${DOMAIN} ${DOMAIN} cluster.local\noptions ndots:5\n`;
}

module.exports = { Dns, DOMAIN, answer, resolvConf };
