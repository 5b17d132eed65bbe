// SPDX-License-Identifier: Apache-2.0
// What runs the manifests on one machine (deploy/local/pods), without pods: how it goes from one
// state to the next, names, and kubectl's words. tests/containers has it whole.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { EventEmitter } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Api, msOf, parse } = require("../../deploy/local/pods/api.js");
const { environment, expand } = require("../../deploy/local/pods/container.js");
const { Dns, answer, resolvConf } = require("../../deploy/local/pods/dns.js");
const { jsonpath } = require("../../deploy/local/pods/jsonpath.js");
const { Objects, selector } = require("../../deploy/local/pods/objects.js");
const { Net } = require("../../deploy/local/pods/net.js");
const { Pod } = require("../../deploy/local/pods/pod.js");
const { NAME_LABEL, Policies, table } = require("../../deploy/local/pods/policy.js");
const { Volume, bytesOf } = require("../../deploy/local/pods/volumes.js");
const { WORKLOADS } = require("../../deploy/local/pods/workload.js");
const { waitFor } = require("../kit/wait.js");

const LABELS = { app: "x" };

class FakePod extends EventEmitter {
	constructor(name) {
		super();
		Object.assign(this, { name, deleted: null, isGone: false, isFine: false, readySinceMs: 0 });
	}

	get isReady() {
		return this.isFine && !this.deleted;
	}

	isAvailable() {
		return this.isReady;
	}

	stop() {
		this.deleted ??= "now";
	}
}

// A workload of fake pods; `settle` lets it go on until nothing changes, looking at it after each step.
function workload(kind, spec) {
	const object = { kind, metadata: { name: "w" }, spec: { selector: { matchLabels: LABELS },
		template: { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image: "a" }] } }, ...spec } };
	const run = { object, started: [], ended: [] };
	run.of = new WORKLOADS[kind]({ get: () => run.object, replicas: () => run.object.spec.replicas, run: (name) => {
		const pod = new FakePod(name);
		run.started.push(name);
		return pod;
	} });
	run.change = (more) => {
		run.object = structuredClone(run.object);
		run.object.spec.template.spec.containers[0].image = more;
	};
	run.names = () => run.of.live.map(({ name }) => name).sort();
	// One thing at a time happens: the oldest news first.
	run.settle = (look = () => {}, limit = 200) => {
		for (let i = 0; i < limit; i++) {
			run.of.step();
			look(run.of);
			const next = run.of.pods.find((pod) => pod.deleted) ?? run.of.pods.find((pod) => !pod.isFine);
			if (!next)
				return;
			if (next.deleted) {
				next.isGone = true;
				run.ended.push(next.name);
				next.emit("change");
			} else {
				next.isFine = true;
				next.readySinceMs = i + 1;
			}
		}
		assert.fail("it does not settle");
	};
	return run;
}

describe("Deployments", () => {
	test("replace their pods without going below what is to be, or above what may be", () => {
		const run = workload("Deployment", { replicas: 4, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } } });
		run.settle();
		const old = run.names();
		assert.equal(old.length, 4);
		run.change("b");
		run.settle((of) => {
			assert.ok(of.available(of.live).length >= 4, "available");
			assert.ok(of.live.length <= 5, "surge");
		});
		assert.equal(run.names().length, 4);
		assert.deepEqual(run.names().filter((name) => old.includes(name)), []);
		assert.deepEqual(run.ended.sort(), old);
		assert.equal(run.of.pending, "");
	});

	test("stand still while a new pod does not get ready", () => {
		const run = workload("Deployment", { replicas: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
		run.settle();
		run.change("b");
		for (let i = 0; i < 5; i++)
			run.of.step();
		assert.equal(run.of.updated.length, 1);
		assert.equal(run.of.live.length, 4);
		assert.match(run.of.pending, /^1 out of 3 new replicas/);
	});

	test("shrink by those first that are not ready", () => {
		const run = workload("Deployment", { replicas: 3 });
		run.settle();
		const ill = run.of.pods[1];
		ill.isFine = false;
		run.object = structuredClone(run.object);
		run.object.spec.replicas = 2;
		run.of.step();
		assert.deepEqual(run.of.pods.filter((pod) => pod.deleted), [ill]);
	});

	test("with Recreate have no two versions at a time", () => {
		const run = workload("Deployment", { replicas: 2, strategy: { type: "Recreate" } });
		run.settle();
		run.change("b");
		run.settle((of) => assert.ok(new Set(of.live.map(({ revision }) => revision)).size <= 1));
		assert.equal(run.of.updated.length, 2);
	});
});

