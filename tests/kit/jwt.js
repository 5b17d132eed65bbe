// SPDX-License-Identifier: Apache-2.0
// Keys and JWTs from node's own cryptography: another implementation than the gateway's.
"use strict";

const crypto = require("node:crypto");

const HMAC = { HS256: ["sha256", 32], HS384: ["sha384", 48], HS512: ["sha512", 64] };
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

// One signing key; `kid` goes into the headers of its tokens when it is there.
class JwtKey {
	constructor(alg, kid) {
		this.alg = alg;
		this.kid = kid;
		if (HMAC[alg])
			this.secret = crypto.randomBytes(HMAC[alg][1] / 2).toString("hex");
		else
			({ publicKey: this.publicKey, privateKey: this.privateKey } = alg === "ES256"
				? crypto.generateKeyPairSync("ec", { namedCurve: "P-256" })
				: crypto.generateKeyPairSync("rsa", { modulusLength: 2048 }));
	}

	// What goes into a key set.
	get jwk() {
		const jwk = this.secret ? { kty: "oct", k: base64url(this.secret) } : this.publicKey.export({ format: "jwk" });
		return { ...jwk, kid: this.kid, alg: this.alg, use: "sig" };
	}

	// What goes into auth_key_file.
	get file() {
		return this.secret ?? this.publicKey.export({ type: "spki", format: "pem" });
	}

	// Good for a minute, unless the claims say otherwise.
	sign(claims, header = {}) {
		const body = { exp: Math.floor(Date.now() / 1000) + 60, ...claims };
		const text = `${base64url({ alg: this.alg, typ: "JWT", kid: this.kid, ...header })}.${base64url(body)}`;
		return `${text}.${this.#signature(text).toString("base64url")}`;
	}

	#signature(text) {
		if (this.secret)
			return crypto.createHmac(HMAC[this.alg][0], this.secret).update(text).digest();
		return crypto.sign("sha256", Buffer.from(text), { key: this.privateKey, dsaEncoding: "ieee-p1363" });
	}
}

module.exports = { JwtKey };
