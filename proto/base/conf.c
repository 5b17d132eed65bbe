/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of the configuration in the order in which they win: defaults, file,
 * environment, command line. Each is read in full, so that an error in a line that is
 * overridden shows all the same. What a value means is conf_value.c's business, what is
 * printed conf_print.c's.
 */
#include "proto/base/conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/conf_error.h"
#include "proto/base/conf_print.h"
#include "proto/base/conf_scope.h"
#include "proto/base/conf_setting.h"
#include "proto/base/conf_value.h"
#include "proto/base/file.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/slice.h"

#define CONF_FILE_BYTES_MAX (256 << 10)

enum answer { ANSWER_NONE, ANSWER_HELP, ANSWER_VERSION, ANSWER_PRINT, ANSWER_CHECK };

/* Flags that are no options of the table. */
static const char *const builtin_names[] = { "help", "version", "print-conf", "conf" };

struct reader {
	const struct conf_table *table;
	void *values; /* borrowed */
	char *error;  /* borrowed, CONF_ERROR_MAX */
	struct conf_place place;
	enum answer answer;
	const char *file;	       /* of --conf, or NULL */
	struct buf text;	       /* of that file; settings borrow from it */
	struct conf_settings in_file;  /* of scopes */
	struct conf_settings in_flags; /* of scopes */
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

/* The known name nearest to `name`, or NULL when none could have been meant. */
static const char *name_suggest(const struct reader *reader, struct slice name,
				bool is_flag)
{
	size_t n_builtin = is_flag ? sizeof(builtin_names) / sizeof(builtin_names[0]) : 0;
	size_t slip = conf_name_slip(name);
	const char *nearest = NULL;

	for (size_t i = 0; i < n_builtin; i++)
		conf_name_offer(name, builtin_names[i], &nearest, &slip);
	for (size_t i = 0; i < reader->table->n; i++)
		conf_name_offer(name, reader->table->options[i].name, &nearest, &slip);
	return nearest;
}

static enum err refuse_unknown(struct reader *reader, struct slice name, bool is_flag)
{
	const char *dashes = is_flag ? "--" : "";
	const char *nearest = name_suggest(reader, name, is_flag);

	if (nearest == NULL)
		return conf_refuse(reader->error, &reader->place,
				   "unknown option %s%s; --help lists all", dashes,
				   conf_show(name).text);
	return conf_refuse(reader->error, &reader->place,
			   "unknown option %s%s; did you mean %s%s?", dashes,
			   conf_show(name).text, dashes, nearest);
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

	if (rc == OK && conf_scope_is_list(reader->table, option))
		rc = conf_scope_check_list(value, &why);
	if (rc != OK)
		rc = conf_refuse(reader->error, &reader->place, "%s = %s: %.*s",
				 option->name, conf_show(value).text,
				 SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	return rc;
}

static enum err defaults_read(struct reader *reader)
{
	reader->place.name = "default";
	reader->place.line = 0;
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
		return conf_refuse(reader->error, &reader->place,
				   "a NUL byte; this is no configuration file");
	line = slice_trim(comment_cut(line));
	if (line.len == 0)
		return OK;
	if (slice_find(line, '=') < 0)
		return conf_refuse(reader->error, &reader->place,
				   "\"%s\": expected name = value", conf_show(line).text);
	name = slice_trim(slice_cut(&line, '='));
	if (conf_scope_is_meant(reader->table, name)) {
		conf_settings_add(&reader->in_file, &reader->place, name,
				  slice_trim(line));
		return OK;
	}
	option = option_find(reader, name);
	if (option == NULL)
		return refuse_unknown(reader, name, false);
	index = (size_t)(option - reader->table->options);
	if (seen[index] > 0)
		return conf_refuse(reader->error, &reader->place,
				   "%s is already set in line %u", option->name,
				   seen[index]);
	seen[index] = reader->place.line;
	return option_set(reader, option, slice_trim(line));
}

static enum err text_read(struct reader *reader, struct slice text)
{
	unsigned *seen = mem_zalloc(reader->table->n * sizeof(*seen));
	enum err rc = OK;

	reader->place.line = 0;
	while (rc == OK && text.len > 0) {
		reader->place.line++;
		rc = line_read(reader, slice_cut(&text, '\n'), seen);
	}
	mem_free(seen);
	return rc;
}

static enum err conf_file_read(struct reader *reader)
{
	const char *problem;
	struct stat status;
	enum err rc = ERR_IO;
	int fd;

