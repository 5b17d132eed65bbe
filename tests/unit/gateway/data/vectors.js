// SPDX-License-Identifier: Apache-2.0
// The vectors themselves, for make_vectors.js.
"use strict";

const crypto = require("node:crypto");
const kit = require("./make_vectors.js");

const { NOW, EXP, b64, jwks, secretOf, pemOf, publicOf, token, withSignature, hs, claims, good, flip, parts, group,
	vector } = kit;
const REFUSED = { malformed: "malformed", header: "header", alg: "algorithm", key: "no_key", sig: "signature" };

group("taken: every algorithm, by a lone key and by a set");
vector("good-hs256", "hs256", "ok", token("HS256", "hs1"));
vector("good-hs384", "hs384", "ok", token("HS384", "hs2"));
vector("good-hs512", "hs512", "ok", token("HS512", "hs3"));
vector("good-rs256", "rs256", "ok", token("RS256", "rs1"));
vector("good-es256", "es256", "ok", token("ES256", "es1"));
vector("good-lone-key-any-kid", "rs256", "ok", token("RS256", "rs1", { kid: "whatever" }));
vector("good-set-hs256", "set", "ok", token("HS256", "hs1", { kid: "hs-1" }));
vector("good-set-hs256-by-type", "set", "ok", token("HS256", "hs3", { kid: "hs-2" }));
vector("good-set-hs384", "set", "ok", token("HS384", "hs2", { kid: "hs-4" }));
vector("good-set-hs512", "set", "ok", token("HS512", "hs3", { kid: "hs-3" }));
vector("good-set-rs256", "set", "ok", token("RS256", "rs1", { kid: "rs-1" }));
vector("good-set-rs256-3072", "set", "ok", token("RS256", "rs2", { kid: "rs-2" }));
vector("good-set-es256", "set", "ok", token("ES256", "es1", { kid: "es-1" }));
vector("good-no-kid-only-key-of-alg", "set", "ok", token("ES256", "es1"));
vector("good-no-kid-public-rs256", "public", "ok", token("RS256", "rs1"));
vector("good-unnamed-no-kid", "unnamed", "ok", token("RS256", "rs1"));
vector("good-unnamed-any-kid", "unnamed", "ok", token("RS256", "rs1", { kid: "x" }));
vector("good-at-jwt", "public", "ok", token("RS256", "rs1", { kid: "rs-1", typ: "at+jwt" }));
vector("good-no-typ", "hs256", "ok", hs('{"alg":"HS256"}'));
vector("good-x5t", "public", "ok", token("RS256", "rs1", { kid: "rs-1", x5t: "AAAA" }));
vector("good-strict", "strict", "ok",
	token("RS256", "rs1", { kid: "rs-1" }, good({ iss: "https://id.example/", aud: "heliograph" })));
vector("good-strict-aud-list", "strict", "ok",
	token("RS256", "rs1", { kid: "rs-1" }, good({ iss: "https://id.example/", aud: ["a", "heliograph", "b"] })));
vector("good-user-claim", "email", "ok", hs({}, good({ email: "ada@example.com" })));

group("no signature at all");
for (const [i, alg] of ["none", "None", "nOnE", "NONE"].entries()) {
	vector(`alg-none-${i}-empty`, "hs256", REFUSED.malformed, withSignature({ alg }, ""));
	vector(`alg-none-${i}-signed`, "hs256", REFUSED.alg, hs({ alg }));
	vector(`alg-none-${i}-set`, "set", REFUSED.alg, token("RS256", "rs1", { alg, kid: "rs-1" }));
}
vector("signature-missing", "hs256", REFUSED.malformed, parts(hs()).slice(0, 2).join("."));
vector("signature-empty", "hs256", REFUSED.malformed, `${parts(hs()).slice(0, 2).join(".")}.`);
vector("signature-zeros", "hs256", REFUSED.sig, withSignature({ alg: "HS256" }, b64(Buffer.alloc(32))));

