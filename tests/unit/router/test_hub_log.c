/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators are told: a hub's own lines and counters, methods that are slow, and
 * what a hub does wrong, which fails its call and nothing else.
 */
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

enum { COUNT_WORDS, COUNT_BYTES };

static const char *const counters[] = { "words", "bytes" };

static enum hub_rc speak(struct hub_call *call)
{
	const struct slice text = hub_arg_string(call, 0);

	hub_count(call, COUNT_WORDS, 1);
	hub_count(call, COUNT_BYTES, text.len);
	hub_log(call, LOG_WARN, "spoken", "text=%s bytes=%zu", hub_quote(call, text),
		text.len);
	return HUB_OK;
}

static enum hub_rc whisper(struct hub_call *call)
{
	hub_log(call, LOG_DEBUG, "whispered", "%s", "");
	hub_log(call, LOG_INFO,
		"a_word_that_is_far_longer_than_the_id_of_an_event_should_ever_be", "%s",
		"");
	return HUB_OK;
}

static enum hub_rc greet(struct hub_call *call)
{
	hub_log(call, LOG_INFO, "greeted", "%s", "");
	return HUB_OK;
}

/* ---- mistakes */

static enum hub_rc read_too_far(struct hub_call *call)
{
	cr_expect_eq(hub_arg(call, 1)->type, VALUE_NIL);
	return HUB_OK;
}

static enum hub_rc read_wrong(struct hub_call *call)
{
	cr_expect_eq(hub_arg_int(call, 0), 0);
	cr_expect_eq(hub_arg_number(call, 0), 0);
	cr_expect_not(hub_arg_bool(call, 0));
	cr_expect_eq(hub_arg_bytes(call, 0).len, 0);
	cr_expect_eq(hub_arg_string(call, 1).len, 0);
	return HUB_OK;
}

static enum hub_rc count_wrong(struct hub_call *call)
{
	hub_count(call, 2, 1);
	return HUB_OK;
}

static enum hub_rc send_wrong(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("e"), hub_null(call));
	return HUB_OK;
}

static enum hub_rc item_wrong(struct hub_call *call)
{
	const struct value *item;

	cr_expect_eq(hub_await_next(call, 0, &item), HUB_FAILED);
	return hub_await_item(call, hub_null(call));
}

static enum hub_rc ask_wrong(struct hub_call *call)
{
	const struct value *result;

	return hub_await_client(call, hub_connection_id(call), SLICE("e"), hub_null(call),
				0, &result);
}

static enum hub_rc option_wrong(struct hub_call *call)
{
	cr_expect_eq(hub_option_int(call, 0), 0);
	cr_expect_eq(hub_option_text(call, 0).len, 0);
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Speak", .fn = speak, .arguments = "s" },
	{ .name = "Whisper", .fn = whisper, .arguments = "" },
	{ .name = "ReadTooFar", .fn = read_too_far, .arguments = "s" },
	{ .name = "ReadWrong", .fn = read_wrong, .arguments = "s" },
	{ .name = "CountWrong", .fn = count_wrong, .arguments = "" },
	{ .name = "SendWrong", .fn = send_wrong, .arguments = "" },
	{ .name = "ItemWrong", .fn = item_wrong, .arguments = "" },
	{ .name = "AskWrong", .fn = ask_wrong, .arguments = "" },
	{ .name = "OptionWrong", .fn = option_wrong, .arguments = "" },
};

static const struct hub_module talk = {
	.api_version = HUB_API_VERSION,
	.name = "talk",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_user_online = greet,
	.counters = counters,
	.counters_n = 2,
};

static struct kit *kit;

static void setup(void)
{
	kit_open_log();
	kit = kit_new(&talk);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_log, .init = setup, .fini = teardown);

static void invoke(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
}

static void expect_logged(const char *text)
{
	const char *logged = kit_logged(kit);

	cr_expect_not_null(strstr(logged, text), "%s is not in\n%s", text, logged);
}

static void expect_shown(const char *text)
{
	struct buf shown = BUF_INIT;

	metrics_render(&router_metrics_table, &kit->router->metrics, &shown);
	buf_append_byte(&shown, '\0');
	cr_expect_not_null(strstr(shown.ptr, text), "%s is not in\n%s", text, shown.ptr);
	buf_fini(&shown);
}

