// SPDX-License-Identifier: Apache-2.0
// ctl at a terminal and in a shell, with a presence that says what a test wants: strange
// names, pages, feeds that break, answers that are none.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const net = require("node:net");
const { PROGRAM, ctl, fakeApi, run } = require("../kit/ctl.js");

const lines = (text) => text.split("\n").filter((line) => line !== "");

// Bytes instead of HTTP, then the end.
async function rawServer(t, bytes) {
	const server = net.createServer((socket) => {
		socket.on("error", () => {});
		socket.once("data", () => socket.end(bytes));
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	return `127.0.0.1:${server.address().port}`;
}

const user = (userId, name = userId) => ({ userId, name, connections: 1, since: "2026-01-02T03:04:05.678Z" });

describe("ctl and strange names", () => {
	const odd = "\x1b[2J\u009b31m\u202eann\\\u7f8e";

	test("a terminal gets none of what it would obey", async (t) => {
		const { address } = await fakeApi(t, () => ({ users: [user(odd, "a\r\nb")] }));
		const { status, out } = await ctl(address, ["users"]);
		assert.equal(status, 0);
		assert.ok(out.includes(String.raw`\x1b[2J\u{9b}31m\u{202e}ann\\` + "\u7f8e"), out);
		assert.ok(out.includes(String.raw`a\x0d\x0ab`), out);
		assert.doesNotMatch(out.replaceAll("\n", ""), /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
	});

	test("nor with --json, which says the same", async (t) => {
		const { address } = await fakeApi(t, () => ({ users: [user(odd)] }));
		const { out } = await ctl(address, ["users", "--json"]);
		assert.doesNotMatch(out.replaceAll("\n", ""), /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
		assert.equal(JSON.parse(out).users[0].userId, odd);
	});

	test("nor in what is refused", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			response.statusCode = 404;
			return { title: "No\x1b[31m", detail: "a\nb" };
		});
		const { status, err } = await ctl(address, ["users"]);
		assert.equal(status, 1);
		assert.equal(err, String.raw`heliograph-presence ctl: 404 No\x1b[31m: a\x0ab` + "\n");
	});

	test("a name in a path is encoded, byte by byte", async (t) => {
		const { address, asked } = await fakeApi(t, () => ({ connections: [] }));
		assert.equal((await ctl(address, ["user", "a/b ?#%\u7f8e.."])).status, 0);
		assert.deepEqual(asked, ["/api/v1/users/a%2Fb%20%3F%23%25%E7%BE%8E..?limit=100"]);
	});
});

describe("ctl and pages", () => {
	// Pages of at most `max` of 250 users.
	const paged = (max) => (url, response) => {
		const limit = Number(url.searchParams.get("limit") ?? max);
		const from = Number(url.searchParams.get("cursor") ?? 0);
		if (limit > max) {
			response.statusCode = 400;
			return { title: "Bad Request", detail: "limit is a number from 1 to page_max." };
		}
		const to = Math.min(from + limit, 250);
		return { users: Array.from({ length: to - from }, (_, i) => user(`user${from + i}`)), ...(to < 250 ? { next: String(to) } : {}) };
	};

	test("all are followed, and under one title", async (t) => {
		const { address, asked } = await fakeApi(t, paged(1000));
		const { out, err } = await ctl(address, ["users", "--all"]);
		const rows = lines(out);
		assert.equal(rows.length, 251);
		assert.deepEqual(rows.slice(1).map((row) => row.split(" ")[0]), Array.from({ length: 250 }, (_, i) => `user${i}`));
		assert.deepEqual([asked.length, err], [3, ""]);
	});

	test("a limit ends between pages, or within one, and says that there are more", async (t) => {
		const { address } = await fakeApi(t, paged(1000));
		for (const limit of [1, 100, 120, 249]) {
			const { out, err } = await ctl(address, ["users", `--limit=${limit}`]);
			assert.equal(lines(out).length, limit + 1);
			assert.match(err, /there are more/);
		}
		assert.equal((await ctl(address, ["users", "--limit=250"])).err, "");
		assert.equal(lines((await ctl(address, ["users"])).out).length, 101);
	});

	test("a presence with small pages gives them", async (t) => {
		const { address } = await fakeApi(t, paged(40));
		const { status, out, err } = await ctl(address, ["users", "--all"]);
		assert.deepEqual([status, lines(out).length, err], [0, 251, ""]);
		assert.equal(lines((await ctl(address, ["users", "--limit=50"])).out).length, 51);
	});

	test("with --json a page is a line", async (t) => {
		const { address } = await fakeApi(t, paged(1000));
		const pages = lines((await ctl(address, ["users", "--json", "--all"])).out).map((line) => JSON.parse(line));
		assert.deepEqual(pages.map((page) => page.users.length), [100, 100, 50]);
	});

	test("a refusal that is not of the limit is told once", async (t) => {
		const { address, asked } = await fakeApi(t, (url, response) => {
			response.statusCode = 400;
			return { title: "Bad Request", detail: "no" };
		});
		const { status, err } = await ctl(address, ["users"]);
		assert.deepEqual([status, err, asked.length], [1, "heliograph-presence ctl: 400 Bad Request: no\n", 2]);
	});
});

describe("ctl and answers that are none", () => {
	const broken = {
		"nothing at all": "",
		"no HTTP": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
		"a chunk without an end": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
		"no JSON": "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue",
		"JSON that breaks off": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"users\":",
	};
	for (const [what, bytes] of Object.entries(broken))
		test(`${what} is 3`, async (t) => {
			const { status, out, err } = await ctl(await rawServer(t, bytes), ["stats"]);
			assert.deepEqual([status, out], [3, ""]);
			assert.match(err, /^heliograph-presence ctl: 127\.0\.0\.1 port \d+: .+\n$/);
		});

	test("an answer in chunks, or to the end, is taken", async (t) => {
		for (const bytes of ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"use\r\n6\r\nrs\":1}\r\n0\r\n\r\n",
			"HTTP/1.0 200 OK\r\n\r\n{\"users\":1}", "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"users\":1}"]) {
			const { status, out, err } = await ctl(await rawServer(t, bytes), ["stats"]);
			assert.deepEqual([status, out, err], [0, "users  1\n", ""]);
		}
	});

	test("an answer of 4 MiB is taken, one byte more is not", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			const [, length, isChunked] = /p(\d+)(c?)/.exec(url.pathname);
			const body = `{"connections":[]${" ".repeat(length - 18)}}`;
			if (!isChunked)
				response.setHeader("Content-Length", length);
			response.write(body.slice(0, 70000));
			response.end(body.slice(70000));
		});
		for (const way of ["", "c"]) {
			assert.equal((await ctl(address, ["user", `p${4 << 20}${way}`])).status, 0);
			const { status, err } = await ctl(address, ["user", `p${(4 << 20) + 1}${way}`]);
			assert.equal(status, 3);
			assert.match(err, /the answer is too long/);
		}
	});

	test("an answer that does not come in --timeout is 3", async (t) => {
		const { address } = await fakeApi(t, () => undefined);
		const { status, err } = await ctl(address, ["stats", "--timeout=1"]);
		assert.equal(status, 3);
		assert.match(err, /no answer in time/);
	});
});

