// SPDX-License-Identifier: Apache-2.0
// heliograph-hubgen as authors of hubs use it: what it says of a file that is wrong, and what the
// compiler says of C that does not fit the file.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT } = require("../kit/program.js");

const BUILD = process.env.HELIOGRAPH_BUILD || path.join(ROOT, "build/release");

const POLL = `
// poll: whoever votes tells the room.
hub poll;
type Vote { room: string; choice: "tea" | "coffee"; weight?: int; }
client {
	Voted(vote: Vote);
	Sure(question: string): bool;
}
server {
	Cast(vote: Vote): int;
	Watch(room: string): stream Vote;
	Count(votes: stream Vote);
}
`;

const HUB = `
#include "poll.gen.h"

static enum hub_rc poll_on_cast(struct hub_call *call, const struct poll_vote *vote, int64_t *result)
{
	bool is_sure;
	enum hub_rc rc = poll_await_sure(call, hub_connection_id(call), SLICE("Sure?"), 0, &is_sure);

	if (rc != HUB_OK)
		return rc;
	poll_voted(call, hub_to_group(vote->room), vote);
	*result = vote->has_weight && is_sure ? vote->weight : 1;
	return HUB_OK;
}

static enum hub_rc poll_on_watch(struct hub_call *call, struct slice room)
{
	const struct poll_vote vote = { .room = room, .choice = POLL_CHOICE_TEA };

	return poll_await_watch_item(call, &vote);
}

static enum hub_rc poll_on_count(struct hub_call *call)
{
	struct poll_vote vote;

	return poll_await_count_votes(call, &vote);
}

const struct hub_module poll_hub = {
	.api_version = HUB_API_VERSION,
	.name = "poll",
	.methods = poll_methods,
	.methods_n = sizeof(poll_methods) / sizeof(poll_methods[0]),
};

HUB_EXPORT(&poll_hub);
`;

function folder(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-hubgen-"));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	return dir;
}

// Runs to the end: {status, stdout, stderr}.
function run(program, args, options = {}) {
	const done = spawnSync(program, args, { encoding: "utf8", timeout: 60000, ...options });
	assert.ifError(done.error);
	return done;
}

function hubgen(dir, ...args) {
	return run(path.join(BUILD, "heliograph-hubgen"), args, { cwd: dir });
}

// The file `name` in the folder with that text, through the generator.
function generate(t, text, ...args) {
	const dir = folder(t);
	fs.writeFileSync(path.join(dir, "poll.hub"), text);
	return { dir, ...hubgen(dir, ...args, "poll.hub") };
}

// What the compiler says of a hub.c beside poll.gen.h.
function compile(t, hub, options = ["-Werror"], poll = POLL) {
	const { dir, status, stderr } = generate(t, poll, "--c=poll.gen.h");
	assert.equal(status, 0, stderr);
	fs.writeFileSync(path.join(dir, "hub.c"), hub);
	return run(process.env.CC || "gcc", ["-std=gnu11", "-Wall", "-Wextra", ...options, `-I${ROOT}`, `-I${dir}`,
		"-c", "-o", path.join(dir, "hub.o"), path.join(dir, "hub.c")]);
}

