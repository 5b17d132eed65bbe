/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hubs that ask Redis themselves, and hub_state.h over Redis: a router against a
 * redis-server of the test's own.
 */
#include "router/redis.h"
#include "router/state/state.h"
#include "tests/unit/proto/base/redis_kit.h"
#include "tests/unit/router/hub_kit.h"

static struct redis_kit redis;
static struct redis_server server;
static struct kit *kit;
static bool is_over;

static const struct hub_bounds bounds = { .entries_max = 10, .ttl_ms = 60000 };

static struct slice word(const char *text)
{
	return slice_from_str(text);
}

/* ---- methods: each is its test */

#define expect_redis(rc_, ...)                                                           \
	do {                                                                             \
		const struct slice words_[] = { __VA_ARGS__ };                           \
		cr_assert_eq(hub_await_redis(call, words_,                               \
					     sizeof(words_) / sizeof(words_[0]),         \
					     &reply),                                    \
			     rc_);                                                       \
	} while (0)

static enum hub_rc commands(struct hub_call *call)
{
	const struct value *reply;

	cr_assert(hub_has_redis(call));
	expect_redis(HUB_OK, word("SET"), word("a"), SLICE("\0\xff"));
	cr_assert_eq(reply->type, VALUE_STRING);
	cr_expect(slice_equal(reply->bytes, SLICE("OK")));
	expect_redis(HUB_OK, word("GET"), word("a"));
	cr_expect(slice_equal(reply->bytes, SLICE("\0\xff")));
	expect_redis(HUB_OK, word("GET"), word("b"));
	cr_expect_eq(reply->type, VALUE_NIL);
	expect_redis(HUB_OK, word("INCR"), word("n"));
	cr_assert_eq(reply->type, VALUE_INT);
	cr_expect_eq(reply->integer, 1);
	is_over = true;
	return HUB_OK;
}

static enum hub_rc arrays(struct hub_call *call)
{
	const struct value *reply;

	expect_redis(HUB_OK, word("EVAL"),
		     word("return {1, {'a', {}, {{2}}}, false, 'z'}"), word("0"));
	cr_expect(slice_equal(hub_encode(call, reply),
			      SLICE("[1,[\"a\",[],[[2]]],null,\"z\"]")));
	is_over = true;
	return HUB_OK;
}

static enum hub_rc scripts(struct hub_call *call)
{
	const struct slice keys[] = { SLICE("k") };
	const struct slice args[] = { SLICE("1"), SLICE("2") };
	const struct hub_script_args both = { keys, 1, args, 2 };
	const struct hub_script_args none = { .keys = NULL };
	const struct value *reply;

	cr_assert_eq(hub_await_script(call, 1, &both, &reply), HUB_OK);
	cr_expect(slice_equal(hub_encode(call, reply), SLICE("[\"k\",\"2\"]")));
	cr_assert_eq(hub_await_script(call, 0, &none, &reply), HUB_OK);
	cr_expect_eq(reply->integer, 7);
	cr_assert_eq(hub_await_script(call, 2, &none, &reply), HUB_ELIMIT);
	cr_expect_null(reply);
	is_over = true;
	return HUB_OK;
}

static enum hub_rc errors(struct hub_call *call)
{
	const struct value *reply;

	cr_expect_eq(hub_redis_error(call).len, 0);
	expect_redis(HUB_FAILED, word("NOSUCHCOMMAND"));
	cr_expect_null(reply);
	cr_expect(slice_starts_with(hub_redis_error(call), SLICE("ERR unknown command")));
	expect_redis(HUB_OK, word("PING"));
	cr_expect_eq(hub_redis_error(call).len, 0);
	expect_redis(HUB_FAILED, word("Subscribe"), word("x"));
	cr_expect(slice_starts_with(hub_redis_error(call), SLICE("REFUSED ")));
	expect_redis(HUB_FAILED, word("xread"), word("block"), word("0"), word("STREAMS"),
		     word("s"), word("0"));
	expect_redis(HUB_OK, word("XREAD"), word("STREAMS"), word("block"), word("0"));
	expect_redis(HUB_FAILED, word("XREADGROUP"), word("group"), word("streams"),
		     word("Streams"), word("BLOCK"), word("0"), word("STREAMS"),
		     word("s"), word(">"));
	cr_expect(slice_starts_with(hub_redis_error(call), SLICE("REFUSED ")));
	expect_redis(HUB_FAILED, word("XREADGROUP"), word("GROUP"), word("g"),
		     word("block"), word("STREAMS"), word("s"), word(">"));
	cr_expect(slice_starts_with(hub_redis_error(call), SLICE("NOGROUP ")));
	expect_redis(HUB_FAILED, word("XREADGROUP"), word("GROUP"));
	cr_expect(slice_starts_with(hub_redis_error(call), SLICE("ERR ")));
	cr_expect_eq(hub_await_redis(call, NULL, 0, &reply), HUB_ELIMIT);
	is_over = true;
	return HUB_OK;
}

