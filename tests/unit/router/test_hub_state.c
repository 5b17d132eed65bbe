/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The awaits of hub_state.h: what goes to the shard that owns the key, what comes back,
 * and pages. What is under a key is tested with the stores.
 */
#include "tests/unit/router/hub_kit.h"

#include "router/state/state.h"

static const struct hub_bounds bounds = { .entries_max = 3, .ttl_ms = 60000 };

static struct slice numbers(struct hub_call *call, enum hub_rc rc, uint64_t a, uint64_t b)
{
	return hub_printf(call, "rc=%d %llu %llu", (int)rc, (unsigned long long)a,
			  (unsigned long long)b);
}

static enum hub_rc tell(struct hub_call *call, struct slice text)
{
	hub_return(call, hub_string(call, text));
	return HUB_OK;
}

/* key, text, expected (-1: any) */
static enum hub_rc append(struct hub_call *call)
{
	uint64_t number = 99;
	const enum hub_rc rc = hub_await_log_append(
		call, hub_arg_string(call, 0), hub_arg_string(call, 1), &bounds,
		(uint64_t)hub_arg_int(call, 2), &number);

	return tell(call, numbers(call, rc, number, 0));
}

/* key, first, before, max */
static enum hub_rc read_log(struct hub_call *call)
{
	const struct hub_entry *entries;
	uint64_t last = 99;
	size_t n;
	const enum hub_rc rc = hub_await_log_read(
		call, hub_arg_string(call, 0), (uint64_t)hub_arg_int(call, 1),
		(uint64_t)hub_arg_int(call, 2), (uint32_t)hub_arg_int(call, 3), &entries,
		&n, &last);
	struct slice text = numbers(call, rc, n, last);

	for (size_t i = 0; i < n; i++)
		text = hub_printf(call, "%.*s %u:%.*s", SLICE_FMT(text),
				  (unsigned)entries[i].number,
				  SLICE_FMT(entries[i].bytes));
	return tell(call, text);
}

/* key, name, text, expected */
static enum hub_rc put(struct hub_call *call)
{
	uint64_t version = 99;
	const enum hub_rc rc =
		hub_await_field_put(call, hub_arg_string(call, 0),
				    hub_arg_string(call, 1), hub_arg_string(call, 2),
				    &bounds, (uint64_t)hub_arg_int(call, 3), &version);

	return tell(call, numbers(call, rc, version > 0, 0));
}

static enum hub_rc get(struct hub_call *call)
{
	struct hub_field field;
	const enum hub_rc rc = hub_await_field_get(call, hub_arg_string(call, 0),
						   hub_arg_string(call, 1), &field);

	return tell(call, hub_printf(call, "rc=%d %.*s=%.*s", (int)rc,
				     SLICE_FMT(field.name), SLICE_FMT(field.bytes)));
}

static enum hub_rc list(struct hub_call *call)
{
	const struct hub_field *fields;
	size_t n;
	const enum hub_rc rc =
		hub_await_fields(call, hub_arg_string(call, 0), &fields, &n);
	struct slice text = numbers(call, rc, n, 0);

	for (size_t i = 0; i < n; i++)
		text = hub_printf(call, "%.*s %.*s=%.*s", SLICE_FMT(text),
				  SLICE_FMT(fields[i].name), SLICE_FMT(fields[i].bytes));
	return tell(call, text);
}

static enum hub_rc remove_field(struct hub_call *call)
{
	return tell(call, numbers(call,
				  hub_await_field_remove(call, hub_arg_string(call, 0),
							 hub_arg_string(call, 1),
							 (uint64_t)hub_arg_int(call, 2)),
				  0, 0));
}

static enum hub_rc forget(struct hub_call *call)
{
	return tell(call,
		    numbers(call, hub_await_forget(call, hub_arg_string(call, 0)), 0, 0));
}

/* A key that is one byte too long. */
static enum hub_rc too_long(struct hub_call *call)
{
	static char bytes[HUB_KEY_BYTES_MAX + 1];
	const struct hub_entry *entries;
	size_t n;

	cr_expect_eq(hub_await_log_read(call, slice_make(bytes, HUB_KEY_BYTES_MAX), 1, 0,
					1, &entries, &n, NULL),
		     HUB_OK);
	cr_expect_eq(hub_await_log_read(call, slice_make(bytes, sizeof(bytes)), 1, 0, 1,
					&entries, &n, NULL),
		     HUB_ELIMIT);
	cr_expect_eq(hub_await_log_read(call, SLICE("k"), 1, 0, HUB_ENTRIES_MAX + 1,
					&entries, &n, NULL),
		     HUB_ELIMIT);
	cr_expect_eq(hub_await_log_append(call, SLICE("k"), SLICE("e"),
					  &(struct hub_bounds){ 0, 1 }, HUB_ANY, NULL),
		     HUB_ELIMIT);
	return tell(call, SLICE("told"));
}