group("another algorithm than the key's");
vector("alg-missing", "hs256", REFUSED.alg, hs('{"typ":"JWT"}'));
vector("alg-number", "hs256", REFUSED.alg, hs({ alg: 256 }));
vector("alg-null", "hs256", REFUSED.alg, hs({ alg: null }));
vector("alg-list", "hs256", REFUSED.alg, hs({ alg: ["HS256"] }));
vector("alg-empty", "hs256", REFUSED.alg, hs({ alg: "" }));
vector("alg-lower-case", "hs256", REFUSED.alg, hs({ alg: "hs256" }));
vector("alg-space", "hs256", REFUSED.alg, hs({ alg: "HS256 " }));
vector("alg-nul", "hs256", REFUSED.alg, hs({ alg: "HS256\0" }));
vector("alg-twice", "hs256", REFUSED.malformed, hs('{"alg":"HS256","alg":"none"}'));
vector("alg-twice-escaped", "hs256", REFUSED.malformed, hs('{"alg":"none","\\u0061lg":"HS256"}'));
vector("hs384-for-hs256-key", "hs256", REFUSED.alg, token("HS384", "hs1"));
vector("hs512-for-hs256-key", "hs256", REFUSED.alg, token("HS512", "hs1"));
vector("hs256-for-hs512-key", "hs512", REFUSED.alg, token("HS256", "hs3"));
vector("set-hs256-for-hs512-key", "set", REFUSED.alg, token("HS256", "hs3", { kid: "hs-3" }));
vector("set-hs512-for-key-by-type", "set", REFUSED.alg, token("HS512", "hs3", { kid: "hs-2" }));
vector("rs256-for-es256-key", "es256", REFUSED.alg, token("RS256", "rs1"));
vector("es256-for-rs256-key", "rs256", REFUSED.alg, token("ES256", "es1"));
vector("set-rs256-for-es-kid", "set", REFUSED.alg, token("RS256", "rs1", { kid: "es-1" }));
vector("set-es256-for-rs-kid", "set", REFUSED.alg, token("ES256", "es1", { kid: "rs-2" }));
vector("set-es256-signed-as-rs256", "set", REFUSED.sig, token("ES256", "es1", { kid: "rs-1", alg: "RS256" }));
vector("set-rs256-signed-as-es256", "set", REFUSED.sig, token("RS256", "rs1", { kid: "es-1", alg: "ES256" }));
vector("rs384", "rs256", REFUSED.alg, token("RS384", "rs1"));
vector("rs512", "rs256", REFUSED.alg, token("RS512", "rs1"));
vector("rs384-as-rs256", "rs256", REFUSED.sig, token("RS384", "rs1", { alg: "RS256" }));
vector("rs1-as-rs256", "rs256", REFUSED.sig, token("RS1", "rs1", { alg: "RS256" }));
vector("ps256", "rs256", REFUSED.alg, token("PS256", "rs1"));
vector("ps256-as-rs256", "rs256", REFUSED.sig, token("PS256", "rs1", { alg: "RS256" }));
vector("eddsa", "es256", REFUSED.alg, token("EdDSA", "ed1"));
// The points of small order: a verifier that takes them takes any text with S = 0.
for (const [i, point] of ["0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"].entries())
	vector(`eddsa-small-order-${i}`, "es256", REFUSED.alg,
		withSignature({ alg: "EdDSA" }, b64(Buffer.concat([Buffer.from(point, "hex"), Buffer.alloc(32)]))));
vector("es384", "es256", REFUSED.alg, withSignature({ alg: "ES384" }, b64(Buffer.alloc(96, 1))));
vector("es256k", "es256", REFUSED.alg, withSignature({ alg: "ES256K" }, b64(Buffer.alloc(64, 1))));

