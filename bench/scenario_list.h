/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the table in scenario.c, each beside its functions.
 */
#ifndef BENCH_SCENARIO_LIST_H
#define BENCH_SCENARIO_LIST_H

#include "bench/scenario.h"

extern const struct scenario scenario_connect;
extern const struct scenario scenario_churn;
extern const struct scenario scenario_idle;
extern const struct scenario scenario_hold;
extern const struct scenario scenario_echo;
extern const struct scenario scenario_broadcast;
extern const struct scenario scenario_user;
extern const struct scenario scenario_connection;
extern const struct scenario scenario_group;
extern const struct scenario scenario_beside;
extern const struct scenario scenario_recorded;
extern const struct scenario scenario_join_leave;
extern const struct scenario scenario_stream;
extern const struct scenario scenario_upload;
extern const struct scenario scenario_ask;
extern const struct scenario scenario_mixed;

#endif
