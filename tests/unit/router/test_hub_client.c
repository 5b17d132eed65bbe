/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client results: the question on both of its routers, and every way in which an answer
 * comes, or does not.
 */
#include "proto/wire/hub_message.h"
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

#define QUESTIONS_MAX 256

static enum hub_rc ask(struct hub_call *call)
{
	struct value *arguments = hub_array(call);
	const struct value *result;
	enum hub_rc rc;

	hub_add(arguments, hub_int(call, 7));
	rc = hub_await_client(call, hub_arg_string(call, 0), SLICE("Result"), arguments,
			      0, &result);
	if (rc == HUB_OK)
		hub_return(call, hub_copy(call, result));
	else
		cr_expect_null(result);
	return rc;
}

static int64_t patience_ms; /* 0: the hub's */

static enum hub_rc ask_code(struct hub_call *call)
{
	struct value *told = hub_array(call);
	const struct value *result;

	hub_add(told, hub_int(call, hub_await_client(call, hub_arg_string(call, 0),
						     SLICE("Result"), hub_array(call),
						     patience_ms, &result)));
	hub_add(told, hub_string(call, hub_client_error(call)));
	hub_return(call, told);
	return HUB_OK;
}

static enum hub_rc ask_bytes(struct hub_call *call)
{
	struct value *arguments = hub_array(call);
	const struct value *result;

	hub_add(arguments, hub_bytes(call, SLICE("ab")));
	return hub_await_client(call, hub_arg_string(call, 0), SLICE("R"), arguments, 0,
				&result);
}

static enum hub_rc ask_stream(struct hub_call *call)
{
	const struct value *result;

	return hub_await_client(call, hub_arg_string(call, 0), SLICE("Result"),
				hub_array(call), 0, &result);
}

/* What is behind hub_scratch() must not make the call itself grow. */
static enum hub_rc ask_often(struct hub_call *call)
{
	const struct value *result;
	size_t used = 0;

	for (int i = 0; i < 3; i++) {
		hub_scratch(call);
		cr_expect_eq(hub_client_error(call).len, 0);
		cr_expect_eq(hub_await_client(call, hub_arg_string(call, 0),
					      SLICE("Result"), hub_array(call), 0,
					      &result),
			     HUB_FAILED);
		cr_expect(slice_equal(hub_client_error(call), SLICE("no")));
		if (i > 0)
			cr_expect_eq(call->arena.used, used);
		used = call->arena.used;
	}
	return HUB_FAILED;
}

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Ask", .fn = ask, .arguments = "s" },
	{ .name = "AskCode", .fn = ask_code, .arguments = "s" },
	{ .name = "AskBytes", .fn = ask_bytes, .arguments = "s" },
	{ .name = "AskStream", .fn = ask_stream, .arguments = "s", .is_stream = true },
	{ .name = "AskOften", .fn = ask_often, .arguments = "s", .is_stream = true },
	{ .name = "Echo", .fn = echo, .arguments = "v" },
};

static enum hub_rc ask_at_once(struct hub_call *call)
{
	const struct value *result;
	const enum hub_rc rc =
		hub_await_client(call, hub_connection_id(call), SLICE("Result"),
				 hub_array(call), 0, &result);

	if (!slice_equal(hub_user_id(call), SLICE("early")))
		return HUB_OK;
	cr_expect_eq(rc, HUB_FAILED);
	cr_expect(slice_equal(hub_client_error(call),
			      SLICE("A client cannot be asked before on_connected is "
				    "over.")));
	hub_send(call, hub_to_all(), SLICE("was here"), hub_array(call));
	return HUB_OK;
}

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = ask_at_once,
};

static struct kit *kit;
static const char *caller; /* owned by r1, as is other */
static const char *other;
static const char *theirs; /* by r2 */

/* One more connection id that r1 owns. */
static const char *one_more(const char *prefix)
{
	for (int i = 0;; i++) {
		const char *id = kit_text(kit, "%s%d", prefix, i);

		if (shard_owner_of(kit->router, SLICE("hub"), LINK__KIND__KIND_CONNECTION,
				   slice_from_str(id))
			    .is_own)
			return id;
	}
}

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	caller = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);
	theirs = kit_name(kit, LINK__KIND__KIND_CONNECTION, false);
	other = one_more("o");
	kit_connect(kit, kit->g1, caller, "ann");
	kit_connect(kit, kit->g2, other, "bob");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_client, .init = setup, .fini = teardown);

