// SPDX-License-Identifier: Apache-2.0
// The two small structures that a history of millions of deliveries is judged with: a
// histogram of times, and a set of numbers that are mostly neighbours.
"use strict";

// Buckets a power of two: a figure is at most 1/64 above the truth.
const PARTS = 64;
const OCTAVES = 42; // microseconds up to 50 days

// Times in microseconds; negative ones count as 0.
class Histogram {
	#counts = new Float64Array(PARTS * OCTAVES);
	#n = 0;
	#max = 0;

	get n() {
		return this.#n;
	}

	add(us) {
		const value = us > 0 ? us : 0;
		this.#counts[bucketOf(value)]++;
		this.#n++;
		if (value > this.#max)
			this.#max = value;
	}

	addAll(other) {
		other.#counts.forEach((n, i) => { this.#counts[i] += n; });
		this.#n += other.#n;
		this.#max = Math.max(this.#max, other.#max);
	}

	// The time that the share of all is not above; 0 when there is none.
	at(share) {
		let left = Math.ceil(this.#n * share);
		if (left <= 0)
			return 0;
		for (let i = 0; i < this.#counts.length; i++) {
			left -= this.#counts[i];
			if (left <= 0)
				return Math.min(upperOf(i), this.#max);
		}
		return this.#max;
	}

	// What a report shows, in milliseconds.
	summary() {
		const ms = (us) => Math.round(us) / 1000;
		return { n: this.#n, p50_ms: ms(this.at(0.5)), p99_ms: ms(this.at(0.99)), p999_ms: ms(this.at(0.999)),
			max_ms: ms(this.#max) };
	}
}

// Values below PARTS have a bucket each; above, each octave has PARTS.
function bucketOf(value) {
	if (value < PARTS)
		return Math.floor(value);
	const octave = Math.floor(Math.log2(value)) - 5;
	const part = Math.floor(value / 2 ** (octave - 1)) - PARTS;
	// log2 may round up to the next power: then `part` is one octave's worth below 0.
	const i = octave * PARTS + Math.max(part, 0);
	return Math.min(i, PARTS * OCTAVES - 1);
}

function upperOf(i) {
	if (i < PARTS)
		return i;
	const octave = Math.floor(i / PARTS);
	return (i % PARTS + PARTS + 1) * 2 ** (octave - 1);
}

// A set of whole numbers as ranges [from, to], sorted. Numbers that come in order cost one
// comparison, and a run of any length one range.
class Ranges {
	#bounds = []; // from, to, from, to ...

	get size() {
		return this.#bounds.length / 2;
	}

	get last() {
		return this.#bounds.length ? this.#bounds[this.#bounds.length - 1] : -Infinity;
	}

	// False: it was there.
	add(n) {
		const bounds = this.#bounds;
		if (n === this.last + 1) {
			bounds[bounds.length - 1] = n;
			return true;
		}
		if (n > this.last) {
			bounds.push(n, n);
			return true;
		}
		const i = this.#find(n);
		if (bounds[i] <= n)
			return false;
		const joinsBefore = i > 0 && bounds[i - 1] === n - 1;
		const joinsAfter = bounds[i] === n + 1;
		if (joinsBefore && joinsAfter)
			bounds.splice(i - 1, 2);
		else if (joinsBefore)
			bounds[i - 1] = n;
		else if (joinsAfter)
			bounds[i] = n;
		else
			bounds.splice(i, 0, n, n);
		return true;
	}

	has(n) {
		return n <= this.last && this.#bounds[this.#find(n)] <= n;
	}

	// The nearest numbers of the set below and above one that is not in it; null: none.
	around(n) {
		if (n > this.last)
			return { before: this.size ? this.last : null, after: null };
		const i = this.#find(n);
		return { before: i > 0 ? this.#bounds[i - 1] : null, after: this.#bounds[i] };
	}

	// The index of the first range that ends at n or later, which must exist.
	#find(n) {
		let low = 0;
		let high = this.size - 1;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#bounds[2 * middle + 1] < n)
				low = middle + 1;
			else
				high = middle;
		}
		return 2 * low;
	}
}

module.exports = { Histogram, Ranges };
