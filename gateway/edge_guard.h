/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on what one user and one address may ask of this worker in a minute. A request
 * over one of them is answered 429 and told when to come again.
 */
#ifndef GATEWAY_EDGE_GUARD_H
#define GATEWAY_EDGE_GUARD_H

#include <stdbool.h>

#include "gateway/visit.h"

/* False: answered. */
bool edge_guard_negotiate(struct visit *visit);

/* Before a token is looked at: its sender has not sent too many bad ones. False:
 * answered. */
bool edge_guard_token(struct visit *visit);
void edge_guard_token_was_bad(struct visit *visit);

/* A connection token was none of ours. False: answered. */
bool edge_guard_id_was_unknown(struct visit *visit);

#endif
