/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/pace.h"

#include <assert.h>
#include <math.h>

#include "bench/dice.h"

static double exponential_us(struct pace *pace)
{
	return -log(dice_unit(&pace->random)) * pace->interval_us;
}

static double first_us(struct pace *pace)
{
	if (pace->kind == PACE_POISSON)
		return exponential_us(pace);
	return dice_unit(&pace->random) * pace->interval_us;
}

void pace_init(struct pace *pace, enum pace_kind kind, double per_second,
	       int64_t start_us, uint64_t seed)
{
	assert(per_second > 0);
	assert(start_us >= 0);
	pace->kind = kind;
	pace->interval_us = 1e6 / per_second;
	pace->random = seed;
	pace->next_us = (double)start_us + first_us(pace);
}

bool pace_take(struct pace *pace, int64_t now_us, int64_t *due_us)
{
	if (pace->next_us > (double)now_us)
		return false;
	*due_us = (int64_t)pace->next_us;
	pace->next_us +=
		pace->kind == PACE_POISSON ? exponential_us(pace) : pace->interval_us;
	return true;
}

int64_t pace_wait_us(const struct pace *pace, int64_t now_us)
{
	const double wait_us = ceil(pace->next_us - (double)now_us);

	if (wait_us <= 0)
		return 0;
	return wait_us < (double)INT64_MAX ? (int64_t)wait_us : INT64_MAX;
}

void pace_change(struct pace *pace, double per_second, int64_t now_us)
{
	assert(per_second > 0);
	pace->interval_us = 1e6 / per_second;
	pace->next_us = (double)now_us + first_us(pace);
}
