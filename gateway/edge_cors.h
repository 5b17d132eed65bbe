/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GATEWAY_EDGE_CORS_H
#define GATEWAY_EDGE_CORS_H

#include <stdbool.h>

#include "gateway/visit.h"

/* Before anything else is done for a request to a hub: may a page of its origin make it?
 * Every answer carries the headers of that from now on. False: answered. */
bool edge_cors(struct visit *visit);

#endif
