/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token allows its bearer, said in its roles: "relay.join" allows the verb for
 * every name, "relay.join:lobby,room-*" for these. Whatever no role allows is denied.
 *
 * A pattern is text in which '*' stands for any run of bytes, none included; there is no
 * way to write a star or a comma itself. Case counts.
 */
#ifndef ROUTER_HUBS_PERMISSION_H
#define ROUTER_HUBS_PERMISSION_H

#include "router/hub.h"

/* Nothing is tried twice: it takes no longer than to look at each byte of the text once
 * for each of the pattern, whatever they are. Pure. */
bool pattern_matches(struct slice pattern, struct slice text);

/* Whether this one role allows it. Pure. */
bool permission_allows(struct slice role, struct slice verb, struct slice name);

/* Names are a client's: a longer one is denied without a look at the roles. */
#define PERMISSION_NAME_BYTES_MAX 1024u

/* Whether any of the caller's does. */
bool permission_has(struct hub_call *call, struct slice verb, struct slice name);

/* The same; fails the call if not, and says which role is missing. `name` SLICE_NONE: the
 * verb has none. */
enum hub_rc permission_check(struct hub_call *call, struct slice verb, struct slice name);

#endif
