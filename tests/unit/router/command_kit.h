/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router that presence commands, beside another one that the test plays.
 */
#ifndef TESTS_UNIT_ROUTER_COMMAND_KIT_H
#define TESTS_UNIT_ROUTER_COMMAND_KIT_H

#include "tests/unit/router/hub_kit.h"

#define COMMAND_KIT_CALL 77

struct router_conf command_kit_conf(void);

/* r1, with r2 beside it, still rebuilding. Presence has nothing more to hear. */
struct kit *command_kit_new(const struct router_conf *conf);

/* Both gateways replay: it is not any more. */
void command_kit_replay(struct kit *kit);

/* Of the hub chat. `name` may be NULL. */
Link__Command command_kit_of(Link__CommandKind kind, const char *name);
Link__Command command_kit_send(Link__Kind kind, const char *name, const char *arguments);

void command_kit_hear(struct kit *kit, const Link__Command *command);

/* A connection of r1's, at g1. */
const char *command_kit_connect(struct kit *kit);

/* The next answer to presence, as kit_said() writes it. */
#define command_kit_expect(kit, ...) kit_expect(kit, (kit)->presence, "done " __VA_ARGS__)

#endif
