/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: contents, counting, the size limit. AddressSanitizer watches the frees.
 */
#include "proto/base/blob.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(blob, from_copies)
{
	char text[] = "frame";
	struct blob *blob = blob_from(slice_from_str(text));

	text[0] = 'x';
	cr_assert(slice_equal(blob_slice(blob), SLICE("frame")));
	blob_unref(blob);
}

Test(blob, new_is_written_by_its_maker)
{
	struct blob *blob = blob_new(3);

	memcpy(blob->data, "abc", 3);
	cr_assert_eq(blob->refs, 1);
	cr_assert(slice_equal(blob_slice(blob), SLICE("abc")));
	blob_unref(blob);
}

Test(blob, empty)
{
	struct blob *blob = blob_from(SLICE_NONE);

	cr_assert_eq(blob_slice(blob).len, 0);
	blob_unref(blob);
}

Test(blob, lives_until_the_last_reference)
{
	struct blob *blob = blob_from(SLICE("abc"));

	cr_assert_eq(blob_ref(blob), blob);
	cr_assert_eq(blob->refs, 2);
	blob_unref(blob);
	cr_assert_eq(blob->refs, 1);
	cr_assert(slice_equal(blob_slice(blob), SLICE("abc")));
	blob_unref(blob);
}

Test(blob, unref_of_null_is_harmless)
{
	blob_unref(NULL);
}

Test(blob, the_largest)
{
	struct blob *blob = blob_new(BLOB_BYTES_MAX);

	blob->data[BLOB_BYTES_MAX - 1] = 'x';
	cr_assert_eq(blob_slice(blob).len, BLOB_BYTES_MAX);
	blob_unref(blob);
}

Test(blob, one_byte_more_is_a_programmer_error, .signal = SIGABRT)
{
	blob_unref(blob_new((size_t)BLOB_BYTES_MAX + 1));
}

Test(blob, the_count_does_not_wrap, .signal = SIGABRT)
{
	struct blob *blob = blob_new(0);

	blob->refs = UINT32_MAX;
	blob_ref(blob);
}
