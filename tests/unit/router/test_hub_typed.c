/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated functions on a router: what fits goes in and comes out unchanged, and what
 * does not is told with its place.
 */
#include "tests/unit/router/hub_kit.h"
#include "tests/unit/router/typed_hub.h"

#define EVERYTHING_BUT(text, level, positions, rows)                                     \
	"{\"text\":" text                                                                \
	",\"flag\":true,\"whole\":-7,\"number\":1.5,\"data\":\"AP8+/w==\","              \
	"\"extra\":{\"a\":[1,null]},\"level\":" level                                    \
	",\"position\":{\"line\":1,\"column\":2},\"positions\":" positions               \
	",\"rows\":" rows ",\"texts\":[\"a\",\"\"],\"levels\":[\"low\",\"very high\"],"  \
	"\"extras\":[1,\"b\",[]],\"mood\":\"sad\"}"
#define POSITIONS "[{\"line\":3,\"column\":4},{\"line\":5,\"column\":6}]"
#define ROWS "[{\"positions\":" POSITIONS "},{\"positions\":[]}]"
#define EVERYTHING EVERYTHING_BUT("\"t\"", "\"normal\"", POSITIONS, ROWS)

static struct kit *kit;

static void setup(void)
{
	kit = kit_new(&typed_hub);
	kit->hub = "typed";
	kit_connect(kit, kit->g1, "c1", "ann");
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_typed, .init = setup, .fini = teardown);

static void call(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
}

static void expect_result(const char *target, const char *arguments, const char *result)
{
	call(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   (unsigned)kit->last_invoke, result);
}

/* The hub says why. */
static void expect_error(const char *target, const char *arguments, const char *error)
{
	call(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "%s\"}",
		   (unsigned)kit->last_invoke, target, error);
}

/* SignalR says that the arguments do not fit. */
static void expect_unbound(const char *target, const char *arguments)
{
	call(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"Failed "
		   "to invoke '%s' due to an error on the server.\"}",
		   (unsigned)kit->last_invoke, target);
}

/* Behind it is what MessagePack clients get, when JSON loses something. */
static void expect_event(const char *target, const char *arguments, const char *event,
			 const char *said)
{
	const char *want = kit_text(
		kit,
		"deliver connection c1 {\"type\":1,\"target\":\"%s\",\"arguments\":%s}",
		event, said);
	const char *got;

	call(target, arguments);
	got = kit_said(kit, kit->g1);
	cr_expect_eq(strncmp(got, want, strlen(want)), 0, "said: %s\nwant: %s", got,
		     want);
	kit_ack(kit, kit->g1);
	kit_skip(kit, kit->g1);
}

/* Of what waits for the gateway; the rest is passed over. */
static void expect_completion(const char *rest)
{
	const char *said = kit_said(kit, kit->g1);

	while (*said != '\0' && strncmp(said, "complete", 8) != 0)
		said = kit_said(kit, kit->g1);
	cr_expect_not_null(strstr(said, rest), "%s: %s", rest, said);
}

/* ---- there and back */

Test(hub_typed, every_type_comes_back_as_it_was)
{
	expect_result("Echo", "[" EVERYTHING "]", EVERYTHING);
	expect_result("Echo", "[" EVERYTHING_BUT("\"\"", "\"low\"", "[]", "[]") "]",
		      EVERYTHING_BUT("\"\"", "\"low\"", "[]", "[]"));
	expect_event("Tell", "[" EVERYTHING "]", "Heard", "[" EVERYTHING "]");
	expect_event("TellNothing", "[]", "Nothing", "[]");
}

Test(hub_typed, members_come_in_any_order_and_strangers_are_ignored)
{
	expect_result("EchoOptions", "[{\"whole\":1,\"foo\":[],\"text\":\"t\"}]",
		      "{\"text\":\"t\",\"whole\":1}");
}

