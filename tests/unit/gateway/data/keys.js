// SPDX-License-Identifier: Apache-2.0
// Key files that must be taken or refused, for make_vectors.js: lines of name, what
// auth_algorithm says or "set", outcome and the file, with tabs between and "\xNN" in the
// last. The outcome is "ok" with the number of keys, or what the error must say.
"use strict";

const crypto = require("node:crypto");
const { escape, jwks, pemOf, privateOf, publicJwk } = require("./make_vectors.js");

const lines = [];
const add = (name, kind, outcome, text) => lines.push([name, kind, outcome, escape(text)].join("\t"));
const set = (name, outcome, ...keys) => add(`set-${name}`, "set", outcome, JSON.stringify({ keys }));
const pem = (key) => key.export({ type: "spki", format: "pem" });
const rsa = (more) => publicJwk("rs1", { kid: "r", ...more });
const ec = (more) => publicJwk("es1", { kid: "e", ...more });
const oct = (more) => ({ ...jwks.hs1, kid: "o", ...more });
const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const number = (text) => Buffer.from(text, "base64url");
const letters = (n) => b64(Buffer.alloc(n, 0x61));
const PRIVATE = "it holds a private key";
const NUMBERS = "missing or not strict base64url";

// ---- sets

set("one-of-each", "ok 3", rsa(), ec(), oct());
set("32-keys", "ok 32", ...Array.from({ length: 32 }, (_, i) => ec({ kid: `k${i}` })));
set("33-keys", "key 32: more than 32 keys", ...Array.from({ length: 33 }, (_, i) => ec({ kid: `k${i}` })));
set("33-keys-one-skipped", "ok 32", ec({ kid: "k", use: "enc" }), ...Array.from({ length: 32 }, (_, i) => ec({ kid: `k${i}` })));
set("without-kids", "ok 2", publicJwk("rs1"), publicJwk("es1"));
set("empty", "no key in it is for checking signatures");
set("all-skipped", "no key in it is for checking signatures", rsa({ use: "enc" }), ec({ key_ops: ["sign"] }));
set("kid-twice", "key 1: another key has the same kid", rsa(), ec({ kid: "r" }));
set("kid-twice-one-skipped", "ok 1", rsa({ use: "enc" }), ec({ kid: "r" }));
set("kid-number", "key 0: kid is not a string", rsa({ kid: 1 }));
set("kid-empty", "key 0: kid is empty", rsa({ kid: "" }));
set("kid-nul", "key 0: kid is not a string", rsa({ kid: "a\0b" }));
set("kid-256-bytes", "ok 1", rsa({ kid: "k".repeat(256) }));
set("kid-257-bytes", "key 0: kid has more than 256 bytes", rsa({ kid: "k".repeat(257) }));
set("private-rsa", `key 1: ${PRIVATE}`, ec(), { ...jwks.rs1, kid: "r" });
set("private-ec", `key 0: ${PRIVATE}`, { ...jwks.es1, kid: "e" });
set("private-skipped", `key 1: ${PRIVATE}`, rsa(), { ...jwks.es1, kid: "e", use: "enc" });
for (const name of ["d", "p", "q", "dp", "dq", "qi"])
	set(`private-${name}`, `key 0: ${PRIVATE}`, rsa({ [name]: "AQ" }));
set("private-oth", `key 0: ${PRIVATE}`, rsa({ oth: [] }));
set("kty-missing", "key 0: kty is none of", { ...rsa(), kty: undefined });
set("kty-unknown", "key 0: kty is none of", rsa({ kty: "LWE" }));
set("kty-lower-case", "key 0: kty is none of", rsa({ kty: "rsa" }));
set("kty-number", "key 0: kty is not a string", rsa({ kty: 1 }));
set("kty-okp", "key 0: kty is none of", publicJwk("ed1", { kid: "d" }));
set("kty-okp-encryption", "ok 1", publicJwk("ed1", { use: "enc" }), rsa());
set("use-sig", "ok 1", rsa({ use: "sig" }));
set("use-number", "key 0: use is not a string", rsa({ use: 1 }));
set("ops-verify", "ok 1", rsa({ key_ops: ["sign", "verify"] }));
set("ops-others", "ok 1", rsa({ kid: "x", key_ops: ["encrypt", "wrapKey"] }), rsa());
set("ops-text", "ok 1", rsa({ key_ops: "verify" }));
set("ops-8", "ok 1", rsa({ key_ops: [...Array(7).fill("x"), "verify"] }));
set("ops-9", "key 0: key_ops is not", rsa({ key_ops: [...Array(8).fill("x"), "verify"] }));
set("ops-number", "key 0: key_ops is not", rsa({ key_ops: [1] }));
for (const alg of ["RS384", "RS512", "PS256", "none", "RSA-OAEP", "rs256", ""])
	set(`alg-${alg || "empty"}`, "key 0: alg is none of", rsa({ alg }));
