// SPDX-License-Identifier: Apache-2.0
// 6.5 to 6.23: byte sequences at every edge of UTF-8, as {id, title, bytes}. Whether one
// is valid is not written here: node's own decoder says so.
"use strict";

const { Buffer } = require("node:buffer");

const hex = (digits) => Buffer.from(digits.replaceAll(" ", ""), "hex");
const character = (code) => Buffer.from(String.fromCodePoint(code));
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

// Each first byte with a space behind it.
const lonely = (first, last) => Buffer.from(range(first, last).flatMap((byte) => [byte, 0x20]));

const KOSME = Buffer.from("\u03ba\u1f79\u03c3\u03bc\u03b5");

// Five and six bytes long were once thought of.
const LAST_BYTE_MISSING = ["c0", "e080", "f08080", "f8808080", "fc80808080",
	"df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"].map(hex);

// The last two code points of every plane are no characters, but may be sent.
const NONCHARACTERS = range(0, 16).flatMap((plane) => [0xfffe, 0xffff].map((low) => plane * 0x10000 + low));

const GROUPS = [
	["some text", [
		...["\u0024", "\u00a2", "\u20ac", "\u{24b62}"].map((sign) => Buffer.from(`hello${sign}world`)),
		KOSME,
	]],
	["the start of a text", range(1, KOSME.length).map((length) => KOSME.subarray(0, length))],
	["the first of its length", ["00", "c280", "e0a080", "f0908080"].map(hex)],
	["the first of 5 or 6 bytes", ["f888808080", "fc8480808080"].map(hex)],
	["the last of its length", ["7f", "dfbf", "efbfbf", "f48fbfbf"].map(hex)],
	["the last of 4, 5 or 6 bytes", ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"].map(hex)],
	["at a boundary", ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf", "f4908080"].map(hex)],
	["continuation bytes alone", [
		...["80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf"].map(hex),
		Buffer.from(range(0x80, 0xbf)),
	]],
	["first bytes alone", [
		lonely(0xc0, 0xdf), lonely(0xe0, 0xef), lonely(0xf0, 0xf7), lonely(0xf8, 0xfb), lonely(0xfc, 0xfd),
	]],
	["the last byte missing", LAST_BYTE_MISSING],
	["all those with the last byte missing, joined", [Buffer.concat(LAST_BYTE_MISSING)]],
	["impossible bytes", ["fe", "ff", "fefeffff"].map(hex)],
	["an overlong slash", ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"].map(hex)],
	["the highest overlong", ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"].map(hex)],
	["an overlong NUL", ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"].map(hex)],
	["a surrogate", ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"].map(hex)],
	["a pair of surrogates", ["eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf",
		"edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf"].map(hex)],
	["a code point that is no character", NONCHARACTERS.map(character)],
	["a special", range(0xfff9, 0xffff).map(character)],
];

const FIRST_GROUP = 5;

function hexOf(bytes) {
	return bytes.length <= 12 ? bytes.toString("hex") : `${bytes.length} bytes`;
}

const sequences = GROUPS.flatMap(([title, list], group) => list.map((bytes, i) => ({
	id: `6.${FIRST_GROUP + group}.${i + 1}`,
	title: `${title}, ${hexOf(bytes)}`,
	bytes,
})));

module.exports = { sequences };
