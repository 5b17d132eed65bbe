/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that was lost on its way is answered by its ticket, one that was taken by a
 * process that died before it answered by commands_on_lost().
 */
#include "presence/command.h"

#include <assert.h>

#include "presence/presence.h"

void commands_init(struct commands *commands, uint64_t seed)
{
	/* An answer to the process before us must not find a number. */
	*commands = (struct commands){ .last_number = seed >> 1 };
	map_init(&commands->by_number, seed);
	list_init(&commands->all);
}

static void commands_counted(struct presence *presence)
{
	presence->metrics.commands = (int64_t)presence->commands.by_number.count;
}

void command_cancel(struct command *command)
{
	struct presence *presence = command->presence;

	if (presence == NULL)
		return;
	command->presence = NULL;
	map_remove(&presence->commands.by_number, &command->node);
	list_remove(&command->list_node);
	loop_timer_stop(presence->loop, &command->timer);
	session_ticket_cancel(&command->ticket);
	commands_counted(presence);
}

static void command_end(struct command *command, enum err rc,
			const Link__CommandDone *done)
{
	const struct command_answer answer = { rc, rc == OK ? done : NULL };

	if (rc != OK)
		command->presence->metrics.command_failed_total++;
	command_cancel(command);
	command->fn(command, &answer);
}

/* Of these, one after the other: the answer to one may cancel others. */
static void commands_end(struct list *commands, enum err rc)
{
	while (!list_is_empty(commands))
		command_end(CONTAINER_OF(commands->next, struct command, list_node), rc,
			    NULL);
}

void commands_fini(struct presence *presence)
{
	struct commands *commands = &presence->commands;

	commands_end(&commands->all, ERR_CANCELED);
	assert(commands->by_number.count == 0);
	map_fini(&commands->by_number);
}

static void on_timer(struct timer *timer)
{
	struct command *command = CONTAINER_OF(timer, struct command, timer);

	command->presence->metrics.command_timeout_total++;
	command_end(command, ERR_TIMEOUT, NULL);
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct command *command = CONTAINER_OF(ticket, struct command, ticket);

	if (rc == OK)
		command->is_handled = true;
	else
		command_end(command, rc, NULL);
}

/* ---- sending */

static void command_start(struct presence *presence, struct command *command,
			  command_fn *fn)
{
	struct commands *commands = &presence->commands;

	assert(command->presence == NULL);
	*command = (struct command){ .presence = presence, .fn = fn };
	command->number = ++commands->last_number;
	session_ticket_init(&command->ticket, on_ticket);
	timer_init(&command->timer, on_timer);
	list_init(&command->list_node);
	list_append(&commands->all, &command->list_node);
	map_add(&commands->by_number, &command->node, map_number_key(&command->number));
	loop_timer_start(presence->loop, &command->timer,
			 presence->conf->command_timeout_ms);
	commands_counted(presence);
}

static enum err command_put_to(struct presence *presence, struct command *command,
			       struct process *process, Link__Command *message,
			       command_fn *fn)
{
	enum err rc = ERR_LIMIT;

	if (presence->commands.by_number.count < (size_t)presence->conf->commands_max) {
		command_start(presence, command, fn);
		command->peer = process->peer;
		message->call = command->number;
		message->timeout_ms = (uint64_t)presence->conf->command_timeout_ms;
		rc = link_send_command(process->peer, message, &command->ticket);
		if (rc != OK)
			command_cancel(command);
	}
	if (rc == OK)
		presence->metrics.command_total++;
	else
		presence->metrics.command_refused_total++;
	return rc;
}

static struct process *process_named(const struct presence *presence, Link__Role role,
				     struct slice name)
{
	LIST_EACH (node, &presence->processes.leases.all) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);

		if (lease->role == (int)role &&
		    slice_equal(slice_from_str(lease->name), name))
			return CONTAINER_OF(lease, struct process, lease);
	}
	return NULL;
}

enum err command_send(struct presence *presence, struct command *command, Link__Role role,
		      struct slice name, Link__Command *message, command_fn *fn)
{
	struct process *process = process_named(presence, role, name);

	if (process == NULL)
		return ERR_NOT_FOUND;
	return command_put_to(presence, command, process, message, fn);
}

static bool is_router_up(const struct process *process)
{
	return process->lease.role == LINK__ROLE__ROLE_ROUTER &&
	       link_peer_is_up(process->peer);
}

/* Of those that are up the one that comes `skip` places behind the first. */
static struct process *router_at(const struct presence *presence, size_t skip)
{
	LIST_EACH (node, &presence->processes.leases.all) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);
		struct process *process = CONTAINER_OF(lease, struct process, lease);

		if (is_router_up(process) && skip-- == 0)
			return process;
	}
	return NULL;
}

enum err command_send_any(struct presence *presence, struct command *command,
			  Link__Command *message, command_fn *fn)
{
	struct commands *commands = &presence->commands;
	struct process *router = router_at(presence, commands->turn++);

	if (router == NULL) {
		router = router_at(presence, 0);
		commands->turn = 1;
	}
	if (router == NULL)
		return ERR_NOT_FOUND;
	return command_put_to(presence, command, router, message, fn);
}

/* ---- answers */

void commands_on_done(struct presence *presence, const struct link_peer *peer,
		      const Link__CommandDone *done)
{
	struct command *command = NULL;
	struct map_node *node =
		map_find(&presence->commands.by_number, map_number_key(&done->call));

	if (node != NULL)
		command = CONTAINER_OF(node, struct command, node);
	if (command == NULL || command->peer != peer)
		presence->metrics.command_late_total++; /* or never asked */
	else
		command_end(command, (enum err)done->rc, done);
}

void commands_on_lost(struct presence *presence, const struct link_peer *peer)
{
	struct list lost;

	list_init(&lost);
	LIST_EACH (node, &presence->commands.all) {
		struct command *command = CONTAINER_OF(node, struct command, list_node);

		if (command->peer != peer || !command->is_handled)
			continue;
		list_remove(&command->list_node);
		list_append(&lost, &command->list_node);
	}
	commands_end(&lost, ERR_OUTCOME);
}
