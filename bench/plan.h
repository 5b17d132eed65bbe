/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the options leave open is settled here, before any worker runs: how many processes
 * and source addresses it takes, what a group's size is. And what cannot work is refused
 * with a sentence that names the option.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdint.h>

#include "bench/conf.h"
#include "proto/base/err.h"

#define PLAN_ERROR_MAX 512
#define PLAN_WORKER_CONNECTIONS 18000 /* of a worker, unless it is told otherwise */
#define PLAN_DESCRIPTORS_SPARE 288 /* HTTP_POOL_CONNS_MAX, the loop, standard streams */

/* What the machine has; read by plan_machine(), made up by tests. */
struct plan_machine {
	uint64_t descriptors; /* of a process */
	uint32_t ports;	      /* that one source address has for one server */
};

void plan_machine(struct plan_machine *machine);

/* ERR_ARGUMENT: `error` says why it cannot work. */
MUST_CHECK enum err plan_settle(struct bench_conf *conf,
				const struct plan_machine *machine,
				char error[PLAN_ERROR_MAX]);

#endif
