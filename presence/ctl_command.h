/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl's commands: one row each. What a command takes is one text of words: one in
 * capitals stands for a value, one with '|' for a choice, [...] may be left out. The text
 * is what --help shows, arguments are checked by and completion goes by.
 */
#ifndef PRESENCE_CTL_COMMAND_H
#define PRESENCE_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "presence/ctl_options.h"
#include "proto/base/buf.h"

struct ctl;

struct ctl_command {
	const char *name; /* one word or two */
	const char *takes;
	const char *help;
	unsigned options;	     /* CTL_OPTION() of its own, beside those of all */
	int (*run)(struct ctl *ctl); /* the exit status */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_commands_n;

/* The command that `words` begin with, and of how many of them its name is; NULL: none.
 */
const struct ctl_command *ctl_command_find(const char *const *words, size_t words_n,
					   size_t *name_n);

/* The word of `takes` at that place, without its brackets; empty: there is none. */
struct slice ctl_command_word(const struct ctl_command *command, size_t place,
			      bool *is_optional);

/* Is `text` one of "a|b|c"? Always, when `word` is a value. */
bool ctl_word_fits(struct slice word, struct slice text);

/* Do the arguments fit? */
bool ctl_command_fits(const struct ctl_command *command, const char *const *args,
		      size_t args_n);

bool ctl_command_has(const struct ctl_command *command, size_t option);

#endif
