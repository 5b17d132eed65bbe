/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots of one octave are equally wide: below 2^SUB_BITS a slot is one microsecond, and
 * from there each octave has 2^SUB_BITS slots, so a slot is never wider than 1/128 of the
 * values in it.
 */
#include "bench/histogram.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define SUB_SLOTS (1u << HISTOGRAM_SUB_BITS)

static uint32_t slot_of(int64_t value_us)
{
	uint32_t value = value_us >= HISTOGRAM_TOP_US ? UINT32_MAX : (uint32_t)value_us;
	uint32_t shift;

	if (value < SUB_SLOTS)
		return value;
	shift = 31u - (uint32_t)__builtin_clz(value) - HISTOGRAM_SUB_BITS;
	return ((shift + 1) << HISTOGRAM_SUB_BITS) + ((value >> shift) - SUB_SLOTS);
}

static int64_t slot_low(uint32_t slot)
{
	uint32_t octave = slot >> HISTOGRAM_SUB_BITS;

	if (octave == 0)
		return slot;
	return (int64_t)(SUB_SLOTS + (slot & (SUB_SLOTS - 1))) << (octave - 1);
}

static int64_t slot_high(uint32_t slot)
{
	return slot_low(slot + 1) - 1;
}

void histogram_add_n(struct histogram *histogram, int64_t value_us, uint64_t n)
{
	uint32_t slot;

	if (n == 0)
		return;
	if (value_us < 0)
		value_us = 0;
	slot = slot_of(value_us);
	assert(slot < HISTOGRAM_SLOTS);
	if (histogram->n == 0 || value_us < histogram->min_us)
		histogram->min_us = value_us;
	if (histogram->n == 0 || value_us > histogram->max_us)
		histogram->max_us = value_us;
	histogram->counts[slot] += n;
	histogram->n += n;
	histogram->sum_us += (double)value_us * (double)n;
}

void histogram_add(struct histogram *histogram, int64_t value_us)
{
	histogram_add_n(histogram, value_us, 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (from->n == 0)
		return;
	if (to->n == 0 || from->min_us < to->min_us)
		to->min_us = from->min_us;
	if (to->n == 0 || from->max_us > to->max_us)
		to->max_us = from->max_us;
	for (uint32_t i = 0; i < HISTOGRAM_SLOTS; i++)
		to->counts[i] += from->counts[i];
	to->n += from->n;
	to->sum_us += from->sum_us;
}

void histogram_since(struct histogram *out, const struct histogram *now,
		     const struct histogram *before)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < HISTOGRAM_SLOTS; i++) {
		out->counts[i] = now->counts[i] - before->counts[i];
		if (out->counts[i] == 0)
			continue;
		if (out->n == 0)
			out->min_us = slot_low(i);
		out->max_us = slot_high(i);
		out->n += out->counts[i];
	}
	/* The extremes of all time bound those of a part of it. */
	if (out->n > 0 && out->max_us > now->max_us)
		out->max_us = now->max_us;
	if (out->n > 0 && out->min_us < now->min_us)
		out->min_us = now->min_us;
	out->sum_us = now->sum_us - before->sum_us;
}

int64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	uint64_t rank;
	uint64_t seen = 0;

	assert(percent >= 0 && percent <= 100);
	/* A hair less, so that 99.9 % of 1000 is the 999th and not, by rounding, more. */
	rank = (uint64_t)ceil(percent / 100 * (double)histogram->n - 1e-6);
	if (rank == 0)
		rank = 1;
	for (uint32_t i = 0; i < HISTOGRAM_SLOTS; i++) {
		seen += histogram->counts[i];
		if (seen < rank)
			continue;
		/* The top slot's end says nothing of what was above. */
		if (seen >= histogram->n || slot_high(i) > histogram->max_us)
			return histogram->max_us;
		return slot_high(i);
	}
	return histogram->n == 0 ? 0 : histogram->max_us;
}

double histogram_share(const struct histogram *histogram, int64_t value_us)
{
	uint32_t last;
	uint64_t seen = 0;

	if (histogram->n == 0 || value_us < 0)
		return 0;
	if (value_us >= histogram->max_us)
		return 1;
	last = slot_of(value_us);
	for (uint32_t i = 0; i <= last; i++)
		seen += histogram->counts[i];
	return (double)seen / (double)histogram->n;
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->n == 0 ? 0 : histogram->sum_us / (double)histogram->n;
}
