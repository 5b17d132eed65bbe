// SPDX-License-Identifier: Apache-2.0
// Rules for manifests: kept by all overlays, each able to find what breaks it.
"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");
const { clone, find } = require("./kit/objects.js");
const { matrix } = require("./kit/network.js");
const { policyProblems, rules } = require("./kit/policy.js");
const { compose, overlay, overlays } = require("./kit/render.js");

const rendered = new Map(overlays().map((name) => [name, overlay(name)]));
rendered.set("ha with more", compose({ resources: ["../ha"],
	components: ["../../components/tls-internal", "../../components/monitoring"] }));

for (const [name, docs] of rendered)
	test(`${name} keeps all rules`, () => assert.deepEqual(policyProblems(docs), []));

for (const rule of rules)
	test(`rule: ${rule.name}`, () => {
		const docs = clone(rendered.get("ha"));
		assert.deepEqual([...rule.check(docs)], []);
		rule.breaks(docs);
		assert.notDeepEqual([...rule.check(docs)], [], "the rule does not see what breaks it");
	});

// Who may open a connection to whom. Nothing else may.
const WITHOUT_REDIS = [
	"edge -> gateway:8080",
	"gateway -> presence:7100",
	"gateway -> router:7000",
	"monitoring -> gateway:9090",
	"monitoring -> presence:8090",
	"monitoring -> router:9090",
	"router -> presence:7100",
	"router -> router:7000",
];
const WITH_SENTINELS = [...WITHOUT_REDIS,
	"presence -> redis:6379",
	"presence -> sentinel:26379",
	"redis -> redis:6379",
	"redis -> sentinel:26379",
	"router -> redis:6379",
	"router -> sentinel:26379",
	"sentinel -> redis:6379",
	"sentinel -> sentinel:26379",
];
const MATRIX = {
	"dev": WITHOUT_REDIS,
	"ha": WITH_SENTINELS,
	"ha with more": WITH_SENTINELS,
	"edge-gateway-api": WITH_SENTINELS,
	"edge-ingress": WITH_SENTINELS,
	"external-redis": [...WITHOUT_REDIS, "presence -> redisOutside:6379", "router -> redisOutside:6379"],
};

// All may ask for names, and nothing else.
function withDns(rows) {
	const own = new Set(rows.flatMap((row) => row.split(/ -> |:/).slice(0, 2))
		.filter((name) => !["edge", "monitoring", "redisOutside"].includes(name)));
	return [...rows, ...[...own, "unknown"].map((name) => `${name} -> dns:53`)].sort();
}

for (const [name, docs] of rendered)
	test(`${name}: who may connect to whom is what is meant, no more and no less`, () => {
		assert.ok(MATRIX[name], "no matrix for it");
		assert.deepEqual(matrix(docs), withDns(MATRIX[name]));
	});

test("the matrix sees what opens or shuts a door", () => {
	const plants = [
		[(docs) => docs.splice(docs.indexOf(find(docs, "NetworkPolicy", "default-deny")), 1), "monitoring -> unknown:8000"],
		[(docs) => delete find(docs, "NetworkPolicy", "gateway").spec.ingress[0].from, "stranger -> gateway:8080"],
		[(docs) => delete find(docs, "NetworkPolicy", "gateway").spec.ingress[0].ports, "edge -> gateway:9090"],
		[(docs) => delete find(docs, "NetworkPolicy", "router").spec.ingress[0].from[0].podSelector.matchLabels["app.kubernetes.io/component"],
			null],
		[(docs) => find(docs, "NetworkPolicy", "presence").spec.egress = [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }], "presence -> internet:443"],
		[(docs) => find(docs, "NetworkPolicy", "router").spec.ingress[0].from.push({ namespaceSelector: {} }), "stranger -> router:7000"],
		[(docs) => find(docs, "NetworkPolicy", "redis").spec.ingress[0].from.push({ podSelector: {} }), null],
	];
	for (const [plant, opened] of plants) {
		const docs = clone(rendered.get("ha"));
		plant(docs);
		const rows = matrix(docs);
		if (opened)
			assert.ok(rows.includes(opened), `${opened} is not seen`);
		// Open at one end only: nothing changes for those inside, whose own policies stand.
		else
			assert.deepEqual(rows, matrix(rendered.get("ha")));
	}
	const shut = clone(rendered.get("ha"));
	find(shut, "NetworkPolicy", "router").spec.egress.shift();
	assert.ok(!matrix(shut).includes("router -> router:7000"));
});
