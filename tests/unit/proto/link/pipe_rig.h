/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two pipes and a listener on one loop, and what they saw: the rig of the pipe tests.
 * Where the other end has to misbehave or to die it is a plain socket.
 */
#ifndef TESTS_UNIT_PROTO_LINK_PIPE_RIG_H
#define TESTS_UNIT_PROTO_LINK_PIPE_RIG_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/link/pipe_open.h"

#define DEADLINE_MS 20000
#define TCP "tcp://127.0.0.1:0"

struct peer {
	struct pipe_owner owner;
	struct pipe *pipe;
	struct buf last; /* the last frame */
	unsigned frames;
	unsigned drained;
	unsigned closed;
	enum err closed_rc;
	bool is_echo;
	unsigned close_after; /* frames, as the next two; 0: never */
	unsigned pause_after;
	unsigned blink_after; /* pauses and resumes at once */
};

struct rig {
	struct loop *loop;
	struct pipe_set *set;
	struct pipe_listener *listener;
	struct pipe_acceptor acceptor;
	struct pipe_dial dial;
	char dir[32];
	char path[64];
	char ipc[80];
	unsigned accepted;
	unsigned dialed;
	enum err dial_rc;
	bool is_single;	  /* the listener closes after one */
	struct peer near; /* that dialed */
	struct peer far;  /* that was dialed */
};

/* Turns until `condition` holds; fails after DEADLINE_MS. */
#define WAIT(rig, condition)                                                             \
	do {                                                                             \
		int64_t end_ms = loop_now_ms((rig)->loop) + DEADLINE_MS;                 \
		while (!(condition) && loop_now_ms((rig)->loop) < end_ms)                \
			loop_turn((rig)->loop, 100);                                     \
		cr_assert(condition, "not within the deadline");                         \
	} while (0)

extern const struct pipe_ops peer_ops;

struct rig *rig_new(void);

/* Also checks that no socket file is left. */
void rig_free(struct rig *rig);

void rig_listen(struct rig *rig, const char *url);

/* Listens at `url` (NULL: the rig's own socket file), dials it, waits for both pipes. */
struct rig *rig_connected(const char *url);

/* A rig whose far end was dialed by a plain socket, `*fd`, to be closed by the test. */
struct rig *rig_raw(int *fd);

/* A few turns in which what is under way can happen, though nothing has to. */
void rig_settle(struct rig *rig);

/* A plain socket connected to the socket file; -1. */
int raw_connect(const char *path);
void raw_write(int fd, const void *bytes, size_t len);

#endif
