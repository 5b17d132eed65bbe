/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a hub's own: their defaults, where they are set, what a reload does, and
 * what the router does not start with.
 */
#include "router/hub_option.h"

#include "proto/base/conf_extra.h"
#include "proto/base/loop.h"
#include "router/hub_module.h"
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

enum { VOTES_MAX, DELAY, ROOM, IS_OPEN, TITLE };

static const struct hub_option options[] = {
	[VOTES_MAX] = { "votes_max", HUB_OPTION_INT, "50", 1, 100, "Votes." },
	[DELAY] = { "delay", HUB_OPTION_MS, "15s", 0, 60000, "How long." },
	[ROOM] = { "room", HUB_OPTION_BYTES, "64KiB", 1, 1 << 20, "How much." },
	[IS_OPEN] = { "open", HUB_OPTION_BOOL, "on", 0, 0, "For all." },
	[TITLE] = { "title", HUB_OPTION_TEXT, "", 0, 8, "What it is called." },
};

static enum hub_rc tell(struct hub_call *call)
{
	struct value *all = hub_array(call);

	hub_add(all, hub_int(call, hub_option_int(call, VOTES_MAX)));
	hub_add(all, hub_int(call, hub_option_int(call, DELAY)));
	hub_add(all, hub_int(call, hub_option_int(call, ROOM)));
	hub_add(all, hub_int(call, hub_option_int(call, IS_OPEN)));
	hub_add(all, hub_string(call, hub_option_text(call, TITLE)));
	hub_return(call, all);
	return HUB_OK;
}

/* A text that was read stays what it was. */
static enum hub_rc tell_late(struct hub_call *call)
{
	const struct slice title = hub_option_text(call, TITLE);
	const enum hub_rc rc = hub_await_join(call, SLICE("g"));

	hub_return(call, hub_string(call, title));
	return rc;
}

static const struct hub_method methods[] = {
	{ .name = "Tell", .fn = tell, .arguments = "" },
	{ .name = "TellLate", .fn = tell_late, .arguments = "" },
};

static const struct hub_module poll = {
	.api_version = HUB_API_VERSION,
	.name = "poll",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
};

static struct kit *kit;

static void setup(void)
{
	kit_open_log();
	kit = kit_new(&poll);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_option, .init = setup, .fini = teardown);

static void expect_told(const char *result)
{
	kit_invoke(kit, kit->g1, "c1", "7", "Tell", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   (unsigned)kit->last_invoke, result);
}

Test(hub_option, what_is_not_set_has_its_default)
{
	expect_told("[50,15000,65536,1,\"\"]");
}

Test(hub_option, what_is_set_counts_after_a_reload)
{
	kit_hub_option(kit, "votes_max", "100");
	kit_hub_option(kit, "delay", "250ms");
	kit_hub_option(kit, "room", "1");
	kit_hub_option(kit, "open", "off");
	kit_hub_option(kit, "title", "Tea?");
	expect_told("[100,250,1,0,\"Tea?\"]");
}

Test(hub_option, what_is_wrong_in_a_reload_stays_as_it_was)
{
	kit_hub_option(kit, "votes_max", "100");
	kit_hub_option(kit, "votes_max", "101");
	expect_told("[100,15000,65536,1,\"\"]");
	cr_expect_not_null(strstr(kit_logged(kit),
				  "event=hub.option_refused node=r1 "
				  "option=hub.poll.votes_max reason=\"accepted range is "
				  "1..100\""),
			   "%s", kit_logged(kit));
}

Test(hub_option, the_environment_is_read_too)
{
	setenv("HELIOGRAPH_HUB_POLL_TITLE", "by env", 1);
	hub_runtime_reload(kit->router->hubs);
	expect_told("[50,15000,65536,1,\"by env\"]");
}

Test(hub_option, a_text_that_was_read_outlives_a_reload)
{
	kit_hub_option(kit, "title", "before");
	kit_invoke(kit, kit->g1, "c1", "7", "TellLate", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_hub_option(kit, "title", "after");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 "
		   "{\"type\":3,\"invocationId\":\"7\",\"result\":\"before\"}");
}

