/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the simulated network under the descriptors that proto/base/ knows. The
 * linker puts these in the place of the system's calls (--wrap, tests/sim/sim.mk).
 */
#ifndef TESTS_SIM_SOCK_H
#define TESTS_SIM_SOCK_H

/* LOOP_READ and LOOP_WRITE. */
unsigned sim_sock_ready(int fd);

#endif
