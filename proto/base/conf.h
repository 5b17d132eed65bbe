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
	CONF_ENUM,   /* one of `choices`; field int64_t, the index */
};

struct conf_option {
	const char *name; /* lower_case, the same in file, flag and environment */
	enum conf_type type;
	size_t field;	     /* offsetof in the program's struct */
	const char *initial; /* the default, in file syntax */
	int64_t min;
	int64_t max;
	const char *const *choices; /* CONF_ENUM: NULL-terminated */
	const char *help;	    /* one sentence */
	bool is_reloadable;	    /* SIGHUP may change it */
};

struct conf_table {
	const char *program; /* "heliograph-gateway" */
	const char *summary; /* one line for --help */
	const struct conf_option *options;
	size_t n;

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

/* The commented default file. */
void conf_print(const struct conf_table *table, FILE *out);

/* Frees the strings. */
void conf_fini(const struct conf_table *table, void *values);

#endif
