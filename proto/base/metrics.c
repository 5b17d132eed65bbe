/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus text exposition from a table, and behind it what every process can say about
 * itself. Keeps nothing: each scrape reads the values where the program counts them.
 * Names are checked here by the rules of "promtool check metrics", as programmer errors.
 */
#include "proto/base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/mem.h"
#include "proto/base/metrics_process.h"
#include "proto/base/version.h"

struct bound {
	uint64_t us;
	const char *seconds; /* the value of le= */
};

/* Dense where a hop takes its time, one step for "far too long". */
static const struct bound bounds[] = {
	{ 100, "0.0001" },  { 250, "0.00025" },	    { 500, "0.0005" },
	{ 1000, "0.001" },  { 2500, "0.0025" },	    { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" },	    { 50000, "0.05" },
	{ 100000, "0.1" },  { 250000, "0.25" },	    { 1000000, "1" },
	{ 10000000, "10" }, { UINT64_MAX, "+Inf" },
};

/* How long clients stay. */
static const struct bound lifetime_bounds[] = {
	{ 10000, "0.01" },    { 20000, "0.02" },    { 50000, "0.05" },
	{ 100000, "0.1" },    { 200000, "0.2" },    { 500000, "0.5" },
	{ 1000000, "1" },     { 2000000, "2" },	    { 5000000, "5" },
	{ 10000000, "10" },   { 30000000, "30" },   { 60000000, "60" },
	{ 120000000, "120" }, { 300000000, "300" }, { UINT64_MAX, "+Inf" },
};

_Static_assert(sizeof(bounds) / sizeof(bounds[0]) == HISTOGRAM_BUCKETS,
	       "one bound a bucket");
_Static_assert(sizeof(lifetime_bounds) / sizeof(lifetime_bounds[0]) == LIFETIMES_BUCKETS,
	       "one bound a bucket");

void histogram_add_us(struct histogram *histogram, uint64_t us)
{
	size_t i = 0;

	while (us > bounds[i].us)
		i++;
	assert(i < HISTOGRAM_BUCKETS);
	histogram->buckets[i]++;
	histogram->sum_us += us;
}

void histogram_encode(const struct histogram *histogram, uint8_t bytes[HISTOGRAM_BYTES])
{
	for (size_t i = 0; i < HISTOGRAM_BYTES; i++)
		bytes[i] = (uint8_t)(histogram->buckets[i / 8] >> 8 * (i % 8));
}

int64_t histogram_quantile_us(const uint64_t buckets[HISTOGRAM_BUCKETS],
			      unsigned permille)
{
	double total = 0;
	double below = 0;
	double wanted;
	uint64_t low = 0;

	assert(permille <= 1000);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += (double)buckets[i];
	if (total == 0)
		return -1;
	wanted = total * permille / 1000;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		const double here = (double)buckets[i];

		if (here > 0 && below + here >= wanted)
			return (int64_t)low + (int64_t)((double)(bounds[i].us - low) *
							(wanted - below) / here);
		below += here;
		low = bounds[i].us;
	}
	return (int64_t)low;
}

void lifetimes_add_us(struct lifetimes *lifetimes, uint64_t us)
{
	size_t i = 0;

	while (us > lifetime_bounds[i].us)
		i++;
	assert(i < LIFETIMES_BUCKETS);
	lifetimes->buckets[i]++;
	lifetimes->sum_us += us;
}

void metric_counters_add(struct metric_counters *counters, struct slice labels)
{
	counters->items = mem_realloc(counters->items,
				      (counters->n + 1) * sizeof(*counters->items));
	counters->items[counters->n++] =
		(struct metric_counter){ .labels = mem_dup(labels.ptr, labels.len) };
}

void metric_counters_fini(struct metric_counters *counters)
{
	for (size_t i = 0; i < counters->n; i++)
		mem_free(counters->items[i].labels);
	mem_free(counters->items);
	*counters = (struct metric_counters){ NULL, 0 };
}

/* ---- rows */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name);
	size_t suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static void row_check(const struct metric *row)
{
	assert(row->help != NULL && row->help[0] != '\0');
	assert(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
	       strlen(row->name));
	assert(has_suffix(row->name, "_total") ==
	       (row->type == METRIC_COUNTER || row->type == METRIC_COUNTERS));
	assert((row->type != METRIC_HISTOGRAM && row->type != METRIC_LIFETIMES) ||
	       has_suffix(row->name, "_seconds"));
}

static const char *type_name(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
	case METRIC_COUNTERS:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
	case METRIC_LIFETIMES:
		return "histogram";
	}
	return "untyped";
}

