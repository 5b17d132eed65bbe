// SPDX-License-Identifier: Apache-2.0
// The admin API as its own description has it: requests by operationId, each answer held to
// the status codes, headers and schemas that it declares.
"use strict";

const assert = require("node:assert/strict");
const Ajv2020 = require("ajv/dist/2020");
const addFormats = require("ajv-formats");

const ROOT = "openapi";
const TIMEOUT_MS = 15000;

const pointer = (...parts) => parts.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");

class Api {
	#ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
	#operations = new Map();

	constructor(origin, document, headers = {}) {
		this.origin = origin;
		this.document = document;
		this.headers = headers;
		this.#ajv.addSchema(document, ROOT);
		for (const [path, methods] of Object.entries(document.paths))
			for (const [method, operation] of Object.entries(methods))
				this.#operations.set(operation.operationId, { path, method, operation });
	}

	static async open(origin, headers) {
		const response = await fetch(`${origin}/api/openapi.json`);
		assert.equal(response.status, 200);
		return new Api(origin, await response.json(), headers);
	}

	get operations() {
		return [...this.#operations.keys()];
	}

	// The request as fetch() takes it; `params` are percent-encoded here.
	request(operationId, { params = {}, query = {}, body, headers = {}, method } = {}) {
		const known = this.#operations.get(operationId);
		assert.ok(known, `no operation ${operationId}`);
		const path = known.path.replaceAll(/\{(\w+)\}/g, (_, name) => {
			assert.ok(name in params, `${operationId} needs ${name}`);
			return encodeURIComponent(params[name]);
		});
		const search = new URLSearchParams(query).toString();
		const init = { method: method ?? known.method.toUpperCase(), headers: { ...this.headers, ...headers },
			signal: AbortSignal.timeout(TIMEOUT_MS) };
		if (body !== undefined) {
			init.body = typeof body === "string" ? body : JSON.stringify(body);
			init.headers = { "Content-Type": "application/json", ...init.headers };
		}
		return [`${this.origin}${path}${search ? `?${search}` : ""}`, init];
	}

	// {status, headers, body}, checked against what the description declares.
	async call(operationId, options = {}) {
		const response = await fetch(...this.request(operationId, options));
		const text = await response.text();
		return this.check(operationId, response, text);
	}

	check(operationId, response, text) {
		const { path, method, operation } = this.#operations.get(operationId);
		const told = `${operationId} ${response.status} ${text.slice(0, 500)}`;
		let declared = operation.responses[response.status];
		let at = ["paths", path, method, "responses", String(response.status)];
		assert.ok(declared, `not declared: ${told}`);
		if (declared.$ref) {
			at = declared.$ref.slice(2).split("/");
			declared = at.reduce((node, part) => node[part], this.document);
		}
		const headers = Object.fromEntries(response.headers);
		if (!declared.content) {
			assert.equal(text, "", told);
			return { status: response.status, headers, body: null };
		}
		const type = headers["content-type"];
		assert.ok(declared.content[type], `${type}: ${told}`);
		const body = JSON.parse(text);
		const validate = this.#ajv.getSchema(`${ROOT}#/${pointer(...at, "content", type, "schema")}`);
		assert.ok(validate(body), `${told}\n${JSON.stringify(validate.errors, null, 1)}`);
		return { status: response.status, headers, body };
	}

	// The body of an answer that has to be a success.
	async ok(operationId, options) {
		const { status, body } = await this.call(operationId, options);
		assert.ok(status < 300, `${operationId}: ${status} ${JSON.stringify(body)}`);
		return body;
	}

	// An answer that has to be this problem.
	async problem(operationId, options, status, name) {
		const answer = await this.call(operationId, options);
		assert.equal(answer.body.type, `urn:heliograph:problem:${name}`, JSON.stringify(answer.body));
		assert.equal(answer.status, status);
		assert.equal(answer.body.status, status);
		return answer;
	}

	// Every element of a list, page by page.
	async all(operationId, list, options = {}) {
		const found = [];
		let cursor;
		let pages = 0;
		do {
			const query = { ...options.query, ...(cursor && { cursor }) };
			const body = await this.ok(operationId, { ...options, query });
			found.push(...body[list]);
			cursor = body.next;
			assert.ok(++pages < 1000, "pages without an end");
		} while (cursor);
		return found;
	}
}

function openApi(cluster, name = "p1", headers = {}) {
	return Api.open(`http://${cluster.program(name).admins[0]}`, headers);
}

module.exports = { Api, openApi };
