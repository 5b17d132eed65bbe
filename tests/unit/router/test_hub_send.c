/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each way to send, to keys of our own and of the other shard, and what a failure does.
 */
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

static struct value *one(struct hub_call *call, struct slice text)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_string(call, text));
	return arguments;
}

/* Send(how, name) */
static enum hub_rc send_how(struct hub_call *call)
{
	const struct slice how = hub_arg_string(call, 0);
	const struct slice name = hub_arg_string(call, 1);
	const struct value *arguments = one(call, SLICE("hi"));
	const struct slice event = SLICE("ev");

	if (slice_equal(how, SLICE("caller")))
		hub_send(call, hub_to_caller(), event, arguments);
	else if (slice_equal(how, SLICE("all")))
		hub_send(call, hub_to_all(), event, arguments);
	else if (slice_equal(how, SLICE("others")))
		hub_send(call, hub_to_others(), event, arguments);
	else if (slice_equal(how, SLICE("group")))
		hub_send(call, hub_to_group(name), event, arguments);
	else if (slice_equal(how, SLICE("others_in_group")))
		hub_send(call, hub_to_others_in_group(name), event, arguments);
	else if (slice_equal(how, SLICE("user")))
		hub_send(call, hub_to_user(name), event, arguments);
	else
		hub_send(call, hub_to_connection(name), event, arguments);
	return HUB_OK;
}

static enum hub_rc send_three(struct hub_call *call)
{
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("a"),
		 one(call, SLICE("1")));
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("b"),
		 one(call, SLICE("2")));
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("c"),
		 one(call, SLICE("3")));
	return HUB_OK;
}

static struct slice names[HUB_TO_MAX + 1];

/* How many of them are meant. */
static size_t take_names(struct hub_call *call, size_t index)
{
	size_t n = 0;

	for (const struct value *item = hub_arg(call, index)->first; item != NULL;
	     item = item->next)
		names[n++] = item->bytes;
	return n;
}

/* SendMany(how, names) */
static enum hub_rc send_many(struct hub_call *call)
{
	const struct slice how = hub_arg_string(call, 0);
	const size_t n = take_names(call, 1);
	const struct value *arguments = one(call, SLICE("hi"));
	const struct slice event = SLICE("ev");

	if (slice_equal(how, SLICE("groups")))
		hub_send(call, hub_to_groups(names, n), event, arguments);
	else if (slice_equal(how, SLICE("users")))
		hub_send(call, hub_to_users(names, n), event, arguments);
	else
		hub_send(call, hub_to_connections(names, n), event, arguments);
	return HUB_OK;
}

/* SendTwice(names): two messages, each to all of the groups. */
static enum hub_rc send_twice(struct hub_call *call)
{
	const size_t n = take_names(call, 0);

	hub_send(call, hub_to_groups(names, n), SLICE("a"), one(call, SLICE("1")));
	hub_send(call, hub_to_groups(names, n), SLICE("b"), one(call, SLICE("2")));
	return HUB_OK;
}

/* SendTo(n, name): to one user as often as that. */
static enum hub_rc send_to_n(struct hub_call *call)
{
	for (size_t i = 0; i <= HUB_TO_MAX; i++)
		names[i] = hub_arg_string(call, 1);
	hub_send(call, hub_to_users(names, (size_t)hub_arg_int(call, 0)), SLICE("ev"),
		 one(call, SLICE("hi")));
	return HUB_OK;
}

/* SendLong(name): more than a message between processes can hold */
static enum hub_rc send_long(struct hub_call *call)
{
	static char text[LINK_ENVELOPE_BYTES_MAX + 1];