static const struct hub_method methods[] = {
	{ .name = "Append", .fn = append, .arguments = "ssi" },
	{ .name = "Read", .fn = read_log, .arguments = "siii" },
	{ .name = "Put", .fn = put, .arguments = "sssi" },
	{ .name = "Get", .fn = get, .arguments = "ss" },
	{ .name = "List", .fn = list, .arguments = "s" },
	{ .name = "Remove", .fn = remove_field, .arguments = "ssi" },
	{ .name = "Forget", .fn = forget, .arguments = "s" },
	{ .name = "TooLong", .fn = too_long, .arguments = "" },
};

static const struct hub_module module = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;
static const char *ours; /* keys, of ourselves and of r2 */
static const char *theirs;

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.state_bytes_max = 16 << 20;
	kit = kit_new_conf(&module, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_state, .init = setup, .fini = teardown);

/* Arguments are written with single quotes. */
static void call(const char *method, const char *arguments)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "[%s]", arguments);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	kit_invoke(kit, kit->g1, "c1", "7", method, text);
	kit_turn(kit);
}

#define expect_result(text)                                                              \
	kit_expect(kit, kit->g1,                                                         \
		   "complete c1 %u "                                                     \
		   "{\"type\":3,\"invocationId\":\"7\",\"result\":\"%s\"}",              \
		   (unsigned)kit->last_invoke, text)

/* ---- of our own shard */

Test(hub_state, a_log_of_our_own)
{
	call("Append", kit_text(kit, "'%s','one',-1", ours));
	expect_result("rc=0 1 0");
	call("Append", kit_text(kit, "'%s','two',2", ours));
	expect_result("rc=0 2 0");
	call("Append", kit_text(kit, "'%s','no',2", ours));
	expect_result("rc=-8 3 0");
	call("Read", kit_text(kit, "'%s',1,0,10", ours));
	expect_result("rc=0 2 2 1:one 2:two");
	call("Read", kit_text(kit, "'%s',1,2,10", ours));
	expect_result("rc=0 1 2 1:one");
	call("Read", kit_text(kit, "'%s',1,0,0", ours));
	expect_result("rc=0 0 2");
	call("Forget", kit_text(kit, "'%s'", ours));
	expect_result("rc=0 0 0");
	call("Read", kit_text(kit, "'%s',1,0,10", ours));
	expect_result("rc=0 0 0");
	cr_expect_eq(kit->router->metrics.state_change_total, 4);
	cr_expect_eq(kit->router->metrics.state_read_total, 4);
	cr_expect_eq(kit->router->metrics.state_conflict_total, 1);
	cr_expect_eq(kit->router->metrics.state_failed_total, 0);
}

Test(hub_state, fields_of_our_own)
{
	call("Put", kit_text(kit, "'%s','a','1',0", ours));
	expect_result("rc=0 1 0");
	call("Put", kit_text(kit, "'%s','b','2',-1", ours));
	expect_result("rc=0 1 0");
	call("Put", kit_text(kit, "'%s','a','3',0", ours));
	expect_result("rc=-8 1 0");
	call("Get", kit_text(kit, "'%s','a'", ours));
	expect_result("rc=0 a=1");
	call("Get", kit_text(kit, "'%s','c'", ours));
	expect_result("rc=-5 c=");
	call("List", kit_text(kit, "'%s'", ours));
	expect_result("rc=0 2 0 a=1 b=2");
	call("Remove", kit_text(kit, "'%s','a',1", ours));
	expect_result("rc=-8 0 0");
	call("Remove", kit_text(kit, "'%s','a',-1", ours));
	expect_result("rc=0 0 0");
	call("List", kit_text(kit, "'%s'", ours));
	expect_result("rc=0 1 0 b=2");
	cr_expect_eq(kit->router->metrics.state_failed_total, 0);
}

Test(hub_state, what_is_over_a_limit_does_not_happen)
{
	call("TooLong", "");
	kit_skip(kit, kit->r2); /* whose the longest key may be */
	if (kit_said(kit, kit->g1)[0] == '\0') {
		Link__StateDone done = LINK__STATE_DONE__INIT;

		done.call = kit->call;
		kit_hear_state_done(kit, kit->r2, &done);
		kit_turn(kit);
	}
}

