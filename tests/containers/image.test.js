// SPDX-License-Identifier: Apache-2.0
// The container image: how large it is, what is in it and what is not, and that its list of
// contents tells the truth.
"use strict";

const { test, before } = require("node:test");
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const { IMAGE, RESTRICTED, missing, podman, unpack } = require("../kit/containers.js");

const BYTES_MAX = 15 * 1000 * 1000;
const PROGRAMS = ["gateway", "presence", "router"].map((name) => `heliograph-${name}`);
const SBOM = "usr/share/doc/heliograph/sbom.cdx.json";
const SCHEMAS = path.join(path.dirname(require.resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");

const skip = missing() || false;
const image = {};

// Every file of the unpacked image, from its root: "/usr/sbin/…".
function files(root) {
	return fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
		.map((entry) => `/${path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name))}`).sort();
}

const isProgram = (file) => fs.readFileSync(file).subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1"));
const readelf = (...args) => execFileSync("readelf", ["--wide", ...args], { encoding: "utf8" });

before(async (t) => {
	if (!skip)
		Object.assign(image, await unpack(t));
}, { timeout: 120000 });

test("it is small, and its user has no rights", { skip }, async () => {
	const { out } = await podman("image", "inspect", "--format={{.Size}}", IMAGE);
	assert.ok(Number(out) > 0 && Number(out) <= BYTES_MAX, `${out} bytes`);
	assert.equal(image.config.User, "10001:10001");
	assert.equal(image.config.Entrypoint, undefined);
	assert.equal(image.config.Labels["org.opencontainers.image.version"], IMAGE.split(":").pop());
});

test("it has the three programs, and no other to run", { skip }, () => {
	const found = files(image.root);
	const executable = found.filter((file) => fs.statSync(path.join(image.root, file)).mode & 0o111);
	assert.deepEqual(executable.filter((file) => !/^\/usr\/lib(64)?\/([\w-]+\/)?[\w.+-]+\.so(\.\w+)*$/.test(file)),
		PROGRAMS.map((name) => `/usr/sbin/${name}`));
	assert.deepEqual(executable.filter((file) => !isProgram(path.join(image.root, file))), []);
	// A library that nobody loads, or an archive, would be more than was asked for.
	assert.deepEqual(found.filter((file) => isProgram(path.join(image.root, file))), executable);
});

test("nothing in it is writable or gives rights, and all is of one time", { skip }, () => {
	assert.ok(image.list.length > PROGRAMS.length);
	const times = new Set();
	for (const line of image.list) {
		const [mode, owner, , day, time] = line.split(/\s+/);
		assert.match(mode, /^(lrwxrwxrwx|drwxr-xr-x|-rw[x-]r-[x-]r-[x-])$/, line);
		assert.equal(owner, "0/0", line);
		times.add(`${day} ${time}`);
	}
	assert.equal(times.size, 1, [...times].join());
});

test("the programs are stripped, hardened, and have their build ids", { skip }, () => {
	for (const name of PROGRAMS) {
		const file = path.join(image.root, "usr/sbin", name);
		assert.doesNotMatch(readelf("-S", file), /\.symtab|\.debug_/);
		assert.match(readelf("-n", file), /Build ID: [0-9a-f]{40}/);
		const dynamic = readelf("-d", file);
		assert.match(dynamic, /BIND_NOW/);
		assert.match(dynamic, /FLAGS_1.*PIE/);
		assert.doesNotMatch(dynamic, /RPATH|RUNPATH/);
		assert.match(readelf("-l", file), /GNU_STACK +(\S+ +){5}RW /);
	}
});

test("every program runs in it with no rights at all; a shell does not", { skip }, async () => {
	for (const name of PROGRAMS) {
		const { status, out, err } = await podman("run", ...RESTRICTED, IMAGE, name, "--version");
		assert.equal(status, 0, err);
		assert.ok(out.startsWith(`${name} ${IMAGE.split(":").pop()}\n`), out);
	}
	for (const shell of ["sh", "/bin/sh", "/bin/bash", "/bin/busybox"])
		assert.equal((await podman("run", ...RESTRICTED, IMAGE, shell, "-c", "true")).status, 127, shell);
});

test("a configuration is judged in it, by the user that it has", { skip }, async () => {
	const { status, err } = await podman("run", ...RESTRICTED, IMAGE, "heliograph-router", "-n", "--name=r 1");
	assert.equal(status, 1);
	assert.match(err, /name/);
	const { out } = await podman("run", ...RESTRICTED, IMAGE, "heliograph-gateway", "--print-conf");
	assert.match(out, /^#?\s*listen = /m);
});

test("its list of contents is CycloneDX, and as its schema wants it", { skip }, () => {
	const schema = (name) => JSON.parse(fs.readFileSync(path.join(SCHEMAS, name), "utf8"));
	const ajv = new Ajv({ strict: false });
	addFormats(ajv);
	ajv.addFormat("iri-reference", true).addFormat("idn-email", true);
	for (const name of ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"])
		ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`);
	const validate = ajv.compile(schema("bom-1.5.SNAPSHOT.schema.json"));
	const sbom = JSON.parse(fs.readFileSync(path.join(image.root, SBOM), "utf8"));
	assert.ok(validate(sbom), JSON.stringify(validate.errors));
	assert.ok(!validate({ ...sbom, components: [{ type: "thing" }] }), "the schema refuses what is none");
});

test("the list names every file with its hash, and the package of every library", { skip }, () => {
	const sbom = JSON.parse(fs.readFileSync(path.join(image.root, SBOM), "utf8"));
	const listed = new Map(sbom.components.filter(({ type }) => type === "file").map(({ name, hashes }) => [name, hashes[0].content]));
	const found = files(image.root).filter((file) => file !== `/${SBOM}`);
	assert.deepEqual([...listed.keys()].sort(), found);
	for (const file of found)
		assert.equal(crypto.createHash("sha256").update(fs.readFileSync(path.join(image.root, file))).digest("hex"), listed.get(file), file);
	const packages = new Map(sbom.components.filter(({ type }) => type === "library").map((one) => [one["bom-ref"], one]));
	for (const one of packages.values())
		assert.match(one.purl, /^pkg:deb\/debian\/[a-z0-9.%+-]+@[^?]+\?arch=\w+&distro=debian-12$/i);
	const wanted = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
	assert.deepEqual(wanted.get("heliograph").sort(), [...packages.keys()].sort());
	for (const file of found.filter((name) => /\.so(\.|$)/.test(name)))
		assert.ok(packages.has(wanted.get(`file:${file}`)?.[0]), file);
	// The C library's start files are in the programs themselves.
	for (const name of ["libc6", "libc6-dev", "libssl3", "libnng1", "ca-certificates"])
		assert.ok(packages.has(`pkg:${name}`), name);
	for (const ref of packages.keys())
		assert.ok(found.includes(`/usr/share/doc/${ref.slice("pkg:".length)}/copyright`), `the licence of ${ref}`);
});
