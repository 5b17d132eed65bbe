/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl's options, --name=value or --name value, between its words or anywhere. One table,
 * from which --help and completion come as well.
 */
#ifndef PRESENCE_CTL_OPTIONS_H
#define PRESENCE_CTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define CTL_WORDS_MAX 16
#define CTL_ERROR_BYTES 512

enum ctl_option_id {
	CTL_ADDRESS,
	CTL_TOKEN_FILE,
	CTL_TLS_CA,
	CTL_TLS_CERT,
	CTL_TLS_KEY,
	CTL_TIMEOUT,
	CTL_JSON,
	CTL_HELP,
	CTL_LIMIT,
	CTL_ALL,
	CTL_REASON,
	CTL_ALLOW_RECONNECT,
	CTL_EXCLUDE,
	CTL_AFTER,
	CTL_NO_WAIT,
	CTL_OPTIONS_N
};

/* Those that every command takes; the others are bits of the command's own. */
#define CTL_OPTION(id) (1u << (id))
#define CTL_OPTIONS_COMMON (CTL_OPTION(CTL_HELP + 1) - 1)
#define CTL_OPTIONS_PAGED (CTL_OPTION(CTL_LIMIT) | CTL_OPTION(CTL_ALL))

struct ctl_option {
	const char *name;     /* without the dashes */
	const char *value;    /* what to write for it in help; NULL: it takes none */
	const char *variable; /* of the environment, or NULL */
	const char *help;
};

extern const struct ctl_option ctl_options[CTL_OPTIONS_N];

struct ctl_line {
	const char *words[CTL_WORDS_MAX]; /* borrowed from argv */
	size_t words_n;
	const char *values[CTL_OPTIONS_N]; /* NULL: not given; "" of those without one */
	int64_t limit;
	int64_t timeout_ms;
};

/* Reads argv from 1 on, then the environment for what is not there. ERR_ARGUMENT:
 * `error` says what is wrong. */
MUST_CHECK enum err ctl_options_read(struct ctl_line *line, int argc, char *const *argv,
				     char error[CTL_ERROR_BYTES]);

/* The option of that name, with or without dashes and a value; CTL_OPTIONS_N: none. */
size_t ctl_option_find(struct slice name);

#endif
