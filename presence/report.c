/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Totals are remembered as they were said; what a window held is the difference of two.
 * A report that comes too soon after the one before last takes the place of the last, so
 * that a fixed number of them always reaches back far enough.
 */
#include "presence/report.h"

#include <assert.h>

_Static_assert(REPORT_SAMPLES_MAX - 2 >= REPORT_LATENCY_MS / REPORT_STEP_MS,
	       "samples reach back for the longest window");
_Static_assert(REPORT_LATENCY_MS >= REPORT_RATE_MS, "it is the longest");

void report_init(struct report *report)
{
	*report = (struct report){ 0 };
	arena_init(&report->arena);
}

void report_fini(struct report *report)
{
	arena_fini(&report->arena);
}

/* ---- taking */

static int64_t not_negative(int64_t number)
{
	return number > 0 ? number : 0;
}

/* Buckets of another number are of another release's bounds: nothing is known by them. */
static void buckets_decode(const ProtobufCBinaryData *bytes, uint64_t *buckets)
{
	if (bytes->len != HISTOGRAM_BUCKETS * sizeof(uint64_t))
		return;
	for (size_t i = 0; i < bytes->len; i++)
		buckets[i / 8] |= (uint64_t)bytes->data[i] << 8 * (i % 8);
}

static void sample_fill(struct report_sample *sample, const Link__Report *said,
			int64_t now_ms)
{
	*sample = (struct report_sample){
		.at_ms = now_ms,
		.totals = {
			[REPORT_MESSAGES_IN] = said->messages_in_total,
			[REPORT_MESSAGES_OUT] = said->messages_out_total,
			[REPORT_BYTES_IN] = said->bytes_in_total,
			[REPORT_BYTES_OUT] = said->bytes_out_total,
			[REPORT_CPU_US] = said->cpu_us_total,
		},
	};
	buckets_decode(&said->latency_buckets, sample->buckets);
}

static bool is_less(const struct report_sample *sample,
		    const struct report_sample *before)
{
	for (size_t i = 0; i < REPORT_TOTALS; i++) {
		if (sample->totals[i] < before->totals[i])
			return true;
	}
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (sample->buckets[i] < before->buckets[i])
			return true;
	}
	return false;
}

static void sample_add(struct report *report, const struct report_sample *sample)
{
	struct report_sample *samples = report->samples;
	size_t n = report->samples_n;

	if (n > 0 && is_less(sample, &samples[n - 1])) {
		report->restarts++;
		n = 0;
	}
	if (n >= 2 && sample->at_ms - samples[n - 2].at_ms < REPORT_STEP_MS)
		n--;
	if (n == REPORT_SAMPLES_MAX)
		memmove(samples, samples + 1, --n * sizeof(*samples));
	samples[n] = *sample;
	report->samples_n = n + 1;
}

/* A name that is too long is none: half of it would be another's. */
static bool name_keep(struct arena *arena, ProtobufCBinaryData bytes, struct slice *name)
{
	if (bytes.len > REPORT_NAME_BYTES_MAX)
		return false;
	*name = arena_dup(arena, link_slice(bytes));
	return true;
}

static size_t links_keep(struct report *report, const Link__Report *said)
{
	const size_t n =
		said->n_links < REPORT_LINKS_MAX ? said->n_links : REPORT_LINKS_MAX;

	report->links = arena_alloc(&report->arena, n * sizeof(*report->links));
	report->links_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct report_link *link = &report->links[report->links_n];

		if (!name_keep(&report->arena, said->links[i]->name, &link->name))
			continue;
		link->role = (int)said->links[i]->role;
		link->is_up = said->links[i]->is_up;
		link->waiting_bytes = not_negative(said->links[i]->waiting_bytes);
		report->links_n++;
	}
	return said->n_links - report->links_n;
}

static size_t groups_keep(struct report *report, const Link__Report *said)
{
	const size_t n = said->n_groups_top < REPORT_GROUPS_MAX ? said->n_groups_top
								: REPORT_GROUPS_MAX;

	report->groups_top = arena_alloc(&report->arena, n * sizeof(*report->groups_top));
	report->groups_top_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct report_group *group = &report->groups_top[report->groups_top_n];

		if (!name_keep(&report->arena, said->groups_top[i]->hub, &group->hub) ||
		    !name_keep(&report->arena, said->groups_top[i]->name, &group->name))
			continue;
		group->members = said->groups_top[i]->members;
		report->groups_top_n++;
	}
	return said->n_groups_top - report->groups_top_n;
}

