/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address of the internet, and lists of networks that it may be in. IPv4 addresses are
 * kept as IPv6 ones of ::ffff:0:0/96, so that both ways to write one are the same. Pure.
 */
#ifndef GATEWAY_ADDRESS_H
#define GATEWAY_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

struct address {
	uint8_t bytes[16];
};

/* "10.0.0.1" or "::1", each with a port or without: "10.0.0.1:80", "[::1]:80", "[::1]".
 * ERR_MALFORMED: anything else. */
MUST_CHECK enum err address_parse(struct slice text, struct address *address);

/* Who counts as one client: a whole IPv4 address, or the /64 that a household or a server
 * with IPv6 has. Borrows from `address`. */
struct slice address_client(const struct address *address);

/* Is it a list of addresses and CIDR networks? */
bool address_is_list(const char *list);

/* Is it in one of the list's networks? What is no network has nobody in it. */
bool address_list_has(const char *list, const struct address *address);

#endif
