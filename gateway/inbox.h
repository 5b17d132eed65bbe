/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What POSTs bring for a connection whose transport has no socket to read from. Bodies
 * are given to conn_on_bytes() in the order they came. While the connection is paused
 * they wait, and their answers with them: that is how such a client is slowed down.
 */
#ifndef GATEWAY_INBOX_H
#define GATEWAY_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/metrics.h"
#include "gateway/reply.h"
#include "gateway/transport.h"
#include "proto/base/list.h"
#include "proto/base/loop.h"

/* POSTs of one connection that may wait; official clients send one at a time. */
#define INBOX_POSTS_MAX 16

/* Part of a transport's own struct. */
struct inbox {
	struct transport *transport;	 /* borrowed: what it is part of */
	struct loop *loop;		 /* borrowed */
	struct gateway_metrics *metrics; /* borrowed */
	struct list posts;		 /* that wait, oldest first */
	size_t posts_n;
	size_t bytes; /* of their bodies */
	size_t bytes_max;
	bool is_paused;
	struct loop_flush flush;
};

void inbox_init(struct inbox *inbox, struct transport *transport, struct loop *loop,
		struct gateway_metrics *metrics, int64_t bytes_max);

/*
 * Gives on one POST's body, now or later, and answers it 200 when that is done. 404: the
 * connection has ended. 503: INBOX_POSTS_MAX are waiting, or `bytes_max` with it would
 * be. May close the connection.
 */
void inbox_post(struct inbox *inbox, struct slice body, struct reply *reply);

/* The transport's pause. */
void inbox_pause(struct inbox *inbox, bool is_paused);

/* The connection has ended: answers all that wait. Nothing calls back any more. */
void inbox_close(struct inbox *inbox);

#endif
