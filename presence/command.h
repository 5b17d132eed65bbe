/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the admin API wants of gateways and routers: one question each, numbered, with a
 * deadline (`command_timeout`), answered exactly once: by CommandDone, by the loss of
 * whom it was put to, by time, or by commands_fini(). At most `commands_max` are under
 * way.
 */
#ifndef PRESENCE_COMMAND_H
#define PRESENCE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"
#include "proto/base/timer.h"
#include "proto/link/link.h"

struct command;
struct presence;

/*
 * What came of it. `done` is set with OK alone, and borrowed. `rc` is what its
 * CommandDone says (docs/LINK.md, Commands), or ERR_OUTCOME: whom it was put to was lost
 * and may have done it; ERR_CLOSED: it was lost and never got it; ERR_TIMEOUT;
 * ERR_CANCELED: presence ends.
 */
struct command_answer {
	enum err rc;
	const Link__CommandDone *done;
};

/* The command is over and may be freed or sent again, and others be canceled. */
typedef void command_fn(struct command *command, const struct command_answer *answer);

/* Embedded in whatever its owner must remember until then; all zero before. */
struct command {
	struct presence *presence; /* borrowed; NULL: not under way */
	command_fn *fn;
	uint64_t number;
	struct map_node node;
	struct list list_node;
	struct timer timer;
	struct session_ticket ticket;
	const struct link_peer *peer; /* whom; only its address counts */
	bool is_handled;	      /* the peer has it: only its answer is missing */
};

struct commands {
	struct map by_number;
	struct list all; /* the oldest first */
	uint64_t last_number;
	size_t turn; /* of routers */
};

void commands_init(struct commands *commands, uint64_t seed);

/* Answers those that are left with ERR_CANCELED. */
void commands_fini(struct presence *presence);

/*
 * To the process of that role and name. `message` is borrowed; its call and timeout_ms
 * are set here. ERR_NOT_FOUND: no such process has a lease. ERR_LIMIT: commands_max, or
 * its link is full. With an error `fn` is not called; it is never called from inside.
 */
MUST_CHECK enum err command_send(struct presence *presence, struct command *command,
				 Link__Role role, struct slice name,
				 Link__Command *message, command_fn *fn);

/* To some router whose link is up, in turns: it asks the owner itself. ERR_NOT_FOUND:
 * there is none. */
MUST_CHECK enum err command_send_any(struct presence *presence, struct command *command,
				     Link__Command *message, command_fn *fn);

/* `fn` is not called any more. Harmless when it is over. */
void command_cancel(struct command *command);

/* ---- from on_peer.c */

/* Late and unknown numbers are nobody's. */
void commands_on_done(struct presence *presence, const struct link_peer *peer,
		      const Link__CommandDone *done);

/* ERR_OUTCOME to all that `peer` had and did not answer. */
void commands_on_lost(struct presence *presence, const struct link_peer *peer);

#endif
