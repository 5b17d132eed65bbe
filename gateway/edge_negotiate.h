/* SPDX-License-Identifier: Apache-2.0 */
/* /hubs/<name>/negotiate: how a client may connect, and under which id. */
#ifndef GATEWAY_EDGE_NEGOTIATE_H
#define GATEWAY_EDGE_NEGOTIATE_H

#include "gateway/visit.h"

void edge_negotiate(struct visit *visit);

#endif
