/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small random generator (splitmix64) whose whole state is one seed: the same run again
 * makes the same choices. Pure.
 */
#ifndef BENCH_DICE_H
#define BENCH_DICE_H

#include <assert.h>
#include <stdint.h>

static inline uint64_t dice_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 .. n - 1; n > 0. */
static inline uint32_t dice_below(uint64_t *state, uint32_t n)
{
	assert(n > 0);
	return (uint32_t)(((dice_next(state) >> 32) * n) >> 32);
}

/* In (0, 1], so that its logarithm exists. */
static inline double dice_unit(uint64_t *state)
{
	return ((double)(dice_next(state) >> 11) + 1) * 0x1p-53;
}

#endif
