// SPDX-License-Identifier: Apache-2.0
// A hub that is declared once, from its C to its clients: what a page may call, what comes back, and
// what the compiler refuses. The hub is tests/unit/router/typed_hub.c; `make types` writes typed.ts.

import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { Subject } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import type { HubClient } from "../src/client.js";
import { clientOf, realCluster, until } from "./kit.js";
import type { Everything, Options, Position, TypedClient, TypedServer } from "./typed.js";

type Typed = HubClient<TypedServer, TypedClient>;

const BUILD = process.env["HELIOGRAPH_BUILD"] ?? path.resolve("build/release");
const HUBS = "--hubs=typed";

const everything = (data: Uint8Array | string): Everything => ({
	text: "t\u00e9", flag: true, whole: -7, number: 1.5, data, extra: { a: [1, null] }, level: "very high",
	position: { line: 1, column: 2 }, positions: [{ line: 3, column: 4 }], rows: [{ positions: [] }],
	texts: ["", "b"], levels: ["low"], extras: [1, "b", []], mood: "sad",
});

const ERROR = (method: string) => `An unexpected error occurred invoking '${method}' on the server. HubException: `;

// What a compiler is to refuse; it is never called. Without an error the directive itself is one.
export async function refused(client: Typed, position: Position): Promise<void> {
	// @ts-expect-error there is no such method
	await client.invoke("Ecko", everything(""));
	// @ts-expect-error an argument is missing
	await client.invoke("AskWhere", "id");
	// @ts-expect-error one too many
	await client.invoke("TellNothing", 1);
	// @ts-expect-error a string where a number is wanted
	await client.invoke("Sum", new Subject<Position>(), "10", new Subject<number>());
	// @ts-expect-error none of the texts
	await client.invoke("EchoLevels", ["low", "lower"]);
	// @ts-expect-error a member is missing
	await client.invoke("AskWhere", "id", { line: 1 });
	// @ts-expect-error a member is of another type
	await client.invoke("AskWhere", "id", { line: 1, column: "2" });
	// @ts-expect-error the result is something else
	const levels: number[] = await client.invoke("EchoLevels", []);
	// @ts-expect-error it gives a stream
	await client.invoke("Count", 1);
	// @ts-expect-error it gives none
	client.stream("EchoLevels", []);
	// @ts-expect-error there is no such event
	client.on("Herd", () => {});
	// @ts-expect-error the event has another argument
	client.on("Heard", (text: string) => void text);
	// @ts-expect-error an answer is wanted
	client.on("WhichLevel", () => {});
	// @ts-expect-error the answer is none of the texts
	client.on("WhichLevel", () => "much");
	// @ts-expect-error its items are positions
	const subject: Subject<string> = await client.invoke("EchoAny", client.stream("Count", 1).subscribe({ next: (text: string) => text }));
	void [levels, subject, position];
}

