/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus text exposition from a table, plus what every process can say about itself
 * from /proc. Keeps nothing: each scrape reads the values where the program counts them.
 * Names are checked here by the rules of "promtool check metrics", as programmer errors.
 */
#include "proto/base/metrics.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

_Static_assert(sizeof(bounds) / sizeof(bounds[0]) == HISTOGRAM_BUCKETS,
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
	assert(has_suffix(row->name, "_total") == (row->type == METRIC_COUNTER));
	assert(row->type != METRIC_HISTOGRAM || has_suffix(row->name, "_seconds"));
}

static const char *type_name(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
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

static void histogram_render(const struct metric *row, const struct histogram *histogram,
			     struct buf *out)
{
	const char *labels = row->labels ? row->labels : "";
	const char *comma = row->labels ? "," : "";
	const char *open = row->labels ? "{" : "";
	const char *close = row->labels ? "}" : "";
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += histogram->buckets[i];
		buf_appendf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", row->name,
			    labels, comma, bounds[i].seconds, count);
	}
	buf_appendf(out, "%s_sum%s%s%s %" PRIu64 ".%06" PRIu64 "\n", row->name, open,
		    labels, close, histogram->sum_us / 1000000,
		    histogram->sum_us % 1000000);
	buf_appendf(out, "%s_count%s%s%s %" PRIu64 "\n", row->name, open, labels, close,
		    count);
}

static void plain_head(const struct metric *row, struct buf *out)
{
	buf_append_str(out, row->name);
	if (row->labels != NULL)
		buf_appendf(out, "{%s}", row->labels);
}

static void row_render(const struct metric *row, const void *values, struct buf *out)
{
	const void *field = (const char *)values + row->field;

	switch (row->type) {
	case METRIC_COUNTER:
		plain_head(row, out);
		buf_appendf(out, " %" PRIu64 "\n", *(const uint64_t *)field);
		break;
	case METRIC_GAUGE:
		plain_head(row, out);
		buf_appendf(out, " %" PRId64 "\n", *(const int64_t *)field);
		break;
	case METRIC_HISTOGRAM:
		histogram_render(row, field, out);
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

/* ---- the process itself */

/* A small /proc file as a string; false where there is no /proc. */
static bool proc_file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	(void)close(fd); /* read only: nothing can be lost */
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void memory_render(struct buf *out)
{
	char text[128];
	const char *resident;
	unsigned long pages;

	if (!proc_file_read("/proc/self/statm", text, sizeof(text)))
		return;
	resident = strchr(text, ' ');
	pages = resident ? strtoul(resident, NULL, 10) : 0;
	head_render("process_resident_memory_bytes", "gauge", "Memory held in RAM.", out);
	buf_appendf(out, "process_resident_memory_bytes %" PRIu64 "\n",
		    (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void fds_render(struct buf *out)
{
	struct stat fds;

	/* Counted by the kernel since Linux 6.2, 0 before: to list them would take the
	 * loop as long as there are clients. */
	if (stat("/proc/self/fd", &fds) != 0 || fds.st_size == 0)
		return;
	head_render("process_open_fds", "gauge", "Open file descriptors.", out);
	buf_appendf(out, "process_open_fds %" PRId64 "\n", (int64_t)fds.st_size);
}

static void cpu_render(struct buf *out)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
		return;
	head_render("process_cpu_seconds_total", "counter",
		    "Processor time used, user and system.", out);
	buf_appendf(out, "process_cpu_seconds_total %" PRId64 ".%06ld\n",
		    (int64_t)used.tv_sec, used.tv_nsec / 1000);
}

/* Field 22 of stat, counted behind the ")" that ends the name: ticks from boot to start.
 */
static int64_t start_ticks(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int i = 0; at != NULL && i < 20; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoll(at, NULL, 10) : -1;
}

static void start_render(struct buf *out)
{
	char stat[1024];
	struct timespec boot_age;
	struct timespec now;
	int64_t ticks;
	int64_t ticks_per_second = sysconf(_SC_CLK_TCK);

	if (!proc_file_read("/proc/self/stat", stat, sizeof(stat)) ||
	    ticks_per_second <= 0)
		return;
	ticks = start_ticks(stat);
	if (ticks < 0 || clock_gettime(CLOCK_BOOTTIME, &boot_age) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return;
	head_render("process_start_time_seconds", "gauge",
		    "When the process started, in seconds since 1970.", out);
	buf_appendf(out, "process_start_time_seconds %" PRId64 "\n",
		    (int64_t)now.tv_sec - (int64_t)boot_age.tv_sec +
			    ticks / ticks_per_second);
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
	memory_render(out);
	fds_render(out);
	cpu_render(out);
	start_render(out);
}
