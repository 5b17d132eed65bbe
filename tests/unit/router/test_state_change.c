/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for fields to change, at the shard that owns the key and at the one that asks.
 */
#include "tests/unit/router/hub_kit.h"

#include "router/state/state.h"

#define WAITS_MAX 3

static struct kit *kit;
static const struct hub_bounds bounds = { .entries_max = 100, .ttl_ms = 60000 };

/* key, name, text */
static enum hub_rc put(struct hub_call *call)
{
	uint64_t version;
	const enum hub_rc rc = hub_await_field_put(
		call, hub_arg_string(call, 0), hub_arg_string(call, 1),
		hub_arg_string(call, 2), &bounds, HUB_ANY, &version);

	hub_return(call, hub_int(call, rc == HUB_OK ? (int64_t)version : rc));
	return HUB_OK;
}

/* key, after, how long */
static enum hub_rc changes(struct hub_call *call)
{
	struct hub_changes found;
	const enum hub_rc rc = hub_await_changes(call, hub_arg_string(call, 0),
						 (uint64_t)hub_arg_int(call, 1),
						 hub_arg_int(call, 2), &found);
	struct slice text = hub_printf(call, "rc=%d%s", (int)rc,
				       found.version > found.after ? " more" : "");

	cr_expect(found.n == 0 || found.after == found.fields[found.n - 1].version);
	for (size_t i = 0; i < found.n; i++)
		text = hub_printf(call, "%.*s %.*s=%.*s", SLICE_FMT(text),
				  SLICE_FMT(found.fields[i].name),
				  SLICE_FMT(found.fields[i].bytes));
	hub_return(call, hub_string(call, text));
	return HUB_OK;
}

static enum hub_rc remove_field(struct hub_call *call)
{
	return hub_await_field_remove(call, hub_arg_string(call, 0),
				      hub_arg_string(call, 1), HUB_ANY);
}

static enum hub_rc changes_stream(struct hub_call *call)
{
	struct hub_changes found;

	return hub_await_changes(call, hub_arg_string(call, 0), 0, 60000, &found);
}

