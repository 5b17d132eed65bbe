/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One gateway, several processes on one port. With workers > 1 the first process forks
 * them before any loop exists, starts a dead one again, passes signals on, and never
 * serves.
 */
#ifndef GATEWAY_WORKERS_H
#define GATEWAY_WORKERS_H

#include "gateway/conf.h"

struct gateway;

/* For proc_ops.before_loop: returns in whoever serves, with the runtime fields of
 * gateway_conf filled in; the supervisor exits inside. */
void workers_before_loop(struct proc *proc);

/* The whole gateway drains, all its workers: as when SIGTERM comes, but once only. */
void workers_drain(const struct gateway *gateway);

/* Prints this worker's ready line, with the addresses its listeners have. */
void workers_ready(const struct gateway *gateway);

#endif