Test(hub_typed, an_absent_member_stays_absent)
{
	expect_result("EchoOptions", "[{}]", "{}");
	expect_result("EchoOptions",
		      "[{\"flag\":null,\"text\":null,\"whole\":null,\"number\":null,"
		      "\"data\":null,\"extra\":null,\"level\":null,\"position\":null,"
		      "\"positions\":null,\"texts\":null}]",
		      "{}");
}

Test(hub_typed, an_empty_member_is_there)
{
	static const char all[] =
		"{\"flag\":false,\"text\":\"\",\"whole\":0,\"number\":0,\"data\":\"\","
		"\"extra\":false,\"level\":\"low\",\"position\":{\"line\":0,\"column\":0}"
		","
		"\"positions\":[],\"texts\":[]}";

	expect_result("EchoOptions", kit_text(kit, "[%s]", all), all);
}

Test(hub_typed, what_is_absent_in_a_list_is_null)
{
	expect_event("TellOptions", "[{},null,null]", "Optional", "[{},null,null]");
	expect_event("TellOptions", "[{},0,{\"line\":1,\"column\":2}]", "Optional",
		     "[{},0,{\"line\":1,\"column\":2}]");
}

Test(hub_typed, results_that_are_no_objects)
{
	expect_result("EchoLevels", "[[\"low\",\"very high\"]]",
		      "[\"low\",\"very high\"]");
	expect_result("EchoLevels", "[[]]", "[]");
	expect_result("EchoAny", "[{\"b\":[1]}]", "{\"b\":[1]}");
	expect_result("EchoAny", "[null]", "null");
	expect_result("EchoBytes", "[\"\"]", "\"\"");
	expect_result("EchoBytes", "[\"AA==\"]", "\"AA==\"");
	expect_result("EchoBytes", "[\"AP8=\"]", "\"AP8=\"");
	expect_result("EchoBytes", "[\"+/+/\"]", "\"+/+/\"");
}

Test(hub_typed, types_as_deep_as_they_may_be)
{
	struct buf deep = BUF_INIT;

	for (int i = 1; i < HUB_SHAPE_DEPTH_MAX; i++)
		buf_append_str(&deep, "{\"d\":");
	buf_append_str(&deep, "{\"n\":7}");
	for (int i = 1; i < HUB_SHAPE_DEPTH_MAX; i++)
		buf_append_byte(&deep, '}');
	expect_result("EchoDeep", kit_text(kit, "[%.*s]", SLICE_FMT(buf_slice(&deep))),
		      kit_text(kit, "%.*s", SLICE_FMT(buf_slice(&deep))));
	expect_error("EchoDeep", "[{\"d\":{\"d\":[]}}]",
		     "deep.d.d: an object is wanted.");
	buf_fini(&deep);
}

Test(hub_typed, all_other_arguments)
{
	expect_result("Rest", "[\"a\"]", "0");
	expect_result("Rest",
		      "[\"a\",{\"line\":3,\"column\":0},{\"line\":4,\"column\":0}]", "7");
	expect_error("Rest", "[\"a\",{\"line\":3,\"column\":0},{\"line\":4}]",
		     "positions[1].column: a whole number is wanted, there is none.");
	expect_error("Rest", "[\"a\",7]", "positions[0]: an object is wanted.");
	expect_error("Rest", "[\"\"]", "The first is empty.");
}

/* ---- what does not fit */

