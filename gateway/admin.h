/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's listener: /healthz and /livez (the loop turns), /readyz (every router
 * link is up and nothing drains), /metrics.
 */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

struct gateway;

/* Listens when admin_listen is set; start-up error when it cannot. */
void admin_open(struct gateway *gateway);
void admin_close(struct gateway *gateway);

#endif
