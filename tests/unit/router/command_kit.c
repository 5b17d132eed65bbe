/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/command_kit.h"

struct router_conf command_kit_conf(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.link.window_bytes_max = 8 << 20;
	return conf;
}

struct kit *command_kit_new(const struct router_conf *conf)
{
	struct kit *kit = kit_new_conf(NULL, conf);

	kit_skip(kit, kit->presence); /* a Lease */
	return kit;
}

void command_kit_replay(struct kit *kit)
{
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
}

static ProtobufCBinaryData bytes(const char *text)
{
	return link_bytes(slice_from_str(text));
}

Link__Command command_kit_of(Link__CommandKind kind, const char *name)
{
	Link__Command command = LINK__COMMAND__INIT;

	command.call = COMMAND_KIT_CALL;
	command.command = kind;
	command.hub = bytes("chat");
	command.name = bytes(name);
	return command;
}

Link__Command command_kit_send(Link__Kind kind, const char *name, const char *arguments)
{
	Link__Command command = command_kit_of(LINK__COMMAND_KIND__COMMAND_SEND, name);

	command.kind = kind;
	command.target = bytes("News");
	command.arguments = bytes(arguments);
	return command;
}

void command_kit_hear(struct kit *kit, const Link__Command *command)
{
	kit_hear_command(kit, kit->presence, command);
}

const char *command_kit_connect(struct kit *kit)
{
	const char *id = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);

	kit_connect(kit, kit->g1, id, "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	return id;
}
