/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of hubs.
 */
#include "gateway/hub.h"

#include <criterion/criterion.h>

#include "proto/base/buf.h"

Test(hub, parses_the_list)
{
	struct hubs hubs;

	hubs_init(&hubs, "relay, chat");
	cr_assert_eq(hubs.n, 2);
	cr_expect_str_eq(hubs.items[0].name, "relay");
	cr_expect_str_eq(hubs.items[1].name, "chat");
	cr_expect(list_is_empty(&hubs.items[1].conns));
	hubs_fini(&hubs);
}

Test(hub, is_found_without_regard_to_case)
{
	struct hubs hubs;

	hubs_init(&hubs, "relay,Chat");
	cr_expect_eq(hubs_find(&hubs, SLICE("CHAT")), &hubs.items[1]);
	cr_expect_eq(hubs_find(&hubs, SLICE("relay")), &hubs.items[0]);
	cr_expect_null(hubs_find(&hubs, SLICE("chat2")));
	cr_expect_null(hubs_find(&hubs, SLICE("")));
	hubs_fini(&hubs);
}

/* As many hubs as `n`, h0, h1 ... */
static void init_many(int n)
{
	struct buf list = BUF_INIT;
	struct hubs hubs;

	buf_append_str(&list, "h0");
	for (int i = 1; i < n; i++)
		buf_appendf(&list, ",h%d", i);
	buf_append_byte(&list, '\0');
	hubs_init(&hubs, list.ptr);
	hubs_fini(&hubs);
	buf_fini(&list);
}

Test(hub, takes_64)
{
	init_many(64);
}

Test(hub, refuses_65, .exit_code = 1)
{
	init_many(65);
}

Test(hub, takes_a_name_of_64_bytes)
{
	char name[65];
	struct hubs hubs;

	memset(name, 'h', 64);
	name[64] = '\0';
	hubs_init(&hubs, name);
	cr_expect_eq(hubs.n, 1);
	hubs_fini(&hubs);
}

static void init(const char *list)
{
	struct hubs hubs;

	hubs_init(&hubs, list);
}

Test(hub, refuses_a_name_of_65_bytes, .exit_code = 1)
{
	char name[66];

	memset(name, 'h', 65);
	name[65] = '\0';
	init(name);
}

Test(hub, refuses_an_empty_list, .exit_code = 1)
{
	init("");
}

Test(hub, refuses_an_empty_name, .exit_code = 1)
{
	init("relay,");
}

Test(hub, refuses_a_slash, .exit_code = 1)
{
	init("a/b");
}

Test(hub, refuses_a_name_twice_in_any_case, .exit_code = 1)
{
	init("chat,Chat");
}
