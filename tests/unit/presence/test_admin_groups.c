/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of groups, which routers have in parts, and of a group's members.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/presence/admin_kit.h"

static struct admin_kit kit;

static void setup(void)
{
	admin_kit_init(&kit);
	kit.conf.page_max = 1000;
}

static void teardown(void)
{
	admin_kit_fini(&kit);
}

TestSuite(admin_groups, .init = setup, .fini = teardown, .timeout = 60);

/* Router r<i> owns groups "<i>0" to "<i>4"; its cursor is the number of the next one. */
static bool on_groups(struct kit_peer *peer, const Link__Command *command,
		      Link__CommandDone *done)
{
	static Link__GroupSize sizes[5];
	static Link__GroupSize *groups[5];
	static char names[5][3];
	static char next[2];
	const char own = peer == &kit.peers[0] ? '1' : '2';
	uint32_t at =
		command->cursor.len > 0 ? (uint32_t)(command->cursor.data[0] - '0') : 0;

	cr_assert_eq(command->command, LINK__COMMAND_KIND__COMMAND_GROUPS);
	for (done->n_groups = 0; at < 5 && done->n_groups < command->limit; at++) {
		const size_t i = done->n_groups++;

		names[i][0] = own;
		names[i][1] = (char)('0' + at);
		link__group_size__init(&sizes[i]);
		sizes[i].name = link_bytes(slice_make(names[i], 2));
		sizes[i].members = at;
		groups[i] = &sizes[i];
	}
	done->groups = groups;
	next[0] = (char)('0' + at);
	if (at < 5)
		done->next = link_bytes(slice_make(next, 1));
	return true;
}

/* The names of all groups, page by page of `limit`. */
static const char *all_groups(int limit, int *pages_n)
{
	static char names[256];
	struct slice next = SLICE_NONE;
	size_t len = 0;

	*pages_n = 0;
	do {
		char target[256];

		(void)snprintf(target, sizeof(target),
			       "/api/v1/hubs/chat/groups?limit=%d&cursor=%.*s", limit,
			       (int)next.len, next.ptr != NULL ? next.ptr : "");
		cr_assert_eq(admin_kit_get(&kit, target), 200, "%s", kit.client.in.ptr);
		for (const char *at = kit.client.in.ptr;
		     (at = strstr(at, "{\"name\":\"")) != NULL; at++)
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%.2s ",
						at + 9);
		next = admin_kit_next(&kit);
		(*pages_n)++;
	} while (next.len > 0 && *pages_n < 20);
	return names;
}

Test(admin_groups, groups_are_collected_from_all_routers)
{
	int pages_n;

	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_groups);
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r2", on_groups);
	cr_expect_str_eq(all_groups(100, &pages_n), "10 11 12 13 14 20 21 22 23 24 ");
	cr_expect_eq(pages_n, 1);
}

Test(admin_groups, groups_come_in_pages_over_all_routers)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_groups);
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r2", on_groups);
	for (int limit = 1; limit <= 11; limit++) {
		int pages_n;

		cr_expect_str_eq(all_groups(limit, &pages_n),
				 "10 11 12 13 14 20 21 22 23 24 ", "limit %d", limit);
	}
}

Test(admin_groups, a_cursor_of_a_router_that_is_gone_goes_on_with_the_next)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r2", on_groups);
	/* "gr1\0003": router r1, which is not there. */
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/hubs/chat/groups?cursor=Z3IxADM"), 200);
	cr_expect(admin_kit_has(&kit, "{\"groups\":[{\"name\":\"10\",\"members\":0},"));
	/* "gr9\0003": there is none behind it. */
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/hubs/chat/groups?cursor=Z3I5ADM"), 200);
	cr_expect(admin_kit_has(&kit, "{\"groups\":[]}"));
}

static bool on_members(struct kit_peer *peer, const Link__Command *command,
		       Link__CommandDone *done)
{
	static Link__Member member = LINK__MEMBER__INIT;
	static Link__Member *members[1] = { &member };

	cr_expect_eq(command->limit, 7);
	member.connection = link_bytes(SLICE("c1"));
	done->members = members;
	done->n_members = 1;
	done->size = 12;
	done->next = link_bytes(SLICE("n"));
	(void)peer;
	cr_expect_eq(command->command, LINK__COMMAND_KIND__COMMAND_MEMBERS);
	cr_expect(slice_equal(link_slice(command->name), SLICE("red")));
	return true;
}

Test(admin_groups, a_group_tells_its_size_and_members)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_members);
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/hubs/chat/groups/red?limit=7"), 200);
	cr_expect(admin_kit_has(&kit, "{\"hub\":\"chat\",\"name\":\"red\",\"size\":12,"
				      "\"members\":[{\"connectionId\":\"c1\","));
	cr_expect(slice_equal(admin_kit_next(&kit), SLICE("bW4")));
}