for (const [name, makeProtocol, data] of [
	["JSON", () => undefined, "AP8+/w=="],
	["MessagePack", () => new MessagePackHubProtocol(), new Uint8Array([0, 255, 62, 255])],
] as const)
	describe(`a declared hub in ${name}`, () => {
		const cluster = realCluster({
			gatewayArgs: [HUBS], routerArgs: [HUBS, `--hub_module=${path.join(BUILD, "typed_hub.so")}`],
		});
		const open = async (t: Parameters<typeof clientOf>[0], userId: string): Promise<Typed> => {
			const protocol = makeProtocol();
			const client = clientOf<TypedServer, TypedClient>(t, cluster().urls[0]!, "typed", { userId },
				(builder) => protocol && builder.withProtocol(protocol));
			await client.start();
			return client;
		};
		// MessagePack gives a Buffer under Node, which is a Uint8Array with a name of its own.
		const plain = (value: Everything) => ({ ...value, data: typeof value.data === "string" ? value.data : new Uint8Array(value.data) });

		test("gives back what it is given", async (t) => {
			const client = await open(t, "ann");
			assert.deepEqual(plain(await client.invoke("Echo", everything(data))), everything(data));
			const options: Options = { flag: false, text: "", positions: [], position: null };
			assert.deepEqual(await client.invoke("EchoOptions", options), { flag: false, text: "", positions: [] });
			assert.deepEqual(await client.invoke("EchoLevels", ["low", "very high"]), ["low", "very high"]);
			assert.equal(await client.invoke("Rest", "a", { line: 3, column: 0 }, { line: 4, column: 0 }), 7);
		});

		test("calls its clients", async (t) => {
			const client = await open(t, "ann");
			const heard: unknown[] = [];
			client.on("Heard", (value) => void heard.push(plain(value)));
			client.on("Optional", (options, whole, position) => void heard.push([options, whole, position]));
			client.on("Nothing", () => void heard.push("nothing"));
			await client.invoke("Tell", everything(data));
			await client.invoke("TellOptions", { level: "low" }, null, { line: 1, column: 2 });
			await client.invoke("TellNothing");
			await until(() => heard.length === 3, "all three");
			assert.deepEqual(heard, [everything(data), [{ level: "low" }, null, { line: 1, column: 2 }], "nothing"]);
		});

		test("streams both ways", async (t) => {
			const client = await open(t, "ann");
			const items: Position[] = [];
			await new Promise<void>((resolve, reject) => client.stream("Count", 3)
				.subscribe({ next: (item) => void items.push(item), complete: resolve, error: reject }));
			assert.deepEqual(items.map(({ line }) => line), [0, 1, 2]);
			const [positions, more] = [new Subject<Position>(), new Subject<number>()];
			const sum = client.invoke("Sum", positions, 10, more);
			positions.next({ line: 3, column: 0 });
			positions.next({ line: 4, column: 0 });
			more.next(5);
			positions.complete();
			more.complete();
			assert.equal(await sum, 75);
		});

		test("asks its clients", async (t) => {
			const [client, asked] = [await open(t, "ann"), await open(t, "bob")];
			asked.on("WhichLevel", (question) => (question === "How much?" ? "very high" : "low"));
			asked.on("Where", async ({ line, column }) => [{ line, column }, { line: 10, column }]);
			assert.equal(await client.invoke("AskLevel", asked.connectionId!), "very high");
			assert.equal(await client.invoke("AskWhere", asked.connectionId!, { line: 1, column: 2 }), 11);
		});

		// From here on pages without a compiler: the types are cast away.
		test("says what does not fit, and where", async (t) => {
			const client = await open(t, "ann");
			const wrong = async (method: "Echo" | "EchoOptions", value: unknown, text: string) =>
				assert.rejects(client.invoke(method, value as never), { message: ERROR(method) + text });
			await wrong("Echo", {}, "everything.text: a string is wanted, there is none.");
			await wrong("Echo", { ...everything(data), level: "much" },
				"everything.level: one of low, normal, very high is wanted.");
			await wrong("Echo", { ...everything(data), positions: [{ line: 1, column: 1 }, { line: 1.5, column: 1 }] },
				"everything.positions[1].line: a whole number is wanted.");
			await wrong("Echo", { ...everything(data), rows: [7] }, "everything.rows[0]: an object is wanted.");
			await wrong("EchoOptions", { data: 7 }, "options.data: bytes are wanted.");
			assert.equal(client.state, "connected");
		});

		test("says what does not fit in a stream", async (t) => {
			const client = await open(t, "ann");
			const [positions, more] = [new Subject<Position>(), new Subject<number>()];
			const sum = assert.rejects(client.invoke("Sum", positions, 10, more),
				{ message: `${ERROR("Sum")}positions.column: a whole number is wanted, there is none.` });
			positions.next({ line: 3 } as Position);
			await sum;
		});

		test("does not take any answer", async (t) => {
			const [client, asked] = [await open(t, "ann"), await open(t, "bob")];
			asked.on("WhichLevel", () => "much" as "low");
			await assert.rejects(client.invoke("AskLevel", asked.connectionId!),
				{ message: `${ERROR("AskLevel")}WhichLevel: one of low, normal, very high is wanted.` });
		});

		test("lets in who has the role", async (t) => {
			const client = await open(t, "ann");
			await assert.rejects(client.invoke("Secret"),
				{ message: "Failed to invoke 'Secret' because user is unauthorized" });
			const admin = clientOf<TypedServer, TypedClient>(t, cluster().urls[0]!, "typed", { userId: "root", roles: ["ops"] });
			await admin.start();
			await admin.invoke("Secret");
		});
	});