describe("ctl events", () => {
	const event = (id, name, userId) =>
		`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify({ userId, userName: `Name of ${userId}`, at: "2026-01-02T03:04:05.678Z" })}\n\n`;

	test("one a line, as it comes; so many and no more", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			response.writeHead(200, { "Content-Type": "text/event-stream" });
			response.write(`: hello\n\n${event("1-0", "online", "ann")}${event("2-0", "offline", "\x1b]0;x")}${event("3-0", "online", "cy")}`);
		});
		const { status, out } = await ctl(address, ["events", "--limit=2"]);
		assert.equal(status, 0);
		assert.deepEqual(lines(out), ["2026-01-02T03:04:05.678Z  online   ann  Name of ann",
			String.raw`2026-01-02T03:04:05.678Z  offline  \x1b]0;x  Name of \x1b]0;x`]);
	});

	test("with --json each is an object with its id", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			response.writeHead(200, { "Content-Type": "text/event-stream" }).write(event("7-1", "online", "ann"));
		});
		const { out } = await ctl(address, ["events", "--limit=1", "--json"]);
		assert.deepEqual(JSON.parse(out), { event: "online", id: "7-1",
			data: { userId: "ann", userName: "Name of ann", at: "2026-01-02T03:04:05.678Z" } });
	});

	test("a feed that ends is followed from the last event on", async (t) => {
		const { address, asked } = await fakeApi(t, (url, response) => {
			const next = Number((url.searchParams.get("after") ?? "0-0").split("-")[0]) + 1;
			if (next === 3 && asked.length === 3) {
				response.statusCode = 503;
				return { title: "Service Unavailable" };
			}
			response.writeHead(200, { "Content-Type": "text/event-stream" }).end(event(`${next}-0`, "online", `user${next}`));
			return undefined;
		});
		const { status, out, err } = await ctl(address, ["events", "--limit=3", "--after=0-0"]);
		assert.equal(status, 0);
		assert.deepEqual(lines(out).map((line) => line.split(/ +/)[2]), ["user1", "user2", "user3"]);
		assert.deepEqual(asked, ["0-0", "1-0", "2-0", "2-0"].map((id) => `/api/v1/events?after=${id}`));
		assert.match(err, /the feed has ended; again/);
	});

	test("a refusal is told, and is the end", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			response.statusCode = 400;
			return { title: "Bad Request", detail: "no such event" };
		});
		const { status, err } = await ctl(address, ["events", "--after=x"]);
		assert.deepEqual([status, err], [1, "heliograph-presence ctl: 400 Bad Request: no such event\n"]);
	});

	test("when nobody reads any more it ends", async (t) => {
		const { address } = await fakeApi(t, (url, response) => {
			response.writeHead(200, { "Content-Type": "text/event-stream" });
			const timer = setInterval(() => response.write(event("1-0", "online", "ann")), 5);
			response.on("close", () => clearInterval(timer));
		});
		const { status, out } = await run("bash", ["-o", "pipefail", "-c", `"${PROGRAM}" ctl events | head -n 1`], { env: { HELIOGRAPH_ADMIN: address } });
		assert.deepEqual([status, lines(out).length], [0, 1]);
	});
});