group("a public key as the secret of an HMAC");
const pem = pemOf("rs1");
const der = publicOf("rs1").export({ type: "spki", format: "der" });
const disguises = { pem, "pem-no-newline": pem.trimEnd(), "pem-space": ` ${pem}`, "pem-newline": `\n${pem}`,
	"pem-crlf": pem.replaceAll("\n", "\r\n"), "pem-pkcs1": publicOf("rs1").export({ type: "pkcs1", format: "pem" }),
	"pem-twice": pem + pem, der, "der-pkcs1": publicOf("rs1").export({ type: "pkcs1", format: "der" }),
	modulus: Buffer.from(jwks.rs1.n, "base64url"), jwk: JSON.stringify(kit.publicJwk("rs1")), "jwk-n": jwks.rs1.n };
for (const [name, secret] of Object.entries(disguises)) {
	vector(`confusion-rs256-${name}`, "rs256", REFUSED.alg, token("HS256", Buffer.from(secret)));
	vector(`confusion-set-${name}`, "set", REFUSED.alg, token("HS256", Buffer.from(secret), { kid: "rs-1" }));
}
vector("confusion-es256-pem", "es256", REFUSED.alg, token("HS256", Buffer.from(pemOf("es1"))));
vector("confusion-no-kid", "public", REFUSED.alg, token("HS256", Buffer.from(pem)));
vector("confusion-by-type", "set", REFUSED.alg, token("HS256", Buffer.alloc(0), { kid: "rs-2" }));
vector("confusion-hs512", "public", REFUSED.alg, token("HS512", Buffer.from(pem), { kid: "rs-1" }));

group("other keys");
vector("hs256-empty-key", "hs256", REFUSED.sig, token("HS256", Buffer.alloc(0)));
vector("hs256-zero-key", "hs256", REFUSED.sig, token("HS256", Buffer.alloc(32)));
vector("hs256-key-and-newline", "hs256", REFUSED.sig, token("HS256", Buffer.from(`${secretOf("hs1")}\n`)));
vector("hs256-key-prefix", "hs256", REFUSED.sig, token("HS256", secretOf("hs1").subarray(0, 31)));
vector("hs256-key-base64", "hs256", REFUSED.sig, token("HS256", Buffer.from(jwks.hs1.k)));
vector("hs256-stranger", "hs256", REFUSED.sig, token("HS256", "stranger"));
vector("rs256-stranger", "rs256", REFUSED.sig, token("RS256", "rs3"));
vector("rs256-weak-stranger", "rs256", REFUSED.sig, token("RS256", "weak"));
vector("es256-stranger", "es256", REFUSED.sig, token("ES256", "es2"));
vector("set-other-key-of-set", "set", REFUSED.sig, token("RS256", "rs2", { kid: "rs-1" }));
vector("set-encryption-key", "set", REFUSED.key, token("RS256", "rs3", { kid: "rs-enc" }));
vector("set-no-kid-two-keys", "set", REFUSED.key, token("RS256", "rs1"));
vector("set-no-kid-two-secrets", "set", REFUSED.key, token("HS256", "hs1"));
vector("public-no-kid-no-key-of-alg", "public", REFUSED.alg, token("HS512", "hs3"));
vector("no-keys", "none", REFUSED.key, token("HS256", "hs1"));
vector("no-keys-empty-secret", "none", REFUSED.key, token("HS256", Buffer.alloc(0)));

group("the kid");
const kids = { unknown: "rs-9", empty: "", "other-case": "RS-1", space: "rs-1 ", prefix: "rs-", path: "../../../../dev/null",
	"path-root": "/proc/self/environ", quote: "rs-1' OR '1'='1", "double-quote": 'rs-1"', url: "https://evil.example/key",
	shell: "rs-1|/bin/true", unicode: "rs\u20101", "other-tenant": "tenant-b/rs-1", "dev-mode": "heliograph-dev" };
for (const [name, kid] of Object.entries(kids))
	vector(`kid-${name}`, "set", REFUSED.key, token("RS256", "rs1", { kid }));
