// SPDX-License-Identifier: Apache-2.0
// What the types of a hub's two interfaces say about its methods and events. `make types` writes
// those interfaces out of the hub's own declaration, one module a hub, into hubs/.

import type { IStreamResult } from "@microsoft/signalr";

/** A hub without a declaration: any method, any event. */
export interface AnyHub {
	[name: string]: (...args: any[]) => any;
}

type Method = (...args: never[]) => unknown;

type NamesOf<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T] & string;

/** Names of the methods that answer with a stream. */
export type StreamNames<Server> = {
	[K in NamesOf<Server>]: Server[K] extends (...args: never[]) => IStreamResult<unknown> ? K : never;
}[NamesOf<Server>];

/** Names of those that answer once. */
export type CallNames<Server> = string extends keyof Server ? string : Exclude<NamesOf<Server>, StreamNames<Server>>;

export type EventNames<Client> = NamesOf<Client>;

export type ArgumentsOf<T, K extends keyof T> = T[K] extends (...args: infer A) => unknown ? A : never;

export type ResultOf<T, K extends keyof T> = T[K] extends (...args: never[]) => infer R ? Awaited<R> : never;

export type ItemOf<T, K extends keyof T> = T[K] extends (...args: never[]) => IStreamResult<infer I> ? I : never;

/** What handles an event; of one that asks for a result, it answers, at once or later. */
export type HandlerOf<T, K extends keyof T> = (...args: ArgumentsOf<T, K>) => ResultOf<T, K> | Promise<ResultOf<T, K>>;
