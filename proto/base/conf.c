/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of the configuration in the order in which they win: defaults, file,
 * environment, command line. Each is read in full, so that an error in a line that is
 * overridden shows all the same. What a value means is conf_value.c's business, what is
 * printed conf_print.c's.
 */
#include "proto/base/conf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/conf_print.h"
#include "proto/base/conf_value.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/slice.h"

#define CONF_FILE_BYTES_MAX (256 << 10)
#define CONF_NAME_MAX 64
#define CONF_SHOWN_MAX 64
#define CONF_ENV_PREFIX "HELIOGRAPH_"

enum answer { ANSWER_NONE, ANSWER_HELP, ANSWER_VERSION, ANSWER_PRINT, ANSWER_CHECK };

/* Flags that are no options of the table. */
static const char *const builtin_names[] = { "help", "version", "print-conf", "conf" };

struct reader {
	const struct conf_table *table;
	void *values;	   /* borrowed */
	char *error;	   /* borrowed, CONF_ERROR_MAX */
	const char *place; /* the file's path, "environment", "command line" */
	unsigned line;	   /* 0: the place has no lines */
	enum answer answer;
	const char *file; /* of --conf, or NULL */
};

static void reader_init(struct reader *reader, const struct conf_table *table,
			char *error)
{
	memset(reader, 0, sizeof(*reader));
	reader->table = table;
	reader->error = error;
	error[0] = '\0';
}

/* ---- errors */

static enum err refuse(struct reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);

static enum err refuse(struct reader *reader, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	char message[CONF_ERROR_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args); /* a cut message is fine */
	va_end(args);
	buf_append_str(&text, reader->place);
	if (reader->line > 0)
		buf_appendf(&text, ":%u", reader->line);
	buf_appendf(&text, ": %s", message);
	len = text.len < CONF_ERROR_MAX ? text.len : CONF_ERROR_MAX - 1;
	memcpy(reader->error, text.ptr, len);
	reader->error[len] = '\0';
	buf_fini(&text);
	return ERR_MALFORMED;
}

struct shown {
	char text[CONF_SHOWN_MAX + 4];
};

/* What somebody wrote, short and printable, for an error message. */
static struct shown show(struct slice s)
{
	struct shown out;
	size_t len = s.len < CONF_SHOWN_MAX ? s.len : CONF_SHOWN_MAX;

	for (size_t i = 0; i < len; i++)
		out.text[i] = s.ptr[i] < ' ' || s.ptr[i] >= 0x7f ? '?' : s.ptr[i];
	memcpy(out.text + len, s.len > len ? "..." : "", s.len > len ? 4 : 1);
	return out;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t row[CONF_NAME_MAX + 1];

	assert(a.len <= CONF_NAME_MAX);
	assert(b.len <= CONF_NAME_MAX);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];
			size_t differs = a.ptr[i - 1] != b.ptr[j - 1];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[b.len];
}

/* The known name nearest to `name`, or NULL when none could have been meant. */
static const char *name_suggest(const struct reader *reader, struct slice name,
				bool is_flag)
{
	size_t n_builtin = is_flag ? sizeof(builtin_names) / sizeof(builtin_names[0]) : 0;
	size_t best = name.len / 3 + 2; /* one above what passes for a slip */
	const char *nearest = NULL;

	if (name.len > CONF_NAME_MAX)
		return NULL;
	for (size_t i = 0; i < reader->table->n + n_builtin; i++) {
		const char *known = i < n_builtin
					    ? builtin_names[i]
					    : reader->table->options[i - n_builtin].name;
		size_t distance = edit_distance(name, slice_from_str(known));

		if (distance < best) {
			best = distance;
			nearest = known;
		}
	}
	return nearest;
}

static enum err refuse_unknown(struct reader *reader, struct slice name, bool is_flag)
{
	const char *dashes = is_flag ? "--" : "";
	const char *nearest = name_suggest(reader, name, is_flag);

	if (nearest == NULL)
		return refuse(reader, "unknown option %s%s; --help lists all", dashes,
			      show(name).text);
	return refuse(reader, "unknown option %s%s; did you mean %s%s?", dashes,
		      show(name).text, dashes, nearest);
}

/* ---- one option */

static const struct conf_option *option_find(const struct reader *reader,
					     struct slice name)
{
	for (size_t i = 0; i < reader->table->n; i++) {
		if (slice_equal(name, slice_from_str(reader->table->options[i].name)))
			return &reader->table->options[i];
	}
	return NULL;
}

static enum err option_set(struct reader *reader, const struct conf_option *option,
			   struct slice value)
{
	struct buf why = BUF_INIT;
	enum err rc = conf_value_set(option, reader->values, value, &why);