vector("kid-unknown-beside-unnamed", "mixed", REFUSED.key, token("RS256", "rs1", { kid: "x" }));
vector("kid-missing-beside-unnamed", "mixed", "ok", token("RS256", "rs1"));
vector("kid-known-beside-unnamed", "mixed", "ok", token("ES256", "es1", { kid: "es-1" }));
vector("kid-256-bytes", "set", REFUSED.key, token("RS256", "rs1", { kid: "k".repeat(256) }));
vector("kid-257-bytes", "set", REFUSED.header, token("RS256", "rs1", { kid: "k".repeat(257) }));
vector("kid-4-kib", "set", REFUSED.header, token("RS256", "rs1", { kid: "k".repeat(4096) }));
vector("kid-nul", "set", REFUSED.header, token("RS256", "rs1", { kid: "rs-1\0" }));
vector("kid-number", "set", REFUSED.header, token("RS256", "rs1", { kid: 1 }));
vector("kid-null", "set", REFUSED.header, token("RS256", "rs1", { kid: null }));
vector("kid-list", "set", REFUSED.header, token("RS256", "rs1", { kid: ["rs-1"] }));
vector("kid-twice", "set", REFUSED.malformed, token("RS256", "rs1", '{"alg":"RS256","kid":"rs-1","kid":"rs-2"}'));

group("headers that bring keys or change what is signed");
const es1 = kit.publicJwk("es2");
for (const [name, more] of Object.entries({ "crit-unknown": { crit: ["x"], x: 1 }, "crit-empty": { crit: [] },
	"crit-exp": { crit: ["exp"] }, "crit-text": { crit: "x" }, "b64-false": { b64: false, crit: ["b64"] },
	"b64-false-alone": { b64: false }, "b64-true": { b64: true }, jku: { jku: "https://evil.example/jwks.json" },
	"jku-ours": { jku: "https://id.example/jwks.json" }, x5u: { x5u: "https://evil.example/cert.pem" },
	x5c: { x5c: ["MIIB"] }, "zip": { zip: "DEF" }, "enc": { enc: "A128GCM" }, "typ-jws": { typ: "JWS" },
	"typ-number": { typ: 1 }, "typ-null": { typ: null }, "typ-dpop": { typ: "dpop+jwt" }, "typ-logout": { typ: "logout+jwt" } }))
	vector(`header-${name}`, "hs256", REFUSED.header, hs(more));
vector("header-jwk-embedded", "es256", REFUSED.header, token("ES256", "es2", { jwk: es1 }));
vector("header-jwk-embedded-kid", "set", REFUSED.header, token("ES256", "es2", { jwk: es1, kid: "es-1" }));
vector("header-jwk-ours", "es256", REFUSED.header, token("ES256", "es1", { jwk: kit.publicJwk("es1") }));
vector("header-list", "hs256", REFUSED.malformed, hs('["HS256"]'));
vector("header-text", "hs256", REFUSED.malformed, hs('"HS256"'));
vector("header-empty-object", "hs256", REFUSED.alg, hs("{}"));
vector("header-tail", "hs256", REFUSED.malformed, hs('{"alg":"HS256"}{}'));
vector("header-utf8", "hs256", REFUSED.malformed, hs(Buffer.from('{"alg":"HS256","x":"\xff"}', "latin1")));
vector("header-nul", "hs256", REFUSED.malformed, hs('{"alg":"HS256"}\0'));
vector("header-bom", "hs256", REFUSED.malformed, hs('\ufeff{"alg":"HS256"}'));
vector("header-17-members", "hs256", "limit",
	hs(JSON.stringify({ alg: "HS256", ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`m${i}`, i])) })));

group("signatures of ES256");
const es = token("ES256", "es1");
const esText = parts(es).slice(0, 2).join(".");
const raw = Buffer.from(parts(es)[2], "base64url");
const N = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
const zero = Buffer.alloc(32);
const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
const plusN = (value) => Buffer.from((BigInt(`0x${value.toString("hex")}`) + BigInt(`0x${N.toString("hex")}`))
	.toString(16).padStart(66, "0"), "hex");