describe("ctl at a terminal", () => {
	// What a terminal of that width would get.
	const atTerminal = (address, columns, env = {}) => run("script", ["-qec", `stty cols ${columns}; "${PROGRAM}" ctl users`, "/dev/null"],
		{ env: { HELIOGRAPH_ADMIN: address, TERM: "xterm", NO_COLOR: "", ...env } });

	test("names give way to a narrow one, titles are bold unless NO_COLOR says no", async (t) => {
		const { address } = await fakeApi(t, () => ({ users: [user("ann", "A name that is much too long for it")] }));
		const narrow = await atTerminal(address, 60);
		assert.match(narrow.out, /^\x1b\[1mUSER .*\x1b\[0m\r\nann {3}A na.*\u2026 .*678Z\r\n$/s);
		const wide = await atTerminal(address, 200, { NO_COLOR: "1" });
		assert.match(wide.out, /^USER .*\r\nann {3}A name that is much too long for it .*678Z\r\n$/s);
		assert.doesNotMatch((await atTerminal(address, 200, { TERM: "dumb" })).out, /\x1b/);
	});

	test("without one nothing is cut or bold", async (t) => {
		const name = "x".repeat(500);
		const { address } = await fakeApi(t, () => ({ users: [user("ann", name)] }));
		const { out } = await ctl(address, ["users"], { env: { COLUMNS: "20" } });
		assert.ok(out.includes(name));
		assert.doesNotMatch(out, /\x1b/);
	});
});

describe("ctl completion", () => {
	const api = (url) => {
		if (url.pathname === "/api/v1/users")
			return { users: ["ann", "anna:1", "bad name", "b"].filter((id) => id.startsWith(url.searchParams.get("prefix"))).map((id) => user(id)) };
		if (url.pathname === "/api/v1/hubs/chat/groups")
			return { groups: [{ name: "room-1" }, { name: "room-2" }] };
		return { processes: [{ role: "gateway", name: "g1" }, { role: "router", name: "r1" }] };
	};
	// What bash's TAB has to choose from behind a line; it cuts words at COMP_WORDBREAKS.
	const bash = async (address, line) => {
		const { status, out, err } = await run("bash", ["-c", `
			set -u
			source <("$PROGRAM" ctl completion bash)
			complete -p heliograph-presence >/dev/null || exit 9
			COMP_LINE=$1 COMP_POINT=\${#1}
			mapfile -t COMP_WORDS < <(sed -E 's/([=:])/\\n\\1\\n/g; s/ +/\\n/g' <<<"$1" | sed '\${/^$/!b};/^$/d')
			COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
			PATH=\${PROGRAM%/*}:$PATH
			_heliograph_presence
			printf '%s|\\n' "\${COMPREPLY[@]}"`, "bash", line], { env: { HELIOGRAPH_ADMIN: address, PROGRAM } });
		assert.deepEqual([status, err], [0, ""]);
		return lines(out).filter((reply) => reply !== "|").map((reply) => reply.slice(0, -1));
	};

	test("bash completes commands, words and options", async (t) => {
		const { address } = await fakeApi(t, api);
		assert.deepEqual(await bash(address, "heliograph-presence c"), ["ctl "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl us"), ["users ", "user "]);
		assert.ok((await bash(address, "heliograph-presence ctl ")).includes("drain "));
		assert.deepEqual(await bash(address, "heliograph-presence ctl group a"), ["add "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl disconnect "), ["user ", "connection "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl --json disconnect u"), ["user "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl users --l"), ["--limit="]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl stats --l"), []);
		assert.deepEqual(await bash(address, "heliograph-presence ctl stats --js"), ["--json "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl nothing "), []);
	});

	test("and names that presence knows, as far as they are safe to type", async (t) => {
		const { address } = await fakeApi(t, api);
		assert.deepEqual(await bash(address, "heliograph-presence ctl user an"), ["ann ", "anna:1 "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl user anna:"), ["1 "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl disconnect user b"), ["b "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl group chat room-"), ["room-1 ", "room-2 "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl send chat group room-2"), ["room-2 "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl group add chat room-1 user a"), ["ann ", "anna:1 "]);
		assert.deepEqual(await bash(address, "heliograph-presence ctl drain "), ["g1 "]);
		assert.deepEqual(await bash(address, `heliograph-presence ctl --address ${address} drain `), ["g1 "]);
		assert.deepEqual(await bash(address, `heliograph-presence ctl --address=${address} drain `), ["g1 "]);
	});

	test("without a presence the rest works", async () => {
		assert.deepEqual(await bash("127.0.0.1:1", "heliograph-presence ctl user "), []);
		assert.deepEqual(await bash("127.0.0.1:1", "heliograph-presence ctl dr"), ["drain "]);
	});

	test("zsh's says what bash's does", async () => {
		const { status, out } = await ctl("127.0.0.1:1", ["completion", "zsh"]);
		assert.equal(status, 0);
		assert.match(out, /^#compdef heliograph-presence\n/);
		assert.match(out, / ctl complete /);
	});
});
