/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every measured message carries in front of its filling: who sent it, to which
 * target, as which of its messages to that target, and when it was *due* (not when it was
 * written: a sender that falls behind its schedule must not hide that). Plain hexadecimal
 * text of fixed width, so that it travels unescaped through every protocol. Pure.
 */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

struct payload {
	uint32_t sender; /* client index */
	uint32_t target; /* number of the group, user or connection; 0 for all */
	uint32_t seq;	 /* 1, 2, 3 ... of this sender to this target */
	int64_t due_us;	 /* CLOCK_MONOTONIC: the same clock in all processes */
};

/* "~" and the fields; a message is never shorter. */
#define PAYLOAD_BYTES_MIN 41
#define PAYLOAD_BYTES_MAX (1u << 20)

/* Writes exactly `size` bytes, at least PAYLOAD_BYTES_MIN of them. */
void payload_write(char *out, size_t size, const struct payload *payload);

/* ERR_MALFORMED: not one of ours, or with a filling that is not. What it should be long
 * is the caller's to know. */
MUST_CHECK enum err payload_read(struct slice text, struct payload *payload);

#endif