/* What hub_state.h does is tested in test_hub_state.c: here it is done in Redis. */
static enum hub_rc state(struct hub_call *call)
{
	const struct hub_entry *entries;
	const struct hub_field *fields;
	const struct value *reply;
	uint64_t number;
	size_t n;

	cr_assert_eq(
		hub_await_log_append(call, SLICE("k"), SLICE("one"), &bounds, 1, &number),
		HUB_OK);
	cr_assert_eq(
		hub_await_log_append(call, SLICE("k"), SLICE("two"), &bounds, 1, &number),
		HUB_ECONFLICT);
	cr_expect_eq(number, 2);
	cr_assert_eq(hub_await_field_put(call, SLICE("k"), SLICE("a"), SLICE("1"),
					 &bounds, 0, NULL),
		     HUB_OK);
	cr_assert_eq(hub_await_log_read(call, SLICE("k"), 1, 0, 10, &entries, &n, NULL),
		     HUB_OK);
	cr_assert_eq(n, 1);
	cr_expect(slice_equal(entries[0].bytes, SLICE("one")));
	cr_assert_eq(hub_await_fields(call, SLICE("k"), &fields, &n), HUB_OK);
	cr_assert_eq(n, 1);
	cr_expect(slice_equal(fields[0].name, SLICE("a")));
	expect_redis(HUB_OK, word("EXISTS"), word("test:state:{hub:k}:log"));
	cr_expect_eq(reply->integer, 1);
	cr_expect_eq(kit->router->state.table.items.count, 0);
	is_over = true;
	return HUB_OK;
}

/* All entries of the largest size: many pages. */
static enum hub_rc pages(struct hub_call *call)
{
	static char large[HUB_ENTRY_BYTES_MAX];
	const struct hub_entry *entries;
	const struct hub_field *fields;
	uint64_t last;
	size_t n;

	for (int i = 0; i < 7; i++) {
		large[0] = (char)('a' + i);
		cr_assert_eq(hub_await_log_append(call, SLICE("k"),
						  slice_make(large, sizeof(large)),
						  &bounds, HUB_ANY, NULL),
			     HUB_OK);
		cr_assert_eq(hub_await_field_put(call, SLICE("k"), slice_make(large, 1),
						 slice_make(large, sizeof(large)),
						 &bounds, HUB_ANY, NULL),
			     HUB_OK);
	}
	cr_assert_eq(hub_await_log_read(call, SLICE("k"), 2, 0, 5, &entries, &n, &last),
		     HUB_OK);
	cr_assert_eq(n, 5);
	cr_expect_eq(last, 7);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(entries[i].number, i + 3);
		cr_expect_eq(entries[i].bytes.ptr[0], (char)('c' + i));
	}
	cr_assert_eq(hub_await_fields(call, SLICE("k"), &fields, &n), HUB_OK);
	cr_assert_eq(n, 7);
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(fields[i].bytes.ptr[0], (char)('a' + i));
	is_over = true;
	return HUB_OK;
}

/* More fields than a page of changes has, and eviction leaves their names. */
static enum hub_rc half_evicted(struct hub_call *call)
{
	const struct hub_bounds room = { .entries_max = 100, .ttl_ms = 60000 };
	const uint64_t *sent = &kit->router->metrics.redis.commands_total;
	const struct value *reply;
	struct hub_changes found;
	uint64_t before;

