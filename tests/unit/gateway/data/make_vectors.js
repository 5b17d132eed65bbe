// SPDX-License-Identifier: Apache-2.0
// Makes the test-only keys (once) and the vectors of test_auth_vectors.c, with node's own
// cryptography, so that what the gateway takes was signed by another implementation:
//
//	node tests/unit/gateway/data/make_vectors.js
//
// ECDSA is random: every run writes other tokens. What stands in jwt_vectors.txt counts. Each
// line is: name, key set (a row of the table in test_auth_vectors.c), time, outcome, token.
// "\xNN" in a token is that byte.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const NOW = 1700000000;
const EXP = NOW + 100;
const file = (name) => path.join(__dirname, name);
const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const json = (value) => typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value);

// ---- keys

function makeKeys() {
	const rsa = (bits) => crypto.generateKeyPairSync("rsa", { modulusLength: bits }).privateKey;
	const ec = (curve) => crypto.generateKeyPairSync("ec", { namedCurve: curve }).privateKey;
	const jwk = (key) => key.export({ format: "jwk" });
	const pem = (key) => key.export({ type: "spki", format: "pem" });
	const der = (key) => key.export({ type: "spki", format: "der" });
	// P-256 spelled out, with a base point of one's own: anybody has the private key of any public one then.
	const rogueCurve = () => {
		const bytes = der(crypto.generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).publicKey);
		const point = der(crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey).subarray(-65);
		bytes.set(point, bytes.indexOf(Buffer.from("046b17d1f2e12c4247", "hex")));
		return `-----BEGIN PUBLIC KEY-----\n${bytes.toString("base64").match(/.{1,64}/g).join("\n")}\n-----END PUBLIC KEY-----\n`;
	};
	const secret = (bytes) => ({ kty: "oct", k: b64(crypto.randomBytes(bytes).toString("hex").slice(0, bytes)) });
	return {
		warning: "for tests only: anybody has these keys",
		hs1: secret(32), hs2: secret(48), hs3: secret(64), stranger: secret(32),
		rs1: jwk(rsa(2048)), rs2: jwk(rsa(3072)), rs3: jwk(rsa(2048)), weak: jwk(rsa(1024)),
		rsa2047: jwk(rsa(2047)), rsa8192: { n: jwk(rsa(8192)).n },
		pss: { pem: pem(crypto.generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).publicKey) },
		rogue: { pem: rogueCurve() },
		es1: jwk(ec("P-256")), es2: jwk(ec("P-256")), p384: jwk(ec("P-384")),
		ed1: jwk(crypto.generateKeyPairSync("ed25519").privateKey),
	};
}

const KEYS_FILE = file("test_only_private_keys.json");
if (!fs.existsSync(KEYS_FILE))
	fs.writeFileSync(KEYS_FILE, JSON.stringify(makeKeys(), null, "\t") + "\n");
const jwks = JSON.parse(fs.readFileSync(KEYS_FILE, "utf8"));
const secretOf = (name) => Buffer.from(jwks[name].k, "base64url");
const privateOf = (name) => crypto.createPrivateKey({ key: jwks[name], format: "jwk" });
const publicOf = (name) => crypto.createPublicKey(privateOf(name));
const pemOf = (name) => publicOf(name).export({ type: "spki", format: "pem" });
const publicJwk = (name, more) => ({ ...publicOf(name).export({ format: "jwk" }), ...more });
const writeSet = (name, keys) =>
	fs.writeFileSync(file(name), JSON.stringify({ keys }, null, "\t") + "\n");

for (const [name, of] of [["hs256", "hs1"], ["hs384", "hs2"], ["hs512", "hs3"]])
	fs.writeFileSync(file(`test_only_${name}.key`), `${secretOf(of).toString()}\n`);