	memset(text, 'x', sizeof(text));
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("a"),
		 one(call, slice_make(text, sizeof(text))));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Send", .fn = send_how, .arguments = "ss" },
	{ .name = "SendThree", .fn = send_three, .arguments = "s" },
	{ .name = "SendMany", .fn = send_many, .arguments = "sa" },
	{ .name = "SendTwice", .fn = send_twice, .arguments = "a" },
	{ .name = "SendTo", .fn = send_to_n, .arguments = "is" },
	{ .name = "SendLong", .fn = send_long, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

#define EVENT "{\"type\":1,\"target\":\"ev\",\"arguments\":[\"hi\"]}"
#define DONE "{\"type\":3,\"invocationId\":\"7\",\"result\":null}"
#define FAILED(target)                                                                   \
	"{\"type\":3,\"invocationId\":\"7\",\"error\":\"An unexpected error occurred "   \
	"invoking '" target "' on the server. HubException: Not every receiver is "      \
	"known to have been reached.\"}"

static struct kit *kit;
static const char *caller; /* its id is r1's */

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.link.window_bytes_max = 4096;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	caller = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);
	kit_connect(kit, kit->g1, caller, "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_send, .init = setup, .fini = teardown);

static void send_it(const char *how, const char *name)
{
	kit_invoke(kit, kit->g1, caller, "7", "Send",
		   kit_text(kit, "[\"%s\",\"%s\"]", how, name));
	kit_turn(kit);
}

static void answer_sent(enum err rc)
{
	Link__Sent sent = LINK__SENT__INIT;

	sent.call = kit->call;
	sent.rc = rc;
	kit_hear_sent(kit, kit->r2, &sent);
	kit_turn(kit);
}

/* ---- keys of our own */

Test(hub_send, to_the_caller)
{
	send_it("caller", "");
	kit_expect(kit, kit->g1, "deliver connection %s " EVENT, caller);
	kit_expect_silence(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
}

Test(hub_send, to_all_by_our_own_gateways)
{
	send_it("all", "");
	kit_expect(kit, kit->g1, "deliver all " EVENT);
	kit_expect(kit, kit->g2, "deliver all " EVENT);
	kit_expect_silence(kit, kit->r2);
}

Test(hub_send, to_others)
{
	send_it("others", "");
	kit_expect(kit, kit->g1, "deliver all " EVENT " without %s", caller);
	kit_expect(kit, kit->g2, "deliver all " EVENT " without %s", caller);
}

Test(hub_send, to_a_group_of_ours)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, true);

	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, group, "c2", false);
	send_it("group", group);
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, group);
	kit_expect_silence(kit, kit->r2);
	send_it("others_in_group", group);
	kit_expect(kit, kit->g2, "deliver group %s " EVENT " without %s", group, caller);
}

Test(hub_send, to_a_user_of_ours)
{
	const char *user = kit_name(kit, LINK__KIND__KIND_USER, true);

	kit_member(kit, kit->g2, LINK__KIND__KIND_USER, user, "c2", false);
	send_it("user", user);
	kit_expect(kit, kit->g2, "deliver user %s " EVENT, user);
}

Test(hub_send, to_a_connection_that_is_not_there)
{
	send_it("connection", caller);
	kit_skip(kit, kit->g1);
	kit_disconnect(kit, kit->g1, caller);
	kit_connect(kit, kit->g2, "k9999", NULL);
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.send_empty_total, 0);
	kit_invoke(kit, kit->g2, "k9999", "7", "Send",
		   kit_text(kit, "[\"connection\",\"%s\"]", caller));
	kit_turn(kit);
	kit_expect(kit, kit->g2, "complete k9999 2 " DONE);
	cr_expect_eq(kit->router->metrics.send_empty_total, 1);
}

/* ---- keys of the other shard */

Test(hub_send, to_a_group_of_another_shard)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	send_it("others_in_group", group);
	kit_expect(kit, kit->r2, "send group %s " EVENT " without %s", group, caller);
	kit_ack(kit, kit->r2);
	kit_expect_silence(kit, kit->g1); /* handled is not delivered */
	answer_sent(OK);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
}

