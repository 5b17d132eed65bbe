// SPDX-License-Identifier: Apache-2.0
// What `make install` puts where, that it fits together, and that `make uninstall` takes it away again.
"use strict";

const { afterEach, beforeEach, describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT, buildFolder } = require("../kit/program.js");

const STAGED = path.join(buildFolder(), "staged");
const SERVERS = ["gateway", "presence", "router"];
const PROGRAMS = [...SERVERS.map((name) => `sbin/heliograph-${name}`), "bin/heliograph-bench", "bin/heliograph-hubgen", "bin/heliograph-hubtest"];

const files = (folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
	.map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)));
const read = (file) => fs.readFileSync(path.join(STAGED, file), "utf8");
const installed = (program) => path.join(STAGED, "usr/local", PROGRAMS.find((file) => file.endsWith(program)));

function run(command, ...args) {
	const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
	assert.equal(status, 0, `${command} ${args.join(" ")}: ${stdout}${stderr}`);
	return stdout;
}

test("each file is where its readers look for it", () => {
	const all = files(STAGED).filter((file) => file !== ".installed" && !/^usr\/local\/(include|share\/doc)\//.test(file));
	const names = PROGRAMS.map((program) => path.basename(program));
	assert.deepEqual(all.sort(), [
		...SERVERS.map((name) => `etc/heliograph/${name}.conf.example`),
		...PROGRAMS.map((program) => `usr/local/${program}`),
		...names.map((name) => `usr/local/share/bash-completion/completions/${name}`),
		...["edge", "monitoring", "scripts"].flatMap((folder) => fs.readdirSync(path.join(ROOT, "deploy", folder))
			.map((name) => `usr/local/share/heliograph/${folder}/${name}`)),
		...names.map((name) => `usr/local/share/zsh/site-functions/_${name}`),
		...fs.readdirSync(path.join(ROOT, "docs/man")).map((page) => `usr/local/share/man/man${page.at(-1)}/${page}`),
		"usr/local/lib/pkgconfig/heliograph-hub.pc",
		"usr/local/lib/systemd/system/heliograph-gateway.service",
		"usr/local/lib/systemd/system/heliograph-presence.service",
		"usr/local/lib/systemd/system/heliograph-router@.service",
		"usr/local/lib/systemd/system/heliograph.target",
		"usr/local/lib/sysusers.d/heliograph.conf",
		"usr/local/lib/tmpfiles.d/heliograph.conf",
	].sort());
	const isProgram = (file) => /\/s?bin\/|\/scripts\/(?!lib\.sh)|\/generate\.sh$/.test(file);
	for (const file of all)
		assert.equal(fs.statSync(path.join(STAGED, file)).mode & 0o7777, isProgram(file) ? 0o755 : 0o644, file);
});

// Of [text](target), without the heading in it.
const linksOf = (page) => [...read(page).matchAll(/\]\(([^)\s#]*)(?:#[^)\s]*)?\)/g)].map(([, target]) => target)
	.filter((target) => target && !/^[a-z]+:/.test(target));

test("pages link to nothing that is not installed", () => {
	const pages = files(STAGED).filter((file) => file.endsWith(".md"));
	assert.ok(pages.length > 30);
	for (const page of pages)
		for (const target of linksOf(page)) {
			const file = path.isAbsolute(target) ? path.join(STAGED, target) : path.join(STAGED, path.dirname(page), target);
			assert.ok(fs.existsSync(file), `${page}: ${target}`);
		}
	const links = linksOf("usr/local/share/doc/heliograph/OPERATING.md");
	for (const name of ["edge/haproxy.cfg", "edge/nginx.conf"])
		assert.ok(links.includes(`/usr/local/share/heliograph/${name}`), name);
	assert.ok(linksOf("usr/local/share/doc/heliograph/RUNBOOK.md").includes("/usr/local/share/heliograph/monitoring/README.md"));
	assert.ok(linksOf("usr/local/share/heliograph/monitoring/README.md").includes("/usr/local/share/doc/heliograph/RUNBOOK.md"));
});

test("operators are told of scripts where they are, and these run there", () => {
	for (const page of ["OPERATING.md", "RUNBOOK.md"]) {
		const told = [...read(`usr/local/share/doc/heliograph/${page}`).matchAll(/[\w/.]*scripts\/[a-z-]+\.sh/g)].map(([file]) => file);
		assert.ok(told.length > 0);
		for (const file of told) {
			assert.ok(file.startsWith("/usr/local/share/heliograph/scripts/"), `${page}: ${file}`);
			assert.ok(fs.existsSync(path.join(STAGED, file)), `${page}: ${file}`);
		}
	}
	const folder = path.join(STAGED, "usr/local/share/heliograph/scripts");
	for (const script of fs.readdirSync(folder).filter((name) => name !== "lib.sh"))
		assert.match(run(path.join(folder, script), "--help"), /--dry-run/);
});

test("what is installed for proxies and monitoring is what the tests try", () => {
	for (const name of ["edge/haproxy.cfg", "edge/nginx.conf", "monitoring/rules.yaml", "monitoring/dashboard.json", "monitoring/prometheus.yml"])
		assert.equal(read(`usr/local/share/heliograph/${name}`), fs.readFileSync(path.join(ROOT, "deploy", name), "utf8"), name);
});

test("no file knows of the folder that it was staged in, and none has a blank left", () => {
	for (const file of files(STAGED).filter((name) => !/\/s?bin\/|\.png$/.test(name))) {
		assert.ok(!read(file).includes(STAGED), file);
		assert.doesNotMatch(read(file), /@(sbindir|sysconfdir|docdir|prefix|bindir)@/, file);
	}
});

test("units name programs and pages that are installed, and configurations that there are examples of", () => {
	for (const name of ["gateway", "presence", "router@"]) {
		const unit = read(`usr/local/lib/systemd/system/heliograph-${name}.service`);
		const [, program, conf] = /^ExecStart=(\S+) --conf=(\S+)/m.exec(unit);
		assert.ok(fs.existsSync(path.join(STAGED, program)), program);
		assert.ok(fs.existsSync(path.join(STAGED, `${conf}.example`)), conf);
		assert.ok(unit.includes(`ExecReload=${program} -n --conf=${conf}`));
		const [, page] = /file:\/\/(\S+)/.exec(unit);
		assert.ok(fs.existsSync(path.join(STAGED, page)), page);
	}
});

for (const name of SERVERS)
	test(`the example for ${name} is good, and its page has every option`, () => {
		const program = installed(`heliograph-${name}`);
		run(program, "-n", `--conf=${path.join(STAGED, `etc/heliograph/${name}.conf.example`)}`);
		const page = read(`usr/local/share/man/man8/heliograph-${name}.8`);
		const options = [...run(program, "--print-conf").matchAll(/^([a-z_]+) = ?/gm)].map(([, option]) => option);
		assert.ok(options.length > 10);
		for (const option of options)
			assert.ok(page.includes(`.It Fl -${option} Ns =`), option);
		for (const [, flag] of run(program, "--help").matchAll(/^ {2}-(-[a-z-]+|n)(?==[A-Z]+$|$)/gm))
			assert.match(page, new RegExp(`^\\.It Fl ${flag}( |$)`, "m"), flag);
	});

// What TAB offers behind a line; bash cuts words at '=', too.
const BASH = `set -u
COMP_LINE=$2 COMP_POINT=\${#2}
source "$1"
mapfile -t COMP_WORDS < <(sed -E 's/(=)/\\n\\1\\n/g; s/ +/\\n/g' <<<"$2" | sed '\${/^$/!b};/=$/!b')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
\${3} && printf '%s|\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}`;

describe("bash completes", () => {
	const offers = (line) => {
		const program = line.split(" ")[0];
		const script = path.join(STAGED, "usr/local/share/bash-completion/completions", program);
		const declared = run("bash", "-c", `source ${script}; complete -p ${program}`);
		const [, name] = / -F (\S+) /.exec(declared);
		return run("bash", "-c", BASH, "bash", script, line, name).split("\n").filter((reply) => reply !== "" && reply !== "|")
			.map((reply) => reply.slice(0, -1));
	};

	test("options, each once", () => {
		for (const name of SERVERS) {
			const help = run(installed(`heliograph-${name}`), "--help");
			const options = [...help.matchAll(/^ {2}(--[a-z_-]+(?:=|(?![a-z_.=-])))/gm)].map(([, option]) => (option.endsWith("=") ? option : `${option} `));
			assert.deepEqual(offers(`heliograph-${name} --`).filter((word) => !word.startsWith("--hub.")).sort(), [...new Set(options)].sort());
		}
	});

	test("values, where there is a choice; else bash offers files", () => {
		assert.deepEqual(offers("heliograph-gateway --log_level="), ["debug ", "info ", "warn ", "error "]);
		assert.deepEqual(offers("heliograph-gateway --log_level=wa"), ["warn "]);
		assert.deepEqual(offers("heliograph-gateway --name=g1 --stateful_reconnect=o"), ["on ", "off "]);
		assert.deepEqual(offers("heliograph-gateway --conf="), []);
		assert.deepEqual(offers("heliograph-gateway --log_le"), ["--log_level="]);
		assert.deepEqual(offers("heliograph-gateway --nothing"), []);
	});

	test("options of a hub, once its name is there", () => {
		assert.deepEqual(offers("heliograph-gateway --hub.chat.transp"), ["--hub.chat.transports="]);
		assert.deepEqual(offers("heliograph-gateway --hub.chat.auth=req"), ["required "]);
		assert.deepEqual(offers("heliograph-router --hub.chat.history_m"), ["--hub.chat.history_max="]);
		assert.deepEqual(offers("heliograph-gateway --hub.a&b.transp"), ["--hub.a&b.transports="], "'&' is no match to repeat");
	});

	test("ctl, by asking it", () => {
		assert.deepEqual(offers("heliograph-presence ct"), ["ctl "]);
		assert.deepEqual(offers("heliograph-presence --admin_lis"), ["--admin_listen="]);
	});

	test("tools", () => {
		assert.deepEqual(offers("heliograph-hubgen --t"), ["--ts="]);
		assert.deepEqual(offers("heliograph-bench --transport=w"), ["websockets "]);
	});
});

// The same with zsh's own commands written down instead of carried out.
const ZSH = `PREFIX=$2; CURRENT=2; words=(program "$2")
compadd() { shift \${@[(i)--]}; print -rl -- \${(M)@:#$PREFIX*}; }
compset() { :; }
_files() { print -r -- FILES; }
source "$1"
$3`;

test("zsh completes the same", (t) => {
	if (spawnSync("zsh", ["-c", ":"]).status !== 0)
		return t.skip("zsh is not there");
	const offers = (program, word) => run("zsh", "-fc", ZSH, "zsh", path.join(STAGED, "usr/local/share/zsh/site-functions", `_${program}`), word,
		`_${program.replaceAll("-", "_")}_options`).split("\n").filter(Boolean);
	assert.deepEqual(offers("heliograph-gateway", "--log_le"), ["--log_level="]);
	assert.deepEqual(offers("heliograph-gateway", "--log_level=wa"), ["--log_level=warn"]);
	assert.deepEqual(offers("heliograph-gateway", "--conf="), ["FILES"]);
	assert.deepEqual(offers("heliograph-gateway", "--hub.chat.transp"), ["--hub.chat.transports="]);
	assert.deepEqual(offers("heliograph-router", "--vers"), ["--version"]);
	assert.deepEqual(offers("heliograph-presence", "ct"), ["ctl", "FILES"]);
});

const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...env } = process.env;
function make(...words) {
	const mode = path.basename(buildFolder());
	return spawnSync("make", [...words, "prefix=/usr/local", `MODE=${mode.replace("-clang", "")}`,
		...(mode.endsWith("-clang") ? ["CC=clang-14"] : [])], { cwd: ROOT, env, encoding: "utf8" });
}

describe("uninstall", () => {
	let folder;
	beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-")); });
	afterEach(() => fs.rmSync(folder, { recursive: true }));

	test("leaves what others put there, and nothing else", () => {
		fs.cpSync(STAGED, folder, { recursive: true });
		fs.rmSync(path.join(folder, ".installed"));
		fs.writeFileSync(path.join(folder, "etc/heliograph/gateway.conf"), "");
		const { status, stderr } = make("uninstall", `DESTDIR=${folder}`);
		assert.equal(status, 0, stderr);
		assert.deepEqual(files(folder), ["etc/heliograph/gateway.conf"]);
		for (const gone of ["doc/heliograph", "heliograph"])
			assert.ok(!fs.existsSync(path.join(folder, "usr/local/share", gone)), gone);
	});

	test("leaves other files of a folder of documentation that is shared", () => {
		fs.cpSync(path.join(STAGED, "usr/local/share/doc/heliograph"), path.join(folder, "doc"), { recursive: true });
		fs.mkdirSync(path.join(folder, "doc/other"));
		fs.writeFileSync(path.join(folder, "doc/other/README"), "");
		const { status, stderr } = make("uninstall", `DESTDIR=${folder}`, "docdir=/doc");
		assert.equal(status, 0, stderr);
		assert.deepEqual(files(folder), ["doc/other/README"]);
		assert.deepEqual(fs.readdirSync(path.join(folder, "doc")), ["other"]);
	});
});

test("a folder with a blank in its name is neither installed to nor removed", (t) => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	fs.mkdirSync(path.join(folder, "my"));
	fs.writeFileSync(path.join(folder, "my/letters"), "");
	for (const [goal, ...folders] of [["uninstall", `DESTDIR=${folder}/my stage`], ["uninstall", `DESTDIR=${folder}`, "docdir=/my /doc"],
		["install", `DESTDIR=${folder}/my stage`], ["install", `DESTDIR=${folder}`, "mandir=/my\tman"], ["install", `DESTDIR=${folder} `]]) {
		const { status, stderr } = make(goal, ...folders);
		assert.notEqual(status, 0, `${goal} ${folders}`);
		assert.match(stderr, /a folder with a blank in its name/);
		assert.deepEqual(files(folder), ["my/letters"]);
	}
});
