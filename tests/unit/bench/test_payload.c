/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/payload.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_same(struct payload payload, size_t size)
{
	char text[200];
	struct payload read = { 0, 0, 0, 0 };

	cr_assert_leq(size, sizeof(text));
	payload_write(text, size, &payload);
	cr_assert_eq(payload_read(slice_make(text, size), &read), OK);
	cr_assert_eq(read.sender, payload.sender);
	cr_assert_eq(read.target, payload.target);
	cr_assert_eq(read.seq, payload.seq);
	cr_assert_eq(read.due_us, payload.due_us);
}

Test(payload, reads_what_it_wrote)
{
	expect_same((struct payload){ 0, 0, 0, 0 }, PAYLOAD_BYTES_MIN);
	expect_same((struct payload){ UINT32_MAX, UINT32_MAX, UINT32_MAX, INT64_MAX },
		    PAYLOAD_BYTES_MIN + 1);
	expect_same((struct payload){ 0x01234567, 0x89abcdef, 0xfedcba98,
				      INT64_C(0x0123456789abcdef) },
		    200);
	for (uint32_t i = 0; i < 32; i++)
		expect_same((struct payload){ 1u << i, i, 7u * i, INT64_C(1) << i }, 100);
}

Test(payload, is_plain_text_of_fixed_width)
{
	char text[44];

	payload_write(text, sizeof(text), &(struct payload){ 10, 0xabc, 3, 255 });
	cr_assert_arr_eq(text, "~0000000a00000abc0000000300000000000000ff...",
			 sizeof(text));
}

Test(payload, one_byte_short_is_none)
{
	char text[PAYLOAD_BYTES_MIN];
	struct payload read;

	payload_write(text, sizeof(text), &(struct payload){ 1, 2, 3, 4 });
	cr_assert_eq(payload_read(slice_make(text, sizeof(text) - 1), &read),
		     ERR_MALFORMED);
	cr_assert_eq(payload_read(SLICE_NONE, &read), ERR_MALFORMED);
}

/* Every character at every place: digits alone are read, in lower case. */
Test(payload, anything_but_a_digit_is_refused)
{
	char good[PAYLOAD_BYTES_MIN];
	char text[PAYLOAD_BYTES_MIN];
	struct payload read;

	payload_write(good, sizeof(good), &(struct payload){ 1, 2, 3, 4 });
	for (size_t at = 1; at < sizeof(text); at++)
		for (int c = 0; c < 256; c++) {
			bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
			/* the sign of the time */
			bool is_high = at == 25 && is_digit && c > '7';

			memcpy(text, good, sizeof(text));
			text[at] = (char)c;
			cr_assert_eq(payload_read(slice_make(text, sizeof(text)), &read),
				     is_digit && !is_high ? OK : ERR_MALFORMED,
				     "character %d at %zu", c, at);
		}
}

Test(payload, needs_its_mark)
{
	char text[PAYLOAD_BYTES_MIN];
	struct payload read;

	payload_write(text, sizeof(text), &(struct payload){ 1, 2, 3, 4 });
	text[0] = '0';
	cr_assert_eq(payload_read(slice_make(text, sizeof(text)), &read), ERR_MALFORMED);
}

Test(payload, a_filling_that_was_changed_is_refused)
{
	char text[PAYLOAD_BYTES_MIN + 20];
	struct payload read;

	for (size_t at = PAYLOAD_BYTES_MIN; at < sizeof(text); at++) {
		payload_write(text, sizeof(text), &(struct payload){ 1, 2, 3, 4 });
		text[at] = 'x';
		cr_assert_eq(payload_read(slice_make(text, sizeof(text)), &read),
			     ERR_MALFORMED, "at %zu", at);
		cr_assert_eq(payload_read(slice_make(text, at), &read), OK);
	}
	memset(text + PAYLOAD_BYTES_MIN, 'x', sizeof(text) - PAYLOAD_BYTES_MIN);
	cr_assert_eq(payload_read(slice_make(text, sizeof(text)), &read), ERR_MALFORMED);
}
