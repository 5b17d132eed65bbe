/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "presence/store_event_id.h"

Test(store_event_id, its_text_has_one_length_and_the_order_of_ids)
{
	static const struct event_id ids[] = {
		{ 0, 0 },
		{ 0, 1 },
		{ 1700000000000, 9 },
		{ 1700000000000, 10 },
		{ 1700000000001, 0 },
		{ 99999999999999, 9999999999 },
	};
	struct event_id_text before = event_id_text(ids[0]);

	cr_expect_str_eq(before.bytes, "00000000000000-0000000000");
	for (size_t i = 1; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct event_id_text text = event_id_text(ids[i]);

		cr_expect_eq(strlen(text.bytes), EVENT_ID_BYTES);
		cr_expect_gt(strcmp(text.bytes, before.bytes), 0);
		before = text;
	}
}

Test(store_event_id, its_text_is_read_back)
{
	const struct event_id_text text =
		event_id_text((struct event_id){ 1700000000000, 42 });
	struct event_id id;

	cr_expect_eq(event_id_parse(slice_from_str(text.bytes), &id), OK);
	cr_expect_eq(id.start, 1700000000000);
	cr_expect_eq(id.number, 42);
}

Test(store_event_id, what_redis_says_is_read)
{
	struct event_id id;

	cr_expect_eq(event_id_decode(SLICE("1700000000000-7"), &id), OK);
	cr_expect_eq(id.start, 1700000000000);
	cr_expect_eq(id.number, 7);
	cr_expect_eq(event_id_decode(SLICE("17"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("17-"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("-17-1"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("17--1"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("17-1-1"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("99999999999999-9999999999"), &id), OK);
	cr_expect_eq(event_id_decode(SLICE("100000000000000-1"), &id), ERR_MALFORMED);
	cr_expect_eq(event_id_decode(SLICE("1-10000000000"), &id), ERR_MALFORMED);
}

Test(store_event_id, another_text_is_refused)
{
	static const char *const others[] = {
		"",
		"x",
		"0001700000000-0000000001",
		"01700000000000-00000000011",
		"01700000000000x0000000001",
		"0170000000000-00000000001",
		"-1700000000000-0000000001",
		"0170000000000a-0000000001",
	};
	struct event_id id;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_eq(event_id_parse(slice_from_str(others[i]), &id), ERR_ARGUMENT,
			     "%s", others[i]);
}

Test(store_event_id, the_next_one_leaves_no_gap)
{
	const struct event_id id = { 17, 4 };

	cr_expect(event_id_is_next(id, (struct event_id){ 17, 5 }));
	cr_expect_not(event_id_is_next(id, (struct event_id){ 17, 4 }));
	cr_expect_not(event_id_is_next(id, (struct event_id){ 17, 6 }));
	cr_expect_not(event_id_is_next(id, (struct event_id){ 18, 5 }));
}
