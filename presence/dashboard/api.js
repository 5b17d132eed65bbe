// SPDX-License-Identifier: Apache-2.0
// Requests to the admin API of the presence that serves this page. The token lives in this
// tab only (sessionStorage), and goes nowhere but into the Authorization header.

const TOKEN_KEY = "heliograph.token";
const TIMEOUT_MS = 10000;

// What the API answered, or, with status 0, that it did not.
export class ApiError extends Error {
	constructor(status, detail) {
		super(detail);
		this.name = "ApiError";
		this.status = status;
	}
}

function readStored() {
	try {
		return sessionStorage.getItem(TOKEN_KEY) ?? "";
	} catch {
		return ""; // storage may be refused; then the token lives as long as the page
	}
}

let token = readStored();
let onUnauthorized = () => {};

export const hasToken = () => token !== "";
export const whenUnauthorized = (fn) => (onUnauthorized = fn);

export function setToken(text) {
	token = text;
	try {
		if (text)
			sessionStorage.setItem(TOKEN_KEY, text);
		else
			sessionStorage.removeItem(TOKEN_KEY);
	} catch {
		// as above
	}
}

export function headers(more = {}) {
	return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

async function problemOf(response) {
	let detail = "";
	try {
		const problem = await response.json();
		detail = problem.detail || problem.title || "";
	} catch {
		// Not one of the API's own answers: a proxy's, perhaps.
	}
	return new ApiError(response.status, detail || `The API answered ${response.status}.`);
}

// The response, once it is known to be a good one.
export async function ask(path, options = {}) {
	const used = token;
	let response;
	try {
		response = await fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...options });
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		throw new ApiError(0, error.name === "TimeoutError" ? "No answer in time." : "Presence cannot be reached.");
	}
	if (response.ok)
		return response;
	if (response.status === 401 && used === token)
		onUnauthorized(used !== "");
	throw await problemOf(response);
}

async function call(method, path, body, signal) {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	const options = { method, headers: headers({ Accept: "application/json" }),
		signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
	if (body !== undefined) {
		options.headers["Content-Type"] = "application/json";
		options.body = JSON.stringify(body);
	}
	const response = await ask(path, options);
	const text = await response.text();
	return text ? JSON.parse(text) : null;
}

function query(parameters) {
	const pairs = Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined);
	return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

const segment = encodeURIComponent;

export const stats = () => call("GET", "/api/v1/stats");
export const statsHistory = () => call("GET", "/api/v1/stats/history");
export const cluster = () => call("GET", "/api/v1/cluster");
export const users = (parameters, signal) => call("GET", `/api/v1/users${query(parameters)}`, undefined, signal);
export const user = (id, parameters) => call("GET", `/api/v1/users/${segment(id)}${query(parameters)}`);
export const connection = (id) => call("GET", `/api/v1/connections/${segment(id)}`);
export const disconnect = (id, reason) =>
	call("DELETE", `/api/v1/connections/${segment(id)}`, reason ? { reason } : {});
export const disconnectUser = (id, reason) =>
	call("DELETE", `/api/v1/users/${segment(id)}/connections`, reason ? { reason } : {});
export const drain = (gateway) => call("POST", `/api/v1/gateways/${segment(gateway)}/drain`);
