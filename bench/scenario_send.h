/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of scenarios that others have a use for. `seq` numbers what the client sends
 * to that target; false: the scenario cannot go on.
 */
#ifndef BENCH_SCENARIO_SEND_H
#define BENCH_SCENARIO_SEND_H

#include "bench/scenario.h"

bool echo_send(struct client *client, uint32_t *seq, int64_t due_us);
bool user_send(struct client *client, uint32_t *seq, int64_t due_us);

/* Whom it sends to when it sends to a connection: the next one of the same worker. */
struct client *connection_after(struct client *client);
uint32_t connection_receivers(const struct bench_conf *conf, uint32_t sender,
			      uint32_t target, uint32_t first, uint32_t n);
bool connection_is_receiver(const struct bench_conf *conf, uint32_t client,
			    uint32_t sender, uint32_t target);

#endif
