/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and answers as messages on a link (docs/LINK.md), and back. All borrow; what
 * takes room of its own is in the arena. Pure.
 */
#ifndef ROUTER_STATE_STATE_MESSAGE_H
#define ROUTER_STATE_STATE_MESSAGE_H

#include "proto/base/arena.h"
#include "proto/link/link_send.h"
#include "router/state/state.h"

void state_question_write(const struct state_question *question, Link__State *message);

/* Any operation but ours becomes STATE_NONE; numbers out of range stay so. */
void state_question_read(const Link__State *message, struct state_question *question);

void state_answer_write(const struct state_answer *answer, struct arena *arena,
			Link__StateDone *message);
void state_answer_read(const Link__StateDone *message, struct arena *arena,
		       struct state_answer *answer);

#endif
