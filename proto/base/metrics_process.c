/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From /proc and the kernel at each scrape; keeps nothing but when the process started.
 */
#include "proto/base/metrics_process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/machine.h"
#include "proto/base/stall.h"

static void head_render(const char *name, const char *type, const char *help,
			struct buf *out)
{
	buf_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge_render(const char *name, const char *help, int64_t value,
			 struct buf *out)
{
	head_render(name, "gauge", help, out);
	buf_appendf(out, "%s %" PRId64 "\n", name, value);
}

/* ---- /proc */

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
	gauge_render("process_resident_memory_bytes", "Memory held in RAM.",
		     (int64_t)pages * sysconf(_SC_PAGESIZE), out);
}

static void open_fds_render(struct buf *out)
{
	struct stat fds;

	/* Counted by the kernel since Linux 6.2, 0 before: to list them would take the
	 * loop as long as there are clients. */
	if (stat("/proc/self/fd", &fds) == 0 && fds.st_size != 0)
		gauge_render("process_open_fds", "Open file descriptors.", fds.st_size,
			     out);
}

static void max_fds_render(struct buf *out)
{
	struct rlimit limit;
	const rlim_t most = INT64_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		gauge_render("process_max_fds", "Most file descriptors it may open.",
			     (int64_t)(limit.rlim_cur < most ? limit.rlim_cur : most),
			     out);
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

/* Unix time; 0: unknown. */
static int64_t start_seconds(void)
{
	char stat[1024];
	struct timespec boot_age;
	struct timespec now;
	int64_t ticks;
	int64_t ticks_per_second = sysconf(_SC_CLK_TCK);

	if (!proc_file_read("/proc/self/stat", stat, sizeof(stat)) ||
	    ticks_per_second <= 0)
		return 0;
	ticks = start_ticks(stat);
	if (ticks < 0 || clock_gettime(CLOCK_BOOTTIME, &boot_age) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec - (int64_t)boot_age.tv_sec + ticks / ticks_per_second;
}

/* Asked once: two clocks are compared, whose difference is a second more or less from one
 * time to the next, and a start that changes is a restart to who watches. */
static void start_render(struct buf *out)
{
	static int64_t start_s;

	if (start_s == 0)
		start_s = start_seconds();
	if (start_s > 0)
		gauge_render("process_start_time_seconds",
			     "When the process started, in seconds since 1970.", start_s,
			     out);
}

/* ---- ours */

static void stalls_render(struct buf *out)
{
	const struct stalls stalls = stalls_counted();

	head_render("heliograph_loop_stalls_total", "counter",
		    "Turns of the loop that took 100 ms or longer.", out);
	buf_appendf(out, "heliograph_loop_stalls_total %" PRIu64 "\n", stalls.n);
	head_render("heliograph_loop_stalled_seconds_total", "counter",
		    "Time that such turns took.", out);
	buf_appendf(out, "heliograph_loop_stalled_seconds_total %" PRIu64 ".%03u\n",
		    stalls.ms / 1000, (unsigned)(stalls.ms % 1000));
}

void metrics_process_render(struct buf *out)
{
	gauge_render("heliograph_memory_limit_bytes",
		     "Memory of the machine, or of the control group if that is less.",
		     machine_memory_bytes(""), out);
	stalls_render(out);
	memory_render(out);
	open_fds_render(out);
	max_fds_render(out);
	cpu_render(out);
	start_render(out);
}
