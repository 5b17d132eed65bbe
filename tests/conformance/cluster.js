// SPDX-License-Identifier: Apache-2.0
// How the programs are told to serve the conformance app's hubs, at the paths that suites
// expect. $HELIOGRAPH_BUILD has the programs and the module.
"use strict";

const path = require("node:path");

const BUILD = path.resolve(process.env.HELIOGRAPH_BUILD ?? "build/release");
const HUBS = ["testhub", "testhub-nowebsockets", "authorizedhub", "uncreatable"];

const conformanceOptions = (more = []) => ({
	routers: 2,
	workers: 2,
	gatewayArgs: [
		`--hubs=${HUBS.join(",")}`, "--detailed_errors=on", "--stateful_reconnect=on",
		...HUBS.map((hub) => `--hub.${hub}.path=/${hub}`),
		...["testhub", "testhub-nowebsockets"].flatMap((hub) => [
			`--hub.${hub}.request_headers=x-test,user-agent,x-signalr-user-agent,content-type,cookie,not-there`,
			`--hub.${hub}.request_query=on`]),
		"--hub.testhub-nowebsockets.transports=sse,longpolling",
		"--hub.authorizedhub.keepalive_interval=200ms", "--hub.authorizedhub.auth=required",
		...more,
	],
	routerArgs: [`--hubs=${HUBS.join(",")}`, `--hub_module=${path.join(BUILD, "testhub.so")}`, "--detailed_errors=on"],
});

module.exports = { BUILD, conformanceOptions };