/* ---- at the start */

static struct router_conf start_conf;

/* A router that finds this in its configuration. */
static void start_with(const char *option, const char *value)
{
	static struct router router;
	static struct hub_served served = { .module = &poll };
	static char hubs[] = "poll";

	start_conf = kit_conf();
	start_conf.hubs = hubs;
	conf_scoped_init(&router_conf_table, &start_conf);
	conf_extra_set(&start_conf.hub_confs.items[0], slice_from_str(option),
		       slice_from_str(value), 1);
	(void)router;
	hub_options_init(&served, &start_conf);
	hub_options_fini(&served);
	conf_scoped_fini(&router_conf_table, &start_conf);
}

Test(hub_option_start, a_sound_value_is_taken)
{
	start_with("votes_max", "1");
}

Test(hub_option_start, a_wrong_value_ends_the_program, .exit_code = 1)
{
	start_with("votes_max", "0");
}

Test(hub_option_start, an_unknown_option_ends_the_program, .exit_code = 1)
{
	start_with("vote_max", "1");
}

/* ---- in the configuration */

Test(hub_option_check, the_configuration_asks_the_module)
{
	struct buf why = BUF_INIT;

	cr_expect_eq(hub_option_check(&poll, SLICE("votes_max"), SLICE("7"), &why), OK);
	cr_expect_eq(hub_option_check(&poll, SLICE("title"), SLICE("12345678"), &why),
		     OK);
	cr_expect_eq(hub_option_check(&poll, SLICE("ceiling"), SLICE("7"), &why),
		     ERR_NOT_FOUND);
	cr_expect_eq(why.len, 0);
	cr_expect_eq(hub_option_check(&poll, SLICE("vote_max"), SLICE("7"), &why),
		     ERR_NOT_FOUND);
	cr_expect(slice_equal(buf_slice(&why), SLICE("votes_max")));
	buf_clear(&why);
	cr_expect_eq(hub_option_check(&poll, SLICE("title"), SLICE("123456789"), &why),
		     ERR_MALFORMED);
	cr_expect(slice_equal(buf_slice(&why),
			      SLICE("accepted length is 0..8 characters")));
	buf_fini(&why);
}

static void expect_problem(const struct hub_option *rows, size_t n, const char *text)
{
	const struct hub_module module = { .name = "m", .options = rows, .options_n = n };
	struct buf why = BUF_INIT;

	if (hub_options_are_sound(&module, &why))
		buf_append_str(&why, "none");
	cr_expect(slice_equal(buf_slice(&why), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
}

Test(hub_option_check, a_table_that_is_wrong_is_refused)
{
	static const struct hub_option unnamed = { NULL, HUB_OPTION_INT, "1", 1, 2, "H" };
	static const struct hub_option upper = { "Points Max", HUB_OPTION_INT, "1", 1, 2,
						 "H" };
	static const struct hub_option bare = { "a", HUB_OPTION_INT, NULL, 1, 2, "H" };
	static const struct hub_option over = { "a", HUB_OPTION_INT, "3", 1, 2, "H" };
	static const struct hub_option taken = {
		"await_timeout", HUB_OPTION_MS, "1", 1, 2, "H"
	};
	static const struct hub_option twice[] = {
		{ "a", HUB_OPTION_INT, "1", 1, 2, "H" },
		{ "a", HUB_OPTION_INT, "1", 1, 2, "H" },
	};

	expect_problem(options, 5, "none");
	expect_problem(NULL, 0, "none");
	expect_problem(NULL, 1, "no table of options");
	expect_problem(twice, HUB_OPTIONS_MAX + 1, "more options than there may be");
	expect_problem(&unnamed, 1, "an option without name");
	expect_problem(
		&upper, 1,
		"an option named \"Points Max\": lower case, digits and _ are wanted");
	expect_problem(&bare, 1, "an option \"a\" without default or help");
	expect_problem(&over, 1, "an option \"a\" whose default is out of its range");
	expect_problem(&taken, 1,
		       "an option named \"await_timeout\", which all hubs have");
	expect_problem(twice, 2, "two options named \"a\"");
}
