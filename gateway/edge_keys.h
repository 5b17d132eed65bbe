/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the edge: what signs connection tokens, and what clients' JWTs are signed
 * with. Read at start-up, and again at each SIGHUP.
 */
#ifndef GATEWAY_EDGE_KEYS_H
#define GATEWAY_EDGE_KEYS_H

#include <stdbool.h>

struct gateway;

/* Ends the program when a file will not do. */
void edge_keys_open(struct gateway *gateway);
void edge_keys_close(struct gateway *gateway);

/* What will not do stays as it was: false. */
bool edge_keys_reload(struct gateway *gateway);

#endif