Test(hub_send, to_a_user_and_a_connection_of_another_shard)
{
	const char *user = kit_name(kit, LINK__KIND__KIND_USER, false);
	const char *id = kit_name(kit, LINK__KIND__KIND_CONNECTION, false);

	send_it("user", user);
	kit_expect(kit, kit->r2, "send user %s " EVENT, user);
	send_it("connection", id);
	kit_expect(kit, kit->r2, "send connection %s " EVENT, id);
}

Test(hub_send, keeps_the_order_it_was_made_in)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	kit_invoke(kit, kit->g1, caller, NULL, "SendThree",
		   kit_text(kit, "[\"%s\"]", group));
	kit_turn(kit);
	kit_expect(kit, kit->r2,
		   "send group %s {\"type\":1,\"target\":\"a\",\"arguments\":[\"1\"]}",
		   group);
	cr_expect_eq(kit->call, 0, "nobody waits");
	kit_expect(kit, kit->r2,
		   "send group %s {\"type\":1,\"target\":\"b\",\"arguments\":[\"2\"]}",
		   group);
	kit_expect(kit, kit->r2,
		   "send group %s {\"type\":1,\"target\":\"c\",\"arguments\":[\"3\"]}",
		   group);
	kit_expect(kit, kit->g1, "complete %s 1 -", caller);
}

/* ---- several names */

static void send_many_to(const char *how, const char *first, const char *second)
{
	kit_invoke(kit, kit->g1, caller, "7", "SendMany",
		   kit_text(kit, "[\"%s\",[\"%s\",\"%s\"]]", how, first, second));
	kit_turn(kit);
}

Test(hub_send, to_groups_wherever_they_are_owned)
{
	const char *ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	const char *theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, ours, "c2", false);
	send_many_to("groups", ours, theirs);
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, ours);
	kit_expect(kit, kit->r2, "send group %s " EVENT, theirs);
	answer_sent(OK);
	kit_expect_silence(kit, kit->g1); /* the other one is not confirmed */
	kit_ack(kit, kit->g2);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
}

Test(hub_send, who_is_in_two_groups_gets_it_twice)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, true);

	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, group, "c2", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_USER, "bob", "c2", false);
	send_many_to("groups", group, group);
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, group);
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, group);
	kit_expect_silence(kit, kit->g2);
}

Test(hub_send, to_users_and_connections)
{
	const char *user = kit_name(kit, LINK__KIND__KIND_USER, false);
	const char *id = kit_name(kit, LINK__KIND__KIND_CONNECTION, false);

	send_many_to("users", user, "");
	kit_expect(kit, kit->r2, "send user %s " EVENT, user);
	kit_skip(kit, kit->r2);
	send_many_to("connections", id, caller);
	kit_expect(kit, kit->r2, "send connection %s " EVENT, id);
	kit_expect(kit, kit->g1, "deliver connection %s " EVENT, caller);
}

Test(hub_send, each_group_gets_what_is_sent_in_order)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);
	static const char text[] = "send group %s {\"type\":1,\"target\":\"%s\","
				   "\"arguments\":[\"%s\"]}";

	kit_invoke(kit, kit->g1, caller, "7", "SendTwice",
		   kit_text(kit, "[[\"%s\",\"%s\"]]", group, group));
	kit_turn(kit);
	for (int i = 0; i < 2; i++)
		kit_expect(kit, kit->r2, text, group, "a", "1");
	for (int i = 0; i < 2; i++)
		kit_expect(kit, kit->r2, text, group, "b", "2");
	kit_expect_silence(kit, kit->r2);
}

