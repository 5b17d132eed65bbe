/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends to groups, for scenarios that have them among others.
 */
#ifndef BENCH_SCENARIO_GROUP_H
#define BENCH_SCENARIO_GROUP_H

#include "bench/scenario.h"
#include "bench/scenario_parts.h"

/* Members of each group that send to it: SENDERS_MAX of each worker. */
void group_senders_init(struct senders *senders, const struct worker *worker);

/* To its own group. False: the scenario cannot go on. */
bool group_send(struct client *client, uint32_t *seq, int64_t due_us);

/* PHASE_SET_UP: joins its own group. */
void group_set_up(struct client *client);

uint32_t group_receivers(const struct bench_conf *conf, uint32_t sender, uint32_t target,
			 uint32_t first, uint32_t n);
bool group_is_receiver(const struct bench_conf *conf, uint32_t client, uint32_t sender,
		       uint32_t target);

#endif