	reader->place.name = reader->file;
	reader->place.line = 0;
	fd = file_open(reader->file, &status, &problem);
	if (fd >= 0) {
		rc = file_read(fd, CONF_FILE_BYTES_MAX, &reader->text, &problem);
		(void)close(fd); /* read only: nothing can be lost */
	}
	if (rc == ERR_LIMIT)
		return conf_refuse(reader->error, &reader->place, "larger than %d bytes",
				   CONF_FILE_BYTES_MAX);
	if (rc != OK)
		return conf_refuse(reader->error, &reader->place, "%s", problem);
	return text_read(reader, buf_slice(&reader->text));
}

/* ---- the environment */

static enum err environment_read(struct reader *reader)
{
	enum err rc = OK;

	reader->place.name = "environment";
	reader->place.line = 0;
	for (size_t i = 0; rc == OK && i < reader->table->n; i++) {
		const struct conf_option *option = &reader->table->options[i];
		struct buf name = BUF_INIT;
		const char *value;

		conf_env_name(&name, slice_from_str(option->name));
		/* Nothing in our processes changes the environment. */
		value = getenv(name.ptr); /* NOLINT(concurrency-mt-unsafe) */
		if (value != NULL)
			rc = option_set(reader, option, slice_from_str(value));
		buf_fini(&name);
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
	reader->place.name = "command line";
	reader->place.line = 0;
	for (int i = 1; i < argc; i++) {
		if (answer_find(argv[i], &reader->answer))
			return OK;
		if (strcmp(argv[i], "-n") == 0)
			reader->answer = ANSWER_CHECK;
		if (strncmp(argv[i], "--conf=", 7) != 0)
			continue;
		if (reader->file != NULL)
			return conf_refuse(reader->error, &reader->place,
					   "--conf is given twice");
		reader->file = argv[i] + 7;
		if (reader->file[0] == '\0')
			return conf_refuse(reader->error, &reader->place,
					   "--conf= needs a file's path");
	}
	return OK;
}

static enum err argument_read(struct reader *reader, struct slice arg)
{
	const struct conf_option *option;
	struct slice whole = arg;
	struct slice name;
	bool has_value;
	bool is_scoped;

	if (slice_equal(arg, SLICE("-n")) || slice_starts_with(arg, SLICE("--conf=")))
		return OK;
	if (!slice_starts_with(arg, SLICE("--")))
		return conf_refuse(reader->error, &reader->place,
				   "unexpected argument \"%s\"; options are --name=value",
				   conf_show(whole).text);
	arg = slice_from(arg, 2);
	has_value = slice_find(arg, '=') >= 0;
	name = slice_cut(&arg, '=');
	is_scoped = conf_scope_is_meant(reader->table, name);
	option = option_find(reader, name);
	if (option == NULL && !is_scoped && !slice_equal(name, SLICE("conf")))
		return refuse_unknown(reader, name, true);
	if (!has_value)
		return conf_refuse(reader->error, &reader->place,
				   "%s needs a value: %s=%s", conf_show(whole).text,
				   conf_show(whole).text,
				   option || is_scoped ? "value" : "FILE");
	if (is_scoped) {
		conf_settings_add(&reader->in_flags, &reader->place, name, arg);
		return OK;
	}
	assert(option != NULL);
	return option_set(reader, option, arg);
}

static enum err arguments_read(struct reader *reader, int argc, char *const *argv)
{
	enum err rc = OK;

	reader->place.name = "command line";
	reader->place.line = 0;
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
	if (text[0] != '\0')
		return ERR_MALFORMED;
	return conf_scoped_check(table, reader->values, reader->error);
}

static enum err sources_read(struct reader *reader, void *values, int argc,
			     char *const *argv)
{
	enum err rc;

	reader->values = values;
	rc = defaults_read(reader);
	if (rc == OK && reader->file != NULL)
		rc = conf_file_read(reader);
	if (rc == OK)
		rc = environment_read(reader);
	if (rc == OK)
		rc = arguments_read(reader, argc, argv);
	if (rc == OK)
		rc = conf_settings_read(reader->table, values, &reader->in_file,
					&reader->in_flags, reader->error);
	if (rc == OK)
		rc = problem_check(reader);
	conf_settings_fini(&reader->in_file);
	conf_settings_fini(&reader->in_flags);
	buf_fini(&reader->text);
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
		if (conf_value_reload(&table->options[i], values, fresh))
			log_warn("conf.needs_restart", "option=%s",
				 table->options[i].name);
	}
	if (rc == OK)
		conf_scoped_reload(table, values, fresh);
	conf_values_free(table, fresh);
	return rc;
}

void conf_each_file(const struct conf_table *table, const void *values, int argc,
		    char *const *argv, void (*fn)(void *owner, const char *path),
		    void *owner)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--conf=", 7) == 0)
			fn(owner, argv[i] + 7);
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_option *option = &table->options[i];
		const char *path = conf_value_path(option, values);

		if (path[0] != '\0')
			fn(owner, path);
	}
}

void conf_fini(const struct conf_table *table, void *values)
{
	conf_scoped_fini(table, values);
	conf_values_clear(table->options, table->n, values);
}