/* ---- lines */

Test(hub_log, a_line_has_the_hub_in_its_id_and_tells_who_wrote_it)
{
	invoke("SPEAK", "[\"a b\\n\"]");
	expect_logged("level=warn event=hub.talk.spoken node=r1 method=\"Speak\" "
		      "connection=\"c1\" text=\"a b\\n\" bytes=4\n");
}

Test(hub_log, a_call_for_a_user_has_no_connection)
{
	kit_user(kit, "01", LINK__CHANGE__CHANGE_ONLINE, "ann", "Ann");
	kit_turn(kit);
	expect_logged("event=hub.talk.greeted node=r1 method=\"on_user_online\"\n");
}

Test(hub_log, levels_count_and_a_long_id_is_cut)
{
	invoke("Whisper", "[]");
	expect_logged(
		"level=info event=hub.talk.a_word_that_is_far_longer_than_the_id_of_an_"
		"event_shoul node=r1 method=\"Whisper\" connection=\"c1\"\n");
	cr_expect_null(strstr(kit_logged(kit), "whispered"));
}

Test(hub_log, a_slow_method_is_named)
{
	kit->conf.hub_slow_ms = 0;
	invoke("speak", "[\"\"]");
	expect_logged("level=warn event=hub.slow node=r1 hub=talk method=\"Speak\" ms=");
}

/* ---- counters */

Test(hub_log, counters_are_shown_from_the_start_and_count)
{
	expect_shown("# TYPE router_hub_counted_total counter\n");
	expect_shown("router_hub_counted_total{hub=\"talk\",name=\"words\"} 0\n"
		     "router_hub_counted_total{hub=\"talk\",name=\"bytes\"} 0\n");
	invoke("Speak", "[\"abc\"]");
	invoke("Speak", "[\"de\"]");
	expect_shown("router_hub_counted_total{hub=\"talk\",name=\"words\"} 2\n"
		     "router_hub_counted_total{hub=\"talk\",name=\"bytes\"} 5\n");
}

/* ---- mistakes */

static void expect_misuse(const char *target, const char *arguments, const char *what,
			  unsigned times)
{
	invoke(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server.\"}",
		   target);
	expect_logged(kit_text(kit,
			       "level=error event=hub.misuse node=r1 hub=talk "
			       "method=\"%s\" what=\"%s\"\n",
			       target, what));
	cr_expect_eq(kit->router->metrics.hub_misuse_total, times);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 1);
	/* The router goes on, and so does the hub. */
	invoke("Speak", "[\"abc\"]");
	kit_expect(kit, kit->g1,
		   "complete c1 2 {\"type\":3,\"invocationId\":\"7\",\"result\":null}");
}

Test(hub_log, an_argument_that_is_not_there)
{
	expect_misuse("ReadTooFar", "[\"a\"]", "hub_arg()", 1);
}

Test(hub_log, an_argument_of_another_type)
{
	expect_misuse("ReadWrong", "[\"a\"]", "hub_arg_int()", 5);
	expect_logged("what=\"hub_arg_number()\"\n");
	expect_logged("what=\"hub_arg_bool()\"\n");
	expect_logged("what=\"hub_arg_bytes()\"\n");
	expect_logged("what=\"hub_arg_string()\"\n");
}

Test(hub_log, a_counter_that_is_not_in_the_table)
{
	expect_misuse("CountWrong", "[]", "hub_count()", 1);
}

Test(hub_log, arguments_that_are_no_array)
{
	expect_misuse("SendWrong", "[]", "hub_send(): arguments that are no array", 1);
}

Test(hub_log, a_question_whose_arguments_are_no_array)
{
	expect_misuse("AskWrong", "[]", "hub_await_client(): arguments that are no array",
		      1);
}

Test(hub_log, streams_that_the_method_does_not_have)
{
	expect_misuse("ItemWrong", "[]", "hub_await_next(): no such stream", 2);
	expect_logged("what=\"hub_await_item(): the method has no stream\"\n");
}

Test(hub_log, an_option_that_is_not_in_the_table)
{
	expect_misuse("OptionWrong", "[]", "hub_option_int()", 2);
	expect_logged("what=\"hub_option_text()\"\n");
}
