// SPDX-License-Identifier: Apache-2.0
// What unit tests put in the place of the network and of time.

import { HubConnectionState, type IRetryPolicy, type IStreamResult } from "@microsoft/signalr";
import type { Clock, Connection } from "../src/client.js";

type Handler = (...args: unknown[]) => unknown;

/** Time stands still until advance() is called. */
export class FakeClock implements Clock {
	now = 0;
	readonly delays: number[] = []; // of all timers ever set
	#timers: { due: number; run: () => void }[] = [];

	setTimeout(run: () => void, delayMs: number): unknown {
		const timer = { due: this.now + delayMs, run };
		this.delays.push(delayMs);
		this.#timers.push(timer);
		return timer;
	}

	clearTimeout(handle: unknown): void {
		this.#timers = this.#timers.filter((timer) => timer !== handle);
	}

	get pending(): number {
		return this.#timers.length;
	}

	/** Until the next timer is due, whenever that is. */
	async next(): Promise<void> {
		await settle();
		await this.advance(Math.min(...this.#timers.map(({ due }) => due)) - this.now);
	}

	/** Runs what is due on the way, in order, and what follows from it. */
	async advance(ms: number): Promise<void> {
		const end = this.now + ms;
		for (;;) {
			await settle();
			const next = this.#timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
			if (!next)
				break;
			this.now = next.due;
			this.clearTimeout(next);
			next.run();
		}
		this.now = end;
	}
}

/** Lets everything run that waits for nothing but promises. */
export function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** The official connection's face, played by the test. */
export class FakeConnection implements Connection {
	state = HubConnectionState.Disconnected;
	connectionId: string | null = null;
	baseUrl = "http://here/hubs/test";
	starts = 0;
	readonly calls: { kind: "invoke" | "send"; method: string; args: unknown[] }[] = [];
	/** What the next starts do: an error fails one, none lets it through. */
	readonly startErrors: Error[] = [];
	/** What invoke() answers. */
	answer: (method: string, args: unknown[]) => unknown = () => null;
	readonly #handlers = new Map<string, Set<Handler>>();
	readonly #closed: ((error?: Error) => void)[] = [];
	readonly #reconnecting: ((error?: Error) => void)[] = [];
	readonly #reconnected: ((id?: string) => void)[] = [];
	policy: IRetryPolicy | null = null;

	readonly connect = (policy: IRetryPolicy): Connection => {
		this.policy = policy;
		return this;
	};

	async start(): Promise<void> {
		if (this.state !== HubConnectionState.Disconnected)
			throw new Error(`start() while ${this.state}`);
		this.starts++;
		this.state = HubConnectionState.Connecting;
		await Promise.resolve();
		if (this.state !== HubConnectionState.Connecting)
			throw new Error("stopped while connecting");
		const error = this.startErrors.shift();
		this.state = error ? HubConnectionState.Disconnected : HubConnectionState.Connected;
		if (error)
			throw error;
		this.connectionId = `id${this.starts}`;
	}

	async stop(): Promise<void> {
		if (this.state !== HubConnectionState.Disconnected)
			this.close();
	}

	on(event: string, handler: Handler): void {
		const known = this.#handlers.get(event) ?? new Set();
		this.#handlers.set(event, known.add(handler));
	}

	off(event: string, handler?: Handler): void {
		if (handler)
			this.#handlers.get(event)?.delete(handler);
		else
			this.#handlers.delete(event);
	}

	async invoke<T>(method: string, ...args: unknown[]): Promise<T> {
		this.calls.push({ kind: "invoke", method, args });
		return await this.answer(method, args) as T;
	}

	async send(method: string, ...args: unknown[]): Promise<void> {
		this.calls.push({ kind: "send", method, args });
	}

	stream<T>(): IStreamResult<T> {
		throw new Error("no streams here");
	}

	onclose(handler: (error?: Error) => void): void {
		this.#closed.push(handler);
	}

	onreconnecting(handler: (error?: Error) => void): void {
		this.#reconnecting.push(handler);
	}

	onreconnected(handler: (id?: string) => void): void {
		this.#reconnected.push(handler);
	}

	/** The server calls. */
	receive(event: string, ...args: unknown[]): void {
		for (const handler of this.#handlers.get(event) ?? [])
			handler(...args);
	}

	lose(error = new Error("lost")): void {
		this.state = HubConnectionState.Reconnecting;
		this.#reconnecting.forEach((handler) => handler(error));
	}

	regain(): void {
		this.state = HubConnectionState.Connected;
		this.#reconnected.forEach((handler) => handler("again"));
	}

	close(error?: Error): void {
		this.state = HubConnectionState.Disconnected;
		this.#closed.forEach((handler) => handler(error));
	}
}
