/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_command.h"

#include <string.h>

#include "presence/ctl_run.h"

/* clang-format off */
const struct ctl_command ctl_commands[] = {
	{ "stats", "", "Users, connections, rates, latencies.", 0, ctl_run_stats },
	{ "users", "[PREFIX]", "Who is online.", CTL_OPTIONS_PAGED, ctl_run_users },
	{ "user", "USER", "A user and the connections.", CTL_OPTIONS_PAGED, ctl_run_user },
	{ "connection", "CONNECTION", "A connection and its groups.", CTL_OPTIONS_PAGED,
	  ctl_run_connection },
	{ "disconnect", "user|connection ID", "Close a connection, or all of a user.",
	  CTL_OPTION(CTL_REASON) | CTL_OPTION(CTL_ALLOW_RECONNECT), ctl_run_disconnect },
	{ "groups", "HUB", "Groups that have members.", CTL_OPTIONS_PAGED, ctl_run_groups },
	{ "group", "HUB GROUP", "A group's size and members.", CTL_OPTIONS_PAGED,
	  ctl_run_group },
	{ "group add", "HUB GROUP user|connection ID", "Put somebody into a group.", 0,
	  ctl_run_group_add },
	{ "group remove", "HUB GROUP user|connection ID", "Take somebody out of a group.", 0,
	  ctl_run_group_remove },
	{ "send", "HUB all|group|user|connection [NAME] METHOD ARGUMENTS",
	  "Call a method of clients; ARGUMENTS is a JSON array. NAME is not for all.",
	  CTL_OPTION(CTL_EXCLUDE), ctl_run_send },
	{ "cluster", "", "Processes, shards, the largest groups.", 0, ctl_run_cluster },
	{ "routers", "[LIST]",
	  "Who owns keys; with a LIST, NAME=URL,NAME=URL: other routers, and wait for the end.",
	  CTL_OPTION(CTL_NO_WAIT), ctl_run_routers },
	{ "drain", "GATEWAY", "Send a gateway's clients elsewhere and end it.", 0,
	  ctl_run_drain },
	{ "events", "", "Who comes and goes, as it happens; --limit: so many and no more.",
	  CTL_OPTION(CTL_AFTER) | CTL_OPTION(CTL_LIMIT), ctl_run_events },
	{ "completion", "bash|zsh", "Print what makes the shell complete all this.", 0,
	  ctl_run_completion },
	{ "help", "[COMMAND] [COMMAND]", "This, or a command's own.", 0, ctl_run_help },
};
/* clang-format on */

const size_t ctl_commands_n = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

/* How many of `words` the name is; 0: they are others. */
static size_t name_fits(const char *name, const char *const *words, size_t words_n)
{
	struct slice left = slice_from_str(name);
	size_t n = 0;

	while (left.ptr != NULL) {
		const struct slice word = slice_cut(&left, ' ');

		if (n == words_n || !slice_equal(word, slice_from_str(words[n])))
			return 0;
		n++;
	}
	return n;
}

const struct ctl_command *ctl_command_find(const char *const *words, size_t words_n,
					   size_t *name_n)
{
	const struct ctl_command *found = NULL;

	*name_n = 0;
	for (size_t i = 0; i < ctl_commands_n; i++) {
		const size_t n = name_fits(ctl_commands[i].name, words, words_n);

		if (n <= *name_n)
			continue;
		*name_n = n;
		found = &ctl_commands[i];
	}
	return found;
}

struct slice ctl_command_word(const struct ctl_command *command, size_t place,
			      bool *is_optional)
{
	struct slice left = slice_from_str(command->takes);
	struct slice word = SLICE_NONE;

	for (size_t i = 0; i <= place; i++) {
		if (left.ptr == NULL)
			return SLICE_NONE;
		word = slice_cut(&left, ' ');
	}
	*is_optional = word.len > 2 && word.ptr[0] == '[';
	return *is_optional ? slice_make(word.ptr + 1, word.len - 2) : word;
}

bool ctl_word_fits(struct slice word, struct slice text)
{
	if (slice_find(word, '|') < 0)
		return true;
	while (word.ptr != NULL) {
		if (slice_equal(slice_cut(&word, '|'), text))
			return true;
	}
	return false;
}

bool ctl_command_fits(const struct ctl_command *command, const char *const *args,
		      size_t args_n)
{
	size_t least = 0;
	size_t most = 0;

	for (;; most++) {
		bool is_optional = false;
		const struct slice word = ctl_command_word(command, most, &is_optional);

		if (word.len == 0)
			break;
		/* Choices stand before what may be left out. */
		if (most < args_n && !ctl_word_fits(word, slice_from_str(args[most])))
			return false;
		least += is_optional ? 0 : 1;
	}
	return args_n >= least && args_n <= most;
}

bool ctl_command_has(const struct ctl_command *command, size_t option)
{
	return ((CTL_OPTIONS_COMMON | command->options) & CTL_OPTION(option)) != 0;
}
