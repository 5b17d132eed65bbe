/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario in a file:
 *
 *	# Who votes tells the room.
 *	connect c1 user=ann
 *	c1 invoke Vote "lobby" "tea"
 *	  c1 got Voted "lobby" "tea"
 *	  c1 Vote returned null
 *
 * Lines that begin a line are commands (act.h), those behind blanks what must follow from
 * the command above them: exactly that, in that order (pattern.h). "reset" makes
 * everything anew.
 */
#ifndef ROUTER_HUBTEST_SCRIPT_H
#define ROUTER_HUBTEST_SCRIPT_H

#include <stdbool.h>

#include "proto/base/slice.h"

struct router_conf;

#define SCRIPT_BYTES_MAX (1u << 20)

struct script_options {
	const struct router_conf *conf;
	struct slice hub; /* of those who connect, until the scenario names another */
	bool is_update;	  /* what does not fit is written into the file */
	bool is_verbose;  /* every step is shown, not only those that do not fit */
};

/* Runs it and tells on stdout. True: everything fitted. */
bool script_run(const char *path, const struct script_options *options);

#endif
