/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in which group, and which connections are whose: reckoned from numbers, so that
 * worker processes agree without talking. Pure.
 */
#ifndef BENCH_SCENARIO_GROUPS_H
#define BENCH_SCENARIO_GROUPS_H

#include <stdint.h>

#include "bench/conf.h"
#include "proto/base/slice.h"

/* Members of one group, if there are as many connections as groups times members. */
uint32_t groups_size(const struct bench_conf *conf);

/* Client i is in group (i / groups_size) mod groups. */
uint32_t groups_of(const struct bench_conf *conf, uint32_t client);

/* How many of the `n` clients from `first` on are in it. */
uint32_t groups_members(const struct bench_conf *conf, uint32_t group, uint32_t first,
			uint32_t n);

/* Client i is a connection of user i mod users. */
uint32_t users_n(const struct bench_conf *conf);
uint32_t users_of(const struct bench_conf *conf, uint32_t client);
uint32_t users_connections(const struct bench_conf *conf, uint32_t user, uint32_t first,
			   uint32_t n);

/* 1 if `client` is one of the `n` from `first` on, else 0. */
uint32_t range_has(uint32_t client, uint32_t first, uint32_t n);

/* "group-12", "user-12"; the bytes are in `out`. */
#define NUMBERED_BYTES 24
struct slice group_name(char out[NUMBERED_BYTES], uint32_t group);
struct slice user_name(char out[NUMBERED_BYTES], uint32_t user);

#endif