	for (unsigned i = 0; i < HUB_CHANGES_MAX + 4; i++)
		cr_assert_eq(hub_await_field_put(call, SLICE("k"),
						 hub_printf(call, "f%u", i), SLICE("1"),
						 &room, 0, NULL),
			     HUB_OK);
	expect_redis(HUB_OK, word("DEL"), word("test:state:{hub:k}:fields"));
	cr_assert_eq(reply->integer, 1);
	before = *sent;
	cr_expect_eq(hub_await_changes(call, SLICE("k"), 0, 50, &found), HUB_ETIMEDOUT);
	cr_expect_eq(*sent - before, 1, "it looked %llu times",
		     (unsigned long long)(*sent - before));
	cr_expect_eq(found.version, 0);
	cr_assert_eq(hub_await_field_put(call, SLICE("k"), SLICE("new"), SLICE("2"),
					 &room, 0, NULL),
		     HUB_OK);
	cr_assert_eq(hub_await_changes(call, SLICE("k"), 0, 60000, &found), HUB_OK);
	cr_assert_eq(found.n, 1);
	cr_expect(slice_equal(found.fields[0].name, SLICE("new")));
	is_over = true;
	return HUB_OK;
}

static enum hub_rc without(struct hub_call *call)
{
	const struct hub_script_args none = { .keys = NULL };
	const struct value *reply;

	cr_expect_not(hub_has_redis(call));
	expect_redis(HUB_EUNAVAILABLE, word("PING"));
	cr_expect_eq(hub_await_script(call, 0, &none, &reply), HUB_EUNAVAILABLE);
	is_over = true;
	return HUB_OK;
}

static enum hub_rc away(struct hub_call *call)
{
	const struct value *reply;
	uint64_t number;

	expect_redis(HUB_EUNAVAILABLE, word("PING"));
	cr_expect_eq(hub_await_log_append(call, SLICE("k"), SLICE("x"), &bounds, HUB_ANY,
					  &number),
		     HUB_EUNAVAILABLE);
	is_over = true;
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Commands", .fn = commands, .arguments = "" },
	{ .name = "Arrays", .fn = arrays, .arguments = "" },
	{ .name = "Scripts", .fn = scripts, .arguments = "" },
	{ .name = "Errors", .fn = errors, .arguments = "" },
	{ .name = "State", .fn = state, .arguments = "" },
	{ .name = "Pages", .fn = pages, .arguments = "" },
	{ .name = "HalfEvicted", .fn = half_evicted, .arguments = "" },
	{ .name = "Without", .fn = without, .arguments = "" },
	{ .name = "Away", .fn = away, .arguments = "" },
};

static const struct hub_script module_scripts[] = {
	{ "seven", "return 7" },
	{ "both", "return {KEYS[1], ARGV[2]}" },
};

static const struct hub_module module = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.scripts = module_scripts,
	.scripts_n = sizeof(module_scripts) / sizeof(module_scripts[0]),
};

/* ---- the router */

static void open_router(bool has_redis)
{
	static char prefix[] = "test";
	static char no_file[] = "";
	struct router_conf conf = kit_conf();

	if (has_redis)
		conf.redis = (struct redis_conf){ .url = redis.url,
						  .prefix = prefix,
						  .password_file = no_file,
						  .sentinel_password_file = no_file,
						  .timeout_ms = 500 };
	is_over = false;
	kit = kit_new_conf(&module, &conf);
	router_open_redis(kit->router);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	kit_connect(kit, kit->g1, "c1", "ann");
}

static void setup(void)
{
	redis_kit_init(&redis);
	redis_server_start(&redis, &server, NULL);
	redis_kit_open(&redis);
	redis_kit_wait_up(&redis);
}

static void teardown(void)
{
	redis_server_kill(&server);
	redis_kit_fini(&redis);
}

TestSuite(hub_redis, .init = setup, .fini = teardown);

static void run(const char *method, bool has_redis)
{
	open_router(has_redis);
	kit_invoke(kit, kit->g1, "c1", "7", method, "[]");
	kit_turn_until(kit, &is_over);
	kit_free(kit);
}

Test(hub_redis, commands_are_answered_with_values)
{
	run("Commands", true);
}

Test(hub_redis, arrays_in_arrays_are_values)
{
	run("Arrays", true);
}

Test(hub_redis, a_module_has_scripts)
{
	run("Scripts", true);
}

Test(hub_redis, errors_are_told_and_some_commands_refused)
{
	run("Errors", true);
}

Test(hub_redis, state_is_in_redis)
{
	run("State", true);
}

Test(hub_redis, state_is_read_in_pages)
{
	run("Pages", true);
}

Test(hub_redis, who_waits_for_half_of_what_was_evicted_looks_once)
{
	run("HalfEvicted", true);
}

Test(hub_redis, there_may_be_none)
{
	run("Without", false);
}

Test(hub_redis, while_it_is_away_nothing_happens)
{
	redis_server_kill(&server);
	run("Away", true);
}
