// SPDX-License-Identifier: Apache-2.0
// What `make install` gives the authors of hubs, used from outside the tree: the example of
// docs/examples/poll is copied from there, built, tested and called, and files that do not fit are refused.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { ROOT, buildFolder } = require("../kit/program.js");

const SDK = path.join(buildFolder(), "sdk");

// As an author's shell would have it, not the make that runs the tests.
const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...ENV } = process.env;
ENV.PKG_CONFIG_PATH = path.join(SDK, "lib/pkgconfig");

function run(cwd, command, ...args) {
	const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: ENV, encoding: "utf8" });
	return { status, stdout, stderr };
}

function mustRun(cwd, command, ...args) {
	const done = run(cwd, command, ...args);
	assert.equal(done.status, 0, `${command} ${args.join(" ")}: ${done.stdout}${done.stderr}`);
	return done.stdout.trim();
}

const variable = (name) => mustRun(ROOT, "pkg-config", `--variable=${name}`, "heliograph-hub");

// Of all that a hub may call, as its headers declare it: not what is defined in them.
function declared() {
	const folder = path.join(SDK, "include/heliograph/router");
	const names = new Set();
	for (const header of fs.readdirSync(folder)) {
		const text = fs.readFileSync(path.join(folder, header), "utf8")
			.replace(/\/\*[^]*?\*\//g, "").replace(/^#.*(?:\\\n.*)*$/gm, "").replace(/\{[^{}]*\}/g, "{}");
		for (const [, name] of text.matchAll(/^(?!static|typedef)[a-z][^;{}()]*?\b(hub_\w+)\([^;{}]*;/gm))
			names.add(name);
	}
	return [...names];
}

describe("hubs outside the tree", () => {
	let folder;
	let poll;
	before(() => {
		folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		poll = path.join(folder, "poll");
		fs.cpSync(path.join(SDK, "share/doc/heliograph/examples/poll"), poll, { recursive: true });
		fs.writeFileSync(path.join(folder, "empty.txt"), "connect c1\n");
		mustRun(poll, "make", "clean");
		mustRun(poll, "make", "CFLAGS=-O1 -Wall -Wextra -Wpedantic -Werror");
	});
	after(() => fs.rmSync(folder, { recursive: true }));

	// A module of that source behind the API's header.
	function build(name, source) {
		fs.writeFileSync(path.join(folder, `${name}.c`), `#include "router/hub.h"\n${source}\n`);
		mustRun(folder, "sh", "-c", `\${CC:-cc} -std=gnu11 -Wall -Werror -shared -fPIC $(pkg-config --cflags heliograph-hub) ` +
			`-o ${name}.so ${name}.c`);
		return path.join(folder, `${name}.so`);
	}

	const hub = (name, functions = "") => `${functions}
		static const struct hub_module ${name}_hub = { .api_version = HUB_API_VERSION, .name = "${name}" };`;

	test("the example passes its own test", () => {
		assert.match(mustRun(poll, "make", "test"), /poll\.txt: \d+ steps as expected$/);
	});

	test("the example installs its file where packages put theirs", () => {
		const root = path.join(folder, "root");
		mustRun(poll, "make", "install", `DESTDIR=${root}`);
		assert.ok(fs.existsSync(path.join(root, variable("moduledir"), "poll.so")));
	});

	test("every function of the headers is there in a router", async (t) => {
		const names = declared();
		assert.ok(names.length > 60 && names.includes("hub_send") && names.includes("hub_await_fields"), names.join(" "));
		const all = build("all", hub("all", `void *const hub_functions[] = {\n${names.map((name) => `(void *)${name},\n`).join("")}};`) +
			"\nHUB_EXPORT(&all_hub);");
		assert.equal(mustRun(folder, variable("hubtest"), `--hub_module=${all}`, "empty.txt"), "empty.txt: 1 step as expected");

		await withCluster({
			routers: 2,
			gatewayArgs: ["--hubs=poll,all"],
			routerArgs: ["--hubs=poll,all", `--hub_module=${path.join(poll, "poll.so")},${all}`],
		}, async (cluster) => {
			const options = { hub: "poll", events: ["Voted"] };
			const ann = await connect(t, cluster.urls[0], options);
			const bob = await connect(t, cluster.urls[0], options);
			assert.deepEqual(await ann.invoke("Join", "lobby"), { version: 0, tallies: [] });
			const count = await bob.invoke("Vote", "lobby", "tea");
			assert.deepEqual(count.tallies, [{ choice: "tea", votes: 1 }]);
			await ann.until(() => ann.events.length === 1, "the vote");
			assert.deepEqual(ann.events[0], { event: "Voted", args: ["lobby", count] });
			const second = await ann.invoke("Vote", "lobby", "coffee");
			assert.deepEqual(second.tallies, [{ choice: "tea", votes: 1 }, { choice: "coffee", votes: 1 }]);
			assert.ok(second.version > count.version);
			await assert.rejects(ann.invoke("Vote", "lobby", ""), /A choice has 1 to 100 bytes\.$/);
		});
	});

	test("what a hub asks Redis is answered by the scenario", () => {
		const file = build("asker", `
			static enum hub_rc tell(struct hub_call *call, enum hub_rc rc, const struct value *reply)
			{
				if (rc == HUB_FAILED)
					return hub_fail(call, "%.*s", SLICE_FMT(hub_redis_error(call)));
				if (rc == HUB_OK)
					hub_return(call, hub_copy(call, reply));
				return rc;
			}
			static enum hub_rc get(struct hub_call *call)
			{
				const struct slice words[] = { SLICE("GET"), hub_arg_string(call, 0) };
				const struct value *reply;
				const enum hub_rc rc = hub_await_redis(call, words, 2, &reply);
				return tell(call, rc, reply);
			}
			static enum hub_rc tally(struct hub_call *call)
			{
				const struct slice key = hub_arg_string(call, 0), arg = SLICE("5");
				const struct hub_script_args args = { &key, 1, &arg, 1 };
				const struct value *reply;
				const enum hub_rc rc = hub_await_script(call, 0, &args, &reply);
				return tell(call, rc, reply);
			}
			static const struct hub_method methods[] = { { "Get", get, "s" }, { "Tally", tally, "s" } };
			static const struct hub_script scripts[] = { { "tally", "return 1" } };
			static const struct hub_module asker = { .api_version = HUB_API_VERSION, .name = "asker", .methods = methods,
				.methods_n = 2, .scripts = scripts, .scripts_n = 1 };
			HUB_EXPORT(&asker);`);
		const failed = (method, why = "") => `  c1 ${method} failed An unexpected error occurred invoking '${method}' on the server.${why}`;
		const scenario = [
			"connect c1", 'c1 invoke Get "k"', failed("Get"),
			"redis on", 'c1 invoke Get "a key"', '  redis asked GET "a key"',
			'redis answer [1,"two",null,[3,[]]]', '  c1 Get returned [1,"two",null,[3,[]]]',
			'c1 invoke Tally "t"', "  redis asked script tally t 5", 'redis refuse "ERR no room"',
			failed("Tally", " HubException: ERR no room"),
			'c1 invoke Get "k"', "  redis asked GET k", "redis lose", failed("Get"),
			'c1 invoke Get "k"', "  redis asked GET k", "wait 10s", failed("Get"),
			'c1 invoke Get "late"', "  redis asked GET late", "redis answer null", "redis answer 7", "  c1 Get returned 7",
			'c1 invoke Get "left"', "  redis asked GET left", "",
		];
		fs.writeFileSync(path.join(folder, "redis.txt"), scenario.join("\n"));
		assert.equal(mustRun(folder, variable("hubtest"), `--hub_module=${file}`, "redis.txt"), "redis.txt: 15 steps as expected");
		for (const command of ["redis answer 1", "redis lose", "redis refuse x", "redis", "redis dance"]) {
			fs.writeFileSync(path.join(folder, "wrong.txt"), `redis on\n${command}\n`);
			assert.equal(run(folder, variable("hubtest"), `--hub_module=${file}`, "wrong.txt").status, 1);
		}
	});

	test("the API's version is the same everywhere", () => {
		build("version", `_Static_assert(HUB_API_VERSION == ${variable("api_version")}, "");`);
		assert.equal(mustRun(ROOT, "pkg-config", "--modversion", "heliograph-hub"),
			fs.readFileSync(path.join(ROOT, "VERSION"), "utf8").trim());
	});

	for (const [what, source, said] of [
		["another version", `#undef HUB_API_VERSION\n#define HUB_API_VERSION 3\n${hub("old")}HUB_EXPORT(&old_hub);`,
			/made for version 3 of the hub API, this program has \d+: build it again/],
		["a version whose functions are gone",
			`void hub_send_group(void);\nvoid *gone(void);\nvoid *gone(void) { hub_send_group(); return 0; }\n` +
			`#undef HUB_API_VERSION\n#define HUB_API_VERSION 3\n${hub("old")}HUB_EXPORT(&old_hub);`,
			/made for version 3 of the hub API/],
		["nothing exported", hub("none", "").replace("static ", ""), /it does not export hub_modules/],
	]) {
		test(`a file with ${what} is refused by both programs`, () => {
			const file = build("bad", source);
			for (const program of [variable("hubtest"), path.join(SDK, "sbin/heliograph-router")]) {
				const { status, stderr } = run(folder, program, "--hubs=chat", `--hub_module=${file}`,
					"--routers=r1=ipc://unused",
					...(program.endsWith("test") ? ["empty.txt"] : []));
				assert.equal(status, 1);
				assert.match(stderr, said);
				assert.ok(stderr.includes(`hub_module = ${file}: `), stderr);
			}
		});
	}

	test("a file that is none is refused by name", () => {
		const file = path.join(folder, "text.so");
		fs.writeFileSync(file, "no shared object\n".repeat(10));
		const { status, stderr } = run(folder, path.join(SDK, "sbin/heliograph-router"), "--hubs=chat",
			`--hub_module=${file}`, "--routers=r1=ipc://unused");
		assert.equal(status, 1);
		assert.match(stderr, /text\.so: invalid ELF header/);
	});
});