/* Help ends with its line: a newline in it is written as \n, so is the backslash itself.
 */
static void head_render(const char *name, const char *type, const char *help,
			struct buf *out)
{
	buf_appendf(out, "# HELP %s ", name);
	for (; *help != '\0'; help++) {
		if (*help == '\n' || *help == '\\')
			buf_append_byte(out, '\\');
		buf_append_byte(out, *help == '\n' ? 'n' : *help);
	}
	buf_appendf(out, "\n# TYPE %s %s\n", name, type);
}

/* name_suffix{labels} */
static void series_render(const struct metric *row, const char *suffix, struct buf *out)
{
	buf_appendf(out, "%s%s", row->name, suffix);
	if (row->labels != NULL)
		buf_appendf(out, "{%s}", row->labels);
}

/* There are as many `buckets` as bounds in `of`. */
static void histogram_render(const struct metric *row, const struct bound *of,
			     const uint64_t *buckets, uint64_t sum_us, struct buf *out)
{
	const char *labels = row->labels ? row->labels : "";
	const char *comma = row->labels ? "," : "";
	uint64_t count = 0;
	size_t i = 0;

	do {
		count += buckets[i];
		buf_appendf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", row->name,
			    labels, comma, of[i].seconds, count);
	} while (of[i++].us != UINT64_MAX);
	series_render(row, "_sum", out);
	buf_appendf(out, " %" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000,
		    sum_us % 1000000);
	series_render(row, "_count", out);
	buf_appendf(out, " %" PRIu64 "\n", count);
}

static void counters_render(const struct metric *row,
			    const struct metric_counters *counters, struct buf *out)
{
	for (size_t i = 0; i < counters->n; i++)
		buf_appendf(out, "%s{%s} %" PRIu64 "\n", row->name,
			    counters->items[i].labels, counters->items[i].value);
}

static void row_render(const struct metric *row, const void *values, struct buf *out)
{
	const void *field = (const char *)values + row->field;
	const struct histogram *histogram = field;
	const struct lifetimes *lifetimes = field;

	switch (row->type) {
	case METRIC_COUNTER:
		series_render(row, "", out);
		buf_appendf(out, " %" PRIu64 "\n", *(const uint64_t *)field);
		break;
	case METRIC_GAUGE:
		series_render(row, "", out);
		buf_appendf(out, " %" PRId64 "\n", *(const int64_t *)field);
		break;
	case METRIC_HISTOGRAM:
		histogram_render(row, bounds, histogram->buckets, histogram->sum_us, out);
		break;
	case METRIC_LIFETIMES:
		histogram_render(row, lifetime_bounds, lifetimes->buckets,
				 lifetimes->sum_us, out);
		break;
	case METRIC_COUNTERS:
		counters_render(row, field, out);
		break;
	}
}

static bool is_name_new(const struct metrics_table *table, size_t row)
{
	const char *name = table->rows[row].name;

	if (row > 0 && strcmp(table->rows[row - 1].name, name) == 0) {
		assert(table->rows[row - 1].type == table->rows[row].type);
		return false;
	}
	/* Two heads for one name make the whole scrape fail. */
	for (size_t i = 0; i < row; i++)
		assert(strcmp(table->rows[i].name, name) != 0);
	return true;
}

void metrics_render(const struct metrics_table *table, const void *values,
		    struct buf *out)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct metric *row = &table->rows[i];

		row_check(row);
		if (is_name_new(table, i))
			head_render(row->name, type_name(row->type), row->help, out);
		row_render(row, values, out);
	}
	head_render("heliograph_build_info", "gauge",
		    "Always 1; the label tells the version.", out);
	buf_append_str(out,
		       "heliograph_build_info{version=\"" HELIOGRAPH_VERSION "\"} 1\n");
	metrics_process_render(out);
}

static size_t field_bytes(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
	case METRIC_GAUGE:
		break;
	case METRIC_HISTOGRAM:
		return sizeof(struct histogram);
	case METRIC_LIFETIMES:
		return sizeof(struct lifetimes);
	case METRIC_COUNTERS:
		return sizeof(struct metric_counters);
	}
	return sizeof(uint64_t);
}

void metrics_render_empty(const struct metrics_table *table, struct buf *out)
{
	size_t bytes = 0;
	void *values;

	for (size_t i = 0; i < table->n; i++) {
		const struct metric *row = &table->rows[i];
		const size_t end = row->field + field_bytes(row->type);

		bytes = end > bytes ? end : bytes;
	}
	values = mem_zalloc(bytes);
	metrics_render(table, values, out);
	mem_free(values);
}
