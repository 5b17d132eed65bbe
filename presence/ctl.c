/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "presence/ctl_private.h"
#include "presence/ctl_text.h"
#include "proto/base/secret.h"

int ctl_complain(const struct ctl *ctl, int status, const char *what, struct slice text)
{
	struct buf line = BUF_INIT;

	if (ctl->is_quiet)
		return status;
	buf_append_str(&line, CTL_PROGRAM ": ");
	if (what != NULL)
		buf_appendf(&line, "%s: ", what);
	ctl_text_escape(&line, text);
	buf_append_byte(&line, '\n');
	(void)fwrite(line.ptr, 1, line.len, stderr); /* there is nobody else to tell */
	buf_fini(&line);
	return status;
}

int ctl_usage(const struct ctl *ctl, const char *problem)
{
	struct buf line = BUF_INIT;

	(void)ctl_complain(ctl, CTL_EXIT_USAGE, NULL, slice_from_str(problem));
	if (ctl->command != NULL)
		buf_appendf(&line, "usage: " CTL_PROGRAM " %s %s\n", ctl->command->name,
			    ctl->command->takes);
	else
		buf_append_str(&line, "help:  " CTL_PROGRAM " --help\n");
	(void)fwrite(line.ptr, 1, line.len, stderr); /* as above */
	buf_fini(&line);
	return CTL_EXIT_USAGE;
}

void ctl_flush(struct ctl *ctl)
{
	/* Whoever closed our stdout does not want to hear of it. */
	(void)fwrite(ctl->out.ptr, 1, ctl->out.len, stdout);
	(void)fflush(stdout);
	buf_clear(&ctl->out);
}

/* ---- the terminal */

/* Empty: it is not set. */
static struct slice variable(const char *name)
{
	/* Nothing in our processes changes the environment. */
	const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

	return slice_from_str(value);
}

static void terminal_look(struct ctl *ctl)
{
	struct winsize size = { .ws_col = 0 };

	if (isatty(STDOUT_FILENO) != 1)
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ctl->columns = size.ws_col;
	ctl->is_bold = variable("NO_COLOR").len == 0 && variable("TERM").len > 0 &&
		       !slice_equal(variable("TERM"), SLICE("dumb"));
}

/* ---- the line */

/* An option that is not the command's; NULL: all are. */
static const char *foreign_option(const struct ctl *ctl)
{
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		if (ctl_is_given(ctl, (enum ctl_option_id)i) &&
		    !ctl_command_has(ctl->command, i))
			return ctl_options[i].name;
	}
	return NULL;
}

static int run_command(struct ctl *ctl)
{
	const char *foreign = foreign_option(ctl);

	if (ctl_is_given(ctl, CTL_HELP)) {
		ctl_help_command(ctl->command, &ctl->out);
		return CTL_EXIT_OK;
	}
	if (foreign != NULL)
		return ctl_complain(ctl, CTL_EXIT_USAGE, "the command does not take",
				    slice_from_str(foreign));
	if (!ctl_command_fits(ctl->command, ctl->args, ctl->args_n))
		return ctl_usage(ctl, "the words do not fit");
	return ctl->command->run(ctl);
}

static int run_line(struct ctl *ctl, int argc, char **argv)
{
	char error[CTL_ERROR_BYTES];
	size_t name_n = 0;

	/* Behind it is a line of its own, which may be half written. */
	if (argc > 1 && slice_equal(slice_from_str(argv[1]), SLICE("complete")))
		return ctl_complete(ctl, argc - 1, argv + 1);
	if (ctl_options_read(&ctl->line, argc, argv, error) != OK)
		return ctl_usage(ctl, error);
	if (ctl->line.words_n == 0) {
		if (!ctl_is_given(ctl, CTL_HELP))
			return ctl_usage(ctl, "which command?");
		ctl_help_all(&ctl->out);
		return CTL_EXIT_OK;
	}
	ctl->command = ctl_command_find(ctl->line.words, ctl->line.words_n, &name_n);
	if (ctl->command == NULL)
		return ctl_usage(ctl, "no such command");
	ctl->args = ctl->line.words + name_n;
	ctl->args_n = ctl->line.words_n - name_n;
	return run_command(ctl);
}

int ctl_main(int argc, char **argv)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct ctl ctl = { .arena = ARENA_INIT };
	int status;

	(void)sigaction(SIGPIPE, &ignore, NULL); /* fails for bad arguments only */
	terminal_look(&ctl);
	status = run_line(&ctl, argc, argv);
	ctl_flush(&ctl);
	arena_fini(&ctl.arena);
	buf_fini(&ctl.out);
	buf_fini(&ctl.body);
	buf_fini(&ctl.host);
	secret_fini(&ctl.token);
	return status;
}