static void call(const char *target, const char *whom)
{
	kit_invoke(kit, kit->g1, caller, "a", target, kit_text(kit, "[\"%s\"]", whom));
	kit_turn(kit);
}

static void expect_complete(const char *frame)
{
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete %s %u %s", caller, (unsigned)kit->last_invoke,
		   frame);
}

static void expect_error(const char *target, const char *detail)
{
	expect_complete(kit_text(kit,
				 "{\"type\":3,\"invocationId\":\"a\",\"error\":\"An "
				 "unexpected error occurred invoking '%s' on the "
				 "server.%s\"}",
				 target, detail));
}

#define RESULT(what) "{\"type\":3,\"invocationId\":\"a\",\"result\":" what "}"

/* The id of the question that the gateway is to push to `id` next. */
static const char *expect_question(struct link_peer *gateway, const char *id,
				   const char *arguments)
{
	const char *said = kit_said(kit, gateway);
	const char *at = strstr(said, "\"invocationId\":\"s");
	const char *question;

	cr_assert_not_null(at, "said: %s", said);
	at += strlen("\"invocationId\":\"");
	question = kit_text(kit, "%.*s", (int)strcspn(at, "\""), at);
	cr_assert_str_eq(said, kit_text(kit,
					"push %s {\"type\":1,\"invocationId\":\"%s\","
					"\"target\":\"Result\",\"arguments\":%s}",
					id, question, arguments));
	return question;
}

/* ---- within one router */

Test(hub_client, the_result_is_what_the_client_answers)
{
	const char *question;

	call("Ask", other);
	question = expect_question(kit->g2, other, "[7]");
	kit_expect_silence(kit, kit->g1);
	kit_completion(kit, kit->g2, other, question, "{\"n\":42}", NULL);
	expect_complete(RESULT("{\"n\":42}"));
	cr_expect_eq(kit->router->metrics.question_total, 1);
}

Test(hub_client, the_caller_may_be_asked_while_its_call_runs)
{
	call("Ask", caller);
	kit_invoke(kit, kit->g1, caller, NULL, "Echo", "[1]");
	kit_completion(kit, kit->g1, caller, expect_question(kit->g1, caller, "[7]"),
		       "42", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete %s 1 " RESULT("42"), caller);
	kit_expect(kit, kit->g1, "complete %s 2 -", caller);
}

Test(hub_client, no_two_questions_have_one_id)
{
	const char *first;
	const char *second;

	kit_hub_conf(kit)->invocations_parallel_max = 2;
	call("Ask", other);
	call("Ask", other);
	first = expect_question(kit->g2, other, "[7]");
	second = expect_question(kit->g2, other, "[7]");
	cr_expect_str_neq(first, second);
	kit_completion(kit, kit->g2, other, second, "2", NULL);
	expect_complete(RESULT("2"));
}

Test(hub_client, the_error_of_the_client_is_passed_on)
{
	call("Ask", other);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[7]"), NULL,
		       "Client didn't provide a result.");
	expect_error("Ask", " HubException: Client didn't provide a result.");
	call("AskCode", other);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[]"), NULL,
		       "no");
	expect_complete(RESULT("[-1,\"no\"]"));
}

Test(hub_client, an_answer_without_result_or_with_a_bad_one_is_an_error)
{
	call("Ask", other);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[7]"), NULL,
		       NULL);
	expect_error("Ask", " HubException: The client gave no result.");
	call("Ask", other);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[7]"),
		       "nonsense", NULL);
	expect_error("Ask", " HubException: The client's result cannot be read.");
}

Test(hub_client, a_client_that_is_not_there_is_not_found)
{
	call("AskCode", one_more("n"));
	expect_complete(RESULT("[-5,\"\"]"));
}

Test(hub_client, a_client_that_leaves_will_not_answer)
{
	call("AskCode", other);
	kit_skip(kit, kit->g2);
	kit_disconnect(kit, kit->g2, other);
	expect_complete(RESULT("[-4,\"\"]"));
}

