/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM: no new client, every connection told to reconnect, at a pace that does not
 * storm its next gateway, then wait until the shards know that they are gone.
 */
#ifndef GATEWAY_DRAIN_H
#define GATEWAY_DRAIN_H

#include "gateway/gateway.h"

void drain_start(struct gateway *gateway);
void drain_on_timer(struct timer *timer);

#endif