describe("StatefulSets", () => {
	test("number their pods, and begin them all at once if they may", () => {
		const run = workload("StatefulSet", { replicas: 3, serviceName: "w", podManagementPolicy: "Parallel" });
		run.of.step();
		assert.deepEqual(run.started, ["w-0", "w-1", "w-2"]);
	});

	test("or one after the other", () => {
		const run = workload("StatefulSet", { replicas: 3, serviceName: "w" });
		run.of.step();
		assert.deepEqual(run.started, ["w-0"]);
		run.settle();
		assert.deepEqual(run.started, ["w-0", "w-1", "w-2"]);
	});

	test("replace their pods one at a time, from the last, under their names", () => {
		const run = workload("StatefulSet", { replicas: 3, serviceName: "w", podManagementPolicy: "Parallel" });
		run.settle();
		run.change("b");
		run.settle((of) => assert.ok(of.available(of.live).length >= 2, "more than one was away"));
		assert.deepEqual(run.ended, ["w-2", "w-1", "w-0"]);
		assert.equal(run.of.updated.length, 3);
	});

	test("shrink from the last", () => {
		const run = workload("StatefulSet", { replicas: 3, serviceName: "w" });
		run.settle();
		run.object = structuredClone(run.object);
		run.object.spec.replicas = 1;
		run.settle();
		assert.deepEqual(run.ended, ["w-2", "w-1"]);
	});
});

test("a manifest that asks for what is not known here is refused", () => {
	assert.throws(() => workload("Deployment", { replicas: 1, paused: true }), /paused: not supported/);
	assert.throws(() => workload("Deployment", { replicas: 1, selector: { matchLabels: { app: "y" } } }), /does not match its own template/);
});

describe("DNS", () => {
	const pods = [{ name: "r-0", ip: "10.0.0.1" }, { name: "r-1", ip: "10.0.0.2" }];
	const dns = new Dns((service, namespace) => service === "r" && namespace === "n" ? pods : null);
	const query = (name, type = 1) => Buffer.concat([Buffer.from("123401000001000000000000", "hex"),
		...name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0, 0, type, 0, 1])]);
	const ask = (name, type) => answer(query(name, type), (asked) => dns.lookup(asked));

	test("knows Services and their pods", () => {
		assert.deepEqual(dns.lookup("r.n.svc.cluster.local").sort(), ["10.0.0.1", "10.0.0.2"]);
		assert.deepEqual(dns.lookup("r-1.r.n.svc.cluster.local"), ["10.0.0.2"]);
		for (const name of ["r-2.r.n.svc.cluster.local", "q.n.svc.cluster.local", "r.m.svc.cluster.local", "x.r-1.r.n.svc.cluster.local",
			"r.svc.cluster.local", "r.cluster.local"])
			assert.equal(dns.lookup(name), null, name);
		assert.equal(dns.lookup("example.org"), undefined);
	});

	test("answers with addresses, and says what there is not", () => {
		const said = ask("R-0.r.n.svc.cluster.local");
		assert.equal(said.readUInt16BE(0), 0x1234);
		assert.equal(said[3] & 15, 0);
		assert.equal(said.readUInt16BE(6), 1);
		assert.deepEqual([...said.subarray(-4)], [10, 0, 0, 1]);
		const aaaa = ask("r-0.r.n.svc.cluster.local", 28);
		assert.deepEqual([aaaa[3] & 15, aaaa.readUInt16BE(6)], [0, 0], "the name is there, but has none of that type");
		assert.equal(ask("q.n.svc.cluster.local")[3] & 15, 3);
		assert.equal(ask("example.org")[3] & 15, 5);
	});

	test("answers nothing to what is no question", () => {
		const whole = query("r.n.svc.cluster.local");
		for (let length = 0; length < whole.length; length++)
			assert.equal(answer(whole.subarray(0, length), () => assert.fail("asked")), null, `${length} bytes`);
		assert.equal(answer(Buffer.from("123481000001000000000000016100000100010", "hex"), () => assert.fail("asked")), null);
	});

	test("is where pods look", () => {
		assert.match(resolvConf("10.0.0.9", "n"), /^nameserver 10\.0\.0\.9\nsearch n\.svc\.cluster\.local /);
	});
});

