/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the simulated loop has beside proto/base/loop.h: turns are events of the agenda,
 * and happen when something has come for the process or a timer is due.
 */
#ifndef TESTS_SIM_LOOP_H
#define TESTS_SIM_LOOP_H

#include <stdbool.h>

#include "proto/base/list.h"
#include "proto/base/loop.h"

struct sim_post;
typedef void sim_post_fn(struct sim_post *post);

struct sim_post {
	struct list node;
	sim_post_fn *fn;
};

static inline void sim_post_init(struct sim_post *post, sim_post_fn *fn)
{
	list_init(&post->node);
	post->fn = fn;
}

/* Calls fn in the next turn, once however often it was posted. */
void sim_post(struct loop *loop, struct sim_post *post);

static inline void sim_post_revoke(struct sim_post *post)
{
	list_remove(&post->node);
}

/* There is something to look at. */
void sim_loop_wake(struct loop *loop);

/* SIGSTOP and SIGCONT. */
void sim_loop_pause(struct loop *loop, bool is_paused);

/* SIGKILL: no turn any more. */
void sim_loop_kill(struct loop *loop);

bool sim_loop_is_stopping(const struct loop *loop);

/* Turns of all processes so far. */
uint64_t sim_loop_turns(void);

#endif
