// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next try to connect: doubling up to a bound, with jitter, so that
// clients that lost the same gateway do not come back in step.

export interface RetryOptions {
	/** Tries before giving up. */
	tries: number;
	/** The longest wait before the first try; it doubles with each. */
	firstMs: number;
	/** No wait is longer. */
	maxMs: number;
	/** The part of each wait that chance may take away, 0 to 1. */
	jitter: number;
	/** 0 up to, not including, 1. */
	random: () => number;
	/** Errors that no further try will mend; none are. */
	giveUpOn: (error: Error) => boolean;
}

export const RETRY_DEFAULTS: Readonly<RetryOptions> = {
	tries: 10,
	firstMs: 1000,
	maxMs: 30000,
	jitter: 0.5,
	random: Math.random,
	giveUpOn: () => false,
};

const DOUBLINGS_MAX = 30; // 2^31 ms is past any bound, and past what a timer takes

/** Refuses what would make a client hammer its gateway, or never come back. */
export function checkRetryOptions(options: Readonly<RetryOptions>): void {
	const { tries, firstMs, maxMs, jitter } = options;
	if (!Number.isInteger(tries) || tries < 0)
		throw new RangeError("tries: a whole number from 0 on is wanted");
	if (!(firstMs > 0 && maxMs >= firstMs && maxMs < 2 ** 31))
		throw new RangeError("firstMs, maxMs: 0 < firstMs <= maxMs < 2^31 is wanted");
	if (!(jitter >= 0 && jitter <= 1))
		throw new RangeError("jitter: a number from 0 to 1 is wanted");
}

/** The wait after `failed` tries in a row, or null: enough. */
export function retryDelayMs(failed: number, options: Readonly<RetryOptions> = RETRY_DEFAULTS): number | null {
	if (failed >= options.tries)
		return null;
	const full = Math.min(options.firstMs * 2 ** Math.min(failed, DOUBLINGS_MAX), options.maxMs);
	return Math.round(full * (1 - options.jitter * options.random()));
}
