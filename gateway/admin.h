/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's listener: /healthz and /livez (the loop turns), /readyz (it has been
 * connected to every router, is to one, and does not drain), /metrics.
 */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

struct gateway;
struct proc;
struct proc_status;

/* Listens when admin_listen is set; start-up error when it cannot. */
void admin_open(struct gateway *gateway);
void admin_close(struct gateway *gateway);

/* For proc_ops.status: `state` is a gateway. */
void admin_status(struct proc *proc, void *state, struct proc_status *status);

#endif
