// SPDX-License-Identifier: Apache-2.0
// Made from typed.hub by heliograph-hubgen: change that instead.

import type { IStreamResult } from "@microsoft/signalr";

/** typed: everything that an interface file can say, for tests. */

export type Level = "low" | "normal" | "very high";

export interface Position {
	line: number;
	column: number;
}

export interface Row {
	positions: Position[];
}

export interface Everything {
	text: string;
	flag: boolean;
	whole: number;
	number: number;
	data: Uint8Array | string;
	extra: unknown;
	level: Level;
	position: Position;
	positions: Position[];
	rows: Row[];
	texts: string[];
	levels: Level[];
	extras: unknown[];
	mood: "glad" | "sad";
}

/** Each member may be absent. */
export interface Options {
	/** the first: what tells of it is at the very start */
	flag?: boolean | null;
	text?: string | null;
	whole?: number | null;
	number?: number | null;
	data?: Uint8Array | string | null;
	extra?: unknown | null;
	level?: Level | null;
	position?: Position | null;
	positions?: Position[] | null;
	texts?: string[] | null;
}

/** As deep as types may be. */
export interface D1 {
	n: number;
}

export interface D2 {
	d: D1;
}

export interface D3 {
	d: D2;
}

export interface D4 {
	d: D3;
}

export interface D5 {
	d: D4;
}

export interface D6 {
	d: D5;
}

export interface D7 {
	d: D6;
}

export interface D8 {
	d: D7;
}

export interface D9 {
	d: D8;
}

export interface D10 {
	d: D9;
}

export interface D11 {
	d: D10;
}

export interface D12 {
	d: D11;
}

export interface D13 {
	d: D12;
}

export interface D14 {
	d: D13;
}

export interface D15 {
	d: D14;
}

export interface D16 {
	d: D15;
}

/** What the hub calls at its clients. */
export interface TypedClient {
	Heard(everything: Everything): void;
	/** Of what is absent in a list, null is sent. */
	Optional(options: Options, whole: number | null, position: Position | null): void;
	Nothing(): void;
	WhichLevel(question: string): Level | Promise<Level>;
	Where(at: Position): Position[] | Promise<Position[]>;
}

/** What clients call at the hub. */
export interface TypedServer {
	Echo(everything: Everything): Promise<Everything>;
	EchoOptions(options: Options): Promise<Options>;
	EchoBytes(data: Uint8Array | string): Promise<Uint8Array | string>;
	EchoLevels(levels: Level[]): Promise<Level[]>;
	EchoAny(extra: unknown): Promise<unknown>;
	EchoDeep(deep: D16): Promise<D16>;
	/** Sends the client's events to the caller. */
	Tell(everything: Everything): Promise<void>;
	TellOptions(options: Options, whole: number | null, position: Position | null): Promise<void>;
	TellNothing(): Promise<void>;
	/** The lines of all of them. */
	Rest(first: string, ...positions: Position[]): Promise<number>;
	Count(n: number): IStreamResult<Position>;
	CountTexts(n: number): IStreamResult<string[]>;
	/** Not one stream behind another: the JavaScript client then overlooks the second. */
	Sum(positions: IStreamResult<Position>, factor: number, more: IStreamResult<number>): Promise<number>;
	AskLevel(connectionId: string): Promise<Level>;
	AskWhere(connectionId: string, at: Position): Promise<number>;
	/** Makes a mistake. */
	Misuse(mistake: "choice" | "array" | "objects" | "object"): Promise<void>;
	Secret(): Promise<void>;
}
