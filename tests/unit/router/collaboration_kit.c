/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/collaboration_kit.h"

#include <stdarg.h>
#include <stdio.h>

#include "router/hubs/permission.h"

#define GROUP "doc-d"

struct collaboration_kit collab;

void collab_setup(void)
{
	struct router_conf conf = kit_conf();
	static char hubs[] = "collaboration";

	conf.hubs = hubs;
	conf.hub_module = hubs + strlen(hubs);
	conf.state_bytes_max = 8 << 20;
	collab.kit = kit_new_conf(NULL, &conf);
	collab.kit->hub = "collaboration";
	kit_replayed(collab.kit, collab.kit->g1);
	kit_replayed(collab.kit, collab.kit->g2);
	kit_topology(collab.kit, true, collab.kit->g1, collab.kit->g2);
	kit_turn(collab.kit);
}

void collab_setup_with(const char *option, const char *value)
{
	collab_setup();
	kit_hub_option(collab.kit, option, value);
}

void collab_teardown(void)
{
	kit_free(collab.kit);
}

/* The gateway is told what it has handled at once, so that calls end. */
void collab_listen(void)
{
	const char *said;

	collab.heard_n = 0;
	while (*(said = kit_said(collab.kit, collab.kit->g1)) != '\0') {
		cr_assert_lt(collab.heard_n, (size_t)HEARD_MAX);
		collab.heard[collab.heard_n++] = said;
		kit_ack(collab.kit, collab.kit->g1);
	}
}

void collab_connect(const char *id, const char *user)
{
	kit_connect(collab.kit, collab.kit->g1, id, user);
	kit_turn(collab.kit);
	kit_skip(collab.kit, collab.kit->g1);
}

static void hear_member(const char *id, const char *user, bool is_gone)
{
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = link_bytes(SLICE("collaboration"));
	member.kind = LINK__KIND__KIND_GROUP;
	member.name = link_bytes(SLICE(GROUP));
	member.connection = link_bytes(slice_from_str(id));
	member.user_id = link_bytes(slice_from_str(user));
	member.is_gone = is_gone;
	kit_hear_member(collab.kit, collab.kit->g1, &member);
}

void collab_hear_of(const char *id, const char *user)
{
	hear_member(id, user, false);
}

static void change_group(const char *id, const char *user, bool is_leave)
{
	struct kit *kit = collab.kit;

	kit_invoke(kit, kit->g1, id, "i", is_leave ? "LeaveDocument" : "JoinDocument",
		   "[\"d\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "%s %s " GROUP, is_leave ? "leave" : "join", id);
	hear_member(id, user, is_leave);
	kit_joined(kit, kit->g1, id, GROUP, is_leave, OK);
	kit_ack(kit, kit->g1);
	kit_turn(kit);
	collab_listen();
}

void collab_join(const char *id, const char *user)
{
	change_group(id, user, false);
}

void collab_expect_no_join(const char *id, const char *user, const char *pattern)
{
	struct kit *kit = collab.kit;

	collab_join(id, user);
	cr_assert_eq(collab.heard_n, 1);
	collab_expect_heard(0, kit_text(kit, "leave %s " GROUP, id));
	hear_member(id, user, true);
	kit_joined(kit, kit->g1, id, GROUP, true, OK);
	kit_turn(kit);
	collab_listen();
	collab_expect_error(pattern);
}

void collab_leave(const char *id, const char *user)
{
	change_group(id, user, true);
}

void collab_enter(const char *id, const char *user)
{
	collab_connect(id, user);
	collab_join(id, user);
	collab_expect_result("null");
}

void collab_call(const char *id, const char *target, const char *fmt, ...)
{
	struct kit *kit = collab.kit;
	struct buf arguments = BUF_INIT;
	char text[32768];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cr_assert(len >= 0 && (size_t)len < sizeof(text));
	buf_append(&arguments, text, (size_t)len + 1);
	kit_invoke(kit, kit->g1, id, "i", target, arguments.ptr);
	buf_fini(&arguments);
	kit_turn(kit);
	collab_listen();
}

static void send_operation(const char *id, const char *operation)
{
	collab_call(id, "SendOperation", "[\"d\",%s]", operation);
	collab_expect_result("{*}");
}

void collab_insert(const char *id, int position, const char *content, int base)
{
	send_operation(id,
		       kit_text(collab.kit,
				"{\"type\":\"insert\",\"position\":%d,\"content\":\"%s\","
				"\"baseVersion\":%d}",
				position, content, base));
}

void collab_delete(const char *id, int position, int length, int base)
{
	send_operation(id, kit_text(collab.kit,
				    "{\"type\":\"delete\",\"position\":%d,\"length\":%d,"
				    "\"baseVersion\":%d}",
				    position, length, base));
}

static void expect_match(const char *got, const char *pattern)
{
	cr_assert(pattern_matches(slice_from_str(pattern), slice_from_str(got)),
		  "said: %s\nwant: %s", got, pattern);
}

void collab_expect_heard(size_t index, const char *pattern)
{
	cr_assert_lt(index, collab.heard_n, "only %zu messages came", collab.heard_n);
	expect_match(collab.heard[index], pattern);
}

void collab_expect_result(const char *pattern)
{
	cr_assert_gt(collab.heard_n, 0);
	collab_expect_heard(collab.heard_n - 1,
			    kit_text(collab.kit,
				     "complete * {\"type\":3,\"invocationId\":\"i\","
				     "\"result\":%s}",
				     pattern));
}

void collab_expect_error(const char *pattern)
{
	cr_assert_eq(collab.heard_n, 1);
	collab_expect_heard(0, kit_text(collab.kit,
					"complete * {\"type\":3,\"invocationId\":\"i\","
					"\"error\":\"%s\"}",
					pattern));
}

void collab_expect_text(const char *text, int version)
{
	static int number;
	const char *id = kit_text(collab.kit, "reader%d", number++);

	collab_enter(id, id);
	collab_expect_heard(0,
			    kit_text(collab.kit,
				     "deliver connection %s {\"type\":1,\"target\":"
				     "\"DocumentState\",\"arguments\":[{\"documentId\":"
				     "\"d\",\"content\":\"%s\",\"version\":%d,*",
				     id, text, version));
}