set("alg-number", "key 0: alg is not a string", rsa({ alg: 256 }));
set("alg-hs256-for-rsa", "key 0: alg does not go with kty", rsa({ alg: "HS256" }));
set("alg-es256-for-rsa", "key 0: alg does not go with kty", rsa({ alg: "ES256" }));
set("alg-rs256-for-oct", "key 0: alg does not go with kty", oct({ alg: "RS256" }));
set("alg-hs256-for-ec", "key 0: alg does not go with kty", ec({ alg: "HS256" }));
set("rsa-1024", "key 0: an RSA key needs 2048 bits", publicJwk("weak", { kid: "r" }));
set("rsa-2047", "key 0: an RSA key needs 2048 bits", publicJwk("rsa2047", { kid: "r" }));
set("rsa-8192", "ok 1", { kty: "RSA", n: jwks.rsa8192.n, e: "AQAB" });
set("rsa-8200", "key 0: an RSA key may have 8192 bits", rsa({ n: b64(Buffer.concat([Buffer.from([0x81]), number(jwks.rsa8192.n)])) }));
set("rsa-huge", "key 0: an RSA key may have 8192 bits", rsa({ n: letters(20000) }));
set("rsa-zero-before", "ok 1", rsa({ n: b64(Buffer.concat([Buffer.alloc(1), number(jwks.rs1.n)])) }));
set("rsa-even", "key 0: the key's numbers", rsa({ n: b64(Buffer.concat([number(jwks.rs1.n).subarray(0, 255), Buffer.alloc(1)])) }));
set("rsa-multiple-of-3", "key 0: the key's numbers", rsa({ n: b64(Buffer.concat([Buffer.from([0xc3]), Buffer.alloc(254), Buffer.from([3])])) }));
set("rsa-e-0", "key 0: an RSA key's exponent is odd", rsa({ e: "AA" }));
set("rsa-e-1", "key 0: an RSA key's exponent is odd", rsa({ e: "AQ" }));
set("rsa-e-2", "key 0: an RSA key's exponent is odd", rsa({ e: "Ag" }));
set("rsa-e-3", "ok 1", rsa({ e: "Aw" }));
set("rsa-e-8-bytes", "ok 1", rsa({ e: b64([1, 0, 0, 0, 0, 0, 0, 1]) }));
set("rsa-e-9-bytes", "key 0: an RSA key's exponent has", rsa({ e: b64([1, 0, 0, 0, 0, 0, 0, 0, 1]) }));
set("rsa-n-missing", NUMBERS, { ...rsa(), n: undefined });
set("rsa-e-missing", NUMBERS, { ...rsa(), e: undefined });
set("rsa-n-empty", NUMBERS, rsa({ n: "" }));
set("rsa-n-padded", NUMBERS, rsa({ n: `${jwks.rs1.n}==` }));
set("rsa-n-base64", NUMBERS, rsa({ n: number(jwks.rs1.n).toString("base64") }));
set("rsa-e-number", NUMBERS, rsa({ e: 65537 }));
set("ec-p384", "key 0: crv must be P-256", publicJwk("p384", { kid: "e" }));
set("ec-p384-as-p256", "key 0: x and y have 32 bytes", publicJwk("p384", { kid: "e", crv: "P-256" }));
set("ec-secp256k1", "key 0: crv must be P-256", ec({ crv: "secp256k1" }));
set("ec-crv-missing", "key 0: crv must be P-256", { ...ec(), crv: undefined });
set("ec-crv-number", "key 0: crv must be P-256", ec({ crv: 256 }));
set("ec-off-the-curve", "key 0: the point is not on P-256", ec({ y: jwks.es2.y }));
set("ec-zero", "key 0: the point is not on P-256", ec({ x: b64(Buffer.alloc(32)), y: b64(Buffer.alloc(32)) }));
set("ec-31-bytes", "key 0: x and y have 32 bytes", ec({ x: b64(number(jwks.es1.x).subarray(1)) }));
set("ec-33-bytes", "key 0: x and y have 32 bytes", ec({ y: b64(Buffer.concat([Buffer.alloc(1), number(jwks.es1.y)])) }));
set("ec-y-missing", NUMBERS, { ...ec(), y: undefined });
set("oct-31-bytes", "key 0: the secret is too short", oct({ k: letters(31) }));
set("oct-32-bytes", "ok 1", oct({ k: letters(32) }));
set("oct-hs384-47-bytes", "key 0: the secret is too short", oct({ alg: "HS384", k: letters(47) }));
set("oct-hs384-48-bytes", "ok 1", oct({ alg: "HS384", k: letters(48) }));
set("oct-hs512-63-bytes", "key 0: the secret is too short", oct({ alg: "HS512", k: letters(63) }));
set("oct-hs512-64-bytes", "ok 1", oct({ alg: "HS512", k: letters(64) }));
set("oct-4096-bytes", "ok 1", oct({ k: letters(4096) }));
set("oct-4097-bytes", "key 0: the secret is too long", oct({ k: letters(4097) }));
set("oct-empty", NUMBERS, oct({ k: "" }));
set("oct-padded", NUMBERS, oct({ k: `${letters(32)}=` }));
set("key-text", "key 0: it is not a JSON object", "key");
set("key-null", "key 1: it is not a JSON object", rsa(), null);
set("key-65-members", "key 0: it is not a JSON object", rsa(Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`m${i}`, i]))));
add("set-member-twice", "set", "key 0: it is not a JSON object", '{"keys":[{"kty":"oct","kty":"RSA"}]}');
add("set-other-members", "set", "ok 1", JSON.stringify({ issuer: "x", keys: [rsa()], more: {} }));
add("set-keys-missing", "set", 'it has no member "keys"', "{}");
add("set-keys-object", "set", "keys is not a list", '{"keys":{}}');
add("set-keys-twice", "set", "not a JSON object with each name once", '{"keys":[],"keys":[]}');
add("set-list", "set", "not a JSON object", JSON.stringify([rsa()]));
add("set-one-key", "set", 'it has no member "keys"', JSON.stringify(rsa()));
add("set-cut-off", "set", "not a JSON object", JSON.stringify({ keys: [rsa()] }).slice(0, -3));
add("set-empty-file", "set", "not a JSON object", "");
add("set-pem", "set", "not a JSON object", pemOf("rs1"));