fs.writeFileSync(file("test_only_rs256.pem"), pemOf("rs1"));
fs.writeFileSync(file("test_only_es256.pem"), pemOf("es1"));
// Named ones; some bound by alg, some by type. The encryption key is skipped.
writeSet("test_only_set.json", [
	{ ...jwks.hs1, kid: "hs-1", alg: "HS256", use: "sig" }, { ...jwks.hs3, kid: "hs-2" },
	{ ...jwks.hs3, kid: "hs-3", alg: "HS512" }, { ...jwks.hs2, kid: "hs-4", alg: "HS384" },
	publicJwk("rs1", { kid: "rs-1", alg: "RS256", use: "sig", key_ops: ["verify"], x5t: "ignored" }),
	publicJwk("rs2", { kid: "rs-2" }),
	publicJwk("rs3", { kid: "rs-enc", use: "enc", alg: "RSA-OAEP" }),
	publicJwk("es1", { kid: "es-1" }),
]);
// As an identity provider has it: public, one key of each kind.
writeSet("test_only_public.json",
	[publicJwk("rs1", { kid: "rs-1", alg: "RS256", use: "sig" }), publicJwk("es1", { kid: "es-1", alg: "ES256" })]);
writeSet("test_only_unnamed.json", [publicJwk("rs1")]);
writeSet("test_only_mixed.json", [publicJwk("rs1"), publicJwk("es1", { kid: "es-1" })]);

// ---- tokens

const HASH = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

function signature(alg, key, text) {
	if (HASH[alg])
		return crypto.createHmac(HASH[alg], Buffer.isBuffer(key) ? key : secretOf(key)).update(text).digest();
	if (alg === "ES256")
		return crypto.sign("sha256", Buffer.from(text), { key: privateOf(key), dsaEncoding: "ieee-p1363" });
	if (alg === "PS256")
		return crypto.sign("sha256", Buffer.from(text), { key: privateOf(key),
			padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
	if (alg === "EdDSA")
		return crypto.sign(null, Buffer.from(text), privateOf(key));
	return crypto.sign({ RS384: "sha384", RS512: "sha512", RS1: "sha1" }[alg] ?? "sha256", Buffer.from(text), privateOf(key));
}

const good = (more) => ({ sub: "u1", exp: EXP, ...more });
// Signed with `alg` and `key`, whatever the header says.
function token(alg, key, header = {}, claims = good()) {
	const text = `${b64(json(typeof header === "object" && !Buffer.isBuffer(header)
		? { alg, typ: "JWT", ...header } : header))}.${b64(json(claims))}`;
	return `${text}.${b64(signature(alg, key, text))}`;
}
const withSignature = (header, bytes, claims = good()) => `${b64(json(header))}.${b64(json(claims))}.${bytes}`;
const hs = (header, claims) => token("HS256", "hs1", header, claims);
const claims = (value) => hs({}, value);
const flip = (text, at, bit = 0) => {
	const bytes = Buffer.from(text, "latin1");
	bytes[at] ^= 1 << bit;
	return bytes.toString("latin1");
};
const parts = (text) => text.split(".");
const escape = (text) => [...Buffer.from(text, "latin1")].map((byte) =>
	byte >= 32 && byte < 127 && byte !== 92 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`).join("");

const lines = [];
const group = (name) => lines.push("", `# ${name}`);
function vector(name, set, outcome, text, now = NOW) {
	lines.push([name, set, now, outcome, escape(text).replaceAll(" ", "\\x20")].join(" "));
}

module.exports = { NOW, EXP, jwks, b64, json, secretOf, privateOf, pemOf, publicJwk, publicOf, token, withSignature,
	hs, claims, good, flip, parts, group, vector, lines, escape };
if (require.main === module) {
	require("./vectors.js");
	fs.writeFileSync(file("jwt_vectors.txt"),
		`# Made by make_vectors.js; name, key set, time, outcome, token.\n${lines.join("\n")}\n`);
	const keys = require("./keys.js").lines;
	fs.writeFileSync(file("key_vectors.txt"), `# Made by make_vectors.js; see keys.js.\n${keys.join("\n")}\n`);
	for (const all of [lines, keys]) {
		const names = all.filter((line) => line && !line.startsWith("#")).map((line) => line.split(/[ \t]/)[0]);
		const twice = names.filter((name, i) => names.indexOf(name) !== i);
		if (twice.length)
			throw new Error(`named twice: ${twice}`);
		console.log(`${names.length} vectors`);
	}
}
