/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router that serves the notifications hub alone, and the first steps of its clients,
 * all at gateway g1.
 */
#ifndef TESTS_UNIT_ROUTER_NOTIFICATIONS_KIT_H
#define TESTS_UNIT_ROUTER_NOTIFICATIONS_KIT_H

#include "tests/unit/router/hub_kit.h"

/* The head of what goes to "user bob": its first argument is next. */
#define TO(whom, event)                                                                  \
	"deliver " whom " {\"type\":1,\"target\":\"" event "\",\"arguments\":["

struct kit *notifications_kit(void);
struct kit *notifications_kit_two(void); /* there is an r2 */

/* A connection begins; the roles: "a,b". */
void arrive(struct kit *kit, const char *id, const char *user_id, const char *roles);

/* What the gateway does for "join ID GROUP", which is what it was told. */
void join(struct kit *kit, const char *id, const char *group);

/* Both; `role` NULL: none. All that the gateway was told is passed over. */
void be_here(struct kit *kit, const char *id, const char *user_id, const char *role);

#endif
