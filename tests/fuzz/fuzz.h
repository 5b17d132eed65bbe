/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one file, fuzz_<name>.c, with libFuzzer's
 * function: it gives the bytes to the code as a peer would and asserts what must hold
 * for any bytes. Parameters of the case itself (where a stream is cut, which limit
 * applies) are taken off the front of the input, so that the fuzzer finds them, too.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"

/* libFuzzer's names. The bytes are borrowed; the result is 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static inline struct slice fuzz_slice(const uint8_t *data, size_t size)
{
	return slice_make((const char *)(const void *)data, size);
}

/* Takes up to `len` bytes off the front; all that is left when there are fewer. */
static inline struct slice fuzz_take(struct slice *input, size_t len)
{
	const struct slice taken =
		slice_make(input->ptr, len < input->len ? len : input->len);

	*input = slice_from(*input, taken.len);
	return taken;
}

/* 0 when nothing is left. */
static inline uint8_t fuzz_byte(struct slice *input)
{
	const struct slice taken = fuzz_take(input, 1);

	return taken.len > 0 ? (uint8_t)taken.ptr[0] : 0;
}

/* Big endian; zeros for what is not there. */
static inline uint64_t fuzz_number(struct slice *input, size_t bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | fuzz_byte(input);
	return number;
}

/*
 * The length of the next piece of a stream of which `left` bytes are to come: at least 1,
 * often few. `*seed` is any number at first; the same one cuts in the same places.
 */
static inline size_t fuzz_piece(uint32_t *seed, size_t left)
{
	size_t len;

	*seed = *seed * 1664525u + 1013904223u;
	len = *seed >> 31 ? 1 + (*seed >> 16 & 7u) : 1 + (*seed >> 16 & 255u);
	return len < left ? len : left;
}

static inline bool fuzz_is_inside(struct slice part, struct slice whole)
{
	return part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

#endif