describe("NetworkPolicies", () => {
	const host = (name, number, app, namespace = "n") => ({ name, ip: `10.0.0.${number}`, labels: { app }, namespace: { [NAME_LABEL]: namespace },
		ports: { http: 80 } });
	const [a, b, far] = [host("a", 1, "a"), host("b", 2, "b"), host("far", 3, "b", "m")];
	const policy = (spec) => ({ kind: "NetworkPolicy", spec: { podSelector: {}, policyTypes: ["Ingress"], ...spec } });
	const drops = (text, chain) => text.includes(`-A ${chain} -j DROP`);
	const accepts = (policies, own) => table(policies, own, [a, b, far]).split("\n").filter((line) => /^-A \w+ -[sd] 10\.0\.0\.[0-9]\b.*ACCEPT/.test(line))
		.filter((line) => !line.includes("10.244"));

	test("nothing is shut to a pod that none selects", () => {
		const text = table([policy({ podSelector: { matchLabels: { app: "b" } } })], a, [a, b]);
		assert.ok(!drops(text, "INPUT") && !drops(text, "OUTPUT"));
	});

	test("a selected one is shut, in the directions that are named", () => {
		const text = table([policy({})], a, [a, b]);
		assert.ok(drops(text, "INPUT") && !drops(text, "OUTPUT"));
		assert.ok(drops(table([policy({ policyTypes: ["Egress"] })], a, [a, b]), "OUTPUT"));
	});

	test("but for peers of its own namespace, or of one with a label, at ports by number and name", () => {
		assert.deepEqual(accepts([policy({ ingress: [{ from: [{ podSelector: { matchLabels: { app: "b" } } }], ports: [{ port: "http" }] }] })], a),
			["-A INPUT -s 10.0.0.2 -p tcp --syn --dport 80 -j ACCEPT"]);
		assert.deepEqual(accepts([policy({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { [NAME_LABEL]: "m" } } }],
			ports: [{ port: 53, protocol: "UDP" }] }] })], a), ["-A INPUT -s 10.0.0.3 -p udp --dport 53 -j ACCEPT"]);
		assert.deepEqual(accepts([policy({ policyTypes: ["Egress"], egress: [{ to: [{ podSelector: {} }], ports: [{ port: 1, endPort: 9 }] }] })], a),
			["-A OUTPUT -d 10.0.0.1 -p tcp --syn --dport 1:9 -j ACCEPT", "-A OUTPUT -d 10.0.0.2 -p tcp --syn --dport 1:9 -j ACCEPT"]);
		assert.deepEqual(accepts([policy({ ingress: [{ from: [{ podSelector: {} }], ports: [{ port: "none" }] }] })], a), []);
	});

	describe("that could not be set", () => {
		const run = () => {
			const objects = new Objects();
			objects.apply({ ...policy({}), metadata: { name: "shut" } });
			const it = { said: [], tries: 0, isFailing: true, isThere: true, isEnding: false };
			it.policies = new Policies(objects, () => (it.isThere ? [{ ...a, isPod: true }] : []), (text) => it.said.push(text), async () => {
				it.tries++;
				it.isThere = !it.isEnding;
				if (it.isFailing)
					throw new Error("busy");
			});
			return it;
		};

		test("are told of, and tried again by themselves", async (t) => {
			const it = run();
			t.after(() => it.policies.stop());
			await it.policies.sync();
			assert.equal(it.tries, 1);
			it.isFailing = false;
			await waitFor(() => it.tries === 2, 10000, "another attempt");
			assert.deepEqual(it.said, ["a: its NetworkPolicies are not kept, and tried again: busy"]);
			await it.policies.sync();
			assert.equal(it.tries, 2, "it is as it is to be");
		});

		test("but not for a pod that has gone", async (t) => {
			const it = run();
			t.after(() => it.policies.stop());
			it.isEnding = true;
			await it.policies.sync();
			await it.policies.retry();
			assert.deepEqual([it.tries, it.said], [1, []]);
		});

		test("for what they say do not stand in the way of later ones", async () => {
			const it = run();
			it.isFailing = false;
			const { objects } = it.policies;
			it.policies.objects = { list: () => { throw new Error("not supported here"); } };
			await assert.rejects(it.policies.sync(), /not supported/);
			it.policies.objects = objects;
			await it.policies.sync();
			assert.equal(it.tries, 1);
		});
	});

	test("policies add up, and their selectors know operators", () => {
		const expression = (operator, values) => ({ podSelector: { matchExpressions: [{ key: "app", operator, values }] } });
		const count = (...from) => accepts([policy({}), policy({ ingress: [{ from, ports: [{ port: 1 }] }] })], a).length;
		assert.equal(count(expression("In", ["a", "b"])), 2);
		assert.equal(count(expression("NotIn", ["a"])), 1);
		assert.equal(count(expression("Exists")), 2);
		assert.equal(count(expression("DoesNotExist")), 0);
		assert.throws(() => count({ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }), /not supported/);
	});
});

