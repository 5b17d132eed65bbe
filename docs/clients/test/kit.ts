// SPDX-License-Identifier: Apache-2.0
// The kit of the repository's other tests, as far as these need it, with types.

import { after, afterEach, before, type TestContext } from "node:test";
import { createRequire } from "node:module";
import { HubClientBuilder } from "../src/builder.js";
import type { HubClient } from "../src/client.js";
import type { AnyHub } from "../src/hub.js";

export interface Cluster {
	readonly urls: string[];
	kill(name: string): Promise<unknown>;
	restart(name: string): Promise<void>;
	metrics(name: string): Promise<Map<string, number>>;
}

export interface User {
	userId: string;
	name?: string;
	roles?: string[];
}

interface ClusterKit {
	sharedCluster(hooks: object, options: object): () => Cluster;
}
interface ClientKit {
	mintToken(url: string, user: User): Promise<string>;
}
interface WaitKit {
	waitFor<T>(ask: () => T | Promise<T>, deadlineMs: number, what: string): Promise<NonNullable<T>>;
}

const require = createRequire(import.meta.url);
const fromKit = (name: string): unknown => require(`../../../../tests/kit/${name}.js`);

const { sharedCluster } = fromKit("cluster") as ClusterKit;
export const { mintToken } = fromKit("clients") as ClientKit;
const { waitFor } = fromKit("wait") as WaitKit;

const WAIT_MS = 30000;

export function until<T>(ask: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
	return waitFor(ask, WAIT_MS, what);
}

/** Real processes, for all tests of a file. */
export function realCluster(options: object): () => Cluster {
	return sharedCluster({ before, after, afterEach }, options);
}

/** A client as an application makes it, with a patience fit for tests; gone when the test ends. */
export function clientOf<Server = AnyHub, Client = AnyHub>(t: TestContext, url: string, hub: string, user: User,
	adjust: (builder: HubClientBuilder<Server, Client>) => unknown = () => {}): HubClient<Server, Client> {
	const builder = new HubClientBuilder<Server, Client>(`${url}/hubs/${hub}`)
		.withToken(() => mintToken(url, user))
		.withRetry({ firstMs: 50, maxMs: 500, tries: 1000 });
	adjust(builder);
	const client = builder.build();
	t.after(() => client.stop());
	return client;
}
