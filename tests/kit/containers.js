// SPDX-License-Identifier: Apache-2.0
// The container image for tests: podman as deploy/image/podman.sh has it, what is in an image.
"use strict";

const { execFile, execFileSync, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT } = require("./program.js");

const PODMAN = path.join(ROOT, "deploy/image/podman.sh");
const IMAGE = `localhost/heliograph:${fs.readFileSync(path.join(ROOT, "VERSION"), "utf8").trim()}`;
const RUN_MS = 60000;
const OUTPUT_BYTES_MAX = 64 << 20;
// As restricted as a pod of ours is.
const RESTRICTED = ["--rm", "--network=none", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges",
	"--memory=64m", "--pids-limit=64"];

// Why no container can be run here, or "".
function missing() {
	return spawnSync(PODMAN, ["--missing"], { encoding: "utf8" }).stdout.trim();
}

// {status, out, err}; podman's own failures have status 125 to 127.
function podman(...args) {
	return new Promise((resolve) => execFile(PODMAN, args, { encoding: "utf8", timeout: RUN_MS, maxBuffer: OUTPUT_BYTES_MAX },
		(error, out, err) => resolve({ status: error ? error.code : 0, out, err })));
}

// Unpacks an image into a new folder that ends with the test: the files as they were laid over each other, and tar's own list of
// them ("-rwxr-xr-x 0/0 ..."), which knows modes and owners whoever unpacks.
async function unpack(t, image = IMAGE) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-unpacked-"));
	t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
	const archive = path.join(folder, "oci");
	const saved = await podman("save", "--quiet", "--format=oci-dir", `--output=${archive}`, image);
	if (saved.status !== 0)
		throw new Error(`podman save: ${saved.err}`);
	const blob = ({ digest }) => path.join(archive, "blobs", digest.replace(":", "/"));
	const read = (descriptor) => JSON.parse(fs.readFileSync(blob(descriptor), "utf8"));
	const manifest = read(JSON.parse(fs.readFileSync(path.join(archive, "index.json"), "utf8")).manifests[0]);
	const root = path.join(folder, "root");
	fs.mkdirSync(root);
	const list = [];
	for (const layer of manifest.layers) {
		list.push(...execFileSync("tar", ["--numeric-owner", "--utc", "--full-time", "-tvf", blob(layer)], { encoding: "utf8" })
			.trim().split("\n"));
		execFileSync("tar", ["-xf", blob(layer), "-C", root]);
	}
	return { root, list, config: read(manifest.config).config };
}

module.exports = { IMAGE, RESTRICTED, missing, podman, unpack };
