/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of ctl, which its commands share. Nobody else includes this.
 */
#ifndef PRESENCE_CTL_PRIVATE_H
#define PRESENCE_CTL_PRIVATE_H

#include "presence/ctl_command.h"
#include "presence/ctl_http.h"
#include "presence/ctl_options.h"
#include "presence/ctl_run.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/wire/value.h"

#define CTL_PROGRAM "heliograph-presence ctl"

enum ctl_exit {
	CTL_EXIT_OK,
	CTL_EXIT_REFUSED,     /* by the API, which said why */
	CTL_EXIT_USAGE,	      /* nothing was asked */
	CTL_EXIT_UNREACHABLE, /* nobody answered, or not as presence does */
	CTL_EXIT_TOLERATED,   /* of ctl_ask() alone: see ctl->tolerated */
};

struct ctl {
	struct ctl_line line;
	const struct ctl_command *command;
	const char *const *args; /* behind the command's name */
	size_t args_n;
	struct ctl_endpoint endpoint;
	bool is_ready;	    /* the endpoint is */
	bool is_quiet;	    /* nothing is said about failures: for completion */
	int tolerated;	    /* this HTTP status is not complained of; 0: none */
	struct buf host;    /* owned: what endpoint borrows */
	struct buf token;   /* owned */
	struct arena arena; /* of the answer being shown */
	struct buf body;    /* that answer */
	struct buf out;	    /* owned: not yet on stdout */
	size_t columns;	    /* of the terminal; 0: stdout is none */
	bool is_bold;
};

static inline bool ctl_is_given(const struct ctl *ctl, enum ctl_option_id option)
{
	return ctl->line.values[option] != NULL;
}

static inline struct slice ctl_arg(const struct ctl *ctl, size_t i)
{
	return slice_from_str(ctl->args[i]);
}

/* ---- ctl.c */

/* Says so on stderr, escaped; returns `status`. */
int ctl_complain(const struct ctl *ctl, int status, const char *what, struct slice text);

/* As it stands, with what would be right. */
int ctl_usage(const struct ctl *ctl, const char *problem);

/* Puts ctl->out on stdout. */
void ctl_flush(struct ctl *ctl);

/* ---- ctl_call.c */

/* Appends it as a segment of a path, or a value of a query. */
void ctl_append_encoded(struct buf *target, struct slice text);

/* From options; the exit status, CTL_EXIT_OK: ctl->endpoint is filled. */
int ctl_endpoint_init(struct ctl *ctl);

/*
 * Asks, and waits for the whole answer: it is in ctl->body then, until the next one. What
 * goes wrong is said. `*answer` is what it holds, in ctl->arena; NULL as argument: the
 * body is of no interest.
 */
int ctl_ask(struct ctl *ctl, const struct ctl_request *request,
	    const struct value **answer);

/* The same of a GET. */
int ctl_get(struct ctl *ctl, struct slice target, const struct value **answer);

/* An answer that is a problem, or no answer: says why. */
int ctl_refused(struct ctl *ctl, int status);
int ctl_unreachable(struct ctl *ctl, const char *error);

/* Appends ctl->body as it came, but harmless, and a newline. */
void ctl_put_json(struct ctl *ctl);

/* ---- ctl_complete.c */

/* Prints what the last word of argv may become, behind those from 1 on. */
int ctl_complete(struct ctl *ctl, int argc, char *const *argv);

/* ---- ctl_help.c */

void ctl_help_command(const struct ctl_command *command, struct buf *out);
void ctl_help_all(struct buf *out);

#endif
