/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubgen/names.h"

#include <criterion/criterion.h>

static struct arena arena;

static void teardown(void)
{
	arena_fini(&arena);
}

TestSuite(names, .fini = teardown);

#define expect_name(got, want) cr_expect_str_eq(got, want)

Test(names, in_c)
{
	expect_name(name_snake(&arena, SLICE("userId")), "user_id");
	expect_name(name_snake(&arena, SLICE("SendToOthersInGroup")),
		    "send_to_others_in_group");
	expect_name(name_snake(&arena, SLICE("HTTPPort")), "http_port");
	expect_name(name_snake(&arena, SLICE("URL")), "url");
	expect_name(name_snake(&arena, SLICE("line2Column")), "line2_column");
	expect_name(name_snake(&arena, SLICE("user_id")), "user_id");
	expect_name(name_snake(&arena, SLICE("live-data")), "live_data");
	expect_name(name_upper(&arena, SLICE("veryHigh now")), "VERY_HIGH_NOW");
	expect_name(name_camel(&arena, SLICE("live-data")), "LiveData");
}

Test(names, of_types_begin_with_the_hub)
{
	expect_name(name_prefixed(&arena, "chat", SLICE("ChatMessage")), "chat_message");
	expect_name(name_prefixed(&arena, "chat", SLICE("User")), "chat_user");
	expect_name(name_prefixed(&arena, "chat", SLICE("Chat")), "chat");
	expect_name(name_prefixed(&arena, "chat", SLICE("Chatter")), "chat_chatter");
}

Test(names, that_mean_something_else)
{
	expect_name(name_part(&arena, SLICE("default"), NAME_IN_STRUCT), "default_");
	expect_name(name_part(&arena, SLICE("Int"), NAME_IN_STRUCT), "int_");
	expect_name(name_part(&arena, SLICE("room"), NAME_IN_STRUCT), "room");
	expect_name(name_part(&arena, SLICE("result"), NAME_IN_STRUCT), "result");
	expect_name(name_part(&arena, SLICE("result"), NAME_IN_SERVER), "result_");
	expect_name(name_part(&arena, SLICE("connectionId"), NAME_IN_SERVER),
		    "connection_id");
	expect_name(name_part(&arena, SLICE("connectionId"), NAME_IN_CLIENT),
		    "connection_id_");
	cr_expect(slice_equal(name_argument(&arena, SLICE("arguments")),
			      SLICE("arguments_")));
	cr_expect(slice_equal(name_argument(&arena, SLICE("room")), SLICE("room")));
}

Test(names, distance)
{
	cr_expect_eq(name_distance(SLICE("User"), SLICE("User")), 0);
	cr_expect_eq(name_distance(SLICE("user"), SLICE("User")), 0, "case is no typo");
	cr_expect_eq(name_distance(SLICE("Usr"), SLICE("User")), 1);
	cr_expect_eq(name_distance(SLICE("Userr"), SLICE("User")), 1);
	cr_expect_eq(name_distance(SLICE("Usre"), SLICE("User")), 2);
	cr_expect_eq(name_distance(SLICE(""), SLICE("User")), 4);
	cr_expect_eq(name_distance(SLICE("kitten"), SLICE("sitting")), 3);
}