const [r, s] = [raw.subarray(0, 32), raw.subarray(32)];
for (const [name, bytes] of Object.entries({ "r-0": [zero, s], "s-0": [r, zero], "both-0": [zero, zero], "r-n": [N, s],
	"s-n": [r, N], "both-n": [N, N], "r-max": [Buffer.alloc(32, 255), s], "s-max": [r, Buffer.alloc(32, 255)],
	"r-1-s-1": [one, one], swapped: [s, r], "33-bytes-each": [Buffer.concat([Buffer.alloc(1), r]), Buffer.concat([Buffer.alloc(1), s])],
	"plus-n": [plusN(r), plusN(s)], "63-bytes": [raw.subarray(0, 63)], "65-bytes": [raw, Buffer.alloc(1)], "r-alone": [r],
	"96-bytes": [raw, zero], twice: [raw, raw] }))
	vector(`es256-${name}`, "es256", REFUSED.sig, `${esText}.${b64(Buffer.concat(bytes))}`);
vector("es256-der", "es256", REFUSED.sig, `${esText}.${b64(crypto.sign("sha256", Buffer.from(esText), kit.privateOf("es1")))}`);

group("signatures of RS256");
const rs = token("RS256", "rs1");
const rsText = parts(rs).slice(0, 2).join(".");
const rsRaw = Buffer.from(parts(rs)[2], "base64url");
for (const [name, bytes] of Object.entries({ zeros: Buffer.alloc(256), ones: Buffer.alloc(256, 255), one: Buffer.concat([Buffer.alloc(255), Buffer.from([1])]),
	"255-bytes": rsRaw.subarray(0, 255), "255-tail": rsRaw.subarray(1), "257-bytes": Buffer.concat([rsRaw, Buffer.alloc(1)]),
	"zero-before": Buffer.concat([Buffer.alloc(1), rsRaw]), modulus: Buffer.from(jwks.rs1.n, "base64url") }))
	vector(`rs256-${name}`, "rs256", REFUSED.sig, `${rsText}.${b64(bytes)}`);
// Padding of a signature that does not fill the modulus, and one without DigestInfo.
vector("rs256-raw-digest", "rs256", REFUSED.sig, `${rsText}.${b64(crypto.privateEncrypt(
	{ key: kit.privateOf("rs1"), padding: crypto.constants.RSA_PKCS1_PADDING },
	crypto.createHash("sha256").update(rsText).digest()))}`);

group("the outside");
const ok = hs();
const [header, payload, mac] = parts(ok);
const last = (text, c) => text.slice(0, -1) + c;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
for (const [name, text] of Object.entries({ "one-part": header, "two-parts": `${header}.${payload}`, dots: "..",
	"two-dots-only": ".", "four-parts": `${ok}.AAAA`, "five-parts-jwe": `${header}.${payload}.${mac}.AAAA.AAAA`,
	"leading-dot": `.${ok}`, "trailing-dot": `${ok}.`, "header-empty": `.${payload}.${mac}`, "payload-empty": `${header}..${mac}`,
	"padded-signature": `${ok}=`, "padded-payload": `${header}.${payload}=.${mac}`, "padded-header": `${header}=.${payload}.${mac}`,
	"plus-for-minus": `${header}.${payload}.${last(mac, "+")}`, slash: `${header}.${payload}.${last(mac, "/")}`,
	"space-before": ` ${ok}`, "space-after": `${ok} `, newline: `${ok}\n`, "newline-inside": `${header}.${payload}\n.${mac}`,
	"nul-after": `${ok}\0`, "nul-inside": `${header}.${payload.slice(0, 4)}\0${payload.slice(4)}.${mac}`,
	"high-byte": `${header}.${payload}.${last(mac, "\xe9")}`, "bearer-twice": `Bearer ${ok}`, quoted: `"${ok}"`,
	"not-canonical": `${header}.${payload}.${last(mac, LETTERS[LETTERS.indexOf(mac.at(-1)) + 1])}`,
	"signature-one-short": ok.slice(0, -1), "signature-1-letter": `${header}.${payload}.A` }))
	vector(`outside-${name}`, "hs256", REFUSED.malformed, text);
