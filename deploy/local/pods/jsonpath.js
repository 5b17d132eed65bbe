// SPDX-License-Identifier: Apache-2.0
// The part of kubectl's -o jsonpath that scripts use: text, {.a.b}, {.a[0]}, {.a[*].b}, keys with
// escaped dots, and {range …}…{end}.
"use strict";

const TOKEN = /\{([^{}]*)\}|([^{]+)/g;
const STEP = /\.((?:\\.|[^.[\]\\])+)|\[(\*|-?\d+|'[^']*')\]/gy;

// All values at a path.
function valuesAt(value, path) {
	let found = [value];
	STEP.lastIndex = 0;
	const text = path === "." || path === "@" ? "" : path.replace(/^@/, "");
	while (STEP.lastIndex < text.length) {
		const at = STEP.lastIndex;
		const match = STEP.exec(text);
		if (!match)
			throw new Error(`error parsing jsonpath at "${text.slice(at)}"`);
		const [, name, index] = match;
		found = found.flatMap((one) => stepped(one, name?.replace(/\\(.)/g, "$1") ?? index));
	}
	return found.filter((one) => one !== undefined);
}

function stepped(value, step) {
	if (value === null || value === undefined)
		return [];
	if (step === "*")
		return Object.values(value);
	if (Array.isArray(value) && /^-?\d+$/.test(step))
		return [value.at(Number(step))];
	return [value[step.replace(/^'(.*)'$/, "$1")]];
}

const textOf = (value) => typeof value === "object" ? JSON.stringify(value) : String(value);
const unescaped = (text) => JSON.parse(text);

function tokens(template) {
	return [...template.matchAll(TOKEN)].map(([, code, text]) => text === undefined ? { code: code.trim() } : { text });
}

function render(list, value) {
	let out = "";
	for (let i = 0; i < list.length; i++) {
		const { code, text } = list[i];
		const range = /^range\s+(.*)$/.exec(code ?? "");
		if (text !== undefined)
			out += text;
		else if (range) {
			const end = list.findIndex((token, k) => k > i && token.code === "end");
			if (end < 0)
				throw new Error("jsonpath: range without end");
			const inner = list.slice(i + 1, end);
			for (const one of valuesAt(value, range[1]))
				out += inner.map((token) => rendered(token, one)).join("");
			i = end;
		} else
			out += rendered(list[i], value);
	}
	return out;
}

function rendered({ code, text }, value) {
	if (text !== undefined)
		return text;
	if (/^".*"$/.test(code))
		return unescaped(code);
	return valuesAt(value, code.startsWith("$") ? code.slice(1) : code).map(textOf).join(" ");
}

const jsonpath = (template, value) => render(tokens(template), value);

module.exports = { jsonpath };
