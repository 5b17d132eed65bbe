/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router reports of its shard.
 */
#include "router/presence.h"

#include "proto/base/arena.h"
#include "router/group_top.h"
#include "tests/unit/router/hub_kit.h"

static struct kit *kit;
static struct arena arena;
static Link__Report report;

static void setup(void)
{
	kit = kit_new(NULL);
	arena_init(&arena);
}

static void teardown(void)
{
	arena_fini(&arena);
	kit_free(kit);
}

TestSuite(presence, .init = setup, .fini = teardown);

static void fill(void)
{
	link__report__init(&report);
	kit->router->presence.ops->fill_report(kit->router, &report, &arena);
}

static void member(Link__Kind kind, const char *name, const char *id)
{
	kit_member(kit, kit->g1, kind, name, id, false);
}

Test(presence, its_largest_groups_are_reported_the_largest_first)
{
	member(LINK__KIND__KIND_GROUP, "small", "c1");
	member(LINK__KIND__KIND_GROUP, "large", "c1");
	member(LINK__KIND__KIND_GROUP, "large", "c2");
	member(LINK__KIND__KIND_USER, "ann", "c1");
	fill();
	cr_expect_eq(report.groups, 2);
	cr_expect_eq(report.memberships, 4);
	cr_assert_eq(report.n_groups_top, 2);
	cr_expect(slice_equal(link_slice(report.groups_top[0]->hub), SLICE("chat")));
	cr_expect(slice_equal(link_slice(report.groups_top[0]->name), SLICE("large")));
	cr_expect_eq(report.groups_top[0]->members, 2);
	cr_expect(slice_equal(link_slice(report.groups_top[1]->name), SLICE("small")));
}

Test(presence, a_shard_without_groups_reports_none)
{
	fill();
	cr_expect_eq(report.groups, 0);
	cr_expect_eq(report.n_groups_top, 0);
}

Test(presence, no_more_than_the_largest_are_reported)
{
	for (int i = 0; i < GROUP_TOP_MAX + 5; i++)
		member(LINK__KIND__KIND_GROUP, kit_text(kit, "g%d", i), "c1");
	fill();
	cr_expect_eq(report.groups, GROUP_TOP_MAX + 5);
	cr_expect_eq(report.n_groups_top, GROUP_TOP_MAX);
}
