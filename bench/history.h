/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what clients did and heard, for the history checker: one file of one writer, in
 * the format at the top of tests/lab/history.js. Lines are buffered; what cannot be
 * written is lost, and the file lacks the line that says that it is whole.
 */
#ifndef BENCH_HISTORY_H
#define BENCH_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

struct history; /* opaque */

/* Creates "<path>.<number>"; NULL: errno says why. */
struct history *history_new(const char *path, uint32_t number);

/* Writes the last line and what is left. ERR_IO: not all could be written. Frees it. */
MUST_CHECK enum err history_free(struct history *history);

/* Who of whom: client numbers are global, connections of one are numbered from 1. */
struct history_who {
	uint32_t client;
	uint32_t life;
};

/* Open now, begun at `called_us`; an empty user is anonymous. */
void history_opened(struct history *history, struct history_who who, int64_t called_us,
		    struct slice user);

enum history_end {
	HISTORY_OWN,  /* about to be closed, after all that was due has come */
	HISTORY_LEFT, /* about to be closed, in the middle of things */
	HISTORY_LOST, /* it has ended by itself */
};

void history_ended(struct history *history, struct history_who who, enum history_end how,
		   const char *why);
void history_joined(struct history *history, struct history_who who, uint32_t group,
		    int64_t called_us, bool is_ok);
void history_sent(struct history *history, struct history_who who, uint32_t group,
		  uint32_t seq);
void history_completed(struct history *history, uint32_t client, uint32_t group,
		       uint32_t seq, bool is_ok);
void history_received(struct history *history, struct history_who who, uint32_t sender,
		      uint32_t group, uint32_t seq);

#endif
