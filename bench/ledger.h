/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has received what: for each (receiver, sender, target) the highest number seen and
 * which of the 64 before it. Tells at once whether a message is new, late (reordered) or
 * seen before; what is still missing is counted. One per worker process, for its own
 * receivers. Pure.
 */
#ifndef BENCH_LEDGER_H
#define BENCH_LEDGER_H

#include <stdint.h>

struct ledger; /* opaque */

enum ledger_verdict {
	LEDGER_NEXT,	  /* the one that was due */
	LEDGER_GAP,	  /* newer than that: those between are missing, so far */
	LEDGER_LATE,	  /* one of the missing: reordered, no longer lost */
	LEDGER_DUPLICATE, /* seen before */
	LEDGER_STALE,	  /* more than 64 behind, or of a row too many: nobody can tell */
};

/* 24 bytes a row, in a table that is at most three quarters full. */
#define LEDGER_ROWS_MAX (UINT32_C(3) << 23)

/* Of at most `rows_max` rows, of LEDGER_ROWS_MAX at most. */
struct ledger *ledger_new(uint32_t rows_max);
void ledger_free(struct ledger *ledger);

/* A receiver that joins a target late, or again, says so: only what is above `seq` is due
 * to it from now on. What was missing before stays missing. */
void ledger_begin(struct ledger *ledger, uint32_t receiver, uint32_t sender,
		  uint32_t target, uint32_t seq);

/* Without ledger_begin the first number due is 1. */
enum ledger_verdict ledger_note(struct ledger *ledger, uint32_t receiver, uint32_t sender,
				uint32_t target, uint32_t seq);

/* Numbers below the highest seen of their row that never came. */
uint64_t ledger_missing(const struct ledger *ledger);

#endif
