// SPDX-License-Identifier: Apache-2.0
// One connection to a hub, with the states an application shows and the patience it wants: it
// tries again after the very first failure as after a loss, longer each time, and gives up in
// the end. Owns the official client's connection; knows nothing of what is said over it.

import type { HubConnection, IRetryPolicy, IStreamResult } from "@microsoft/signalr";
import { RETRY_DEFAULTS, checkRetryOptions, retryDelayMs, type RetryOptions } from "./backoff.js";
import type { AnyHub, ArgumentsOf, CallNames, EventNames, HandlerOf, ItemOf, ResultOf, StreamNames } from "./hub.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import { HubConnectionState } from "./signalr.js";

export type ConnectionState = "connected" | "reconnecting" | "disconnected";

/** The DOM event whose `detail` is a StateChange. */
export const STATE_EVENT = "signalr-state-changed";

export interface StateChange {
	/** Which connection: its URL. */
	url: string;
	state: ConnectionState;
	previous: ConnectionState;
	/** Why it is not connected any more, where there is a reason. */
	error?: Error;
}

export interface RetryPlan {
	/** Which try it will be, from 1 on. */
	attempt: number;
	delayMs: number;
}

/** What the client needs of the official one; tests put something else there. */
export type Connection = Pick<HubConnection, "state" | "connectionId" | "baseUrl" | "start" | "stop" | "on" | "off"
	| "invoke" | "send" | "stream" | "onclose" | "onreconnecting" | "onreconnected">;

export interface Clock {
	setTimeout(run: () => void, delayMs: number): unknown;
	clearTimeout(handle: unknown): void;
}

export interface ClientOptions {
	retry?: Partial<RetryOptions>;
	/** Where STATE_EVENT is dispatched; the window, where there is one. null: nowhere. */
	eventTarget?: EventTarget | null;
	clock?: Clock;
}

