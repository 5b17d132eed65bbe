// SPDX-License-Identifier: Apache-2.0
// The client against real gateways: what it promises when they come, go and refuse.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { HubClientBuilder, type Transport } from "../src/builder.js";
import type { HubClient } from "../src/client.js";
import type { ChatClient, ChatServer } from "../src/hubs/chat.js";
import { clientOf, mintToken, realCluster, until } from "./kit.js";

type Chat = HubClient<ChatServer, ChatClient>;

// What the room says, as the client hears it.
function listen(client: Chat): string[] {
	const texts: string[] = [];
	client.on("ReceiveMessage", ({ userName, message }) => void texts.push(`${userName}: ${message}`));
	for (const event of ["LoadMessages", "UserJoinedRoom", "UserLeftRoom", "UserTyping"] as const)
		client.on(event, () => {});
	return texts;
}

describe("two clients on two gateways", () => {
	const cluster = realCluster({ gateways: 2, routers: 2 });
	const [ann, bob] = [{ userId: "ann", name: "Ann" }, { userId: "bob", name: "Bob" }];

	for (const [name, adjust] of [
		["JSON", () => {}],
		["MessagePack", (builder: HubClientBuilder<ChatServer, ChatClient>) => builder.withProtocol(new MessagePackHubProtocol())],
	] as const)
		test(`talk, one of them in ${name}`, async (t) => {
			const room = randomUUID();
			const left = clientOf<ChatServer, ChatClient>(t, cluster().urls[0]!, "chat", ann, adjust);
			const right = clientOf<ChatServer, ChatClient>(t, cluster().urls[1]!, "chat", bob);
			const texts = [listen(left), listen(right)];
			await Promise.all([left.start(), right.start()]);
			await left.invoke("JoinRoom", room);
			const { members } = await right.invoke("JoinRoom", room);
			assert.deepEqual(members.map(({ userName }) => userName).sort(), ["Ann", "Bob"]);
			await left.invoke("SendMessage", room, "one");
			await right.invoke("SendMessage", room, "two");
			for (const heard of texts)
				await until(() => heard.length === 2, "both messages");
			assert.deepEqual(texts, [["Ann: one", "Bob: two"], ["Ann: one", "Bob: two"]]);
		});

	for (const [transport, gauge] of [["websockets", "gateway_ws_sockets"], ["sse", "gateway_sse_sockets"],
		["longpolling", "gateway_lp_transports"]] as [Transport, string][])
		test(`may be made to use ${transport}`, async (t) => {
			const count = async () => (await cluster().metrics("g1")).get(gauge);
			await until(async () => await count() === 0, "the others to be gone");
			const client = clientOf<ChatServer, ChatClient>(t, cluster().urls[0]!, "chat", ann,
				(builder) => builder.withTransports(transport));
			listen(client);
			await client.start();
			assert.equal(await count(), 1);
		});

	test("hear the hub's own error", async (t) => {
		const client = clientOf(t, cluster().urls[0]!, "chat", ann);
		await client.start();
		await assert.rejects(client.invoke("NoSuchMethod"), /Method does not exist/);
		assert.equal(client.state, "connected");
	});
});

describe("a client whose gateway goes", () => {
	const cluster = realCluster({ gateways: 1, routers: 1 });

	test("waits, and is back when the gateway is, with a new token", async (t) => {
		const url = cluster().urls[0]!;
		let tokens = 0;
		const client = clientOf<ChatServer, ChatClient>(t, url, "chat", { userId: "ann" }, (builder) => builder
			.withToken(() => (tokens++, mintToken(url, { userId: `ann${tokens}` }))));
		const states: string[] = [];
		client.onState(({ state }) => states.push(state));
		const texts = listen(client);
		await client.start();
		const [idBefore, tokensBefore] = [client.connectionId, tokens];

		await cluster().kill("g1");
		await until(() => client.state === "reconnecting", "the loss to be noticed");
		await cluster().restart("g1");
		await until(() => client.state === "connected", "the connection");
		assert.notEqual(client.connectionId, idBefore);
		assert.ok(tokens > tokensBefore);

		// Handlers are still there, groups are not.
		const room = randomUUID();
		await client.invoke("JoinRoom", room);
		await client.invoke("SendMessage", room, "after");
		await until(() => texts.length === 1, "the message");
		await client.stop();
		assert.deepEqual(states, ["connected", "reconnecting", "connected", "disconnected"]);
	});

	test("starts although the gateway is not there yet", async (t) => {
		const client = clientOf(t, cluster().urls[0]!, "chat", { userId: "ann" });
		let tries = 0;
		client.onRetry(() => tries++);
		await cluster().kill("g1");
		const started = client.start();
		await until(() => tries >= 2, "two tries");
		assert.equal(client.state, "reconnecting");
		await cluster().restart("g1");
		await started;
		assert.equal(client.state, "connected");
	});

	test("gives up after as many tries as it was allowed", async (t) => {
		const client = clientOf(t, cluster().urls[0]!, "chat", { userId: "ann" }, (builder) => builder
			.withRetry({ tries: 3, firstMs: 1, maxMs: 4 }));
		const states: string[] = [];
		const plans: number[] = [];
		client.onState(({ state }) => states.push(state));
		client.onRetry(({ attempt }) => plans.push(attempt));
		await cluster().kill("g1");
		await assert.rejects(client.start());
		await cluster().restart("g1");
		assert.deepEqual(plans, [1, 2, 3]);
		assert.deepEqual(states, ["reconnecting", "disconnected"]);
		await client.start();
		assert.equal(client.state, "connected");
	});
});
