/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "bench/client.h"

static void expect_same(uint32_t number, int64_t due_us)
{
	char id[CLIENT_ID_BYTES];
	uint32_t read_number;
	int64_t read_due_us;

	client_id_write(id, number, due_us);
	cr_assert_eq(strlen(id), CLIENT_ID_BYTES - 1);
	cr_assert_eq(client_id_read(slice_from_str(id), &read_number, &read_due_us), OK);
	cr_assert_eq(read_number, number);
	cr_assert_eq(read_due_us, due_us);
}

Test(client_id, carries_number_and_time)
{
	expect_same(0, 0);
	expect_same(1, 1234567890123);
	expect_same(UINT32_MAX, INT64_MAX);
}

Test(client_id, anything_else_is_none_of_ours)
{
	static const char *const bad[] = {
		"",
		"1",
		"00000001-000000000000000",
		"00000001-00000000000000011",
		"000000010000000000000000f",
		"0000000g-0000000000000001",
		"00000001-000000000000000x",
		"00000001-8000000000000000",
	};
	uint32_t number;
	int64_t due_us;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(client_id_read(slice_from_str(bad[i]), &number, &due_us),
			     ERR_MALFORMED, "%s", bad[i]);
}
