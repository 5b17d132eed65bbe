/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration from one table per program. The table yields file parsing ("name = value"
 * lines, '#' comments), --name=value, HELIOGRAPH_NAME, --help, --print-conf and -n. The
 * command line wins over the environment, which wins over the file, which wins over the
 * default. An error names file, line (or the place), option and the accepted range.
 *
 * The table's fields live in a struct of the program's: bool, int64_t or char * (owned by
 * the struct, freed by conf_fini).
 */
#ifndef PROTO_BASE_CONF_H
#define PROTO_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/base/err.h"

enum conf_type {
	CONF_BOOL, /* on | off; field bool */
	CONF_INT,  /* a plain count; field int64_t */
	CONF_MS,   /* time, "15s", "250ms", "2m", bare number = ms; field int64_t in ms */
	CONF_BYTES,  /* size, "64KiB", "1MiB", bare number = bytes; field int64_t */
	CONF_STRING, /* field char *; min and max bound its length */
	CONF_FILE, /* the same, a path whose file is read again with the configuration */
	CONF_ENUM, /* one of `choices`; field int64_t, the index */
	CONF_SET,  /* a list of `choices`; field int64_t, bit i for the i-th */
};

struct conf_option {
	const char *name; /* lower_case, the same in file, flag and environment */
	enum conf_type type;
	size_t field;	     /* offsetof in the program's struct */
	const char *initial; /* the default, in file syntax */
	int64_t min;
	int64_t max;
	const char *const *choices; /* NULL-terminated; "sse|ServerSentEvents" has two
				       spellings, the first of which is printed */
	const char *help;	    /* one sentence */
	bool is_reloadable;	    /* SIGHUP may change it */
};

struct conf_scope; /* conf_scope.h */

struct conf_table {
	const char *program; /* "heliograph-gateway" */
	const char *summary; /* one line for --help */
	const char *flags;   /* lines of --help on flags of the program's own, or NULL */
	const struct conf_option *options;
	size_t n;
	const struct conf_scope *scope; /* options of named things, or NULL */

	/* What ranges cannot say, asked once all values are in place: "" when all is
	 * well, else a constant sentence that begins with the option. May be NULL. */
	const char *(*problem)(const void *values);
};

enum conf_outcome {
	CONF_RUN,  /* values are in place: go on */
	CONF_EXIT, /* --help, --version, --print-conf or -n has been answered: exit 0 */
	CONF_FAIL, /* the error is in `error`: print it and exit 1 */
};

#define CONF_ERROR_MAX 512

/*
 * Fills `*values` (zeroed by the caller) from defaults, then the file named by
 * --conf=FILE, the environment and argv. Answers go to `out`.
 */
MUST_CHECK enum conf_outcome conf_load(const struct conf_table *table, void *values,
				       int argc, char *const *argv, FILE *out,
				       char error[CONF_ERROR_MAX]);

/*
 * Reads everything again with the same precedence and changes only reloadable options in
 * `*values`; a changed option that is not reloadable is named in a "conf.needs_restart"
 * log line. ERR_MALFORMED leaves all values as they were, with the reason in `error`.
 */
MUST_CHECK enum err conf_reload(const struct conf_table *table, void *values, int argc,
				char *const *argv, char error[CONF_ERROR_MAX]);

/* Tells each file there is to be read again: the one of --conf, and those that options of
 * type CONF_FILE name. */
void conf_each_file(const struct conf_table *table, const void *values, int argc,
		    char *const *argv, void (*fn)(void *owner, const char *path),
		    void *owner);

/* The commented default file. */
void conf_print(const struct conf_table *table, FILE *out);

/* Frees the strings. */
void conf_fini(const struct conf_table *table, void *values);

#endif
