/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help from the tables of commands and options.
 */
#include "presence/ctl_private.h"

#define TEXT_COLUMN 30

/* "  left       right", the right one on a line of its own when the left is long. */
static void put_entry(struct buf *out, struct slice left, const char *right)
{
	size_t used = 2 + left.len;

	buf_append_str(out, "  ");
	buf_append_slice(out, left);
	if (used + 2 > TEXT_COLUMN) {
		buf_append_byte(out, '\n');
		used = 0;
	}
	for (; used < TEXT_COLUMN; used++)
		buf_append_byte(out, ' ');
	buf_appendf(out, "%s\n", right);
}

static void put_option(struct buf *out, size_t id)
{
	const struct ctl_option *option = &ctl_options[id];
	struct buf text = BUF_INIT;

	buf_appendf(&text, "--%s", option->name);
	if (option->value != NULL)
		buf_appendf(&text, "=%s", option->value);
	put_entry(out, buf_slice(&text), option->help);
	buf_clear(&text);
	if (option->variable != NULL) {
		buf_appendf(&text, "In the environment %s.", option->variable);
		buf_append_byte(&text, '\0');
		put_entry(out, SLICE(""), text.ptr);
	}
	buf_fini(&text);
}

static void put_command(struct buf *out, const struct ctl_command *command)
{
	struct buf text = BUF_INIT;

	buf_append_str(&text, command->name);
	if (command->takes[0] != '\0')
		buf_appendf(&text, " %s", command->takes);
	put_entry(out, buf_slice(&text), command->help);
	buf_fini(&text);
}

void ctl_help_all(struct buf *out)
{
	buf_append_str(out,
		       "usage: " CTL_PROGRAM " [OPTION...] COMMAND [WORD...]\n\n"
		       "Asks a presence of a Heliograph cluster over its admin API.\n"
		       "\nCommands:\n");
	for (size_t i = 0; i < ctl_commands_n; i++)
		put_command(out, &ctl_commands[i]);
	buf_append_str(out, "\nOptions:\n");
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		if ((CTL_OPTIONS_COMMON & CTL_OPTION(i)) != 0)
			put_option(out, i);
	}
	buf_append_str(out,
		       "\nExit status: 0; 1, the API refused; 2, wrong words; 3, it was "
		       "not reached.\n" CTL_PROGRAM
		       " help COMMAND tells what a command takes beside.\n");
}

void ctl_help_command(const struct ctl_command *command, struct buf *out)
{
	buf_appendf(out, "usage: " CTL_PROGRAM " %s%s%s [OPTION...]\n\n%s\n",
		    command->name, command->takes[0] != '\0' ? " " : "", command->takes,
		    command->help);
	buf_append_str(out, "\nOptions:\n");
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		if ((command->options & CTL_OPTION(i)) != 0)
			put_option(out, i);
	}
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		if ((CTL_OPTIONS_COMMON & CTL_OPTION(i)) != 0)
			put_option(out, i);
	}
}

int ctl_run_help(struct ctl *ctl)
{
	const struct ctl_command *command;
	size_t name_n = 0;

	if (ctl->args_n == 0) {
		ctl_help_all(&ctl->out);
		return CTL_EXIT_OK;
	}
	command = ctl_command_find(ctl->args, ctl->args_n, &name_n);
	if (command == NULL || name_n != ctl->args_n)
		return ctl_usage(ctl, "no such command");
	ctl_help_command(command, &ctl->out);
	return CTL_EXIT_OK;
}
