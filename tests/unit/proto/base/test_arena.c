/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arena: alignment, many and large allocations, what a reset keeps, poisoning.
 */
#include "proto/base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>

#include "proto/base/sanitize.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena);
}

static void teardown(void)
{
	arena_fini(&arena);
}

TestSuite(arena, .init = setup, .fini = teardown);

struct pair {
	uint64_t a;
	char b;
};

Test(arena, starts_empty)
{
	struct arena other = ARENA_INIT;

	cr_assert_null(arena.chunks);
	arena_reset(&other);
	arena_fini(&other);
	cr_assert_null(other.chunks);
}

Test(arena, every_size_is_aligned_and_apart)
{
	unsigned char *last = NULL;
	size_t last_size = 0;

	for (size_t size = 0; size < 300; size++) {
		unsigned char *ptr = arena_alloc(&arena, size);

		cr_assert_eq((uintptr_t)ptr % _Alignof(max_align_t), 0);
		memset(ptr, (int)(size & 0xff), size);
		for (size_t i = 0; i < last_size; i++)
			cr_assert_eq(last[i], (size - 1) & 0xff);
		last = ptr;
		last_size = size;
	}
}

Test(arena, sizes_of_nothing_are_unique)
{
	cr_assert_neq(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
}

Test(arena, zalloc_is_zero_even_after_reuse)
{
	memset(arena_alloc(&arena, 100), 0xff, 100);
	arena_reset(&arena);

	const char *ptr = arena_zalloc(&arena, 100);

	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(ptr[i], 0);
}

Test(arena, new_of_a_type)
{
	struct pair *pair = ARENA_NEW(&arena, struct pair);

	cr_assert_eq(pair->a, 0);
	cr_assert_eq(arena.used, sizeof(*pair));
}

Test(arena, used_counts_what_was_asked_for)
{
	arena_alloc(&arena, 3);
	arena_alloc(&arena, 1 << 20);
	cr_assert_eq(arena.used, 3 + (1 << 20));
	arena_reset(&arena);
	cr_assert_eq(arena.used, 0);
}

Test(arena, dup_copies_and_terminates)
{
	char text[] = "chat";
	struct slice copy = arena_dup(&arena, slice_make(text, 4));

	text[0] = 'x';
	cr_assert(slice_equal(copy, SLICE("chat")));
	cr_assert_eq(copy.ptr[copy.len], '\0');
}

Test(arena, dup_of_nothing_is_an_empty_string)
{
	struct slice copy = arena_dup(&arena, SLICE_NONE);

	cr_assert_eq(copy.len, 0);
	cr_assert_str_eq(copy.ptr, "");
}

Test(arena, printf_formats_any_length)
{
	struct slice text = arena_printf(&arena, "%s-%d", "a", 7);
	struct slice big = arena_printf(&arena, "%0100000d", 7);

	cr_assert_str_eq(text.ptr, "a-7");
	cr_assert_eq(text.len, 3);
	cr_assert_eq(big.len, 100000);
	cr_assert_eq(strlen(big.ptr), 100000);
}

Test(arena, many_chunks_keep_their_bytes)
{
	enum { N = 5000 };
	uint32_t *ptrs[N];

	for (uint32_t i = 0; i < N; i++) {
		ptrs[i] = arena_alloc(&arena, 16 + i % 200);
		*ptrs[i] = i;
	}
	for (uint32_t i = 0; i < N; i++)
		cr_assert_eq(*ptrs[i], i);
}

Test(arena, reset_reuses_the_memory)
{
	const void *first = arena_alloc(&arena, 100);

	arena_reset(&arena);
	cr_assert_eq(arena_alloc(&arena, 100), first);
}

Test(arena, a_settled_arena_asks_for_no_more_chunks)
{
	const void *chunk = NULL;

	for (int round = 0; round < 10; round++) {
		arena_reset(&arena);
		for (int i = 0; i < 100; i++)
			arena_alloc(&arena, 200);
		if (round > 2)
			cr_assert_eq(arena.chunks, chunk, "round %d", round);
		chunk = arena.chunks;
	}
}

Test(arena, a_huge_message_is_given_back_at_reset)
{
	arena_alloc(&arena, 1 << 20);
	arena_reset(&arena);
	cr_assert_null(arena.chunks);
}

Test(arena, a_huge_allocation_leaves_the_current_chunk_in_use)
{
	arena_alloc(&arena, 16);

	const void *chunk = arena.chunks;

	memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
	arena_alloc(&arena, 16);
	cr_assert_eq(arena.chunks, chunk);
}

Test(arena, fini_leaves_a_usable_arena)
{
	arena_alloc(&arena, 16);
	arena_fini(&arena);
	memset(arena_alloc(&arena, 16), 1, 16);
	cr_assert_eq(arena.used, 16);
}

Test(arena, what_is_joined_keeps_its_nuls)
{
	const struct slice text =
		arena_join(&arena, SLICE("<"), SLICE("a\0b"), SLICE(">"));

	cr_expect(slice_equal(text, SLICE("<a\0b>")));
	cr_expect_eq(text.ptr[text.len], '\0');
	cr_expect_eq(arena_join(&arena, SLICE_NONE, SLICE_NONE, SLICE_NONE).len, 0);
}

#if SANITIZE_ADDRESS
Test(arena, a_byte_too_far_is_poisoned)
{
	char *ptr = arena_alloc(&arena, 16);

	cr_assert_not(__asan_address_is_poisoned(ptr + 15));
	cr_assert(__asan_address_is_poisoned(ptr + 16));
}

Test(arena, everything_is_poisoned_after_reset)
{
	char *ptr = arena_alloc(&arena, 16);

	arena_reset(&arena);
	cr_assert(__asan_address_is_poisoned(ptr));
}

Test(arena, use_after_reset_is_reported, .signal = SIGABRT)
{
	volatile char *ptr = arena_alloc(&arena, 16);

	arena_reset(&arena);
	ptr[0] = 1;
}
#endif
