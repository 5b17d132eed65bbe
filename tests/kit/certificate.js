// SPDX-License-Identifier: Apache-2.0
// Certificates for gateways of a test, and trust in them.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const tls = require("node:tls");

// What NODE_EXTRA_CA_CERTS would do, had it been known when node started: every client of
// this process, whichever library it uses, takes these for authorities too. Names are checked.
const trusted = [];
const createSecureContext = tls.createSecureContext;
tls.createSecureContext = (options) => {
	const made = createSecureContext(options);
	for (const pem of trusted)
		made.context.addCACert(pem);
	return made;
};

class Certificate {
	constructor(name = "first", days = 30) {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-cert-"));
		this.cert = path.join(this.folder, "cert.pem");
		this.key = path.join(this.folder, "key.pem");
		this.renew(name, days);
	}

	get options() {
		return [`--tls_cert=${this.cert}`, `--tls_key=${this.key}`];
	}

	// A fresh key and a certificate for 127.0.0.1 in the name of `name`, in place of the old.
	renew(name, days = 30) {
		execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
			"-days", String(days), "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1",
			"-keyout", this.key, "-out", this.cert], { stdio: "pipe" });
		fs.chmodSync(this.key, 0o600);
		trusted.push(fs.readFileSync(this.cert, "utf8"));
	}

	remove() {
		fs.rmSync(this.folder, { recursive: true, force: true });
	}
}

module.exports = { Certificate };
