/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns of the loop that took long, counted for the whole process, whose loop is the only
 * one but in tests: while one goes on nobody else is served.
 */
#ifndef PROTO_BASE_STALL_H
#define PROTO_BASE_STALL_H

#include <stdint.h>

/* A turn that takes so long, without its wait, is a stall. */
#define STALL_MS 100

struct stalls {
	uint64_t n;
	uint64_t ms; /* all of them together */
};

/* Counts a turn that took so long, if it is a stall. */
void stall_note(int64_t took_ms);

struct stalls stalls_counted(void);

#endif
