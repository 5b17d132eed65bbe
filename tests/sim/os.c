/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's clocks and its random numbers, as tests/sim/sock.h says of sockets.
 */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "tests/sim/node.h"
#include "tests/sim/sim.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
ssize_t __wrap_getrandom(void *ptr, size_t len, unsigned flags);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int64_t us = sim_now();

	if (clock == CLOCK_REALTIME)
		us = sim_node_unix_ms(sim_node_current()) * SIM_MS + us % SIM_MS;
	time->tv_sec = us / SIM_S;
	time->tv_nsec = us % SIM_S * 1000;
	return 0;
}

ssize_t __wrap_getrandom(void *ptr, size_t len, unsigned flags)
{
	char *at = ptr;

	(void)flags;
	for (size_t i = 0; i < len; i++)
		at[i] = (char)(uint8_t)sim_random(SIM_PRODUCT);
	return (ssize_t)len;
}
