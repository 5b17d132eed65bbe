/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recorded writes down, line by line, its times as T.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf two = {
	.connections = 2, .groups = 1, .size = 64, .users = 1, .dev_tokens = true
};

static struct kit *kit;
static const struct scenario *scenario;

static void set_up(void)
{
	kit = kit_new("recorded", &two, 0, 2);
	scenario = kit->worker.scenario;
	cr_assert(scenario->init(&kit->worker));
}

static struct client *client(uint32_t index)
{
	return worker_client(&kit->worker, index);
}

/* Client `index` connects, joins, and is answered. */
static void arrive(uint32_t index)
{
	const uint32_t number = client(index)->calls;

	scenario->on_ready(client(index));
	scenario->set_up(client(index));
	kit_answer(kit, index, number, SLICE(""));
	kit_forget(kit);
}

/* Times have more than five digits. */
static void copy_line(struct buf *out, const char *line)
{
	while (*line != '\0') {
		const size_t digits = strspn(line, "0123456789");

		if (digits > 5)
			buf_append_byte(out, 'T');
		else
			buf_append(out, line, digits > 0 ? digits : 1);
		line += digits > 0 ? digits : 1;
	}
}

/* The run is over: what is in the file, but its head. */
static void expect_file(const char *lines)
{
	struct buf out = BUF_INIT;
	char line[512];
	FILE *in;

	scenario->fini(&kit->worker);
	in = fopen(kit->history, "re");
	cr_assert_not_null(in);
	cr_assert_not_null(fgets(line, sizeof(line), in));
	cr_expect_not_null(strstr(line, ",1,{\"writer\":\"heliograph-bench\"}]\n"));
	while (fgets(line, sizeof(line), in) != NULL)
		copy_line(&out, line);
	(void)fclose(in); /* only read */
	buf_append_byte(&out, '\0');
	cr_expect_str_eq(out.ptr, lines);
	buf_fini(&out);
	kit_free(kit);
}

TestSuite(scenario_recorded, .init = set_up);

Test(scenario_recorded, a_message_that_is_heard_and_answered)
{
	client(0)->began_us = 7;
	client(1)->state = CLIENT_OPENING;
	scenario->on_ready(client(0));
	cr_assert(!kit_due(kit, 1), "nobody has joined");
	scenario->set_up(client(0));
	cr_assert(!kit_due(kit, 1), "nobody was told so");
	cr_assert_eq(kit->set_up_n, 0);
	kit_answer(kit, 0, 0, SLICE(""));
	cr_assert_eq(kit->set_up_n, 1);
	kit_forget(kit);
	cr_assert(kit_due(kit, 1));
	kit_expect(kit, "0 group #1 group-0 ~0.2:0.1\n");
	kit_deliver(kit, 0);
	kit_answer(kit, 0, 1, SLICE(""));
	scenario->on_over(&kit->worker);
	expect_file("[\"o\",T,\"b0\",1,7,{\"kind\":\"plain\",\"user\":\"user-0\"}]\n"
		    "[\"j\",T,\"b0\",1,\"group-0\",T,\"ok\"]\n"
		    "[\"s\",T,\"b0\",1,\"group-0\",1]\n"
		    "[\"r\",T,\"b0\",1,\"b0\",\"group-0\",1]\n"
		    "[\"c\",T,\"b0\",\"group-0\",1,\"ok\"]\n"
		    "[\"e\",T,\"b0\",1,\"own\",\"\"]\n"
		    "[\"z\",T]\n");
}