Test(hub_typed, the_place_of_what_does_not_fit_is_told)
{
	expect_error("Echo", "[{}]",
		     "everything.text: a string is wanted, there is none.");
	expect_error("Echo", "[" EVERYTHING_BUT("7", "\"low\"", "[]", "[]") "]",
		     "everything.text: a string is wanted.");
	expect_error("Echo", "[" EVERYTHING_BUT("null", "\"low\"", "[]", "[]") "]",
		     "everything.text: a string is wanted.");
	expect_error("Echo", "[" EVERYTHING_BUT("\"t\"", "\"Low\"", "[]", "[]") "]",
		     "everything.level: one of low, normal, very high is wanted.");
	expect_error("Echo", "[" EVERYTHING_BUT("\"t\"", "0", "[]", "[]") "]",
		     "everything.level: one of low, normal, very high is wanted.");
	expect_error("Echo", "[" EVERYTHING_BUT("\"t\"", "\"low\"", "{}", "[]") "]",
		     "everything.positions: an array is wanted.");
	expect_error("Echo", "[" EVERYTHING_BUT("\"t\"", "\"low\"", "[{}]", "[]") "]",
		     "everything.positions[0].line: a whole number is wanted, there is "
		     "none.");
	expect_error("Echo",
		     "[" EVERYTHING_BUT("\"t\"", "\"low\"",
					"[{\"line\":1,\"column\":1},null]", "[]") "]",
		     "everything.positions[1]: an object is wanted.");
	expect_error("Echo",
		     "[" EVERYTHING_BUT("\"t\"", "\"low\"", "[]",
					"[{\"positions\":[]},{\"positions\":[{\"line\":1,"
					"\"column\":\"1\"}]}]") "]",
		     "everything.rows[1].positions[0].column: a whole number is wanted.");
}

Test(hub_typed, each_type_says_what_it_wants)
{
	static const struct {
		const char *member;
		const char *error;
	} wrong[] = {
		{ "\"flag\":1", "flag: true or false is wanted." },
		{ "\"text\":1", "text: a string is wanted." },
		{ "\"whole\":1.5", "whole: a whole number is wanted." },
		{ "\"whole\":9223372036854775808", "whole: a whole number is wanted." },
		{ "\"number\":\"1\"", "number: a number is wanted." },
		{ "\"data\":[]", "data: bytes are wanted." },
		{ "\"data\":\"A\"", "data: bytes are wanted." },
		{ "\"data\":\"AA=\"", "data: bytes are wanted." },
		{ "\"data\":\"AB==\"", "data: bytes are wanted." },
		{ "\"data\":\"A===\"", "data: bytes are wanted." },
		{ "\"data\":\"-_-_\"", "data: bytes are wanted." },
		{ "\"data\":\"====\"", "data: bytes are wanted." },
		{ "\"position\":[]", "position: an object is wanted." },
		{ "\"positions\":7", "positions: an array is wanted." },
		{ "\"texts\":[\"a\",7]", "texts[1]: a string is wanted." },
		{ "\"texts\":[null]", "texts[0]: a string is wanted." },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_error("EchoOptions", kit_text(kit, "[{%s}]", wrong[i].member),
			     kit_text(kit, "options.%s", wrong[i].error));
	expect_error("EchoLevels", "[[\"low\",\"lower\"]]",
		     "levels[1]: one of low, normal, very high is wanted.");
	expect_error("TellOptions", "[{},\"1\",null]",
		     "whole: a whole number is wanted.");
}

Test(hub_typed, what_letters_check_is_refused_as_ever)
{
	expect_unbound("Echo", "[]");
	expect_unbound("Echo", "[7]");
	expect_unbound("Echo", "[null]");
	expect_unbound("EchoLevels", "[\"low\"]");
	expect_unbound("EchoBytes", "[7]");
	expect_unbound("EchoBytes", "[\"A\"]");
	expect_unbound("Rest", "[1]");
	expect_unbound("TellOptions", "[{}]");
}

Test(hub_typed, roles_are_those_of_the_file)
{
	call("Secret", "[]");
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"Failed "
		   "to invoke 'Secret' because user is unauthorized\"}",
		   (unsigned)kit->last_invoke);
}

Test(hub_typed, a_mistake_fails_the_call_and_nothing_else)
{
	static const char *const mistakes[] = { "choice", "array", "objects", "object" };

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		call("Misuse", kit_text(kit, "[\"%s\"]", mistakes[i]));
		while (*kit_said(kit, kit->g1) != '\0')
			continue;
		kit_ack(kit, kit->g1);
		expect_completion("\"error\":");
		cr_expect_eq(kit->router->metrics.hub_misuse_total, i + 1);
	}
	expect_result("EchoAny", "[1]", "1");
}

/* ---- streams */

