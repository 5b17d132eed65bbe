// SPDX-License-Identifier: Apache-2.0
// All cases in the order of their numbers, and choosing among them.
"use strict";

const SECTIONS = {
	1: "framing", 2: "Pings and Pongs", 3: "reserved bits", 4: "reserved opcodes", 5: "fragments",
	6: "UTF-8", 7: "close", 9: "limits and performance", 10: "automatic fragments", H: "hub connections",
};

function compareIds(a, b) {
	const [left, right] = [a, b].map((id) => id.split(".").map((part) => (part === "H" ? Infinity : Number(part))));
	for (let i = 0; i < Math.max(left.length, right.length); i++)
		if (left[i] !== right[i])
			return (left[i] ?? -1) < (right[i] ?? -1) ? -1 : 1;
	return 0;
}

const cases = ["framing", "pings", "reserved", "fragments", "utf8", "close", "limits", "hub"]
	.flatMap((name) => require(`./${name}.js`))
	.sort((a, b) => compareIds(a.id, b.id));

const sectionOf = (id) => id.split(".")[0];

// "6.*", "6.4.1", "2.*,7.3.*": a star is anything.
function matching(filter) {
	const patterns = filter.split(",").map((pattern) =>
		new RegExp(`^${pattern.trim().replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`));
	return cases.filter(({ id }) => patterns.some((pattern) => pattern.test(id)));
}

module.exports = { cases, matching, sectionOf, SECTIONS };
