/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-hubtest: runs scenarios against hubs in a real router without sockets.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/hub_file.h"
#include "router/hubtest/guard.h"
#include "router/hubtest/script.h"
#include "router/router.h"

/* The command line, taken apart. */
struct hubtest {
	char **args; /* owned array: for the configuration; texts borrowed, or below */
	int args_n;
	const char **files; /* owned array */
	size_t files_n;
	struct buf hubs; /* "--hubs=..." made of the modules */
	struct script_options options;
	unsigned patience;
};

static bool has_option(const struct hubtest *test, const char *name)
{
	for (int i = 0; i < test->args_n; i++) {
		if (strncmp(test->args[i], name, strlen(name)) == 0)
			return true;
	}
	return false;
}

static void add_arg(struct hubtest *test, const char *text)
{
	union {
		const char *given;
		char *wanted; /* conf_load() only reads */
	} arg = { .given = text };

	test->args[test->args_n++] = arg.wanted;
}

/* Appends the names of the file's hubs. */
static void add_hubs(struct hubtest *test, struct slice path)
{
	struct hub_file file;
	struct buf why = BUF_INIT;
	struct buf name = BUF_INIT;

	buf_append_slice(&name, path);
	buf_append_byte(&name, '\0');
	if (!hub_file_open(&file, name.ptr, &why))
		fatal("hub_module = %s: %.*s", name.ptr, SLICE_FMT(buf_slice(&why)));
	for (size_t i = 0; i < file.modules_n; i++)
		buf_appendf(&test->hubs, "%s%s", test->hubs.len == 0 ? "--hubs=" : ",",
			    file.modules[i]->name);
	hub_file_close(&file);
	buf_fini(&name);
	buf_fini(&why);
}

/* The hubs of the files, when it does not say which ones. */
static void choose_hubs(struct hubtest *test)
{
	static const char option[] = "--hub_module=";

	if (has_option(test, "--hubs=") || has_option(test, "--conf="))
		return;
	for (int i = 0; i < test->args_n; i++) {
		struct slice rest = slice_from_str(test->args[i]);

		if (!slice_starts_with(rest, slice_from_str(option)))
			continue;
		rest = slice_from(rest, sizeof(option) - 1);
		while (rest.len > 0)
			add_hubs(test, slice_trim(slice_cut(&rest, ',')));
	}
	if (test->hubs.len == 0)
		return;
	buf_append_byte(&test->hubs, '\0');
	add_arg(test, test->hubs.ptr);
}

/* False: it is not this option. */
static bool read_patience(struct hubtest *test, const char *arg)
{
	static const char option[] = "--patience=";
	struct slice text = slice_from_str(arg);
	int64_t seconds;

	if (!slice_starts_with(text, slice_from_str(option)))
		return false;
	text = slice_from(text, sizeof(option) - 1);
	if (slice_to_int64(text, &seconds) != OK || seconds < 0 ||
	    seconds > GUARD_PATIENCE_MAX)
		fatal("--patience: accepted are 0..%u seconds", GUARD_PATIENCE_MAX);
	test->patience = (unsigned)seconds;
	return true;
}

static void read_args(struct hubtest *test, int argc, char **argv)
{
	/* Four of our own. */
	test->args = mem_zalloc(((size_t)argc + 5) * sizeof(*test->args));
	test->files = mem_zalloc(((size_t)argc + 1) * sizeof(*test->files));
	for (int i = 0; i < argc; i++) {
		if (i > 0 && strcmp(argv[i], "--update") == 0)
			test->options.is_update = true;
		else if (i > 0 && strcmp(argv[i], "--verbose") == 0)
			test->options.is_verbose = true;
		else if (i > 0 && read_patience(test, argv[i]))
			continue;
		else if (i > 0 && argv[i][0] != '-')
			test->files[test->files_n++] = argv[i];
		else
			test->args[test->args_n++] = argv[i];
	}
	choose_hubs(test);
	if (!has_option(test, "--log_level="))
		add_arg(test, "--log_level=warn");
	add_arg(test, "--name=r1");
	add_arg(test, "--routers=r1=ipc://r1");
}

static bool run_files(const struct hubtest *test)
{
	bool is_fine = true;

	if (test->files_n == 0)
		fatal("no scenario is named");
	for (size_t i = 0; i < test->files_n; i++)
		is_fine = script_run(test->files[i], &test->options) && is_fine;
	return is_fine;
}

int main(int argc, char **argv)
{
	struct conf_table table = router_conf_table;
	struct router_conf conf = { .hubs = NULL };
	struct hubtest test = { .patience = GUARD_PATIENCE };
	char error[CONF_ERROR_MAX];
	enum conf_outcome outcome;
	bool is_fine = true;

	table.program = "heliograph-hubtest";
	table.summary =
		"Runs scenarios (files) against hubs in a router without sockets.";
	table.flags =
		"  --patience=5\n"
		"      Seconds that a method may go on; 0: no limit, for debuggers.\n"
		"  --update\n"
		"      Write what is seen into the scenarios.\n"
		"  --verbose\n"
		"      Show every step, not only what is not as expected.\n";
	/* What was said is said, should a method take the program with it. */
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* nothing was written yet */
	read_args(&test, argc, argv);
	guard_patience(test.patience);
	outcome = conf_load(&table, &conf, test.args_n, test.args, stdout, error);
	if (outcome == CONF_FAIL)
		fatal("%s", error);
	if (outcome == CONF_RUN) {
		struct slice hubs = slice_from_str(conf.hubs);

		log_open(LOG_LOGFMT, (enum log_level)conf.proc.log_level, "hubtest");
		test.options.conf = &conf;
		test.options.hub = slice_trim(slice_cut(&hubs, ','));
		is_fine = run_files(&test);
	}
	conf_fini(&table, &conf);
	buf_fini(&test.hubs);
	mem_free(test.args);
	mem_free(test.files);
	return is_fine ? 0 : 1;
}
