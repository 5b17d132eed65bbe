/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "gateway/resend.h"
#include "proto/base/buf.h"

#define WINDOW 10u

static struct resend resend;

static void setup(void)
{
	resend_init(&resend);
}

static void teardown(void)
{
	resend_fini(&resend);
}

TestSuite(resend, .init = setup, .fini = teardown);

static void add(const char *text)
{
	struct blob *blob = blob_from(slice_from_str(text));

	resend_add(&resend, blob);
	blob_unref(blob);
}

/* All that the window lets go, with '|' behind each. */
static void expect_given(size_t window, const char *expected)
{
	struct buf got = BUF_INIT;
	const struct blob *blob;

	while ((blob = resend_next(&resend, window)) != NULL) {
		buf_append_slice(&got, blob_slice(blob));
		buf_append_byte(&got, '|');
	}
	buf_append_byte(&got, '\0');
	cr_expect_str_eq(got.ptr, expected);
	buf_fini(&got);
}

Test(resend, gives_each_message_once)
{
	add("a");
	add("b");
	expect_given(WINDOW, "a|b|");
	add("c");
	expect_given(WINDOW, "c|");
	expect_given(WINDOW, "");
}

Test(resend, gives_up_to_the_window_and_not_one_byte_more)
{
	add("1234");
	add("567890");
	add("x");
	expect_given(WINDOW, "1234|567890|");
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	expect_given(WINDOW, "x|");
}

Test(resend, gives_one_message_however_long)
{
	add("longer than the window");
	add("x");
	expect_given(WINDOW, "longer than the window|");
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	expect_given(WINDOW, "x|");
}

Test(resend, keeps_what_is_not_acknowledged)
{
	add("a");
	add("b");
	add("c");
	expect_given(WINDOW, "a|b|c|");
	cr_expect_eq(resend_on_ack(&resend, 2), OK);
	cr_expect_eq(resend.bytes, 1);
	cr_expect_eq(resend_again(&resend), 3);
	expect_given(WINDOW, "c|");
}

Test(resend, tells_the_next_id_when_nothing_is_kept)
{
	cr_expect_eq(resend_again(&resend), 1);
	add("a");
	expect_given(WINDOW, "a|");
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	cr_expect_eq(resend_again(&resend), 2);
	expect_given(WINDOW, "");
}

Test(resend, takes_an_old_ack_and_none_of_the_future)
{
	add("a");
	expect_given(WINDOW, "a|");
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	cr_expect_eq(resend_on_ack(&resend, 0), OK);
	cr_expect_eq(resend_on_ack(&resend, 2), ERR_MALFORMED);
}

Test(resend, takes_an_ack_before_anything_goes_out_again)
{
	add("a");
	add("b");
	expect_given(WINDOW, "a|b|");
	resend_again(&resend);
	cr_expect_eq(resend_on_ack(&resend, 1), OK);
	expect_given(WINDOW, "b|");
	cr_expect_eq(resend.given, 1);
}

Test(resend, keeps_order_while_its_ring_grows_and_turns)
{
	struct buf expected = BUF_INIT;

	for (int i = 0; i < 100; i++) {
		char text[2] = { (char)('A' + i % 26), '\0' };

		add(text);
		expect_given(1000, (char[]){ text[0], '|', '\0' });
		if (i % 3 == 0)
			cr_expect_eq(resend_on_ack(&resend, (uint64_t)i / 2), OK);
	}
	for (int i = 49; i < 100; i++) {
		buf_append_byte(&expected, (char)('A' + i % 26));
		buf_append_byte(&expected, '|');
	}
	buf_append_byte(&expected, '\0');
	cr_expect_eq(resend_again(&resend), 50);
	expect_given(1000, expected.ptr);
	buf_fini(&expected);
}

/* ---- in */

Test(resend, counts_what_comes_in)
{
	cr_expect(resend_on_message(&resend));
	cr_expect(resend_on_message(&resend));
	cr_expect_eq(resend_take_ack(&resend), 2);
	cr_expect_eq(resend_take_ack(&resend), 0, "told once");
}

Test(resend, takes_nothing_before_the_sequence_of_a_new_transport)
{
	cr_expect(resend_on_message(&resend));
	resend_again(&resend);
	cr_expect_not(resend_on_message(&resend));
	cr_expect_eq(resend_on_sequence(&resend, 1), OK);
	cr_expect_not(resend_on_message(&resend), "had been handled");
	cr_expect(resend_on_message(&resend));
	cr_expect_eq(resend.received, 2);
}

Test(resend, refuses_a_gap)
{
	cr_expect(resend_on_message(&resend));
	resend_again(&resend);
	cr_expect_eq(resend_on_sequence(&resend, 0), ERR_MALFORMED);
	cr_expect_eq(resend_on_sequence(&resend, 3), ERR_MALFORMED);
	cr_expect_eq(resend_on_sequence(&resend, 2), OK);
	cr_expect(resend_on_message(&resend));
}

Test(resend, tells_its_ack_again_to_a_new_transport)
{
	cr_expect(resend_on_message(&resend));
	cr_expect_eq(resend_take_ack(&resend), 1);
	resend_again(&resend);
	cr_expect_eq(resend_take_ack(&resend), 1);
}

Test(resend, goes_on_where_another_one_left_off)
{
	struct resend newer;

	add("c");
	newer = resend;
	resend_init(&resend);
	add("a");
	add("b");
	resend_put_in_front(&newer, &resend, 7, 3);
	cr_expect_eq(resend.n, 0);
	resend = newer;
	cr_expect_eq(resend_at(&resend, 2)->data[0], 'c');
	cr_expect_eq(resend_again(&resend), 7);
	expect_given(WINDOW, "a|b|c|");
	cr_expect_eq(resend_on_ack(&resend, 9), OK);
	cr_expect_eq(resend.n, 0);
	cr_expect_eq(resend_on_sequence(&resend, 4), OK);
	cr_expect(resend_on_message(&resend));
	cr_expect_eq(resend_take_ack(&resend), 4);
}