export const systemClock: Clock = {
	setTimeout: (run, delayMs) => globalThis.setTimeout(run, delayMs),
	clearTimeout: (handle) => globalThis.clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** start() was given up because stop() was called. */
export class StoppedError extends Error {
	constructor() {
		super("The connection was stopped.");
		this.name = "StoppedError";
	}
}

function asError(reason: unknown): Error {
	return reason instanceof Error ? reason : new Error(String(reason));
}

export class HubClient<Server = AnyHub, Client = AnyHub> {
	readonly #connection: Connection;
	readonly #retry: RetryOptions;
	readonly #clock: Clock;
	readonly #target: EventTarget | null;
	readonly #states = new Listeners<StateChange>();
	readonly #retries = new Listeners<RetryPlan>();
	#state: ConnectionState = "disconnected";
	#starting: Promise<void> | null = null;
	#stopping = false;
	#wake: (() => void) | null = null; // ends the wait before the next first try

	/** Applications use HubClientBuilder. */
	constructor(connect: (policy: IRetryPolicy) => Connection, options: ClientOptions = {}) {
		this.#retry = { ...RETRY_DEFAULTS, ...options.retry };
		checkRetryOptions(this.#retry);
		this.#clock = options.clock ?? systemClock;
		this.#target = options.eventTarget === undefined ? globalThis.window ?? null : options.eventTarget;
		this.#connection = connect({
			nextRetryDelayInMilliseconds: ({ previousRetryCount, retryReason }) => this.#plan(previousRetryCount, retryReason),
		});
		this.#connection.onreconnecting((error) => this.#set("reconnecting", error));
		this.#connection.onreconnected(() => this.#set("connected"));
		this.#connection.onclose((error) => this.#set("disconnected", error));
	}

	get state(): ConnectionState {
		return this.#state;
	}

	get connectionId(): string | null {
		return this.#connection.connectionId;
	}

	get url(): string {
		return this.#connection.baseUrl;
	}

	/**
	 * Resolves once connected, which may take as many tries as there are; rejects with the last one's
	 * error when all have failed, with StoppedError after stop(). Called again meanwhile, it is the same wait.
	 */
	start(): Promise<void> {
		if (this.#state === "connected")
			return Promise.resolve();
		this.#starting ??= this.#start().finally(() => {
			this.#starting = null;
		});
		return this.#starting;
	}

	/** Ends the connection, or the tries to have one. start() may be called again. */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#wake?.();
		try {
			await this.#connection.stop();
			await this.#starting?.catch(() => {}); // its caller hears of it
		} finally {
			this.#stopping = false;
			this.#set("disconnected");
		}
	}

	/** Called with every change of the state. */
	onState(handler: (change: StateChange) => void): Unsubscribe {
		return this.#states.add(handler);
	}

	/** Called before each wait for another try, with its length: for pages that count down. */
	onRetry(handler: (plan: RetryPlan) => void): Unsubscribe {
		return this.#retries.add(handler);
	}

	/** Handlers outlive reconnections. Groups do not: join again when the state becomes "connected". */
	on<K extends EventNames<Client>>(event: K, handler: HandlerOf<Client, K>): Unsubscribe {
		this.#connection.on(event, handler as (...args: unknown[]) => unknown);
		return () => this.off(event, handler);
	}

	/** Without a handler: all of the event. */
	off<K extends EventNames<Client>>(event: K, handler?: HandlerOf<Client, K>): void {
		if (handler)
			this.#connection.off(event, handler as (...args: never[]) => unknown as () => void);
		else
			this.#connection.off(event);
	}

	/** Resolves with the method's result. Rejects with the hub's error, or when the connection ends first. */
	invoke<K extends CallNames<Server>>(method: K, ...args: ArgumentsOf<Server, K>): Promise<ResultOf<Server, K>> {
		return this.#connection.invoke<ResultOf<Server, K>>(method, ...args);
	}

	/** Resolves when it is sent; nobody tells what became of it. */
	send<K extends CallNames<Server>>(method: K, ...args: ArgumentsOf<Server, K>): Promise<void> {
		return this.#connection.send(method, ...args);
	}

	/** Starts when it is subscribed to. It ends with the connection: subscribe again after a reconnection. */
	stream<K extends StreamNames<Server>>(method: K, ...args: ArgumentsOf<Server, K>): IStreamResult<ItemOf<Server, K>> {
		return this.#connection.stream<ItemOf<Server, K>>(method, ...args);
	}

	async #start(): Promise<void> {
		if (this.#connection.state === HubConnectionState.Reconnecting)
			return this.#reconnection();
		for (let failed = 0; ; failed++) {
			try {
				await this.#connection.start();
				return await this.#settle();
			} catch (reason) {
				const error = this.#stopping ? new StoppedError() : asError(reason);
				const delayMs = this.#stopping ? null : this.#plan(failed, error);
				if (delayMs === null) {
					this.#set("disconnected", error);
					throw error;
				}
				this.#set("reconnecting", error);
				await this.#sleep(delayMs);
			}
			if (this.#stopping)
				throw new StoppedError();
		}
	}

	/** A connection may be lost again before who waits for it is told that it was there. */
	async #settle(): Promise<void> {
		if (this.#stopping)
			throw new StoppedError();
		if (this.#connection.state === HubConnectionState.Reconnecting)
			return this.#reconnection();
		if (this.#connection.state !== HubConnectionState.Connected)
			throw new Error("The connection ended as soon as it was there.");
		this.#set("connected");
	}

	/** How the official client's own tries end. */
	#reconnection(): Promise<void> {
		return new Promise((resolve, reject) => {
			const unsubscribe = this.#states.add(({ state, error }) => {
				if (state === "reconnecting")
					return;
				unsubscribe();
				if (state === "connected")
					resolve();
				else
					reject(error ?? new StoppedError());
			});
		});
	}

	#plan(failed: number, error: Error): number | null {
		const delayMs = this.#retry.giveUpOn(error) ? null : retryDelayMs(failed, this.#retry);
		if (delayMs !== null)
			this.#retries.emit({ attempt: failed + 1, delayMs });
		return delayMs;
	}

	#sleep(delayMs: number): Promise<void> {
		return new Promise((resolve) => {
			const handle = this.#clock.setTimeout(() => this.#wake?.(), delayMs);
			this.#wake = () => {
				this.#wake = null;
				this.#clock.clearTimeout(handle);
				resolve();
			};
		});
	}

	#set(state: ConnectionState, error?: Error): void {
		const previous = this.#state;
		if (state === previous)
			return;
		this.#state = state;
		const change: StateChange = { url: this.url, state, previous, ...(error && { error }) };
		this.#states.emit(change);
		this.#target?.dispatchEvent(Object.assign(new Event(STATE_EVENT), { detail: change }));
	}
}