vector("outside-signature-longer", "hs256", REFUSED.sig, `${ok}A`);
vector("outside-signature-shorter", "hs256", REFUSED.sig, ok.slice(0, -3));
vector("outside-payload-bit", "hs256", REFUSED.sig,
	`${header}.${b64(flip(Buffer.from(payload, "base64url").toString(), 8))}.${mac}`);
vector("outside-signature-bit", "hs256", REFUSED.sig,
	`${header}.${payload}.${b64(Buffer.from(flip(Buffer.from(mac, "base64url").toString("latin1"), 20), "latin1"))}`);
vector("outside-swapped-header", "hs256", REFUSED.sig, `${b64('{"alg":"HS256"}')}.${payload}.${mac}`);
vector("outside-swapped-payload", "hs256", REFUSED.sig, `${header}.${b64(`{"sub":"admin","exp":${EXP}}`)}.${mac}`);
// 36 letters of header and 43 of signature leave 8,111 for the payload: 6,083 bytes.
const pad = (bytes) => good({ pad: "p".repeat(bytes - JSON.stringify(good({ pad: "" })).length) });
vector("outside-8192-bytes", "hs256", "ok", hs({}, pad(6083)));
vector("outside-8193-bytes", "hs256", "too_long", hs({}, pad(6084)));

group("times");
for (const [name, outcome, value] of [["exp-missing", "claims", { sub: "u1" }], ["exp-past", "expired", good({ exp: NOW - 60 })],
	["exp-last-second", "ok", good({ exp: NOW - 59 })], ["exp-zero", "expired", good({ exp: 0 })],
	["exp-text", "claims", good({ exp: String(EXP) })], ["exp-null", "claims", good({ exp: null })],
	["exp-list", "claims", good({ exp: [EXP] })], ["exp-negative", "claims", good({ exp: -1 })],
	["exp-year-9999", "ok", good({ exp: 253402300799 })], ["exp-year-10000", "claims", good({ exp: 253402300800 })],
	["exp-float", "claims", `{"exp":${EXP}.5}`], ["exp-float-zero", "claims", `{"exp":${EXP}.0}`],
	["exp-1e400", "claims", '{"exp":1e400}'], ["exp-17e8", "claims", '{"exp":17e8}'],
	["exp-2-63", "claims", '{"exp":9223372036854775808}'], ["exp-2-64", "claims", '{"exp":18446744073709551616}'],
	["exp-leading-zero", "malformed", '{"exp":01700000100}'], ["exp-nan", "malformed", '{"exp":NaN}'],
	["exp-twice", "malformed", `{"exp":1,"exp":${EXP}}`], ["exp-twice-escaped", "malformed", `{"exp":${EXP},"\\u0065xp":1}`],
	["nbf-last-second", "ok", good({ nbf: NOW + 60 })], ["nbf-future", "not_yet", good({ nbf: NOW + 61 })],
	["nbf-text", "claims", good({ nbf: "0" })], ["nbf-float", "claims", good({ nbf: 1.5 })],
	["iat-last-second", "ok", good({ iat: NOW + 60 })], ["iat-future", "not_yet", good({ iat: NOW + 61 })],
	["iat-text", "claims", good({ iat: "now" })], ["iat-negative", "claims", good({ iat: -1 })]])
	vector(`time-${name}`, "hs256", outcome, claims(value));
vector("time-no-leeway-last-second", "sharp", "ok", claims(good({ exp: NOW + 1 })));
vector("time-no-leeway-past", "sharp", "expired", claims(good({ exp: NOW })));
vector("time-no-leeway-nbf", "sharp", "not_yet", claims(good({ nbf: NOW + 1 })));
vector("time-later", "hs256", "expired", ok, EXP + 60);
vector("time-just-in-time", "hs256", "ok", ok, EXP + 59);