	if (rc != OK)
		rc = refuse(reader, "%s = %s: %.*s", option->name, show(value).text,
			    SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	return rc;
}

static enum err defaults_read(struct reader *reader)
{
	reader->place = "default";
	reader->line = 0;
	for (size_t i = 0; i < reader->table->n; i++) {
		const struct conf_option *option = &reader->table->options[i];
		enum err rc = option_set(reader, option, slice_from_str(option->initial));

		/* The table contradicts itself. */
		assert(rc == OK);
	}
	return OK;
}

/* ---- the file */

/* A '#' begins a comment at the start of a line or after white space, not inside a word.
 */
static struct slice comment_cut(struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		bool is_apart =
			i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t';

		if (line.ptr[i] == '#' && is_apart)
			return slice_make(line.ptr, i);
	}
	return line;
}

/* `seen` holds per option the line that set it, or 0. */
static enum err line_read(struct reader *reader, struct slice line, unsigned *seen)
{
	const struct conf_option *option;
	struct slice name;
	size_t index;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (slice_find(line, '\0') >= 0)
		return refuse(reader, "a NUL byte; this is no configuration file");
	line = slice_trim(comment_cut(line));
	if (line.len == 0)
		return OK;
	if (slice_find(line, '=') < 0)
		return refuse(reader, "\"%s\": expected name = value", show(line).text);
	name = slice_trim(slice_cut(&line, '='));
	option = option_find(reader, name);
	if (option == NULL)
		return refuse_unknown(reader, name, false);
	index = (size_t)(option - reader->table->options);
	if (seen[index] > 0)
		return refuse(reader, "%s is already set in line %u", option->name,
			      seen[index]);
	seen[index] = reader->line;
	return option_set(reader, option, slice_trim(line));
}

static enum err text_read(struct reader *reader, struct slice text)
{
	unsigned *seen = mem_zalloc(reader->table->n * sizeof(*seen));
	enum err rc = OK;

	reader->line = 0;
	while (rc == OK && text.len > 0) {
		reader->line++;
		rc = line_read(reader, slice_cut(&text, '\n'), seen);
	}
	mem_free(seen);
	return rc;
}

static enum err refuse_errno(struct reader *reader)
{
	return refuse(reader, "%s", err_errno_text());
}

static enum err file_read(struct reader *reader)
{
	struct buf text = BUF_INIT;
	enum err rc = OK;
	ssize_t n = 0;
	int fd;

	reader->place = reader->file;
	reader->line = 0;
	fd = open(reader->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(reader);
	do {
		n = read(fd, buf_reserve(&text, 4096), 4096);
		if (n > 0)
			text.len += (size_t)n;
	} while ((n > 0 && text.len <= CONF_FILE_BYTES_MAX) || (n < 0 && errno == EINTR));
	if (n < 0)
		rc = refuse_errno(reader);
	else if (text.len > CONF_FILE_BYTES_MAX)
		rc = refuse(reader, "larger than %d bytes", CONF_FILE_BYTES_MAX);
	else
		rc = text_read(reader, buf_slice(&text));
	(void)close(fd); /* read only: nothing can be lost */
	buf_fini(&text);
	return rc;
}

/* ---- the environment */

static enum err environment_read(struct reader *reader)
{
	enum err rc = OK;

	reader->place = "environment";
	reader->line = 0;
	for (size_t i = 0; rc == OK && i < reader->table->n; i++) {
		const struct conf_option *option = &reader->table->options[i];
		char name[sizeof(CONF_ENV_PREFIX) + CONF_NAME_MAX] = CONF_ENV_PREFIX;
		char *to = name + sizeof(CONF_ENV_PREFIX) - 1;
		const char *value;

		assert(strlen(option->name) <= CONF_NAME_MAX);
		for (const char *from = option->name; *from != '\0'; from++)
			*to++ = *from >= 'a' && *from <= 'z' ? (char)(*from - 32) : *from;
		/* Nothing in our processes changes the environment. */
		value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */
		if (value != NULL)
			rc = option_set(reader, option, slice_from_str(value));
	}
	return rc;
}

/* ---- the command line */

/* True for flags that ask for a text instead of a run. */
static bool answer_find(const char *arg, enum answer *answer)
{
	if (strcmp(arg, "--help") == 0)
		*answer = ANSWER_HELP;
	else if (strcmp(arg, "--version") == 0)
		*answer = ANSWER_VERSION;
	else if (strcmp(arg, "--print-conf") == 0)
		*answer = ANSWER_PRINT;
	else
		return false;
	return true;
}

/* First pass: what is not an option of the table, since it decides what else is read. */
static enum err flags_read(struct reader *reader, int argc, char *const *argv)
{
	reader->place = "command line";
	reader->line = 0;
	for (int i = 1; i < argc; i++) {
		if (answer_find(argv[i], &reader->answer))
			return OK;
		if (strcmp(argv[i], "-n") == 0)
			reader->answer = ANSWER_CHECK;
		if (strncmp(argv[i], "--conf=", 7) != 0)
			continue;
		if (reader->file != NULL)
			return refuse(reader, "--conf is given twice");
		reader->file = argv[i] + 7;
		if (reader->file[0] == '\0')
			return refuse(reader, "--conf= needs a file's path");
	}
	return OK;
}

static enum err argument_read(struct reader *reader, struct slice arg)
{
	const struct conf_option *option;
	struct slice whole = arg;
	struct slice name;
	bool has_value;

