/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of shards: what it takes and refuses, and whom its keys belong to. The golden
 * owners are the link format.
 */
#include "proto/link/shards.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/hash.h"
#include "proto/link/link_name.h"

TestSuite(shards, .timeout = 60);

#define GROUP 1
#define USER 2

static enum err parse_rc(const char *list)
{
	struct shards shards;
	const enum err rc = shards_parse(&shards, list);

	shards_fini(&shards);
	return rc;
}

/* n0=ipc://0,n1=ipc://1,... */
static void list_append_many(struct buf *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_appendf(list, "%sn%u=ipc://%u", i > 0 ? "," : "", i, i);
	buf_append_byte(list, '\0');
}

Test(shards, takes_one_and_many)
{
	struct shards shards;

	cr_assert_eq(shards_parse(&shards, "r1=tcp://10.0.0.1:7000"), OK);
	cr_expect_eq(shards.n, 1);
	cr_expect_str_eq(shards.items[0].name, "r1");
	cr_expect_str_eq(shards.items[0].url, "tcp://10.0.0.1:7000");
	shards_fini(&shards);

	cr_assert_eq(shards_parse(&shards, " r2 = ipc:///run/r2 ,\tr1=tcp://[::1]:1"),
		     OK);
	cr_expect_eq(shards.n, 2);
	cr_expect_str_eq(shards.items[0].name, "r1");
	cr_expect_str_eq(shards.items[0].url, "tcp://[::1]:1");
	cr_expect_str_eq(shards.items[1].name, "r2");
	cr_expect_str_eq(shards.items[1].url, "ipc:///run/r2");
	shards_fini(&shards);
}

Test(shards, an_equals_sign_in_the_address_stays)
{
	struct shards shards;

	cr_assert_eq(shards_parse(&shards, "r1=tcp://h:1?a=b"), OK);
	cr_expect_str_eq(shards.items[0].url, "tcp://h:1?a=b");
	shards_fini(&shards);
}

