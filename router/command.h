/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the admin API wants of a router: presence puts Commands, each is answered by one
 * CommandDone. What is about a group or connection of another shard is asked there, as a
 * hub method would; the groups are those of this shard (docs/LINK.md, Commands).
 */
#ifndef ROUTER_COMMAND_H
#define ROUTER_COMMAND_H

#include <stddef.h>

#include "proto/base/list.h"
#include "proto/link/link.h"

struct router;

/* Of all presence replicas together; they have limits of their own. */
#define COMMANDS_MAX 8192

/* Of a SEND. Reading so much JSON takes some milliseconds. */
#define COMMAND_ARGUMENTS_BYTES_MAX (256u * 1024)
#define COMMAND_TARGET_BYTES_MAX 1024u

struct commands {
	struct list all; /* of those that wait for an answer */
	size_t n;
};

void commands_init(struct commands *commands);

/* Answers all with ERR_CANCELED. The links must still be there. */
void commands_cancel(struct router *router);

/* `presence` gets the answer, perhaps before this returns. */
void command_on_command(struct router *router, struct link_peer *presence,
			const Link__Command *command);

#endif
