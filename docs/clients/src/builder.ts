// SPDX-License-Identifier: Apache-2.0
// Puts a HubClient together: where, as whom, over what, how patiently.

import type { IHubProtocol, ILogger, LogLevel as Level } from "@microsoft/signalr";
import type { RetryOptions } from "./backoff.js";
import { HubClient, type ClientOptions, type Clock, type Connection } from "./client.js";
import type { AnyHub } from "./hub.js";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "./signalr.js";

export type Transport = "websockets" | "sse" | "longpolling";

/** Asked anew before every connection, so that a token may be short-lived. */
export type TokenProvider = () => string | Promise<string>;

const TRANSPORTS: Record<Transport, HttpTransportType> = {
	websockets: HttpTransportType.WebSockets,
	sse: HttpTransportType.ServerSentEvents,
	longpolling: HttpTransportType.LongPolling,
};

export class HubClientBuilder<Server = AnyHub, Client = AnyHub> {
	readonly #url: string;
	readonly #options: ClientOptions = {};
	#token: TokenProvider | null = null;
	#transports: HttpTransportType | null = null;
	#protocol: IHubProtocol | null = null;
	#logger: Level | ILogger = LogLevel.None;
	#isStateful = false;

	/** @param url the hub's, as "/hubs/chat". */
	constructor(url: string) {
		this.#url = url;
	}

	withToken(provider: TokenProvider): this {
		this.#token = provider;
		return this;
	}

	/** Without it: all that both sides know, the best first. */
	withTransports(...transports: Transport[]): this {
		if (transports.length === 0)
			throw new RangeError("withTransports: at least one transport is wanted");
		this.#transports = transports.reduce((mask, name) => mask | TRANSPORTS[name], HttpTransportType.None);
		return this;
	}

	/** `new MessagePackHubProtocol()` of @microsoft/signalr-protocol-msgpack. Without it: JSON. */
	withProtocol(protocol: IHubProtocol): this {
		this.#protocol = protocol;
		return this;
	}

	/** What differs from RETRY_DEFAULTS. */
	withRetry(retry: Partial<RetryOptions>): this {
		this.#options.retry = { ...this.#options.retry, ...retry };
		return this;
	}

	/** Asks the server to keep what is sent while the client is away for a moment. */
	withStatefulReconnect(): this {
		this.#isStateful = true;
		return this;
	}

	/** Of the official client; nothing without it. */
	withLogger(logger: Level | ILogger): this {
		this.#logger = logger;
		return this;
	}

	/** Where the state's DOM event goes instead of the window; null: nowhere. */
	withEventTarget(target: EventTarget | null): this {
		this.#options.eventTarget = target;
		return this;
	}

	/** For tests: time that passes when they say so. */
	withClock(clock: Clock): this {
		this.#options.clock = clock;
		return this;
	}

	build(): HubClient<Server, Client> {
		return new HubClient<Server, Client>((policy): Connection => {
			const builder = new HubConnectionBuilder()
				.withUrl(this.#url, {
					...(this.#token && { accessTokenFactory: this.#token }),
					...(this.#transports !== null && { transport: this.#transports }),
				})
				.withAutomaticReconnect(policy);
			if (typeof this.#logger === "object")
				builder.configureLogging(this.#logger);
			else
				builder.configureLogging(this.#logger);
			if (this.#protocol)
				builder.withHubProtocol(this.#protocol);
			if (this.#isStateful)
				builder.withStatefulReconnect();
			return builder.build();
		}, this.#options);
	}
}
