/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client listener: which URL is what. /hubs/<name> takes WebSockets,
 * /hubs/<name>/negotiate answers where, /dev/token makes tokens in dev mode, everything
 * else is the demo's files or 404. It makes connections out of requests and has no part
 * in their life.
 */
#ifndef GATEWAY_EDGE_H
#define GATEWAY_EDGE_H

struct gateway;

/* Loads keys and demo files and listens; the rest of the gateway must be there already.
 * Start-up error when it cannot. */
void edge_open(struct gateway *gateway);

/* No new client is accepted. */
void edge_drain(struct gateway *gateway);

/* Frees what edge_open() made, sockets that were still closing included. All connections
 * must have been closed. */
void edge_close(struct gateway *gateway);

#endif
