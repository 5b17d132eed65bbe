/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the lines of the file: a step is a command and what is expected of it.
 */
#include "router/hubtest/script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/mem.h"
#include "router/hubtest/act.h"
#include "router/hubtest/guard.h"
#include "router/hubtest/pattern.h"

struct script {
	const char *path;
	const struct script_options *options;
	struct buf text;    /* the file */
	struct slice rest;  /* of it, not read yet */
	struct slice next;  /* a line that was read too far; ptr NULL: none */
	size_t line_no;	    /* of the line read last */
	struct buf written; /* the file as it should be */
	struct world world;
	struct lines seen;     /* in the step under way */
	struct lines expected; /* of it */
	struct pattern_names names;
	size_t steps_n;
	size_t misfits_n;
};

/* ---- the file */

static bool file_read(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "r");
	size_t n = 0;

	if (file == NULL) {
		printf("%s: %s\n", path, err_errno_text());
		return false;
	}
	do {
		n = fread(buf_reserve(text, BUFSIZ), 1, BUFSIZ, file);
		text->len += n;
	} while (n > 0 && text->len <= SCRIPT_BYTES_MAX);
	if (ferror(file) || text->len > SCRIPT_BYTES_MAX)
		printf("%s: it cannot be read, or is larger than %u bytes\n", path,
		       SCRIPT_BYTES_MAX);
	n = !ferror(file) && text->len <= SCRIPT_BYTES_MAX;
	(void)fclose(file); /* it was only read */
	return n == 1;
}

static bool file_write(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");
	bool is_written = false;

	if (file != NULL) {
		is_written = fwrite(text->ptr, 1, text->len, file) == text->len;
		is_written = fclose(file) == 0 && is_written;
	}
	if (!is_written)
		printf("%s: %s\n", path, err_errno_text());
	return is_written;
}