Test(hub_client, a_client_whose_gateway_is_lost_will_not_answer)
{
	call("AskCode", other);
	kit_skip(kit, kit->g2);
	kit_gone(kit, kit->g2);
	expect_complete(RESULT("[-4,\"\"]"));
}

Test(hub_client, no_answer_in_time)
{
	const char *question;
	bool is_over;

	patience_ms = 5;
	call("AskCode", other);
	question = expect_question(kit->g2, other, "[]");
	do {
		loop_turn(kit->loop, 100);
		is_over = kit->router->metrics.calls == 0;
	} while (!is_over);
	expect_complete(RESULT("[-3,\"\"]"));
	kit_completion(kit, kit->g2, other, question, "1", NULL);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_expect_silence(kit, kit->g2);
}

Test(hub_client, not_from_on_connected)
{
	kit_connect(kit, kit->g1, theirs, "early");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "deliver all {\"type\":1,\"target\":\"was here\",\"arguments\":[]}");
}

Test(hub_client, an_answer_of_one_who_was_not_asked_ends_its_connection)
{
	const char *question;

	call("Ask", other);
	question = expect_question(kit->g2, other, "[7]");
	kit_completion(kit, kit->g1, caller, question, "1", NULL);
	kit_expect(kit, kit->g1, "abort %s Connection closed with an error.", caller);
	cr_expect_eq(kit->router->metrics.answer_foreign_total, 1);
	kit_completion(kit, kit->g2, other, question, "2", NULL);
	expect_complete(RESULT("2"));
}

Test(hub_client, an_answer_to_nothing_is_passed_over)
{
	kit_completion(kit, kit->g1, caller, "s1", "1", NULL);
	kit_completion(kit, kit->g1, caller, "", "1", NULL);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
}

Test(hub_client, so_many_questions_wait_and_one_more_is_over_a_limit)
{
	Link__Question question = LINK__QUESTION__INIT;

	question.hub = link_bytes(SLICE("hub"));
	question.connection = link_bytes(slice_from_str(other));
	question.target = link_bytes(SLICE("R"));
	question.protocol = HUB_PROTOCOL_JSON;
	question.arguments = link_bytes(SLICE("[]"));
	question.timeout_ms = 60000;
	for (question.call = 1; question.call <= QUESTIONS_MAX; question.call++)
		kit_hear_question(kit, kit->r2, &question);
	kit_expect_silence(kit, kit->r2);
	kit_hear_question(kit, kit->r2, &question);
	kit_expect(kit, kit->r2, "answer %d ERR_LIMIT", QUESTIONS_MAX + 1);
	cr_expect_eq(kit->router->metrics.question_refused_total, 1);
	kit_disconnect(kit, kit->g2, other);
	kit_expect(kit, kit->r2, "answer 1 ERR_CLOSED");
}

Test(hub_client, errors_behind_the_scratch_do_not_pile_up)
{
	kit_stream(kit, kit->g1, caller, "a", "AskOften",
		   kit_text(kit, "[\"%s\"]", other));
	for (int i = 0; i < 3; i++) {
		kit_turn(kit);
		kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[]"),
			       NULL, "no");
	}
	expect_error("AskOften", " HubException: no");
}

Test(hub_client, cancel_ends_the_wait)
{
	kit_stream(kit, kit->g1, caller, "a", "AskStream",
		   kit_text(kit, "[\"%s\"]", other));
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	kit_cancel(kit, kit->g1, caller, "a");
	expect_complete("{\"type\":3,\"invocationId\":\"a\"}");
}

/* teardown() stops the router. */
Test(hub_client, a_router_that_stops_waits_for_no_client)
{
	call("Ask", other);
	cr_expect_eq(kit->router->metrics.calls, 1);
}

/* ---- over two routers */

static void answer(enum err rc, const char *result, const char *error)
{
	Link__Answer message = LINK__ANSWER__INIT;

	message.call = kit->call;
	message.rc = rc;
	message.protocol = HUB_PROTOCOL_JSON;
	message.result = link_bytes(slice_from_str(result));
	message.has_error = error != NULL;
	message.error = link_bytes(slice_from_str(error));
	kit_hear_answer(kit, kit->r2, &message);
}