Test(shards, refuses_what_is_not_name_and_url)
{
	static const char *const lists[] = {
		"",	  ",",		"r1",	       "r1=",	"=tcp://a:1", "r1=x,",
		",r1=x",  "r1=x,,r2=y", "r1=x,r2",     " =x",	"r1= \t",     "r 1=tcp:x",
		"r\"1=x", "r\1=x",	"r\303\244=x", "r\\=x", "r'=x",
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		cr_expect_eq(parse_rc(lists[i]), ERR_MALFORMED, "'%s'", lists[i]);
}

Test(shards, refuses_a_name_twice)
{
	cr_expect_eq(parse_rc("r1=x,r2=y,r1=z"), ERR_EXISTS);
	cr_expect_eq(parse_rc("r1=x,R1=y"), OK, "names differ by case");
}

Test(shards, a_name_may_be_as_long_as_a_links_and_no_longer)
{
	char list[LINK_NAME_MAX + 4];

	memset(list, 'n', LINK_NAME_MAX);
	memcpy(list + LINK_NAME_MAX, "=u", 3);
	cr_expect_eq(parse_rc(list), OK);
	memset(list, 'n', LINK_NAME_MAX + 1);
	memcpy(list + LINK_NAME_MAX + 1, "=u", 3);
	cr_expect_eq(parse_rc(list), ERR_MALFORMED);
}

Test(shards, refuses_one_too_many)
{
	struct buf list = BUF_INIT;

	list_append_many(&list, RING_MEMBERS_MAX);
	cr_expect_eq(parse_rc(list.ptr), OK);
	buf_clear(&list);
	list_append_many(&list, RING_MEMBERS_MAX + 1);
	cr_expect_eq(parse_rc(list.ptr), ERR_LIMIT);
	buf_fini(&list);
}

Test(shards, a_range_stands_for_many)
{
	struct shards shards;

	cr_assert_eq(shards_parse(&shards, "router-{9..11}=tcp://router-{}.r:70{},x=y"),
		     OK);
	cr_assert_eq(shards.n, 4);
	cr_expect_str_eq(shards.items[0].name, "router-10");
	cr_expect_str_eq(shards.items[0].url, "tcp://router-10.r:7010");
	cr_expect_str_eq(shards.items[1].name, "router-11");
	cr_expect_str_eq(shards.items[2].name, "router-9");
	cr_expect_str_eq(shards.items[2].url, "tcp://router-9.r:709");
	cr_expect_str_eq(shards.items[3].name, "x");
	shards_fini(&shards);

	cr_assert_eq(shards_parse(&shards, "{0..0}a=u{}{x"), OK);
	cr_assert_eq(shards.n, 1);
	cr_expect_str_eq(shards.items[0].name, "0a");
	cr_expect_str_eq(shards.items[0].url, "u0{x");
	shards_fini(&shards);
}

Test(shards, an_open_range_ends_before_its_end)
{
	struct shards shards;

	cr_assert_eq(shards_parse(&shards, "router-{0..<2}=tcp://router-{}.r:7000"), OK);
	cr_assert_eq(shards.n, 2);
	cr_expect_str_eq(shards.items[0].name, "router-0");
	cr_expect_str_eq(shards.items[1].name, "router-1");
	cr_expect_str_eq(shards.items[1].url, "tcp://router-1.r:7000");
	shards_fini(&shards);
}

Test(shards, refuses_what_is_no_range)
{
	static const char *const lists[] = {
		"r{}=u",
		"r{1}=u",
		"r{1.2}=u",
		"r{1..=u",
		"r{1..2=u",
		"r{2..1}=u",
		"r{..2}=u",
		"r{1..}=u",
		"r{a..b}=u",
		"r{0..<0}=u",
		"r{1..<}=u",
		"r{1..<<3}=u",
		"r{1..< 3}=u",
		"r{3..<2}=u",
		"r{1..<-2}=u",
		"r{1.<3}=u",
		"r{<1..3}=u",
		"r{-1..2}=u",
		"r{1..-2}=u",
		"r{1...2}=u",
		"r{1..2}{1}=u",
		"r{1..2}x y=u",
		"r{0..9999999999999999999}=u",
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		cr_expect_neq(parse_rc(lists[i]), OK, "'%s'", lists[i]);
	cr_expect_eq(parse_rc("r{1..3}=u,r2=u"), ERR_EXISTS);
}

Test(shards, a_range_may_be_as_long_as_a_list)
{
	cr_expect_eq(parse_rc("r{0..255}=u{}"), OK);
	cr_expect_eq(parse_rc("r{0..256}=u{}"), ERR_LIMIT);
	cr_expect_eq(parse_rc("r{0..<256}=u{}"), OK);
	cr_expect_eq(parse_rc("r{0..<257}=u{}"), ERR_LIMIT);
	cr_expect_eq(parse_rc("x=u,r{0..255}=u{}"), ERR_LIMIT);
}

Test(shards, finds_by_name)
{
	struct shards shards;

	cr_assert_eq(shards_parse(&shards, "b=x,a=y,c=z"), OK);
	cr_expect_eq(shards_find(&shards, SLICE("a")), 0);
	cr_expect_eq(shards_find(&shards, SLICE("c")), 2);
	cr_expect_eq(shards_find(&shards, SLICE("d")), -1);
	cr_expect_eq(shards_find(&shards, SLICE_NONE), -1);
	cr_expect_eq(shards_find(&shards, SLICE("aa")), -1);
	shards_fini(&shards);
}

static const char *owner_of(const struct shards *shards, unsigned i)
{
	char name[32];
	const int len = snprintf(name, sizeof(name), "group-%u", i);
	const size_t owner =
		shards_owner(shards, SLICE("chat"), GROUP, slice_make(name, (size_t)len));

	cr_assert_lt(owner, shards->n);
	return shards->items[owner].name;
}

Test(shards, owners_depend_on_names_alone)
{
	struct shards one;
	struct shards other;

	cr_assert_eq(shards_parse(&one, "r1=tcp://a:1,r2=tcp://b:1,r3=tcp://c:1"), OK);
	cr_assert_eq(shards_parse(&other, "r3=ipc://x,r1=ipc://y,r2=ipc://z"), OK);
	for (unsigned i = 0; i < 5000; i++)
		cr_assert_str_eq(owner_of(&one, i), owner_of(&other, i));
	shards_fini(&one);
	shards_fini(&other);
}

Test(shards, hub_kind_and_name_all_place_a_key)
{
	unsigned by_hub = 0;
	unsigned by_kind = 0;
	struct shards shards;
	char text[32];

	cr_assert_eq(shards_parse(&shards, "r1=a,r2=b,r3=c,r4=d"), OK);
	for (unsigned i = 0; i < 1000; i++) {
		const int len = snprintf(text, sizeof(text), "%u", i);
		const struct slice name = slice_make(text, (size_t)len);
		const size_t owner = shards_owner(&shards, SLICE("chat"), GROUP, name);

		by_hub += owner != shards_owner(&shards, SLICE("relay"), GROUP, name);
		by_kind += owner != shards_owner(&shards, SLICE("chat"), USER, name);
	}
	/* Three in four, were owners independent. */
	cr_expect_gt(by_hub, 650);
	cr_expect_lt(by_hub, 850);
	cr_expect_gt(by_kind, 650);
	cr_expect_lt(by_kind, 850);
	shards_fini(&shards);
}

/* The format. Not to be adapted: a change here moves every key of every cluster. */
Test(shards, golden_owners)
{
	static const struct {
		const char *hub;
		const char *name;
		size_t owners[4]; /* of kinds 1 to 4 */
	} keys[] = {
		{ "chat", "lobby", { 1, 0, 2, 1 } },
		{ "chat", "u1", { 1, 2, 1, 1 } },
		{ "relay", "lobby", { 0, 0, 1, 0 } },
		{ "chat", "", { 0, 0, 2, 0 } },
		{ "/hubs/chat", "team-42", { 2, 1, 1, 1 } },
	};
	const struct slice parts[] = { SLICE("chat"), SLICE("\1"), SLICE("lobby") };
	struct shards shards;

	cr_expect_eq(hash_stable(parts, 3), UINT64_C(0x2a7e93eb7757684c));
	cr_assert_eq(shards_parse(&shards, "r1=tcp://a:1,r2=tcp://b:1,r3=tcp://c:1"), OK);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (int kind = 1; kind <= 4; kind++)
			cr_expect_eq(shards_owner(&shards, slice_from_str(keys[i].hub),
						  kind, slice_from_str(keys[i].name)),
				     keys[i].owners[kind - 1], "%s %d %s", keys[i].hub,
				     kind, keys[i].name);
	}
	shards_fini(&shards);
}
