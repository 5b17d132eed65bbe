// SPDX-License-Identifier: Apache-2.0
// What a cluster leaves on the machine when it is killed before it could tidy up. Its processes, mounts and
// networks end with its world; a folder, with copies of its secrets, and empty control groups stay. Each cluster
// writes down who it is, and each start takes away what is of those that are no more.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { removeCgroups } = require("./world.js");

const PREFIX = "heliograph-cluster.";
const OWNER = "owner.json";
const NAME = /^heliograph-[0-9a-f-]+$/;

// Field 22 of proc(5)'s stat; the second one may have blanks and brackets in it.
function startOf(pid) {
	const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
	return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

// Whose numbers a pid is one of.
const space = () => fs.readlinkSync("/proc/self/ns/pid");

function lives({ pid, start }) {
	try {
		return startOf(pid) === start;
	} catch {
		return false;
	}
}

// A new folder for a cluster of this process; `name` is that of its control groups.
function makeFolder(name, place = os.tmpdir()) {
	const folder = fs.mkdtempSync(path.join(place, PREFIX));
	const owner = { name, pid: process.pid, start: startOf(process.pid), space: space() };
	fs.writeFileSync(path.join(folder, OWNER), JSON.stringify(owner));
	return folder;
}

// Null: it is just beginning or ending, or another user's, whose word does not count.
function ownerOf(folder) {
	try {
		if (fs.lstatSync(folder).uid !== process.getuid())
			return null;
		const owner = JSON.parse(fs.readFileSync(path.join(folder, OWNER), "utf8"));
		return NAME.test(owner.name) ? owner : null;
	} catch {
		return null;
	}
}

// Takes away what is of clusters whose process is no more: their folders, as a list.
function sweep(place = os.tmpdir()) {
	const swept = [];
	for (const entry of fs.readdirSync(place).filter((one) => one.startsWith(PREFIX))) {
		const folder = path.join(place, entry);
		const owner = ownerOf(folder);
		// Of processes in another space nothing is known here.
		if (!owner || owner.space !== space() || lives(owner))
			continue;
		removeCgroups(owner.name);
		fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
		swept.push(folder);
	}
	return swept;
}

module.exports = { makeFolder, sweep };
