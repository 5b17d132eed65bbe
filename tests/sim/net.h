/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network: hosts, and streams between them as TCP makes them. Bytes arrive whole and
 * in order, late, and in any split; a stream may break, with or without a word to either
 * side; a way between two hosts may be slow or blocked, in one direction or both, and
 * what is under way then waits until it is open again.
 *
 * A host's kernel takes part while its process is stopped; what a killed process had is
 * closed for it.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NET_HOSTS_MAX 96u

struct net_end;
struct net_listener;

/* Something may be done that could not: look at what. */
typedef void net_wake_fn(void *owner);

/* ---- listening */

/* NULL: somebody listens there. */
struct net_listener *net_listen(unsigned host, unsigned port, net_wake_fn *wake,
				void *owner);
void net_unlisten(struct net_listener *listener);
bool net_has_arrival(const struct net_listener *listener);

/* NULL: none has come. */
struct net_end *net_accept(struct net_listener *listener);

/* ---- streams */

/* Is open, or lost, some time later. */
struct net_end *net_connect(unsigned from, unsigned to, unsigned port, net_wake_fn *wake,
			    void *owner);
void net_set_owner(struct net_end *end, net_wake_fn *wake, void *owner);
bool net_is_open(const struct net_end *end);
bool net_is_lost(const struct net_end *end);
unsigned net_peer_host(const struct net_end *end);

/* Bytes taken (> 0), -EAGAIN or -EPIPE. */
ssize_t net_send(struct net_end *end, const void *ptr, size_t len);

/* Bytes (> 0), 0: the other side has ended; -EAGAIN or -ECONNRESET. */
ssize_t net_recv(struct net_end *end, void *ptr, size_t len);
bool net_may_send(const struct net_end *end);
bool net_may_recv(const struct net_end *end);

/* The other side reads to the end of what was sent. */
void net_shut(struct net_end *end);

/* As close(2); the end is not to be used any more. */
void net_close(struct net_end *end);

/* ---- faults */

/* What the host's process had is closed; silently: as when the machine has lost power,
 * nobody is told until it is back. */
void net_host_lost(unsigned host, bool is_silent);
void net_host_back(unsigned host);

/* One way. */
void net_block(unsigned from, unsigned to, bool is_blocked);
bool net_is_blocked(unsigned from, unsigned to);

/* One way: microseconds, and up to that much more at random. */
void net_slow(unsigned from, unsigned to, int64_t delay, int64_t jitter);

/* Breaks up to `n` of the streams between the two. `is_silent`: neither side is told. */
unsigned net_break(unsigned a, unsigned b, unsigned n, bool is_silent);

/* As at the start. */
void net_heal(void);

/* ---- for the figures */

uint64_t net_bytes_total(void);

#endif
