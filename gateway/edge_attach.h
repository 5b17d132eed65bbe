/* SPDX-License-Identifier: Apache-2.0 */
/* /hubs/<name> itself: requests that open connections, or carry them. */
#ifndef GATEWAY_EDGE_ATTACH_H
#define GATEWAY_EDGE_ATTACH_H

#include "gateway/visit.h"

void edge_attach(struct visit *visit);

#endif
