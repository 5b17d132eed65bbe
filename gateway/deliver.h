/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fan-out: one Deliver from a router to every connection here that it is for. The message
 * is wrapped once per protocol and transport (parcel.h) and shared; the walk over its
 * receivers looks nothing up. What has more than one turn should serve is kept (sweep.h).
 */
#ifndef GATEWAY_DELIVER_H
#define GATEWAY_DELIVER_H

#include "gateway/gateway.h"

void deliver_on_deliver(struct gateway *gateway, const Link__Deliver *deliver);

#endif