size_t report_take(struct report *report, const Link__Report *said, int64_t now_ms)
{
	struct report_sample sample;

	assert(report_age_ms(report, now_ms) >= -1);
	sample_fill(&sample, said, now_ms);
	sample_add(report, &sample);
	report->connections = not_negative(said->connections);
	report->users = not_negative(said->users);
	report->queue_bytes = not_negative(said->queue_bytes);
	report->memory_bytes = not_negative(said->memory_bytes);
	report->groups = not_negative(said->groups);
	report->memberships = not_negative(said->memberships);
	report->calls = not_negative(said->calls);
	report->started_unix_ms = not_negative(said->started_unix_ms);
	report->is_draining = said->is_draining;
	arena_reset(&report->arena);
	return links_keep(report, said) + groups_keep(report, said);
}

/* ---- asking */

/* Of what processes say: too much is the most. */
static uint64_t count_sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static const struct report_sample *newest(const struct report *report)
{
	assert(report->samples_n > 0);
	return &report->samples[report->samples_n - 1];
}

int64_t report_age_ms(const struct report *report, int64_t now_ms)
{
	return report->samples_n > 0 ? now_ms - newest(report)->at_ms : -1;
}

/* Where a window begins: the youngest that is so old, or the oldest there is. */
static const struct report_sample *since(const struct report *report, int64_t window_ms)
{
	const int64_t begin_ms = newest(report)->at_ms - window_ms;
	size_t i = report->samples_n - 1;

	while (i > 0 && report->samples[i].at_ms > begin_ms)
		i--;
	return &report->samples[i];
}

void report_add(const struct report *report, int64_t now_ms, struct report_sum *sum)
{
	const struct report_sample *last;
	const struct report_sample *first;
	double seconds;

	if (report->samples_n < 2 || report_age_ms(report, now_ms) > REPORT_STALE_MS)
		return;
	last = newest(report);
	first = since(report, REPORT_RATE_MS);
	seconds = (double)(last->at_ms - first->at_ms) / 1000;
	for (size_t i = 0; seconds > 0 && i < REPORT_TOTALS; i++)
		sum->per_second[i] +=
			(double)(last->totals[i] - first->totals[i]) / seconds;
	first = since(report, REPORT_LATENCY_MS);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		sum->buckets[i] =
			count_sum(sum->buckets[i], last->buckets[i] - first->buckets[i]);
}

struct report_latency report_latency(const struct report_sum *sum)
{
	struct report_latency latency = {
		.p50_us = histogram_quantile_us(sum->buckets, 500),
		.p95_us = histogram_quantile_us(sum->buckets, 950),
		.p99_us = histogram_quantile_us(sum->buckets, 990),
	};

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		latency.n = count_sum(latency.n, sum->buckets[i]);
	return latency;
}

/* ---- the largest groups */

static void top_insert(struct report_top *top, const struct report_group *group)
{
	size_t at = top->n;

	while (at > 0 && top->groups[at - 1].members < group->members)
		at--;
	if (at == REPORT_GROUPS_MAX)
		return;
	if (top->n < REPORT_GROUPS_MAX)
		top->n++;
	memmove(&top->groups[at + 1], &top->groups[at],
		(top->n - 1 - at) * sizeof(top->groups[0]));
	top->groups[at] = *group;
}

/* While a group moves two shards may know it: the one with more members is right. */
static bool top_has(struct report_top *top, const struct report_group *group)
{
	for (size_t i = 0; i < top->n; i++) {
		struct report_group *other = &top->groups[i];

		if (!slice_equal(other->name, group->name) ||
		    !slice_equal(other->hub, group->hub))
			continue;
		if (other->members >= group->members)
			return true;
		memmove(other, other + 1, (--top->n - i) * sizeof(*other));
		return false;
	}
	return false;
}

void report_top_add(struct report_top *top, const struct report *report)
{
	for (size_t i = 0; i < report->groups_top_n; i++) {
		if (!top_has(top, &report->groups_top[i]))
			top_insert(top, &report->groups_top[i]);
	}
}