Test(hub_typed, streams_down)
{
	kit_stream(kit, kit->g1, "c1", "7", "Count", "[2]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "push c1 {\"type\":2,\"invocationId\":\"7\",\"item\":{\"line\":0,"
		   "\"column\":0}}");
	kit_expect(kit, kit->g1,
		   "push c1 {\"type\":2,\"invocationId\":\"7\",\"item\":{\"line\":1,"
		   "\"column\":-1}}");
	kit_skip(kit, kit->g1);
	kit_stream(kit, kit->g1, "c1", "8", "CountTexts", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "push c1 {\"type\":2,\"invocationId\":\"8\",\"item\":[]}");
	kit_expect(kit, kit->g1,
		   "push c1 {\"type\":2,\"invocationId\":\"8\",\"item\":[\"one\"]}");
	kit_expect(
		kit, kit->g1,
		"push c1 {\"type\":2,\"invocationId\":\"8\",\"item\":[\"one\",\"two\"]}");
}

static void sum(const char *position, const char *more)
{
	kit_upload(kit, kit->g1, "c1", "7", "Sum", "[10]", "u1,u2");
	kit_item(kit, kit->g1, "c1", "u1", "{\"line\":3,\"column\":0}");
	kit_item(kit, kit->g1, "c1", "u1", position);
	kit_completion(kit, kit->g1, "c1", "u1", NULL, NULL);
	kit_item(kit, kit->g1, "c1", "u2", more);
	kit_completion(kit, kit->g1, "c1", "u2", NULL, NULL);
	kit_turn(kit);
}

Test(hub_typed, streams_up)
{
	sum("{\"line\":4,\"column\":0}", "5");
	expect_completion("\"result\":75}");
}

Test(hub_typed, an_item_that_does_not_fit)
{
	sum("{\"line\":4}", "5");
	expect_completion("HubException: positions.column: a whole number is wanted, "
			  "there is none.");
	sum("7", "5");
	expect_completion("HubException: positions: an object is wanted.");
	sum("{\"line\":4,\"column\":0}", "\"5\"");
	expect_completion("HubException: more: a whole number is wanted.");
}

/* ---- questions */

/* c2 is asked by c1, and answers. */
static void ask(const char *target, const char *arguments, const char *event,
		const char *answer)
{
	const char *said;
	const char *id;
	char number[32];

	call(target, arguments);
	do
		said = kit_said(kit, kit->g1);
	while (*said != '\0' && strstr(said, event) == NULL);
	id = strstr(said, "\"invocationId\":\"");
	cr_assert_not_null(id, "%s", said);
	id += strlen("\"invocationId\":\"");
	cr_assert_lt(strcspn(id, "\""), sizeof(number));
	memcpy(number, id, strcspn(id, "\""));
	number[strcspn(id, "\"")] = '\0';
	kit_completion(kit, kit->g1, "c2", number, answer, NULL);
	kit_turn(kit);
}

Test(hub_typed, clients_are_asked)
{
	kit_connect(kit, kit->g1, "c2", "bob");
	kit_skip(kit, kit->g1);
	ask("AskLevel", "[\"c2\"]",
	    "\"target\":\"WhichLevel\",\"arguments\":[\"How much?\"]", "\"very high\"");
	expect_completion("\"result\":\"very high\"}");
	ask("AskWhere", "[\"c2\",{\"line\":1,\"column\":2}]",
	    "\"target\":\"Where\",\"arguments\":[{\"line\":1,\"column\":2}]", POSITIONS);
	expect_completion("\"result\":8}");
}

Test(hub_typed, an_answer_that_does_not_fit)
{
	kit_connect(kit, kit->g1, "c2", "bob");
	kit_skip(kit, kit->g1);
	ask("AskLevel", "[\"c2\"]", "WhichLevel", "\"much\"");
	expect_completion("HubException: WhichLevel: one of low, normal, very high is "
			  "wanted.");
	ask("AskWhere", "[\"c2\",{\"line\":1,\"column\":2}]", "Where", "[{\"line\":1}]");
	expect_completion(
		"HubException: Where[0].column: a whole number is wanted, there "
		"is none.");
}
