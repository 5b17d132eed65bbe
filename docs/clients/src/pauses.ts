// SPDX-License-Identifier: Apache-2.0
// The waits before something is tried again over a connection that is there: as long as those for
// connections, but for the first ones, and ended early when things have changed.

import { RETRY_DEFAULTS, retryDelayMs } from "./backoff.js";
import type { Clock } from "./client.js";

const RETRY = { ...RETRY_DEFAULTS, tries: Infinity, firstMs: 500 };

export class Pauses {
	readonly #clock: Clock;
	readonly #ends = new Set<() => void>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** After `failed` tries in a row and one more. */
	wait(failed: number): Promise<void> {
		return new Promise((resolve) => {
			const end = () => {
				this.#clock.clearTimeout(timer);
				this.#ends.delete(end);
				resolve();
			};
			const timer = this.#clock.setTimeout(end, retryDelayMs(failed, RETRY)!);
			this.#ends.add(end);
		});
	}

	/** Nobody waits any longer. */
	end(): void {
		for (const end of [...this.#ends])
			end();
	}
}
