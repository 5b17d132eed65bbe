/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop whose time is moved by hand, for whoever plays what runs on it.
 */
#ifndef PROTO_BASE_LOOP_HOLD_H
#define PROTO_BASE_LOOP_HOLD_H

#include "proto/base/loop.h"

/* Time stands still from now on, at this Unix time, and turns must not wait. */
void loop_hold(struct loop *loop, int64_t unix_ms);

/* Moves time on, to the next timer at the latest, which fires in the next turn. Returns
 * by how much: > 0 and <= `ms`. */
int64_t loop_pass(struct loop *loop, int64_t ms);

#endif
