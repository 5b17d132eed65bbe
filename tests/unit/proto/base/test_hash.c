/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes. The stable one has golden values: the ring of every release depends on
 * them.
 */
#include "proto/base/hash.h"

#include <criterion/criterion.h>

#include "proto/base/buf.h"

static uint64_t stable2(struct slice a, struct slice b)
{
	struct slice parts[] = { a, b };

	return hash_stable(parts, 2);
}

Test(hash, bytes_depend_on_bytes_and_seed)
{
	cr_assert_eq(hash_bytes(SLICE("room"), 1), hash_bytes(SLICE("room"), 1));
	cr_assert_neq(hash_bytes(SLICE("room"), 1), hash_bytes(SLICE("room"), 2));
	cr_assert_neq(hash_bytes(SLICE("room"), 1), hash_bytes(SLICE("roon"), 1));
}

Test(hash, empty_is_empty_whatever_its_pointer)
{
	cr_assert_eq(hash_bytes(SLICE_NONE, 7), hash_bytes(SLICE(""), 7));
	cr_assert_eq(stable2(SLICE_NONE, SLICE("a")), stable2(SLICE(""), SLICE("a")));
}

Test(hash, stable_tells_where_parts_end)
{
	struct slice whole = SLICE("abc");

	cr_assert_neq(stable2(SLICE("ab"), SLICE("c")), stable2(SLICE("a"), SLICE("bc")));
	cr_assert_neq(stable2(SLICE("abc"), SLICE("")), stable2(SLICE(""), SLICE("abc")));
	cr_assert_neq(stable2(SLICE("abc"), SLICE("")), hash_stable(&whole, 1));
}

/* The definition: XXH3 of length (8 bytes, little-endian) and bytes of each part. */
Test(hash, stable_is_the_hash_of_lengths_and_bytes)
{
	struct buf buf = BUF_INIT;
	char big[1000];

	memset(big, 'x', sizeof(big));
	buf_append(&buf, "\x02\0\0\0\0\0\0\0", 8);
	buf_append_str(&buf, "ab");
	buf_append(&buf, "\xe8\x03\0\0\0\0\0\0", 8);
	buf_append(&buf, big, sizeof(big));
	cr_assert_eq(stable2(SLICE("ab"), slice_make(big, sizeof(big))),
		     hash_bytes(buf_slice(&buf), 0));
	buf_fini(&buf);
}

Test(hash, stable_golden_values)
{
	struct slice parts[] = { SLICE("chat"), SLICE("group"), SLICE("lobby") };

	cr_assert_eq(hash_stable(parts, 0), 0x2d06800538d394c2);
	cr_assert_eq(hash_stable(parts, 1), 0x357f48b3beb338cc);
	cr_assert_eq(hash_stable(parts, 3), 0x96348dce98a22afa);
}
