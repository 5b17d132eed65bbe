/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/search.h"

#include <assert.h>
#include <math.h>

#define RATE_MIN 1.0
#define PACE_MIN 0.97
#define PACE_EDGES 2.0 /* messages */

void search_init(struct search *search, double from, double to, double precision)
{
	assert(from >= RATE_MIN);
	assert(to >= from);
	assert(precision > 0);
	*search = (struct search){ .rate = from, .to = to, .precision = precision };
}

bool search_next(const struct search *search, double *rate)
{
	*rate = search->rate;
	return !search->is_done;
}

/* Whole rates: what people read and type. */
static void choose(struct search *search)
{
	if (search->failed <= 0)
		search->rate = fmin(search->held * 2, search->to);
	else if (search->held <= 0)
		search->rate = fmax(floor(search->failed / 2), RATE_MIN);
	else
		search->rate = round(sqrt(search->held * search->failed));
}

void search_note(struct search *search, bool is_held)
{
	assert(!search->is_done);
	search->steps++;
	if (!is_held && ++search->tries < SEARCH_TRIES &&
	    search->steps < SEARCH_STEPS_MAX)
		return;
	search->tries = 0;
	if (is_held)
		search->held = search->rate;
	else
		search->failed = search->rate;
	if (search->steps >= SEARCH_STEPS_MAX || search->held >= search->to ||
	    (search->failed > 0 && search->failed <= RATE_MIN) ||
	    (search->held > 0 && search->failed > 0 &&
	     search->failed <= search->held * (1 + search->precision))) {
		search->is_done = true;
		return;
	}
	choose(search);
	/* Neighbours: nothing lies between them. */
	if ((search->held > 0 && search->rate <= search->held) ||
	    (search->failed > 0 && search->rate >= search->failed))
		search->is_done = true;
}

bool search_kept_pace(double due_rate, double begun_rate, double seconds)
{
	return begun_rate * seconds + PACE_EDGES >= due_rate * seconds * PACE_MIN;
}
