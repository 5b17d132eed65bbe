/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies as text. */
#include "presence/admin_json.h"

#include <criterion/criterion.h>

#include "proto/link/link.h"

static struct buf out;

static void teardown(void)
{
	buf_fini(&out);
}

TestSuite(admin_json, .fini = teardown);

static void expect_out(const char *json)
{
	cr_expect(slice_equal(buf_slice(&out), slice_from_str(json)), "%.*s",
		  SLICE_FMT(buf_slice(&out)));
	buf_clear(&out);
}

Test(admin_json, users_and_the_next_page)
{
	const struct store_user users[] = {
		{ SLICE("ann"), SLICE("Ann \"B\""), 2, 1700000000123 },
		{ SLICE("\xff"), SLICE_NONE, 1, 0 },
	};
	struct store_answer answer = { .users = users, .users_n = 2 };

	admin_json_users(&out, &answer, 9);
	expect_out("{\"users\":[{\"userId\":\"ann\",\"name\":\"Ann \\\"B\\\"\","
		   "\"connections\":2,\"since\":\"2023-11-14T22:13:20.123Z\"},"
		   "{\"userId\":\"\xef\xbf\xbd\",\"name\":\"\",\"connections\":1,"
		   "\"since\":\"1970-01-01T00:00:00.000Z\"}],\"total\":9}");
	answer.users_n = 0;
	answer.next = SLICE("17");
	admin_json_users(&out, &answer, 9);
	expect_out("{\"users\":[],\"total\":9,\"next\":\"dTE3\"}");
}

Test(admin_json, a_user_with_connections)
{
	const struct store_user user = { SLICE("ann"), SLICE("Ann"), 3, 1 };
	const struct session_info sessions[] = {
		{ .hub = SLICE("chat"),
		  .connection = SLICE("c1"),
		  .gateway = { SLICE("g1"), 7 },
		  .remote = SLICE("1.2.3.4:5"),
		  .user_agent = SLICE("a/1"),
		  .protocol = 1,
		  .transport = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS,
		  .opened_unix_ms = 2 },
		{ .hub = SLICE("chat"),
		  .connection = SLICE("c2"),
		  .protocol = 2,
		  .transport = LINK__TRANSPORT__TRANSPORT_LONG_POLLING },
	};
	const struct store_answer answer = { .users = &user,
					     .users_n = 1,
					     .sessions = sessions,
					     .sessions_n = 2,
					     .next = SLICE("7") };

	admin_json_user(&out, &answer);
	expect_out(
		"{\"userId\":\"ann\",\"name\":\"Ann\","
		"\"since\":\"1970-01-01T00:00:00.001Z\",\"connectionCount\":3,"
		"\"connections\":[{\"connectionId\":\"c1\",\"hub\":\"chat\","
		"\"gateway\":\"g1\",\"transport\":\"WebSockets\",\"protocol\":\"json\","
		"\"remote\":\"1.2.3.4:5\",\"userAgent\":\"a/1\","
		"\"openedAt\":\"1970-01-01T00:00:00.002Z\"},"
		"{\"connectionId\":\"c2\",\"hub\":\"chat\",\"gateway\":\"\","
		"\"transport\":\"LongPolling\",\"protocol\":\"messagepack\","
		"\"remote\":\"\",\"userAgent\":\"\","
		"\"openedAt\":\"1970-01-01T00:00:00.000Z\"}],"
		"\"next\":\"Yzc\"}");
}

Test(admin_json, a_connection_with_its_user_and_odd_numbers)
{
	struct session_info info = { .hub = SLICE("chat"),
				     .connection = SLICE("c1"),
				     .user_id = SLICE("ann"),
				     .protocol = 9,
				     .transport = 9,
				     .opened_unix_ms = INT64_MAX };
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;
	Link__GroupSize sizes[2] = { LINK__GROUP_SIZE__INIT, LINK__GROUP_SIZE__INIT };
	Link__GroupSize *groups[2] = { &sizes[0], &sizes[1] };

	sizes[0].name = link_bytes(SLICE("red"));
	sizes[1].name = link_bytes(SLICE("\"blue\""));
	done.groups = groups;
	done.n_groups = 2;
	done.next = link_bytes(SLICE("8"));
	admin_json_connection(&out, &info);
	admin_json_groups_of(&out, &done);
	expect_out("{\"connectionId\":\"c1\",\"hub\":\"chat\",\"gateway\":\"\","
		   "\"transport\":\"unknown\",\"protocol\":\"unknown\",\"remote\":\"\","
		   "\"userAgent\":\"\",\"openedAt\":\"9999-12-31T23:59:59.999Z\","
		   "\"userId\":\"ann\",\"name\":\"\",\"groups\":[\"red\","
		   "\"\\\"blue\\\"\"],\"next\":\"bzg\"}");
	info.transport = LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS;
	info.opened_unix_ms = INT64_MIN;
	admin_json_connection(&out, &info);
	admin_json_groups_of(&out, NULL);
	expect_out("{\"connectionId\":\"c1\",\"hub\":\"chat\",\"gateway\":\"\","
		   "\"transport\":\"ServerSentEvents\",\"protocol\":\"unknown\","
		   "\"remote\":\"\",\"userAgent\":\"\","
		   "\"openedAt\":\"1970-01-01T00:00:00.000Z\","
		   "\"userId\":\"ann\",\"name\":\"\",\"groups\":null}");
}

Test(admin_json, a_group_with_members)
{
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;
	Link__Member member = LINK__MEMBER__INIT;
	Link__Member *members[1] = { &member };

	admin_json_group(&out, SLICE("chat"), SLICE("red"), &done);
	expect_out("{\"hub\":\"chat\",\"name\":\"red\",\"size\":0,\"members\":[]}");
	member.connection = link_bytes(SLICE("c1"));
	member.user_id = link_bytes(SLICE("ann"));
	done.members = members;
	done.n_members = 1;
	done.size = 5;
	done.next = link_bytes(SLICE("9"));
	admin_json_group(&out, SLICE("chat"), SLICE("red"), &done);
	expect_out("{\"hub\":\"chat\",\"name\":\"red\",\"size\":5,\"members\":["
		   "{\"connectionId\":\"c1\",\"userId\":\"ann\",\"name\":\"\"}],"
		   "\"next\":\"bTk\"}");
}

Test(admin_json, processes)
{
	struct leases leases;
	struct lease gateway;
	struct lease router;

	leases_init(&leases);
	lease_init(&gateway, LINK__ROLE__ROLE_GATEWAY, SLICE("g1"), UINT64_MAX);
	lease_init(&router, LINK__ROLE__ROLE_ROUTER, SLICE("r1"), 1);
	leases_add(&leases, &gateway, 300, 10);
	leases_add(&leases, &router, 600, 40);
	admin_json_processes(&out, &leases, 50);
	expect_out("{\"processes\":[{\"role\":\"gateway\",\"name\":\"g1\","
		   "\"incarnation\":\"ffffffffffffffff\",\"connections\":0,"
		   "\"leaseMs\":300,\"seenMs\":40},"
		   "{\"role\":\"router\",\"name\":\"r1\","
		   "\"incarnation\":\"0000000000000001\",\"connections\":0,"
		   "\"leaseMs\":600,\"seenMs\":10}]}");
}