describe("the generator", () => {
	test("checks a file, and writes what it is asked for", (t) => {
		assert.deepEqual(generate(t, POLL).stdout, "");
		const { dir, status, stderr } = generate(t, POLL, "--c=a.h", "--ts=a.ts");
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(fs.readFileSync(path.join(dir, "a.h"), "utf8"), /^\/\* Made from poll\.hub by heliograph-hubgen/);
		assert.match(fs.readFileSync(path.join(dir, "a.ts"), "utf8"), /export interface PollServer \{/);
		assert.equal(hubgen(dir, "--ts=-", "poll.hub").stdout, fs.readFileSync(path.join(dir, "a.ts"), "utf8"));
	});

	test("makes the same of the same", (t) => {
		assert.equal(generate(t, POLL, "--c=-").stdout, generate(t, POLL, "--c=-").stdout);
	});

	test("names the line of what is wrong, and writes nothing", (t) => {
		const { dir, status, stdout, stderr } = generate(t, POLL.replace("vote: Vote", "vote: Vot"), "--c=a.h");
		assert.deepEqual([status, stdout, stderr], [1, "", "poll.hub:6: type Vot is not declared (Vote?)\n"]);
		assert.equal(fs.existsSync(path.join(dir, "a.h")), false);
	});

	test("says when a file cannot be read or written", (t) => {
		const dir = folder(t);
		assert.deepEqual(hubgen(dir, "none.hub").stderr, "heliograph-hubgen: none.hub: No such file or directory\n");
		assert.deepEqual(hubgen(dir, "none.hub").status, 1);
		fs.writeFileSync(path.join(dir, "poll.hub"), POLL);
		const { status, stderr } = hubgen(dir, "--c=no/where.h", "poll.hub");
		assert.deepEqual([status, stderr], [1, "heliograph-hubgen: no/where.h: No such file or directory\n"]);
	});

	test("has a help and a version, and wants one file", (t) => {
		const dir = folder(t);
		assert.match(hubgen(dir, "--help").stdout, /^usage: heliograph-hubgen /);
		assert.match(hubgen(dir, "--version").stdout, /^heliograph-hubgen \d/);
		for (const args of [[], ["a.hub", "b.hub"], ["--nope", "a.hub"]]) {
			const { status, stdout, stderr } = hubgen(dir, ...args);
			assert.deepEqual([status, stdout], [1, ""]);
			assert.match(stderr, /usage: heliograph-hubgen /);
		}
	});
});

describe("a hub that is written against its file", () => {
	test("compiles without a warning", (t) => {
		const { status, stderr } = compile(t, HUB, ["-Werror", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wcast-qual"]);
		assert.deepEqual([status, stderr], [0, ""]);
	});

	test("may have further files that want the types alone", (t) => {
		const { status, stderr } = compile(t, `
			#define POLL_TYPES_ONLY
			#include "poll.gen.h"
			void tell(struct hub_call *call, const struct poll_vote *vote);
			void tell(struct hub_call *call, const struct poll_vote *vote) { poll_voted(call, hub_to_all(), vote); }`);
		assert.deepEqual([status, stderr], [0, ""]);
	});

	test("is explained by an example that works", (t) => {
		const manual = fs.readFileSync(path.join(ROOT, "docs/HUBS.md"), "utf8");
		const section = manual.slice(manual.indexOf("\n## Typed clients"));
		const [poll, hub] = [/^```\n([^]*?)^```$/m, /^```c\n([^]*?)^```$/m].map((block) => block.exec(section)[1]);
		const { status, stderr } = compile(t, hub, ["-Werror"], poll);
		assert.deepEqual([status, stderr], [0, ""]);
	});

	const wrong = [
		["a method is missing", HUB.replace(/static enum hub_rc poll_on_watch[^}]*}[^}]*}/, ""),
			/'poll_on_watch' used but never defined|poll_on_watch' has internal linkage but is not defined/],
		["a method has another name", HUB.replace("poll_on_count(", "poll_on_counts("), /poll_on_count/],
		["a method lacks an argument", HUB.replace("const struct poll_vote *vote, int64_t *result", "int64_t *result"),
			/conflicting types for 'poll_on_cast'/],
		["a method has an argument of another type", HUB.replace("struct slice room)", "const char *room)"),
			/conflicting types for 'poll_on_watch'/],
		["a method has another result", HUB.replace("int64_t *result", "double *result"),
			/conflicting types for 'poll_on_cast'/],
		["an event gets something else", HUB.replace("vote->room), vote)", "vote->room), vote->room)"),
			/incompatible type for argument 3 of 'poll_voted'|passing 'const struct slice' to parameter of incompatible type/],
		["an event lacks an argument", HUB.replace("vote->room), vote)", "vote->room))"),
			/too few arguments to function/],
		["an event goes to a text", HUB.replace("hub_to_group(vote->room)", "vote->room"),
			/incompatible type for argument 2|to parameter of incompatible type 'struct hub_to'/],
		["there is no such event", HUB.replace("poll_voted(", "poll_votes("), /implicit declaration of function 'poll_votes'/],
		["there is no such member", HUB.replace("vote->weight ", "vote->height "), /no member named '?height/],
		["there is no such text to choose", HUB.replace("POLL_CHOICE_TEA", "POLL_CHOICE_MILK"), /POLL_CHOICE_MILK/],
		["an answer is taken for something else", HUB.replace("bool is_sure;", "struct slice is_sure;"),
			/incompatible pointer type|incompatible pointer types|used where arithmetic/],
		["an item is something else", HUB.replace("poll_await_watch_item(call, &vote)", "poll_await_watch_item(call, &room)"),
			/incompatible pointer type/],
		["an item is put into something else", HUB.replace("struct poll_vote vote;", "struct slice vote;"),
			/incompatible pointer type/],
	];
	for (const [name, hub, text] of wrong)
		test(`does not compile when ${name}`, (t) => {
			assert.notEqual(hub, HUB);
			const { status, stderr } = compile(t, hub);
			assert.notEqual(status, 0);
			assert.match(stderr.replace(/[\u2018\u2019]/g, "'"), text);
		});
});
