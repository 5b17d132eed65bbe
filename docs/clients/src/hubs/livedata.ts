// SPDX-License-Identifier: Apache-2.0
// Made from livedata.hub by heliograph-hubgen: change that instead.

import type { IStreamResult } from "@microsoft/signalr";

/** livedata: the last value of everything that is measured, and what changes */

/** One value. It is in a stream and in DataUpdated alike. */
export interface DataUpdate {
	dataType: string;
	key: string;
	value: unknown;
	/** ISO 8601, UTC: the producer's, or when it came. */
	timestamp: string;
	/** Grows with every change of a data type: of two updates the one with the higher version is newer. */
	version: number;
	/** What was there when the stream began. */
	isSnapshot: boolean;
}

/** What a producer says. */
export interface Reading {
	key: string;
	value: unknown;
	timestamp?: string | null;
}

/** What the hub calls at its clients. */
export interface LivedataClient {
	DataUpdated(update: DataUpdate): void;
}

/** What clients call at the hub. */
export interface LivedataServer {
	/** All values whose key matches the filter, then each change of one; what a slow reader misses is skipped, the last value never. */
	Subscribe(dataType: string, filter: string): IStreamResult<DataUpdate>;
	/** Returns how many readings were taken. */
	Publish(dataType: string, readings: IStreamResult<Reading>): Promise<number>;
}