/* ---- of another shard */

static void hear_entries(size_t n, Link__StateEntry *entries, Link__StateDone *done)
{
	Link__StateEntry *pointers[4] = { NULL };

	for (size_t i = 0; i < n; i++)
		pointers[i] = &entries[i];
	done->call = kit->call;
	done->n_entries = n;
	done->entries = pointers;
	kit_hear_state_done(kit, kit->r2, done);
	kit_turn(kit);
}

static Link__StateEntry entry_of(uint64_t number, const char *name, const char *value)
{
	Link__StateEntry entry = LINK__STATE_ENTRY__INIT;

	entry.number = number;
	entry.name = link_bytes(slice_from_str(name));
	entry.value = link_bytes(slice_from_str(value));
	return entry;
}

Test(hub_state, a_log_of_another_shard)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry entries[] = { entry_of(6, "", "x"), entry_of(7, "", "y") };

	call("Append", kit_text(kit, "'%s','one',5", theirs));
	kit_expect(kit, kit->r2, "state append %s one expects 5 max 3", theirs);
	done.number = 6;
	done.rc = ERR_EXISTS;
	hear_entries(0, NULL, &done);
	expect_result("rc=-8 6 0");
	call("Read", kit_text(kit, "'%s',2,9,10", theirs));
	kit_expect(kit, kit->r2, "state read %s from 2 before 9 max 10", theirs);
	done = (Link__StateDone)LINK__STATE_DONE__INIT;
	done.last = 8;
	done.life = 1;
	hear_entries(2, entries, &done);
	expect_result("rc=0 2 8 6:x 7:y");
}

Test(hub_state, a_log_comes_in_pages_the_newest_first)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry newer[] = { entry_of(6, "", "x"), entry_of(7, "", "y") };
	Link__StateEntry older[] = { entry_of(5, "", "w") };

	call("Read", kit_text(kit, "'%s',1,0,10", theirs));
	kit_expect(kit, kit->r2, "state read %s max 10", theirs);
	done.last = 7;
	done.life = 1;
	done.is_more = true;
	hear_entries(2, newer, &done);
	kit_expect(kit, kit->r2, "state read %s before 6 max 8", theirs);
	done.last = 9; /* one more was written meanwhile */
	done.is_more = false;
	hear_entries(1, older, &done);
	expect_result("rc=0 3 7 5:w 6:x 7:y");
}

Test(hub_state, a_log_that_was_made_anew_between_pages_is_read_anew)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry newer[] = { entry_of(6, "", "x"), entry_of(7, "", "y") };
	Link__StateEntry others[] = { entry_of(1, "", "new") };

	call("Read", kit_text(kit, "'%s',1,0,10", theirs));
	kit_expect(kit, kit->r2, "state read %s max 10", theirs);
	done.last = 7;
	done.life = 1;
	done.is_more = true;
	hear_entries(2, newer, &done);
	kit_expect(kit, kit->r2, "state read %s before 6 max 8", theirs);
	done.last = 1;
	done.life = 2;
	done.is_more = false;
	hear_entries(1, others, &done);
	kit_expect(kit, kit->r2, "state read %s max 10", theirs);
	hear_entries(1, others, &done);
	expect_result("rc=0 1 1 1:new");
}

Test(hub_state, a_log_that_never_stays_is_given_up)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry entries[] = { entry_of(7, "", "y") };

	call("Read", kit_text(kit, "'%s',1,0,10", theirs));
	done.is_more = true;
	do {
		done.life++;
		hear_entries(1, entries, &done);
	} while (strncmp(kit_said(kit, kit->r2), "state read", 10) == 0 &&
		 done.life < 100);
	expect_result("rc=-4 0 0");
}

Test(hub_state, more_entries_than_were_asked_for_are_no_answer)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry entries[] = { entry_of(1, "", "x"), entry_of(2, "", "y") };

	call("Read", kit_text(kit, "'%s',1,0,1", theirs));
	kit_expect(kit, kit->r2, "state read %s max 1", theirs);
	hear_entries(2, entries, &done);
	expect_result("rc=-4 0 0");
}

Test(hub_state, fields_come_in_pages_the_oldest_first)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry first[] = { entry_of(3, "a", "1"), entry_of(5, "b", "2") };
	Link__StateEntry second[] = { entry_of(8, "c", "3"), entry_of(9, "a", "4") };

	call("List", kit_text(kit, "'%s'", theirs));
	kit_expect(kit, kit->r2, "state list %s", theirs);
	done.last = 8;
	done.is_more = true;
	hear_entries(2, first, &done);
	kit_expect(kit, kit->r2, "state list %s from 6", theirs);
	done.last = 9; /* of `a` was put anew meanwhile */
	done.is_more = false;
	hear_entries(2, second, &done);
	expect_result("rc=0 3 0 b=2 c=3 a=4");
}