describe("addresses", () => {
	test("of a pod that could not have one are not kept, nor is its namespace", async () => {
		const done = [];
		let fails = "link add v1";
		const net = new Net(async (command, args, { input = "" } = {}) => {
			done.push(args.join(" "));
			if (input.startsWith(fails))
				throw new Error("File exists");
		});
		await assert.rejects(net.add("r-0"), /File exists/);
		assert.equal(done.at(-1), "netns delete r-0");
		fails = "nothing";
		for (let i = 10; i < 250; i++)
			await net.add(`p-${i}`);
		await net.add("r-0");
		await assert.rejects(net.add("one more"), /no address is free for more than 241 pods/);
	});
});

describe("a pod that is told to end while it gets its address", () => {
	// `settle(resolve, reject)` is how that goes.
	async function endWhileStarting(t, settle) {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-pod-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		const removed = [];
		let go;
		const place = { folder, objects: new Objects(), policies: { sync: async () => {} }, net: {
			add: () => new Promise((...how) => { go = () => settle(...how); }), remove: async (name) => { removed.push(name); } } };
		const pod = new Pod("r-1", { spec: { containers: [{ name: "c", image: "i" }] } }, { kind: "StatefulSet", metadata: { name: "r" } }, place);
		const started = pod.start();
		const stopped = pod.stop(0);
		await new Promise(setImmediate); // whatever does not wait for the address is through
		go();
		return { pod, removed, started, stopped };
	}

	test("gives it back", async (t) => {
		const { pod, removed, started, stopped } = await endWhileStarting(t, (resolve) => resolve("10.0.0.7"));
		await Promise.all([started, stopped]);
		assert.deepEqual([removed, pod.isGone], [["r-1"], true]);
	});

	test("ends though there was none", async (t) => {
		const { pod, removed, started, stopped } = await endWhileStarting(t, (resolve, reject) => reject(new Error("none is free")));
		await assert.rejects(started, /none is free/);
		await stopped;
		assert.deepEqual([removed, pod.isGone], [[], true]);
	});
});

