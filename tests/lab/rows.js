// SPDX-License-Identifier: Apache-2.0
// The rows that the lab can play, by number, and those that CI is gated by.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const FOLDER = path.join(__dirname, "rows");

const ROWS = new Map(fs.readdirSync(FOLDER).filter((name) => name.endsWith(".js"))
	.map((name) => require(path.join(FOLDER, name))).map((row) => [row.row, row]).sort(([a], [b]) => a - b));
const SHORT = [1, 6, 7].filter((row) => ROWS.has(row));

module.exports = { ROWS, SHORT };