// ---- one key

const EXPECTED = "expected a PEM file with a PUBLIC KEY";
const privatePem = (name, type) => privateOf(name).export({ type, format: "pem" });
add("pem-rs256", "RS256", "ok 1", pemOf("rs1"));
add("pem-es256", "ES256", "ok 1", pemOf("es1"));
add("pem-text-before", "ES256", "ok 1", `issued by somebody\n${pemOf("es1")}`);
add("pem-crlf", "RS256", "ok 1", pemOf("rs1").replaceAll("\n", "\r\n"));
add("pem-rsa-for-es256", "ES256", "ES256 needs an EC key", pemOf("rs1"));
add("pem-ec-for-rs256", "RS256", "RS256 needs an RSA key", pemOf("es1"));
add("pem-ed25519", "ES256", "ES256 needs an EC key", pemOf("ed1"));
add("pem-rsa-pss", "RS256", "RS256 needs an RSA key", jwks.pss.pem);
add("pem-p384", "ES256", "the curve must be P-256", pemOf("p384"));
add("pem-rogue-curve", "ES256", "the curve must be P-256", jwks.rogue.pem);
add("pem-rsa-1024", "RS256", "an RSA key needs 2048 bits", pemOf("weak"));
add("pem-rsa-2047", "RS256", "an RSA key needs 2048 bits", pemOf("rsa2047"));
add("pem-rsa-3072", "RS256", "ok 1", pemOf("rs2"));
add("pem-private-pkcs8", "RS256", PRIVATE, privatePem("rs1", "pkcs8"));
add("pem-private-pkcs1", "RS256", PRIVATE, privatePem("rs1", "pkcs1"));
add("pem-private-ec", "ES256", PRIVATE, privatePem("es1", "sec1"));
add("pem-private-behind", "RS256", PRIVATE, pemOf("rs1") + privatePem("rs1", "pkcs8"));
add("pem-encrypted", "RS256", PRIVATE, privateOf("rs1").export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }));
add("pem-pkcs1", "RS256", EXPECTED, crypto.createPublicKey(privateOf("rs1")).export({ type: "pkcs1", format: "pem" }));
add("pem-certificate", "RS256", EXPECTED, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
add("pem-two", "RS256", "more than one PEM block", pemOf("rs1") + pemOf("rs2"));
add("pem-certificate-behind", "RS256", "more than one PEM block", `${pemOf("rs1")}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
add("pem-says-encrypted", "RS256", "the PEM block is no public key", pemOf("rs1").replace("KEY-----\n",
	"KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"));
add("pem-no-end", "RS256", "the PEM block is no public key", pemOf("rs1").split("-----END")[0]);
add("pem-damaged", "RS256", "the PEM block is no public key", pemOf("rs1").replace("MIIB", "AAAA"));
add("pem-empty", "RS256", EXPECTED, "");
add("pem-secret", "RS256", EXPECTED, "0123456789abcdef0123456789abcdef");
add("secret-pem", "HS256", "a PEM file is no secret", pemOf("rs1"));
add("secret-pem-hs512", "HS512", "a PEM file is no secret", pemOf("rs1"));
add("secret-pem-space", "HS256", "a PEM file is no secret", `\n ${pemOf("rs1")}`);
for (const [alg, bytes] of [["HS256", 32], ["HS384", 48], ["HS512", 64]]) {
	add(`secret-${alg}-short`, alg, "the secret is too short", "s".repeat(bytes - 1));
	add(`secret-${alg}-short-newline`, alg, "the secret is too short", `${"s".repeat(bytes - 1)}\n`);
	add(`secret-${alg}-least`, alg, "ok 1", `${"s".repeat(bytes)}\n`);
}
add("secret-4096-bytes", "HS256", "ok 1", `${"s".repeat(4096)}\n`);
add("secret-4097-bytes", "HS256", "the secret is too long", "s".repeat(4097));
add("secret-4098-bytes", "HS256", "the file is too long", "s".repeat(4098));
add("secret-empty", "HS256", "the secret is too short", "");

module.exports = { lines };
