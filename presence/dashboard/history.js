// SPDX-License-Identifier: Apache-2.0
// The last minutes of every figure, a sample a poll. Knows nothing of how it is drawn.

export const WINDOW_MS = 5 * 60 * 1000;

export class History {
	samples = []; // {at, values: {name: number|null}}, the oldest first

	add(at, values) {
		const last = this.samples.at(-1);
		if (last && at <= last.at)
			return; // the clock was set back: wait until it has caught up
		this.samples.push({ at, values });
		while (this.samples[0].at < at - WINDOW_MS - 10000)
			this.samples.shift();
	}

	// What was before the first sample of our own.
	prepend(samples) {
		const first = this.samples[0]?.at ?? Infinity;
		this.samples.unshift(...samples.filter((sample) => sample.at < first));
	}

	get end() {
		return this.samples.at(-1)?.at ?? 0;
	}

	nearest(at) {
		return this.samples.reduce((best, sample) =>
			best && Math.abs(best.at - at) <= Math.abs(sample.at - at) ? best : sample, null);
	}

	// One sample a step, the newest first, for a table.
	every(stepMs) {
		const rows = [];
		for (let at = this.end; at >= this.end - WINDOW_MS; at -= stepMs) {
			const sample = this.nearest(at);
			if (sample && Math.abs(sample.at - at) <= stepMs / 2 && sample !== rows.at(-1))
				rows.push(sample);
		}
		return rows;
	}
}