describe("a container's environment", () => {
	const objects = new Objects();
	objects.apply({ kind: "ConfigMap", metadata: { name: "c" }, data: { n: "3" } });
	objects.apply({ kind: "Secret", metadata: { name: "s" }, data: { k: Buffer.from("key").toString("base64") } });
	const pod = { name: "p-0", namespace: "n", ip: "10.0.0.3", labels: { a: "b" }, objects };
	const of = (...env) => environment(pod, { env });

	test("is filled in from fields, ConfigMaps, Secrets, and itself", () => {
		assert.deepEqual(of({ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
			{ name: "N", valueFrom: { configMapKeyRef: { name: "c", key: "n" } } },
			{ name: "K", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
			{ name: "ALL", value: "$(A) $(N) $$(N) $(LATER)" }, { name: "LATER", value: "x" }),
		{ A: "p-0", N: "3", K: "key", ALL: "p-0 3 $(N) $(LATER)", LATER: "x" });
		assert.equal(expand("a$(B)c", { B: "$(A)" }), "a$(A)c", "once");
	});

	test("what is missing in it is told", () => {
		assert.throws(() => of({ name: "N", valueFrom: { configMapKeyRef: { name: "c", key: "m" } } }), /ConfigMap c has no key m/);
		assert.throws(() => of({ name: "N", valueFrom: { fieldRef: { fieldPath: "spec.serviceAccountName" } } }), /not supported/);
	});
});

describe("files of ConfigMaps and Secrets", { skip: process.getuid() !== 0 && "needs root" }, () => {
	test("change all at once, and only when something did", async (t) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-volume-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		const objects = new Objects();
		const set = (data) => objects.apply({ kind: "Secret", metadata: { name: "s" }, stringData: data });
		set({ a: "1", b: "2", c: "3" });
		const volume = new Volume(objects, { name: "v", projected: { defaultMode: 0o440, sources: [{ secret: { name: "s", items: [
			{ key: "a", path: "a" }] } }, { secret: { name: "s", items: [{ key: "b", path: "two" }] } }] } }, path.join(folder, "v"), 10001);
		await volume.create();
		const read = (file) => fs.readFileSync(path.join(folder, "v", file), "utf8");
		assert.deepEqual([read("a"), read("two")], ["1", "2"]);
		const status = fs.statSync(path.join(folder, "v/a"));
		assert.deepEqual([status.mode & 0o777, status.uid, status.gid], [0o440, 0, 10001]);
		const first = fs.readlinkSync(path.join(folder, "v/..data"));
		set({ a: "1", b: "2", c: "4" });
		assert.equal(volume.update(), false, "c is not in it");
		set({ a: "5", b: "6", c: "4" });
		assert.equal(volume.update(), true);
		assert.deepEqual([read("a"), read("two")], ["5", "6"]);
		assert.notEqual(fs.readlinkSync(path.join(folder, "v/..data")), first);
		set({ a: "5" });
		assert.throws(() => volume.update(), /Secret s has no key b/);
		assert.equal(read("two"), "6", "the old ones stay");
	});

	test("sizes are Kubernetes'", () => {
		assert.deepEqual(["16Mi", "1Gi", "1k", "7", "1.5Ki"].map(bytesOf), [16 << 20, 1 << 30, 1000, 7, 1536]);
		assert.throws(() => bytesOf("much"), /no size/);
	});
});

describe("kubectl's words", () => {
	test("jsonpath", () => {
		const value = { items: [{ metadata: { name: "a", labels: { "x.y/z": "1" } } }, { metadata: { name: "b", labels: {} } }], n: 3 };
		assert.equal(jsonpath("{.n}", value), "3");
		assert.equal(jsonpath("{.items[*].metadata.name}", value), "a b");
		assert.equal(jsonpath("{range .items[*]}{.metadata.name}{\"\\n\"}{end}", value), "a\nb\n");
		assert.equal(jsonpath("{.items[0].metadata.labels.x\\.y/z}-{.items[-1].metadata.name}", value), "1-b");
		assert.equal(jsonpath("{.items[0].metadata.labels['x.y/z']}", value), "1");
		assert.equal(jsonpath("{.nothing.here}", value), "");
		assert.throws(() => jsonpath("{range .items[*]}x", value), /without end/);
		assert.throws(() => jsonpath("{.a b}[", { "a b": 1 }) && jsonpath("{.a[?]}", {}), /parsing jsonpath/);
	});

	test("selectors", () => {
		const labels = { a: "1", b: "2" };
		for (const text of ["", "a=1", "a==1,b=2", "a", "a!=2", "c!=1"])
			assert.ok(selector(text)(labels), text);
		for (const text of ["a=2", "c", "a=1,b=3", "a!=1"])
			assert.ok(!selector(text)(labels), text);
	});

	test("options before and behind words, and what is behind --", () => {
		assert.deepEqual(parse(["-n", "x", "pod/a", "--timeout=5s", "-o", "json", "--", "-n", "y"]), { words: ["pod/a"],
			options: { namespace: "x", timeout: "5s", output: "json" }, rest: ["-n", "y"] });
		assert.deepEqual(["5s", "2m", "1h", "1m30s", "7", "0", undefined].map((text) => msOf(text, 1)), [5000, 120000, 3600000, 90000, 7000, Infinity, 1]);
	});

	test("change objects as kubectl would", async () => {
		const objects = new Objects();
		const api = new Api({ objects, pods: [], workloads: [] });
		const run = async (...args) => {
			let [out, err] = ["", ""];
			const status = await api.run(args, "", (said) => {
				out += said.out ?? "";
				err += said.err ?? "";
			});
			return { status, out, err };
		};
		objects.apply({ kind: "StatefulSet", metadata: { name: "s" }, spec: { replicas: 2, template: { spec: { containers: [
			{ name: "c", image: "a", env: [{ name: "N", value: "2" }] }] } } } });
		assert.equal((await run("scale", "sts/s", "--replicas=3")).out, "statefulset.apps/s scaled\n");
		await run("set", "env", "statefulset/s", "N=3", "M=a=b");
		await run("set", "image", "statefulset/s", "c=b:2");
		await run("patch", "statefulset", "s", "--type=merge", "-p", "{\"spec\":{\"minReadySeconds\":7}}");
		const { spec } = objects.get("StatefulSet", "s");
		assert.deepEqual([spec.replicas, spec.minReadySeconds, spec.template.spec.containers[0]], [3, 7, { name: "c", image: "b:2",
			env: [{ name: "N", value: "3" }, { name: "M", value: "a=b" }] }]);
		for (const [words, error] of [[["scale", "sts/s", "--replicas=x"], /replicas/], [["get", "thing"], /resource type/], [["get", "pod", "p"], /not found/],
			[["patch", "sts", "s", "-p", "{"], /JSON/], [["fly"], /knows apply/], [["delete", "sts", "s"], /pods only/]]) {
			const { status, err } = await run(...words);
			assert.equal(status, 1, words.join(" "));
			assert.match(err, error);
		}
	});

	test("leave replicas alone that a manifest leaves to an autoscaler", () => {
		const objects = new Objects();
		const deployment = { kind: "Deployment", metadata: { name: "d" }, spec: { template: {} } };
		objects.apply({ kind: "HorizontalPodAutoscaler", metadata: { name: "d" },
			spec: { minReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "d" } } });
		assert.equal(objects.apply(deployment), "created");
		assert.equal(objects.replicas(objects.get("Deployment", "d")), 3);
		objects.patch("Deployment", "d", { spec: { replicas: 5 } });
		assert.equal(objects.apply(deployment), "unchanged");
		assert.equal(objects.replicas(objects.get("Deployment", "d")), 5);
	});
});
