/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/progress.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/units.h"

#define LINE_MAX_BYTES 512
#define COLUMNS_DEFAULT 200

static const char *const phase_names[PHASES] = { "connect", "set up", "warm-up",
						 "measure", "drain",  "close" };

void progress_init(struct progress *progress, FILE *out, bool is_on)
{
	memset(progress, 0, sizeof(*progress));
	progress->out = out;
	progress->is_on = is_on;
	progress->is_terminal = isatty(fileno(out)) == 1;
}

static void line_write(struct buf *line, enum phase phase, uint64_t connections,
		       const struct result_second *second)
{
	const double *v = second->values;
	char t[5][UNITS_TEXT_MAX];

	buf_appendf(line, "%5.0fs %-8s open %s/%s", v[RESULT_at], phase_names[phase],
		    units_number(t[0], v[RESULT_open]),
		    units_number(t[1], (double)connections));
	if (v[RESULT_sent] > 0)
		buf_appendf(line, "  sent %s/s", units_number(t[0], v[RESULT_sent]));
	if (v[RESULT_delivered] > 0)
		buf_appendf(line, "  delivered %s/s",
			    units_number(t[0], v[RESULT_delivered]));
	if (v[RESULT_answered] > 0)
		buf_appendf(line, "  answered %s/s",
			    units_number(t[0], v[RESULT_answered]));
	if (v[RESULT_max] > 0)
		buf_appendf(
			line, "  p50 %s p99 %s max %s", units_time(t[0], v[RESULT_p50]),
			units_time(t[1], v[RESULT_p99]), units_time(t[2], v[RESULT_max]));
	if (v[RESULT_errors] > 0)
		buf_appendf(line, "  ERRORS %s/s", units_number(t[0], v[RESULT_errors]));
	if (v[RESULT_server_rss] > 0)
		buf_appendf(line, "  server %.0f%% %s", v[RESULT_server_cpu] * 100,
			    units_bytes(t[0], v[RESULT_server_rss]));
	buf_appendf(line, "  tool %.0f%%", v[RESULT_tool_cpu] * 100);
}

static size_t columns_of(const struct progress *progress)
{
	struct winsize size = { 0 };

	if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
		return COLUMNS_DEFAULT;
	return size.ws_col - 1u;
}

void progress_tell(struct progress *progress, enum phase phase, uint64_t connections,
		   const struct result_second *second)
{
	struct buf line = BUF_INIT;

	if (!progress->is_on)
		return;
	progress->seconds++;
	if (!progress->is_terminal && progress->seconds % PROGRESS_PLAIN_EVERY != 0)
		return;
	line_write(&line, phase, connections, second);
	/* A line that wraps cannot be written anew. */
	if (progress->is_terminal && line.len > columns_of(progress))
		line.len = columns_of(progress);
	/* Whoever closed our stderr does not want to hear of it. */
	(void)fprintf(progress->out, progress->is_terminal ? "\r%.*s\033[K" : "%.*s\n",
		      (int)line.len, line.ptr);
	(void)fflush(progress->out); /* ... */
	progress->is_dirty = progress->is_terminal;
	buf_fini(&line);
}

void progress_note(struct progress *progress, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (!progress->is_on)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut when too long */
	va_end(args);
	progress_end(progress);
	(void)fprintf(progress->out, "%s\n", text); /* as above */
}

void progress_end(struct progress *progress)
{
	if (progress->is_dirty)
		(void)fputs("\n", progress->out); /* as above */
	progress->is_dirty = false;
}
