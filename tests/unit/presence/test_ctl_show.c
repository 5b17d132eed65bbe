/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_show.h"

#include <criterion/criterion.h>

static struct ctl ctl;
static struct value *object;

static void read(const char *json)
{
	cr_assert_eq(value_decode_json(slice_from_str(json), &ctl.arena, &object), OK);
}

static void teardown(void)
{
	arena_fini(&ctl.arena);
	buf_fini(&ctl.out);
}

TestSuite(ctl_show, .fini = teardown);

static void expect_shown(const char *path, enum ctl_kind kind, const char *text)
{
	buf_clear(&ctl.out);
	cr_expect(ctl_show(&ctl.out, object, path, kind));
	cr_expect(slice_equal(buf_slice(&ctl.out), slice_from_str(text)),
		  "%s is \"%.*s\", not \"%s\"", path, SLICE_FMT(buf_slice(&ctl.out)),
		  text);
}

Test(ctl_show, texts_numbers_and_switches)
{
	read("{\"a\":\"x\",\"b\":7,\"c\":true,\"d\":false,\"e\":null,\"f\":1.5}");
	expect_shown("a", CTL_TEXT, "x");
	expect_shown("b", CTL_NUMBER, "7");
	expect_shown("c", CTL_TEXT, "yes");
	expect_shown("d", CTL_TEXT, "no");
	cr_expect_not(ctl_show(&ctl.out, object, "e", CTL_NUMBER));
	expect_shown("f", CTL_TEXT, "1.50");
}

Test(ctl_show, members_of_members)
{
	read("{\"store\":{\"kind\":\"redis\"}}");
	expect_shown("store.kind", CTL_TEXT, "redis");
	cr_expect_not(ctl_show(&ctl.out, object, "store.age", CTL_TEXT));
	cr_expect_not(ctl_show(&ctl.out, object, "nothing.kind", CTL_TEXT));
}

Test(ctl_show, lists_of_texts)
{
	read("{\"a\":[\"x\",\"y\"],\"b\":[]}");
	expect_shown("a", CTL_TEXT, "x, y");
	expect_shown("b", CTL_TEXT, "-");
}

Test(ctl_show, times)
{
	read("{\"a\":1234,\"b\":59999,\"c\":61000,\"d\":7384000,\"e\":90061000,\"f\":0."
	     "125}");
	expect_shown("a", CTL_SPAN, "1.2s");
	expect_shown("b", CTL_SPAN, "59s");
	expect_shown("c", CTL_SPAN, "1m 1s");
	expect_shown("d", CTL_SPAN, "2h 3m");
	expect_shown("e", CTL_SPAN, "1d 1h");
	expect_shown("f", CTL_MS, "0.12 ms");
}

Test(ctl_show, amounts)
{
	read("{\"a\":1023,\"b\":1536,\"c\":1073741824,\"d\":0.505,\"e\":12.34,\"f\":1234."
	     "5}");
	expect_shown("a", CTL_BYTES, "1023 B");
	expect_shown("b", CTL_BYTES, "1.5 KiB");
	expect_shown("c", CTL_BYTES, "1.0 GiB");
	expect_shown("d", CTL_SHARE, "50.5 %");
	expect_shown("e", CTL_RATE, "12.3/s");
	expect_shown("f", CTL_RATE, "1234/s");
}

Test(ctl_show, what_is_unknown_is_no_amount)
{
	read("{\"a\":null,\"b\":\"x\"}");
	cr_expect_not(ctl_show(&ctl.out, object, "a", CTL_RATE));
	expect_shown("b", CTL_BYTES, "x");
}

Test(ctl_show, links_that_are_up_of_all)
{
	read("{\"links\":[{\"isUp\":true},{\"isUp\":false},{}]}");
	expect_shown("links", CTL_UP, "1/3");
}

Test(ctl_show, a_card_leaves_out_what_is_not_there)
{
	static const struct ctl_column columns[] = { { "user", "userId", CTL_TEXT },
						     { "name", "name", CTL_TEXT },
						     { "connections", "n", CTL_NUMBER } };

	read("{\"userId\":\"a\\u001bb\",\"n\":2}");
	ctl_card(&ctl, columns, 3, object);
	cr_expect(slice_equal(buf_slice(&ctl.out), SLICE("user         a\\x1bb\n"
							 "connections  2\n")),
		  "%.*s", SLICE_FMT(buf_slice(&ctl.out)));
}

Test(ctl_show, a_list_ends_at_the_limit)
{
	static const struct ctl_column columns[] = { { "USER", "userId", CTL_TEXT },
						     { "N", "n", CTL_NUMBER } };
	struct ctl_list list;

	ctl.line.limit = 2;
	ctl_list_init(&list, &ctl, columns, 2);
	read("[{\"userId\":\"a\",\"n\":1},{\"userId\":\"b\"},{\"userId\":\"c\"}]");
	ctl_list_add(&list, object);
	cr_expect(slice_equal(buf_slice(&ctl.out), SLICE("USER  N\n"
							 "a     1\n"
							 "b     -\n")),
		  "%.*s", SLICE_FMT(buf_slice(&ctl.out)));
	cr_expect_eq(list.left, 0);
	ctl_list_fini(&list);
}
