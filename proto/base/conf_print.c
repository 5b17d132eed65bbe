/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table in words. All three texts come from the same rows that are parsed, so none of
 * them can fall behind. Values are printed in human units, by the code that reads them.
 */
#include "proto/base/conf_print.h"

#include <assert.h>
#include <gnu/libc-version.h>

#include "proto/base/conf_scope.h"
#include "proto/base/conf_setting.h"
#include "proto/base/conf_value.h"
#include "proto/base/version.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static const char *type_name(enum conf_type type)
{
	switch (type) {
	case CONF_BOOL:
		return "switch";
	case CONF_INT:
		return "number";
	case CONF_MS:
		return "time";
	case CONF_BYTES:
		return "size";
	case CONF_STRING:
		return "text";
	case CONF_FILE:
		return "file";
	case CONF_ENUM:
		return "choice";
	case CONF_SET:
		return "choices";
	}
	return "";
}

/* "time, 1s..10m; SIGHUP changes it" */
static void row_print_range(const struct conf_option *option, struct buf *out)
{
	buf_append_str(out, type_name(option->type));
	buf_append_str(out, ", ");
	conf_value_print_range(option, out);
	if (option->is_reloadable)
		buf_append_str(out, "; SIGHUP changes it");
	buf_append_byte(out, '\n');
}

/* An option of a scope: its name and default. */
static void scoped_print_value(const struct conf_table *table,
			       const struct conf_option *option, const char *equals,
			       const void *values, struct buf *out)
{
	const struct conf_option *from = conf_scope_inherited(table, option);

	buf_appendf(out, "%s.<name>.%s%s", table->scope->prefix, option->name, equals);
	if (from != NULL)
		conf_value_print(from, values, out);
	else
		buf_append_str(out, option->initial);
	buf_append_byte(out, '\n');
}

static void scoped_print_help(const struct conf_table *table,
			      const struct conf_option *option, struct buf *out)
{
	const struct conf_option *from = conf_scope_inherited(table, option);

	buf_append_str(out, option->help);
	if (from != NULL)
		buf_appendf(out, " Not set: as %s.", from->name);
}

static void buf_write(const struct buf *buf, FILE *out)
{
	/* Whoever closed our stdout does not want to hear of it. */
	(void)fwrite(buf->ptr, 1, buf->len, out);
	(void)fflush(out);
}

/* The i-th of those that are known beside the table; false: there are no more. */
static bool known_print(const struct conf_table *table, size_t i, bool is_help,
			struct buf *out)
{
	const struct conf_scope *scope = table->scope;
	struct conf_option option;
	const char *name;

	if (scope->known == NULL || !scope->known(i, &name, &option))
		return false;
	if (!is_help) {
		buf_appendf(out, "\n# %s\n# ", option.help);
		row_print_range(&option, out);
	}
	buf_appendf(out, "%s%s.%s.%s%s%s\n", is_help ? "  --" : "#", scope->prefix, name,
		    option.name, is_help ? "=" : " = ", option.initial);
	if (is_help) {
		buf_appendf(out, "      %s\n      ", option.help);
		row_print_range(&option, out);
	}
	return true;
}

/* The scope's section of the default file: comments, for there is no such name. */
static void scope_print(const struct conf_table *table, const void *values,
			struct buf *out)
{
	const struct conf_scope *scope = table->scope;

	buf_appendf(out, "\n# For each <name> in %s:\n", scope->list);
	for (size_t i = 0; i < scope->n; i++) {
		buf_append_str(out, "\n# ");
		scoped_print_help(table, &scope->options[i], out);
		buf_append_str(out, "\n# ");
		row_print_range(&scope->options[i], out);
		buf_append_byte(out, '#');
		scoped_print_value(table, &scope->options[i], " = ", values, out);
	}
	for (size_t i = 0; known_print(table, i, false, out);)
		i++;
}

void conf_print(const struct conf_table *table, FILE *out)
{
	void *values = conf_values_new(table);
	struct buf text = BUF_INIT;

	buf_appendf(&text,
		    "# %s: %s\n"
		    "#\n"
		    "# Every option with its default. HELIOGRAPH_NAME in the environment "
		    "and\n"
		    "# --name=value on the command line win over this file.\n",
		    table->program, table->summary);
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_option *option = &table->options[i];

		buf_appendf(&text, "\n# %s\n# ", option->help);
		row_print_range(option, &text);
		buf_appendf(&text, "%s = ", option->name);
		conf_value_print(option, values, &text);
		buf_append_byte(&text, '\n');
	}
	if (table->scope != NULL)
		scope_print(table, values, &text);
	buf_write(&text, out);
	buf_fini(&text);
	conf_values_free(table, values);
}

/* The scope's section of --help. */
static void scope_print_help(const struct conf_table *table, const void *values,
			     struct buf *out)
{
	const struct conf_scope *scope = table->scope;
	struct buf pattern = BUF_INIT;
	struct buf variable = BUF_INIT;

	buf_appendf(&pattern, "%s_name_option", scope->prefix);
	conf_env_name(&variable, buf_slice(&pattern));
	buf_fini(&pattern);
	buf_appendf(
		out,
		"\nFor each <name> in %s, as \"%s.<name>.option = value\" in FILE and "
		"in the\nenvironment as %s, with '_' for '.' and '-':\n\n",
		scope->list, scope->prefix, variable.ptr);
	buf_fini(&variable);
	for (size_t i = 0; i < scope->n; i++) {
		buf_append_str(out, "  --");
		scoped_print_value(table, &scope->options[i], "=", values, out);
		buf_append_str(out, "      ");
		scoped_print_help(table, &scope->options[i], out);
		buf_append_str(out, "\n      ");
		row_print_range(&scope->options[i], out);
	}
	for (size_t i = 0; known_print(table, i, true, out);)
		i++;
}

void conf_print_help(const struct conf_table *table, FILE *out)
{
	void *values = conf_values_new(table);
	struct buf text = BUF_INIT;

	buf_appendf(&text,
		    "usage: %s [--conf=FILE] [--name=value ...]\n\n%s\n\n"
		    "  --conf=FILE\n      Read \"name = value\" lines from FILE.\n"
		    "  -n\n      Check the configuration and exit.\n"
		    "  --print-conf\n      Print the default file and exit.\n"
		    "%s"
		    "  --version\n      Print the version and exit.\n"
		    "  --help\n      Print this and exit.\n\n"
		    "Each option below is also a line \"name = value\" in FILE and a "
		    "variable\n"
		    "HELIOGRAPH_NAME in the environment. The command line wins over the\n"
		    "environment, which wins over FILE. Shown are the defaults.\n\n",
		    table->program, table->summary, table->flags ? table->flags : "");
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_option *option = &table->options[i];

		buf_appendf(&text, "  --%s=", option->name);
		conf_value_print(option, values, &text);
		buf_appendf(&text, "\n      %s\n      ", option->help);
		row_print_range(option, &text);
	}
	if (table->scope != NULL)
		scope_print_help(table, values, &text);
	buf_write(&text, out);
	buf_fini(&text);
	conf_values_free(table, values);
}

void conf_print_version(const struct conf_table *table, FILE *out)
{
	struct buf text = BUF_INIT;

	buf_appendf(&text, "%s %s\ncompiler: %s\nC library: glibc %s\n", table->program,
		    HELIOGRAPH_VERSION, COMPILER, gnu_get_libc_version());
	buf_write(&text, out);
	buf_fini(&text);
}