static bool is_expected(struct slice line)
{
	return line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

/* Nothing, or a comment. */
static bool is_idle(struct slice line)
{
	const struct slice inside = slice_trim(line);

	return inside.len == 0 || line.ptr[0] == '#';
}

/* False: the file has ended. */
static bool line_next(struct script *script, struct slice *line)
{
	if (script->rest.len == 0)
		return false;
	*line = slice_cut(&script->rest, '\n');
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	script->line_no++;
	return true;
}

static void write_line(struct script *script, const char *indent, struct slice line)
{
	buf_append_str(&script->written, indent);
	buf_append_slice(&script->written, line);
	buf_append_byte(&script->written, '\n');
}

/* ---- what was seen against what is expected */

static void show(const char *mark, struct slice line)
{
	printf("  %s %.*s\n", mark, SLICE_FMT(line));
}

/* How many lines fit, from the front; names are learned on the way. */
static size_t fitting(struct script *script)
{
	size_t n = 0;

	while (n < script->expected.n && n < script->seen.n &&
	       pattern_match(&script->names, script->expected.items[n],
			     script->seen.items[n]))
		n++;
	return n;
}

/* How many fit from the back, of those that are left. */
static size_t fitting_back(struct script *script, size_t front)
{
	const struct lines *expected = &script->expected;
	const struct lines *seen = &script->seen;
	size_t back = 0;

	while (front + back < expected->n && front + back < seen->n &&
	       pattern_match(&script->names, expected->items[expected->n - back - 1],
			     seen->items[seen->n - back - 1]))
		back++;
	return back;
}

/* Those that fit at both ends are shown once, all between them twice. */
static void show_difference(const struct script *script, size_t front, size_t back)
{
	const struct lines *expected = &script->expected;
	const struct lines *seen = &script->seen;

	for (size_t i = 0; i < front; i++)
		show(" ", seen->items[i]);
	for (size_t i = front; i < expected->n - back; i++)
		show("-", expected->items[i]);
	for (size_t i = front; i < seen->n - back; i++)
		show("+", seen->items[i]);
	for (size_t i = seen->n - back; i < seen->n; i++)
		show(" ", seen->items[i]);
}

/* What fitted stays as it was written, with its names. */
static void write_seen(struct script *script, size_t front, size_t back)
{
	const struct lines *expected = &script->expected;
	const struct lines *seen = &script->seen;

	for (size_t i = 0; i < front; i++)
		write_line(script, "  ", expected->items[i]);
	for (size_t i = front; i < seen->n - back; i++)
		write_line(script, "  ", seen->items[i]);
	for (size_t i = expected->n - back; i < expected->n; i++)
		write_line(script, "  ", expected->items[i]);
}

/* Verbose, all are shown before they run. */
static void show_command(const struct script *script, struct slice command,
			 size_t line_no)
{
	if (!script->options->is_verbose)
		printf("%s:%zu: %.*s\n", script->path, line_no, SLICE_FMT(command));
}

static void compare(struct script *script, struct slice command, size_t line_no)
{
	const size_t front = fitting(script);
	const size_t back = fitting_back(script, front);
	const bool is_fit = front == script->expected.n && front == script->seen.n;

	script->misfits_n += !is_fit;
	if (!is_fit)
		show_command(script, command, line_no);
	if (!is_fit || script->options->is_verbose)
		show_difference(script, front, back);
	write_seen(script, front, back);
}

/* ---- steps */

static void world_begin(struct script *script)
{
	world_open(&script->world, script->options->conf, script->options->hub,
		   &script->seen);
}

static enum err command_run(struct script *script, struct slice command, struct buf *why)
{
	struct buf filled = BUF_INIT;
	enum err rc;

	if (slice_equal(slice_trim(command), SLICE("reset"))) {
		world_close(&script->world);
		world_begin(script);
		return OK;
	}
	pattern_fill(&script->names, command, &filled);
	rc = act_run(&script->world, buf_slice(&filled), why);
	if (rc == OK)
		rc = world_settle(&script->world);
	buf_fini(&filled);
	return rc;
}

/* The lines behind the command that belong to it, up to the next command. */
static void read_expected(struct script *script, struct buf *comments)
{
	struct slice line;

	lines_clear(&script->expected);
	while (script->next.ptr == NULL && line_next(script, &line)) {
		if (is_idle(line)) {
			buf_append_slice(comments, line);
			buf_append_byte(comments, '\n');
		} else if (is_expected(line)) {
			lines_add(&script->expected, slice_trim(line));
		} else {
			script->next = line;
		}
	}
}

/* False: the scenario cannot go on. */
static bool step_run(struct script *script, struct slice command)
{
	const size_t line_no = script->line_no;
	struct buf comments = BUF_INIT;
	struct buf why = BUF_INIT;
	enum err rc;

	script->steps_n++;
	lines_clear(&script->seen);
	if (script->options->is_verbose)
		printf("%s:%zu: %.*s\n", script->path, line_no, SLICE_FMT(command));
	guard_step(script->path, line_no, command, script->options->is_verbose);
	rc = command_run(script, command, &why);
	if (rc != OK)
		show_command(script, command, line_no);
	if (rc == ERR_MALFORMED)
		printf("  %.*s\n", SLICE_FMT(buf_slice(&why)));
	else if (rc != OK)
		printf("  the hub does not come to rest: it goes on and on, or says more "
		       "than %d lines\n",
		       WORLD_LINES_MAX);
	buf_fini(&why);
	if (rc != OK)
		return false;
	write_line(script, "", command);
	read_expected(script, &comments);
	compare(script, command, line_no);
	buf_append_slice(&script->written, buf_slice(&comments));
	buf_fini(&comments);
	return true;
}

/* That which was read too far, or the next one. */
static bool line_take(struct script *script, struct slice *line)
{
	if (script->next.ptr == NULL)
		return line_next(script, line);
	*line = script->next;
	script->next = SLICE_NONE;
	return true;
}

/* True: to its end, whatever was seen. */
static bool steps_run(struct script *script)
{
	struct slice line = SLICE_NONE;

	while (line_take(script, &line)) {
		if (is_idle(line)) {
			write_line(script, "", line);
		} else if (is_expected(line)) {
			printf("%s:%zu: nothing was done yet that this could follow "
			       "from\n",
			       script->path, script->line_no);
			return false;
		} else if (!step_run(script, line)) {
			return false;
		}
	}
	return true;
}

static bool script_end(struct script *script, bool is_whole)
{
	if (!is_whole) {
		printf("%s: stopped\n", script->path);
		return false;
	}
	if (script->misfits_n == 0) {
		printf("%s: %zu step%s as expected\n", script->path, script->steps_n,
		       script->steps_n == 1 ? "" : "s");
		return true;
	}
	if (script->options->is_update) {
		printf("%s: %zu of %zu step%s written anew\n", script->path,
		       script->misfits_n, script->steps_n,
		       script->steps_n == 1 ? "" : "s");
		return file_write(script->path, &script->written);
	}
	printf("%s: %zu of %zu step%s NOT as expected\n", script->path, script->misfits_n,
	       script->steps_n, script->steps_n == 1 ? "" : "s");
	return false;
}

bool script_run(const char *path, const struct script_options *options)
{
	struct script script = { .path = path, .options = options };
	bool is_fine = false;

	if (file_read(path, &script.text)) {
		script.rest = buf_slice(&script.text);
		lines_init(&script.seen);
		lines_init(&script.expected);
		pattern_names_init(&script.names);
		world_begin(&script);
		is_fine = script_end(&script, steps_run(&script));
		world_close(&script.world);
		pattern_names_fini(&script.names);
		lines_fini(&script.expected);
		lines_fini(&script.seen);
	}
	buf_fini(&script.written);
	buf_fini(&script.text);
	return is_fine;
}
