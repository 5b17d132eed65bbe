/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as producers write them. What is taken is written in one form, which is taken, too,
 * and means the same.
 */
#include "router/hubs/iso_time.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[ISO_TIME_BYTES];
	int64_t unix_ms;
	int64_t again_ms;

	if (!iso_time_read(fuzz_slice(data, size), &unix_ms))
		return 0;
	iso_time_write(unix_ms, text);
	assert(iso_time_read(slice_from_str(text), &again_ms));
	assert(again_ms == unix_ms);
	return 0;
}
