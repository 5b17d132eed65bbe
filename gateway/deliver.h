/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fan-out: one Deliver from a router to every connection here that it is for. The message
 * is wrapped once per protocol and transport and shared by reference; the sweep looks
 * nothing up and copies nothing.
 */
#ifndef GATEWAY_DELIVER_H
#define GATEWAY_DELIVER_H

#include "gateway/gateway.h"

void deliver_on_deliver(struct gateway *gateway, const Link__Deliver *deliver);

#endif