Test(scenario_recorded, numbers_go_on_through_connections)
{
	client(1)->state = CLIENT_OPENING;
	arrive(0);
	cr_assert(kit_due(kit, 1));
	cr_assert(kit_due(kit, 2));
	kit_answer(kit, 0, 2, SLICE(""));
	scenario->on_end(client(0), "it \"broke\"\n at \\");
	cr_assert(!kit_due(kit, 2), "nobody is in the group");
	arrive(0);
	cr_assert(kit_due(kit, 3));
	cr_assert(kit_due(kit, 4));
	kit_answer_error(kit, 0, 5);
	kit_answer(kit, 0, 4, SLICE(""));
	kit_forget(kit);
	expect_file("[\"o\",T,\"b0\",1,0,{\"kind\":\"plain\",\"user\":\"user-0\"}]\n"
		    "[\"j\",T,\"b0\",1,\"group-0\",T,\"ok\"]\n"
		    "[\"s\",T,\"b0\",1,\"group-0\",1]\n"
		    "[\"s\",T,\"b0\",1,\"group-0\",2]\n"
		    "[\"c\",T,\"b0\",\"group-0\",2,\"ok\"]\n"
		    "[\"e\",T,\"b0\",1,\"lost\",\"it ?broke?? at ?\"]\n"
		    "[\"o\",T,\"b0\",2,0,{\"kind\":\"plain\",\"user\":\"user-0\"}]\n"
		    "[\"j\",T,\"b0\",2,\"group-0\",T,\"ok\"]\n"
		    "[\"s\",T,\"b0\",2,\"group-0\",3]\n"
		    "[\"s\",T,\"b0\",2,\"group-0\",4]\n"
		    "[\"c\",T,\"b0\",\"group-0\",4,\"unknown\"]\n"
		    "[\"c\",T,\"b0\",\"group-0\",3,\"ok\"]\n"
		    "[\"z\",T]\n");
}

Test(scenario_recorded, who_cannot_join_begins_anew)
{
	kit->conf.dev_tokens = false;
	scenario->on_ready(client(1));
	scenario->set_up(client(1));
	kit_forget(kit);
	kit_answer_error(kit, 1, 0);
	kit_expect(kit, "1 close\n1 open in 250 ms\n");
	cr_assert(client(1)->is_returning);
	expect_file("[\"o\",T,\"b1\",1,0,{\"kind\":\"plain\"}]\n"
		    "[\"j\",T,\"b1\",1,\"group-0\",T,\"unknown\"]\n"
		    "[\"e\",T,\"b1\",1,\"left\",\"the join failed\"]\n"
		    "[\"z\",T]\n");
}

Test(scenario_recorded, what_comes_twice_is_written_twice)
{
	arrive(0);
	client(1)->state = CLIENT_OPENING;
	cr_assert(kit_due(kit, 1));
	kit_deliver(kit, 0);
	kit_deliver(kit, 0);
	kit_forget(kit);
	expect_file("[\"o\",T,\"b0\",1,0,{\"kind\":\"plain\",\"user\":\"user-0\"}]\n"
		    "[\"j\",T,\"b0\",1,\"group-0\",T,\"ok\"]\n"
		    "[\"s\",T,\"b0\",1,\"group-0\",1]\n"
		    "[\"r\",T,\"b0\",1,\"b0\",\"group-0\",1]\n"
		    "[\"r\",T,\"b0\",1,\"b0\",\"group-0\",1]\n"
		    "[\"z\",T]\n");
}

Test(scenario_recorded, a_file_that_cannot_be_made_fails_the_run)
{
	static char nowhere[] = "/nowhere/history";

	scenario->fini(&kit->worker);
	kit->conf.history = nowhere;
	cr_assert(!scenario->init(&kit->worker));
	cr_expect_str_eq(kit->failure,
			 "history: /nowhere/history.0: No such file or directory");
	kit->conf.history = kit->path;
	kit_free(kit);
}

Test(scenario_recorded, a_full_disk_fails_the_run)
{
	scenario->fini(&kit->worker);
	cr_assert_eq(unlink(kit->history), 0);
	cr_assert_eq(symlink("/dev/full", kit->history), 0);
	cr_assert(scenario->init(&kit->worker));
	scenario->fini(&kit->worker);
	cr_expect_str_eq(kit->failure, "history: not all could be written");
	kit_free(kit);
}