Test(hub_send, to_no_names_is_to_nobody)
{
	kit_invoke(kit, kit->g1, caller, "7", "SendMany", "[\"groups\",[]]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
	kit_expect_silence(kit, kit->r2);
	kit_expect_silence(kit, kit->g2);
}

static void send_to(unsigned n)
{
	kit_invoke(kit, kit->g1, caller, "7", "SendTo",
		   kit_text(kit, "[%u,\"%s\"]", n,
			    kit_name(kit, LINK__KIND__KIND_USER, true)));
	kit_turn(kit);
}

Test(hub_send, to_a_thousand_names_and_not_to_one_more)
{
	const uint64_t *refused = &kit->router->metrics.send_refused_total;

	cr_assert_eq(HUB_TO_MAX, 1000);
	send_to(1000);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
	cr_expect_eq(kit->router->metrics.send_empty_total, 1000);
	cr_expect_eq(*refused, 0);
	send_to(1001);
	kit_expect(kit, kit->g1, "complete %s 2 " FAILED("SendTo"), caller);
	cr_expect_eq(kit->router->metrics.send_empty_total, 1000);
	cr_expect_eq(*refused, 1);
}

/* ---- failures */

Test(hub_send, one_failed_send_of_many_fails_the_invocation)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	kit_invoke(kit, kit->g1, caller, "7", "SendThree",
		   kit_text(kit, "[\"%s\"]", group));
	kit_turn(kit);
	kit_said(kit, kit->r2);
	answer_sent(OK);
	kit_said(kit, kit->r2);
	answer_sent(ERR_OUTCOME);
	kit_expect_silence(kit, kit->g1);
	kit_said(kit, kit->r2);
	answer_sent(OK);
	kit_expect(kit, kit->g1, "complete %s 1 " FAILED("SendThree"), caller);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 1);
}

Test(hub_send, a_shard_lost_after_it_took_the_send_fails_it)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	send_it("group", group);
	kit_expect(kit, kit->r2, "send group %s " EVENT, group);
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	kit_expect(kit, kit->g1, "complete %s 1 " FAILED("Send"), caller);
}

Test(hub_send, a_shard_lost_before_it_told_fails_it)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	send_it("group", group);
	kit_expect(kit, kit->r2, "send group %s " EVENT, group);
	kit_restart(kit, kit->r2);
	kit_expect(kit, kit->g1, "complete %s 1 " FAILED("Send"), caller);
}

Test(hub_send, what_was_never_sent_goes_to_the_shards_next_process)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	send_it("group", group);
	kit_restart(kit, kit->r2);
	kit_expect_silence(kit, kit->g1);
	kit_expect(kit, kit->r2, "send group %s " EVENT, group);
	kit_ack(kit, kit->r2);
	answer_sent(OK);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
}

/* Nothing is lost of it: test_backlog.c. */
Test(hub_send, a_full_link_makes_its_calls_wait)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	for (int i = 0; i < 100 && !kit->router->backlog.is_full; i++) {
		kit_invoke(kit, kit->g1, caller, NULL, "SendThree",
			   kit_text(kit, "[\"%s\"]", group));
		kit_turn(kit);
		kit_skip(kit, kit->g1);
	}
	cr_assert(kit->router->backlog.is_full);
	send_it("group", group);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.backlog_refused_total, 0);
	cr_expect_eq(kit->router->metrics.send_failed_total, 0);
}

static void send_long_to(const char *group)
{
	kit_invoke(kit, kit->g1, caller, "7", "SendLong",
		   kit_text(kit, "[\"%s\"]", group));
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete %s 1 " FAILED("SendLong"), caller);
	kit_expect_silence(kit, kit->r2);
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 0);
}

Test(hub_send, what_is_too_long_for_another_shard_fails_alone)
{
	send_long_to(kit_name(kit, LINK__KIND__KIND_GROUP, false));
}

Test(hub_send, what_is_too_long_for_a_gateway_fails_alone)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, true);

	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, group, "c2", false);
	send_long_to(group);
}

Test(hub_send, a_late_answer_is_nobodys)
{
	const char *group = kit_name(kit, LINK__KIND__KIND_GROUP, false);

	send_it("group", group);
	kit_said(kit, kit->r2);
	answer_sent(OK);
	answer_sent(ERR_LIMIT);
	kit_expect(kit, kit->g1, "complete %s 1 " DONE, caller);
	kit_expect_silence(kit, kit->g1);
}
