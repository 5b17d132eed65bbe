/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many of something each key holds, for keys that are hashes under a secret seed: 12
 * bytes a slot, of which at least an eighth and at most three quarters are in use. Pure.
 */
#ifndef GATEWAY_TALLY_H
#define GATEWAY_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally {
	uint64_t *keys;	  /* owned; 0: the slot is free */
	uint32_t *counts; /* owned */
	size_t mask;	  /* slots - 1, a power of two */
	size_t n;	  /* keys that hold something */
};

/* All zero is empty. */
void tally_fini(struct tally *tally);

/* Keys are not 0. One more, one less; who holds nothing cannot hold less. */
void tally_add(struct tally *tally, uint64_t key);
void tally_remove(struct tally *tally, uint64_t key);

uint32_t tally_count(const struct tally *tally, uint64_t key);

#endif
