/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table in words. All three texts come from the same rows that are parsed, so none of
 * them can fall behind. Values are printed in human units, by the code that reads them.
 */
#include "proto/base/conf_print.h"

#include <assert.h>
#include <gnu/libc-version.h>

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
	case CONF_ENUM:
		return "choice";
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

static void buf_write(const struct buf *buf, FILE *out)
{
	/* Whoever closed our stdout does not want to hear of it. */
	(void)fwrite(buf->ptr, 1, buf->len, out);
	(void)fflush(out);
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
	buf_write(&text, out);
	buf_fini(&text);
	conf_values_free(table, values);
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
		    "  --version\n      Print the version and exit.\n"
		    "  --help\n      Print this and exit.\n\n"
		    "Each option below is also a line \"name = value\" in FILE and a "
		    "variable\n"
		    "HELIOGRAPH_NAME in the environment. The command line wins over the\n"
		    "environment, which wins over FILE. Shown are the defaults.\n\n",
		    table->program, table->summary);
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_option *option = &table->options[i];

		buf_appendf(&text, "  --%s=", option->name);
		conf_value_print(option, values, &text);
		buf_appendf(&text, "\n      %s\n      ", option->help);
		row_print_range(option, &text);
	}
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
