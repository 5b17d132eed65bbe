/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client port of a gateway with workers, held by their supervisor from before the
 * first until after the last of them.
 */
#ifndef GATEWAY_WORKER_PORT_H
#define GATEWAY_WORKER_PORT_H

#include <stdint.h>

/* Binds `listen` without listening, which reserves it, and chooses it if its port is 0;
 * workers may bind it too. The descriptor is the caller's. What is wrong is fatal, as is
 * somebody who listens there already. */
int worker_port_reserve(const char *listen);

/* Which port it is. */
uint16_t worker_port_number(int fd);

#endif