static const struct hub_method methods[] = {
	{ .name = "Put", .fn = put, .arguments = "sss" },
	{ .name = "Remove", .fn = remove_field, .arguments = "ss" },
	{ .name = "Changes", .fn = changes, .arguments = "sii" },
	{ .name = "ChangesStream",
	  .fn = changes_stream,
	  .arguments = "s",
	  .is_stream = true },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.state_waits_max = WAITS_MAX;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	for (int i = 1; i <= 4; i++)
		kit_connect(kit, kit->g1, kit_text(kit, "c%d", i), "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(state_change, .init = setup, .fini = teardown, .timeout = 60);

static const char *key(bool is_own)
{
	return kit_name(kit, LINK__KIND__KIND_GROUP, is_own);
}

static void call(const char *id, const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, id, "7", target, arguments);
	kit_turn(kit);
}

static void begin(const char *id, const char *of, unsigned long long after, int wait_ms)
{
	call(id, "Changes", kit_text(kit, "[\"%s\",%llu,%d]", of, after, wait_ms));
}

/* The text that the method of `id` returned. */
static void expect_text(const char *id, const char *want)
{
	const char *said = kit_said(kit, kit->g1);
	const char *result = strstr(said, "\"result\":\"");
	const char *got = result != NULL ? result + strlen("\"result\":\"") : said;

	cr_expect_eq(strncmp(said, "complete ", 9), 0, "%s", said);
	cr_expect_eq(strncmp(said + 9, id, strlen(id)), 0, "%s", said);
	cr_expect_str_eq(kit_text(kit, "%.*s", (int)strcspn(got, "\""), got), want);
}

/* Returns the version. */
static unsigned long long put_field(const char *of, const char *name, const char *text)
{
	const char *result;

	call("c4", "Put", kit_text(kit, "[\"%s\",\"%s\",\"%s\"]", of, name, text));
	for (;;) {
		const char *said = kit_said(kit, kit->g1);

		cr_assert_neq(said[0], '\0');
		result = strstr(said, "\"result\":");
		if (strncmp(said, "complete c4", 11) == 0)
			break;
	}
	cr_assert_not_null(result);
	return strtoull(result + strlen("\"result\":"), NULL, 10);
}

static size_t waiting(void)
{
	return kit->router->waits.by_id.count;
}

/* ---- the key is ours */

Test(state_change, what_is_there_is_told_at_once)
{
	const char *own = key(true);

	(void)put_field(own, "a", "1");
	(void)put_field(own, "b", "2");
	(void)put_field(own, "a", "3");
	begin("c1", own, 0, 60000);
	expect_text("c1", "rc=0 b=2 a=3");
	begin("c1", own, 0, 0);
	expect_text("c1", "rc=0 b=2 a=3");
	cr_expect_eq(waiting(), 0);
}

Test(state_change, without_time_it_does_not_wait)
{
	const char *own = key(true);
	const unsigned long long version = put_field(own, "a", "1");

	begin("c1", own, version, 0);
	expect_text("c1", "rc=0");
	begin("c1", "nothing here", 0, 0);
	if (kit_said(kit, kit->r2)[0] == '\0')
		expect_text("c1", "rc=0");
}

Test(state_change, less_than_no_time_is_none)
{
	begin("c1", key(true), 0, -1);
	expect_text("c1", "rc=0");
	begin("c1", key(false), 41, -1);
	kit_expect(kit, kit->r2, "state list %s from 42 max 16", key(false));
}

Test(state_change, nothing_is_above_the_highest_number)
{
	const char *own = key(true);

	(void)put_field(own, "a", "1");
	call("c1", "Changes", kit_text(kit, "[\"%s\",-1,0]", own));
	expect_text("c1", "rc=0");
	call("c1", "Changes", kit_text(kit, "[\"%s\",-1,60000]", own));
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(waiting(), 1);
}

Test(state_change, it_waits_for_what_is_newer)
{
	const char *own = key(true);
	unsigned long long version;

	begin("c1", own, 0, 60000);
	begin("c2", own, 0, 60000);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(waiting(), 2);
	call("c3", "Put", kit_text(kit, "[\"%s\",\"a\",\"1\"]", own));
	kit_turn(kit);
	cr_expect_eq(waiting(), 0);
	version = put_field(own, "a", "2");
	begin("c1", own, version, 60000);
	kit_expect_silence(kit, kit->g1);
	call("c3", "Remove", kit_text(kit, "[\"%s\",\"a\"]", own));
	cr_expect_eq(waiting(), 1, "what was removed is not told");
	(void)put_field(own, "b", "3");
	cr_expect_eq(waiting(), 0);
}

Test(state_change, both_that_wait_get_it)
{
	const char *own = key(true);

	begin("c1", own, 0, 60000);
	begin("c2", own, 0, 60000);
	call("c3", "Put", kit_text(kit, "[\"%s\",\"a\",\"1\"]", own));
	kit_turn(kit);
	/* The one that has put goes on first, since its answer came first. */
	for (int i = 0; i < 3; i++) {
		const char *said = kit_said(kit, kit->g1);

		if (strncmp(said, "complete c3", 11) != 0)
			cr_expect_not_null(strstr(said, "\"rc=0 a=1\""), "%s", said);
	}
	kit_expect_silence(kit, kit->g1);
}

Test(state_change, more_than_fits_comes_with_the_next_call)
{
	const char *own = key(true);
	unsigned long long versions[HUB_CHANGES_MAX + 2];
	const char *said;

	for (size_t i = 0; i < HUB_CHANGES_MAX + 2; i++)
		versions[i] = put_field(own, kit_text(kit, "f%zu", i), "1");
	begin("c1", own, 0, 60000);
	said = kit_said(kit, kit->g1);
	cr_expect_not_null(strstr(said, "\"rc=0 more f0=1"), "%s", said);
	cr_expect_not_null(strstr(said, kit_text(kit, "f%u=1\"", HUB_CHANGES_MAX - 1)),
			   "%s", said);
	begin("c1", own, versions[HUB_CHANGES_MAX - 1], 60000);
	expect_text("c1", kit_text(kit, "rc=0 f%u=1 f%u=1", HUB_CHANGES_MAX,
				   HUB_CHANGES_MAX + 1));
}

Test(state_change, when_the_time_is_up_there_is_nothing)
{
	const char *said = "";
	const int64_t start_us = loop_clock_us();

	begin("c1", key(true), 0, 1);
	while (said[0] == '\0') {
		loop_turn(kit->loop, 10);
		said = kit_said(kit, kit->g1);
		cr_assert_lt(loop_clock_us() - start_us, 5000000);
	}
	cr_expect_not_null(strstr(said, "\"rc=-3\""), "%s", said);
	cr_expect_eq(waiting(), 0);
}

Test(state_change, one_past_the_limit_is_refused)
{
	const char *own = key(true);

	for (int i = 1; i <= WAITS_MAX; i++)
		begin(kit_text(kit, "c%d", i), own, 0, 60000);
	kit_expect_silence(kit, kit->g1);
	begin("c4", own, 0, 60000);
	expect_text("c4", "rc=-6");
	cr_expect_eq(waiting(), WAITS_MAX);
	cr_expect_eq(kit->router->waits.refused_total, 1);
}

/* ---- another router asks */

static void hear(Link__StateOp op, uint64_t number, const char *of, uint64_t first,
		 uint64_t wait_ms)
{
	Link__State message = LINK__STATE__INIT;

	message.op = op;
	message.call = number;
	message.hub = link_bytes(SLICE("hub"));
	message.key = link_bytes(slice_from_str(of));
	message.first = first;
	message.wait_ms = wait_ms;
	message.entries_max = HUB_CHANGES_MAX;
	kit_hear_state(kit, kit->r2, &message);
}

#define LIST LINK__STATE_OP__STATE_OP_LIST
#define END LINK__STATE_OP__STATE_OP_END

Test(state_change, another_router_is_answered_when_something_changes)
{
	const char *own = key(true);
	const char *said;

	hear(LIST, 77, own, 1, 60000);
	kit_expect_silence(kit, kit->r2);
	(void)put_field(own, "a", "1");
	said = kit_said(kit, kit->r2);
	cr_expect_eq(strncmp(said, "state_done", 10), 0, "%s", said);
	cr_expect_not_null(strstr(said, ":a=1"), "%s", said);
	cr_expect_eq(kit->call, 77);
	cr_expect_eq(waiting(), 0);
}

Test(state_change, it_says_when_it_waits_no_more)
{
	hear(LIST, 77, key(true), 1, 60000);
	hear(LIST, 78, key(true), 1, 60000);
	hear(END, 77, "", 0, 0);
	hear(END, 99, "", 0, 0);
	cr_expect_eq(waiting(), 1);
	(void)put_field(key(true), "a", "1");
	(void)kit_said(kit, kit->r2);
	cr_expect_eq(kit->call, 78);
	kit_expect_silence(kit, kit->r2);
}

Test(state_change, what_a_lost_router_waited_for_goes_with_it)
{
	const char *own = key(true);

	hear(LIST, 77, own, 1, 60000);
	begin("c1", own, 0, 60000);
	kit_restart(kit, kit->r2);
	cr_expect_eq(waiting(), 1);
	(void)put_field(own, "a", "1");
	kit_expect_silence(kit, kit->r2);
}

/* What a peer says is not trusted: 0 would be no wait, too long a time a wait for ever.
 */
Test(state_change, a_wait_that_is_too_long_is_shortened)
{
	const struct state_wait_id id = { kit->r2, 77 };
	const struct state_wait *wait;

	hear(LIST, 77, key(true), 1, UINT64_MAX);
	wait = state_wait_find(&kit->router->waits, &id);
	cr_assert_not_null(wait);
	cr_expect_leq(wait->timer.due_ms - loop_now_ms(kit->loop), HUB_CHANGES_MS_MAX);
}

/* ---- the key is another's */

Test(state_change, a_key_of_another_router_is_waited_for_there)
{
	Link__StateEntry entry = LINK__STATE_ENTRY__INIT;
	Link__StateEntry *entries[] = { &entry };
	Link__StateDone done = LINK__STATE_DONE__INIT;

	begin("c1", key(false), 41, 500);
	kit_expect(kit, kit->r2, "state list %s from 42 max 16 waits 500", key(false));
	entry.number = 43;
	entry.name = link_bytes(SLICE("a"));
	entry.value = link_bytes(SLICE("1"));
	done.call = kit->call;
	done.entries = entries;
	done.n_entries = 1;
	done.last = 50;
	kit_hear_state_done(kit, kit->r2, &done);
	kit_turn(kit);
	expect_text("c1", "rc=0 more a=1");
	cr_expect_eq(waiting(), 0);
}

Test(state_change, a_call_that_is_canceled_says_so_there)
{
	uint64_t number;

	kit_stream(kit, kit->g1, "c1", "s", "ChangesStream",
		   kit_text(kit, "[\"%s\"]", key(false)));
	kit_turn(kit);
	kit_expect(kit, kit->r2, "state list %s max 16 waits 60000", key(false));
	number = kit->call;
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->r2, "state end ");
	cr_expect_eq(kit->call, number);
}

Test(state_change, the_loss_of_the_owner_ends_the_wait)
{
	begin("c1", key(false), 0, 60000);
	kit_expect(kit, kit->r2, "state list %s max 16 waits 60000", key(false));
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	kit_turn(kit);
	expect_text("c1", "rc=-4");
}