Test(hub_state, a_field_of_another_shard)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	Link__StateEntry entries[] = { entry_of(3, "a", "1") };

	call("Put", kit_text(kit, "'%s','a','1',0", theirs));
	kit_expect(kit, kit->r2, "state put %s a 1 expects 0 max 3", theirs);
	done.number = 3;
	hear_entries(0, NULL, &done);
	expect_result("rc=0 1 0");
	call("Get", kit_text(kit, "'%s','a'", theirs));
	kit_expect(kit, kit->r2, "state get %s a", theirs);
	hear_entries(1, entries, &done);
	expect_result("rc=0 a=1");
	call("Get", kit_text(kit, "'%s','a'", theirs));
	kit_expect(kit, kit->r2, "state get %s a", theirs);
	hear_entries(0, NULL, &done);
	expect_result("rc=-4 a=");
	call("Remove", kit_text(kit, "'%s','a',3", theirs));
	kit_expect(kit, kit->r2, "state remove %s a expects 3", theirs);
	hear_entries(0, NULL, &done);
	expect_result("rc=0 0 0");
	call("Forget", kit_text(kit, "'%s'", theirs));
	kit_expect(kit, kit->r2, "state forget %s", theirs);
	hear_entries(0, NULL, &done);
	expect_result("rc=0 0 0");
}

Test(hub_state, the_owner_is_lost_after_it_took_the_change)
{
	call("Append", kit_text(kit, "'%s','one',-1", theirs));
	kit_expect(kit, kit->r2, "state append %s one max 3", theirs);
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	expect_result("rc=-4 0 0");
}

/* ---- for another shard */

static void hear(Link__StateOp op, const char *hub, const char *key, const char *value)
{
	Link__State message = LINK__STATE__INIT;

	message.op = op;
	message.hub = link_bytes(slice_from_str(hub));
	message.key = link_bytes(slice_from_str(key));
	message.value = link_bytes(slice_from_str(value));
	message.entries_max = 10;
	message.ttl_ms = 60000;
	kit_hear_state(kit, kit->r2, &message);
}

Test(hub_state, a_log_is_kept_for_another_shard)
{
	hear(LINK__STATE_OP__STATE_OP_APPEND, "hub", "c", "one");
	kit_expect(kit, kit->r2, "state_done OK is 1");
	hear(LINK__STATE_OP__STATE_OP_READ, "hub", "c", "");
	kit_expect(kit, kit->r2, "state_done OK 1:one last 1");
	hear(LINK__STATE_OP__STATE_OP_READ, "hu", "bc", "");
	kit_expect(kit, kit->r2, "state_done OK");
}

Test(hub_state, what_another_shard_may_not_ask_is_refused)
{
	Link__State message = LINK__STATE__INIT;

	hear(LINK__STATE_OP__STATE_OP_NONE, "hub", "f", "");
	kit_expect(kit, kit->r2, "state_done ERR_ARGUMENT");
	hear((Link__StateOp)77, "hub", "f", "");
	kit_expect(kit, kit->r2, "state_done ERR_ARGUMENT");
	message.op = LINK__STATE_OP__STATE_OP_APPEND;
	message.hub = link_bytes(SLICE("hub"));
	message.key = link_bytes(SLICE("f"));
	message.entries_max = 10;
	message.ttl_ms = UINT64_MAX;
	kit_hear_state(kit, kit->r2, &message);
	kit_expect(kit, kit->r2, "state_done ERR_ARGUMENT");
	cr_expect_eq(kit->router->metrics.state_failed_total, 3);
}

/* Two of the largest entries are more than kit_conf()'s window. */
Test(hub_state, an_answer_that_does_not_fit_tells_that_it_is_lost)
{
	static char large[HUB_ENTRY_BYTES_MAX + 1];

	memset(large, 'L', HUB_ENTRY_BYTES_MAX);
	for (int i = 1; i <= 2; i++) {
		hear(LINK__STATE_OP__STATE_OP_APPEND, "hub", "f", large);
		kit_expect(kit, kit->r2, "state_done OK is %d", i);
	}
	hear(LINK__STATE_OP__STATE_OP_READ, "hub", "f", "");
	kit_expect(kit, kit->r2, "state_done ERR_OUTCOME");
}