	if (slice_equal(arg, SLICE("-n")) || slice_starts_with(arg, SLICE("--conf=")))
		return OK;
	if (!slice_starts_with(arg, SLICE("--")))
		return refuse(reader,
			      "unexpected argument \"%s\"; options are --name=value",
			      show(whole).text);
	arg = slice_from(arg, 2);
	has_value = slice_find(arg, '=') >= 0;
	name = slice_cut(&arg, '=');
	option = option_find(reader, name);
	if (option == NULL && !slice_equal(name, SLICE("conf")))
		return refuse_unknown(reader, name, true);
	if (!has_value)
		return refuse(reader, "%s needs a value: %s=%s", show(whole).text,
			      show(whole).text, option ? "value" : "FILE");
	assert(option != NULL);
	return option_set(reader, option, arg);
}

static enum err arguments_read(struct reader *reader, int argc, char *const *argv)
{
	enum err rc = OK;

	reader->place = "command line";
	reader->line = 0;
	for (int i = 1; rc == OK && i < argc; i++)
		rc = argument_read(reader, slice_from_str(argv[i]));
	return rc;
}

/* ---- all of it */

static enum err problem_check(struct reader *reader)
{
	const struct conf_table *table = reader->table;
	const char *text = table->problem ? table->problem(reader->values) : "";

	(void)snprintf(reader->error, CONF_ERROR_MAX, "%s", text); /* far shorter */
	return text[0] == '\0' ? OK : ERR_MALFORMED;
}

static enum err sources_read(struct reader *reader, void *values, int argc,
			     char *const *argv)
{
	enum err rc;

	reader->values = values;
	rc = defaults_read(reader);
	if (rc == OK && reader->file != NULL)
		rc = file_read(reader);
	if (rc == OK)
		rc = environment_read(reader);
	if (rc == OK)
		rc = arguments_read(reader, argc, argv);
	if (rc == OK)
		rc = problem_check(reader);
	return rc;
}

enum conf_outcome conf_load(const struct conf_table *table, void *values, int argc,
			    char *const *argv, FILE *out, char error[CONF_ERROR_MAX])
{
	struct reader reader;
	enum conf_outcome outcome = CONF_EXIT;

	reader_init(&reader, table, error);
	if (flags_read(&reader, argc, argv) != OK)
		return CONF_FAIL;
	switch (reader.answer) {
	case ANSWER_HELP:
		conf_print_help(table, out);
		return CONF_EXIT;
	case ANSWER_VERSION:
		conf_print_version(table, out);
		return CONF_EXIT;
	case ANSWER_PRINT:
		conf_print(table, out);
		return CONF_EXIT;
	case ANSWER_NONE:
		outcome = CONF_RUN;
		break;
	case ANSWER_CHECK:
		break;
	}
	if (sources_read(&reader, values, argc, argv) != OK)
		outcome = CONF_FAIL;
	else if (outcome == CONF_EXIT)
		/* A closed stdout takes the comfort, not the exit status. */
		(void)fprintf(out, "%s: the configuration is good\n", table->program);
	if (outcome != CONF_RUN)
		conf_fini(table, values);
	return outcome;
}

/* True when the option changed but waits for a restart. */
static bool option_reload(const struct conf_option *option, void *values, void *fresh)
{
	if (conf_value_equal(option, values, fresh))
		return false;
	if (!option->is_reloadable)
		return true;
	conf_value_move(option, values, fresh);
	return false;
}

enum err conf_reload(const struct conf_table *table, void *values, int argc,
		     char *const *argv, char error[CONF_ERROR_MAX])
{
	struct reader reader;
	void *fresh = conf_values_new(table);
	enum err rc;

	reader_init(&reader, table, error);
	rc = flags_read(&reader, argc, argv);
	if (rc == OK)
		rc = sources_read(&reader, fresh, argc, argv);
	for (size_t i = 0; rc == OK && i < table->n; i++) {
		if (option_reload(&table->options[i], values, fresh))
			log_warn("conf.needs_restart", "option=%s",
				 table->options[i].name);
	}
	conf_values_free(table, fresh);
	return rc;
}

void conf_fini(const struct conf_table *table, void *values)
{
	for (size_t i = 0; i < table->n; i++) {
		char **field = (void *)((char *)values + table->options[i].field);

		if (table->options[i].type != CONF_STRING)
			continue;
		mem_free(*field);
		*field = NULL;
	}
}
