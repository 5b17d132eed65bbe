/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rate to try next, to find the highest that holds: doubled until one fails, then
 * the geometric middle between the highest that held and the lowest that failed. A rate
 * has failed when it did so twice, since one hiccup of the machine is not the server's.
 * Pure.
 */
#ifndef BENCH_SEARCH_H
#define BENCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_STEPS_MAX 60
#define SEARCH_TRIES 2

struct search {
	double rate; /* to try now */
	double to;
	double precision; /* ends when failed <= held * (1 + precision) */
	double held;	  /* 0: none yet */
	double failed;	  /* 0: none yet */
	int tries;
	int steps;
	bool is_done;
};

void search_init(struct search *search, double from, double to, double precision);

/* False: it has ended, and `held` is the answer. */
bool search_next(const struct search *search, double *rate);

void search_note(struct search *search, bool is_held);

/* Was enough begun of what was due in that time? A message or two at the edges are no
 * failure, a tool that cannot keep up, or may not for --in_flight, is. */
bool search_kept_pace(double due_rate, double begun_rate, double seconds);

#endif
