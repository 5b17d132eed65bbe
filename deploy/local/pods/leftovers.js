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
const TRIES = 50;
const STEP_MS = 100;

// Fields 3 and 22 of proc(5)'s stat; the second one may have blanks and brackets in it.
function processOf(pid) {
	const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
	const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
	return { state: fields[0], start: fields[19] };
}

// Whose numbers a pid is one of.
const space = () => fs.readlinkSync("/proc/self/ns/pid");

function lives({ pid, start }) {
	try {
		const found = processOf(pid);
		return found.start === start && found.state !== "Z"; // dead, but nobody has asked how it ended
	} catch {
		return false;
	}
}

// A new folder for a cluster of this process; `name` is that of its control groups.
function makeFolder(name, place = os.tmpdir()) {
	const folder = fs.mkdtempSync(path.join(place, PREFIX));
	const owner = { name, pid: process.pid, start: processOf(process.pid).start, space: space() };
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

// The last of its processes may be on their way out still.
async function removeAllCgroups(name) {
	for (let i = 0; i < TRIES; i++) {
		if (removeCgroups(name))
			return true;
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
	return false;
}

// Takes away what is of clusters whose process is no more: their folders, as a list. The folder goes last: without
// it nobody would look for the rest again.
async function sweep(place = os.tmpdir()) {
	const swept = [];
	for (const entry of fs.readdirSync(place).filter((one) => one.startsWith(PREFIX))) {
		const folder = path.join(place, entry);
		const owner = ownerOf(folder);
		// Of processes in another space nothing is known here.
		if (!owner || owner.space !== space() || lives(owner) || !await removeAllCgroups(owner.name))
			continue;
		fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
		swept.push(folder);
	}
	return swept;
}

module.exports = { makeFolder, sweep };
