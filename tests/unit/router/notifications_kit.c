/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/notifications_kit.h"

#define ROLES_MAX 4

static struct kit *kit_of(char *routers)
{
	static char hubs[] = "notifications";
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hubs = hubs;
	if (routers != NULL)
		conf.routers = routers;
	kit = kit_new_conf(NULL, &conf);
	kit->hub = "notifications";
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	return kit;
}

struct kit *notifications_kit(void)
{
	return kit_of(NULL);
}

struct kit *notifications_kit_two(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";

	return kit_of(routers);
}

void arrive(struct kit *kit, const char *id, const char *user_id, const char *roles)
{
	struct slice rest = slice_from_str(roles);
	ProtobufCBinaryData list[ROLES_MAX];
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	user.id = link_bytes(slice_from_str(user_id));
	user.roles = list;
	while (rest.len > 0) {
		cr_assert_lt(user.n_roles, ROLES_MAX);
		list[user.n_roles++] = link_bytes(slice_cut(&rest, ','));
	}
	connected.hub = link_bytes(SLICE("notifications"));
	connected.connection = link_bytes(slice_from_str(id));
	connected.user = &user;
	connected.protocol = kit->protocol;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_member(kit, kit->g1, LINK__KIND__KIND_USER, user_id, id, false);
	kit_turn(kit);
}

void join(struct kit *kit, const char *id, const char *group)
{
	kit_expect(kit, kit->g1, "join %s %s", id, group);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, group, id, false);
	kit_joined(kit, kit->g1, id, group, false, OK);
	kit_turn(kit);
}

void be_here(struct kit *kit, const char *id, const char *user_id, const char *role)
{
	arrive(kit, id, user_id, role != NULL ? role : "");
	join(kit, id, kit_text(kit, "user-%s", user_id));
	if (role != NULL)
		join(kit, id, kit_text(kit, "role-%s", role));
	kit_skip(kit, kit->g1);
}