group("who made it, for whom");
const ours = { iss: "https://id.example/", aud: "heliograph" };
const strict = (name, outcome, more) =>
	vector(`for-${name}`, "strict", outcome, token("RS256", "rs1", { kid: "rs-1" }, good({ ...ours, ...more })));
for (const [name, iss] of Object.entries({ missing: undefined, "no-slash": "https://id.example", "two-slashes": "https://id.example//",
	"other-case": "https://ID.example/", http: "http://id.example/", prefix: "https://id.example/a", other: "https://evil.example/",
	empty: "", space: " https://id.example/" }))
	strict(`iss-${name}`, "issuer", { iss });
strict("iss-number", "claims", { iss: 1 });
strict("iss-list", "claims", { iss: ["https://id.example/"] });
strict("iss-nul", "claims", { iss: "https://id.example/\0" });
for (const [name, aud] of Object.entries({ missing: undefined, other: "another-service", prefix: "helio", longer: "heliograph2",
	"other-case": "Heliograph", empty: "", "empty-list": [], list: ["a", "b"], "list-joined": "a heliograph",
	"list-prefix": ["helio", "graph"] }))
	strict(`aud-${name}`, "audience", { aud });
strict("aud-number", "claims", { aud: 1 });
strict("aud-object", "claims", { aud: { heliograph: 1 } });
strict("aud-list-number", "claims", { aud: ["heliograph", 1] });
strict("aud-nested", "claims", { aud: [["heliograph"]] });
strict("aud-64", "ok", { aud: [...Array(63).fill("x"), "heliograph"] });
strict("aud-65", "limit", { aud: ["heliograph", ...Array(64).fill("x")] });
vector("for-aud-type-unconfigured", "hs256", "claims", claims(good({ aud: 1 })));
vector("for-iss-type-unconfigured", "hs256", "claims", claims(good({ iss: {} })));

group("who it is");
for (const [name, outcome, value] of [["sub-number", "claims", good({ sub: 1 })], ["sub-null", "claims", good({ sub: null })],
	["sub-nul", "claims", good({ sub: "a\0b" })], ["sub-list", "claims", good({ sub: ["u1"] })],
	["sub-twice", "malformed", `{"exp":${EXP},"sub":"a","sub":"b"}`],
	["sub-half-surrogate", "malformed", `{"exp":${EXP},"sub":"\\ud800"}`],
	["name-object", "claims", good({ name: {} })], ["role-number", "claims", good({ role: 1 })],
	["roles-number", "claims", good({ roles: [1] })], ["roles-nested", "claims", good({ roles: [["a"]] })],
	["roles-nul", "claims", good({ roles: ["a\0b"] })], ["roles-64", "ok", good({ roles: Array(64).fill("r") })],
	["roles-65", "limit", good({ roles: Array(65).fill("r") })], ["list", "malformed", "[1]"], ["null", "malformed", "null"],
	["tail", "malformed", `{"exp":${EXP}}x`], ["utf8", "malformed", Buffer.from(`{"exp":${EXP},"sub":"\xc0\x80"}`, "latin1")],
	["64-claims", "ok", { exp: EXP, ...Object.fromEntries(Array.from({ length: 63 }, (_, i) => [`c${i}`, i])) }],
	["65-claims", "limit", { exp: EXP, ...Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`c${i}`, i])) }],
	["1000-levels", "limit", `{"exp":${EXP},"x":${"[".repeat(1000)}${"]".repeat(1000)}}`]])
	vector(`claims-${name}`, "hs256", outcome, claims(value));
vector("claims-user-missing", "email", "claims", claims(good()));
vector("claims-user-empty", "email", "claims", claims(good({ email: "" })));
vector("claims-user-number", "email", "claims", claims(good({ email: 7 })));