Test(hub_client, of_another_shard_is_asked_there)
{
	kit_hub_conf(kit)->client_result_timeout_ms = 1234;
	call("Ask", theirs);
	kit_expect(kit, kit->r2, "question %s Result [7] 1234", theirs);
	answer(OK, "[1]", NULL);
	expect_complete(RESULT("[1]"));
	call("Ask", theirs);
	kit_expect(kit, kit->r2, "question %s Result [7] 1234", theirs);
	answer(OK, NULL, "boo");
	expect_error("Ask", " HubException: boo");
	patience_ms = 56789;
	call("AskCode", theirs);
	kit_expect(kit, kit->r2, "question %s Result [] 56789", theirs);
	answer(ERR_NOT_FOUND, NULL, NULL);
	expect_complete(RESULT("[-5,\"\"]"));
}

Test(hub_client, the_loss_of_its_router_ends_the_wait)
{
	call("AskCode", theirs);
	kit_expect(kit, kit->r2, "question %s Result [] 60000", theirs);
	kit_restart(kit, kit->r2);
	expect_complete(RESULT("[-4,\"\"]"));
}

Test(hub_client, an_answer_goes_back_to_the_router_that_asked)
{
	Link__Question question = LINK__QUESTION__INIT;

	question.hub = link_bytes(SLICE("hub"));
	question.connection = link_bytes(slice_from_str(other));
	question.call = 5;
	question.target = link_bytes(SLICE("Result"));
	question.protocol = HUB_PROTOCOL_JSON;
	question.arguments = link_bytes(SLICE("[1]"));
	question.timeout_ms = 60000;
	kit_hear_question(kit, kit->r2, &question);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[1]"),
		       "\"x\"", NULL);
	kit_expect(kit, kit->r2, "answer 5 OK \"x\"");
	question.connection = link_bytes(slice_from_str(one_more("nobody")));
	kit_hear_question(kit, kit->r2, &question);
	kit_expect(kit, kit->r2, "answer 5 ERR_NOT_FOUND");
	question.connection = link_bytes(slice_from_str(other));
	question.protocol = 99;
	kit_hear_question(kit, kit->r2, &question);
	kit_expect(kit, kit->r2, "answer 5 ERR_UNSUPPORTED");
}

Test(hub_client, an_answer_too_long_for_the_link_becomes_a_limit)
{
	Link__Question question = LINK__QUESTION__INIT;
	static char text[(1 << 20) + 16];

	memset(text, '1', sizeof(text) - 1);
	question.hub = link_bytes(SLICE("hub"));
	question.connection = link_bytes(slice_from_str(other));
	question.call = 5;
	question.target = link_bytes(SLICE("Result"));
	question.protocol = HUB_PROTOCOL_JSON;
	question.arguments = link_bytes(SLICE("[]"));
	question.timeout_ms = 60000;
	kit_hear_question(kit, kit->r2, &question);
	kit_completion(kit, kit->g2, other, expect_question(kit->g2, other, "[]"), text,
		       NULL);
	kit_expect(kit, kit->r2, "answer 5 ERR_LIMIT");
}

/* ---- protocols */

Test(hub_client, is_asked_in_its_own_protocol)
{
	const char *said;

	kit->protocol = HUB_PROTOCOL_MSGPACK;
	kit_disconnect(kit, kit->g2, other);
	kit_turn(kit);
	kit_connect(kit, kit->g2, other, "bob");
	kit->protocol = HUB_PROTOCOL_JSON;
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	call("AskBytes", other);
	said = kit_said(kit, kit->g2);
	/* ... "R", [bin "ab"], [] */
	cr_expect_not_null(strstr(said, "a15291c402616290"), "said: %s", said);
}

Test(hub_client, bytes_are_base64_for_one_who_speaks_json)
{
	const char *said;

	call("AskBytes", other);
	said = kit_said(kit, kit->g2);
	cr_expect_not_null(strstr(said, "\"arguments\":[\"YWI=\"]"), "said: %s", said);
}
