/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store reads back from Redis: records of connections, their keys, notes, ids of
 * events. Whatever is there, what is read lies within it; what we wrote is read as it
 * was.
 */
#include <string.h>

#include "presence/store_event_id.h"
#include "presence/store_record.h"
#include "tests/fuzz/fuzz.h"

static void check_within(struct slice part, struct slice whole)
{
	if (part.len == 0)
		return;
	assert(part.ptr >= whole.ptr);
	assert(part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_stranger(struct slice input)
{
	struct session_info info = { .protocol = 0 };
	struct session_gateway_id gateway;
	struct event_id id;
	struct slice name;
	int64_t since;

	if (record_decode(input, &info) == OK) {
		check_within(info.user_id, input);
		check_within(info.remote, input);
		check_within(info.user_agent, input);
	}
	if (record_key_decode(input, &info) == OK) {
		check_within(info.hub, input);
		check_within(info.connection, input);
	}
	if (record_note_decode(input, &since, &name) == OK)
		check_within(name, input);
	if (record_gateway_decode(input, &gateway) == OK)
		check_within(gateway.name, input);
	if (event_id_decode(input, &id) == OK) {
		const struct event_id_text text = event_id_text(id);
		struct event_id again;

		assert(event_id_parse(slice_from_str(text.bytes), &again) == OK);
		assert(again.start == id.start && again.number == id.number);
	}
	if (event_id_parse(input, &id) == OK)
		assert(memcmp(event_id_text(id).bytes, input.ptr, EVENT_ID_BYTES) == 0);
}

static void check_ours(struct slice input)
{
	const uint64_t registration = fuzz_number(&input, 6);
	struct session_info made = { .protocol = (uint32_t)fuzz_number(&input, 4),
				     .transport = (int)fuzz_number(&input, 2),
				     .opened_unix_ms = (int64_t)fuzz_number(&input, 6) };
	struct session_info seen;
	struct buf buf = BUF_INIT;

	made.hub = fuzz_take(&input, fuzz_byte(&input));
	made.user_id = fuzz_take(&input, fuzz_byte(&input));
	made.remote = fuzz_take(&input, fuzz_byte(&input));
	made.user_agent = fuzz_take(&input, fuzz_byte(&input));
	made.connection = input;
	record_encode(&buf, registration, &made);
	assert(record_decode(buf_slice(&buf), &seen) == OK);
	assert(slice_equal(seen.user_id, made.user_id));
	assert(slice_equal(seen.remote, made.remote));
	assert(slice_equal(seen.user_agent, made.user_agent));
	assert(seen.protocol == made.protocol && seen.transport == made.transport);
	assert(seen.opened_unix_ms == made.opened_unix_ms);
	buf_clear(&buf);
	record_key_encode(&buf, made.hub, made.connection);
	assert(record_key_decode(buf_slice(&buf), &seen) == OK);
	assert(slice_equal(seen.hub, made.hub));
	assert(slice_equal(seen.connection, made.connection));
	buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice input = fuzz_slice(data, size);

	check_stranger(input);
	check_ours(input);
	return 0;
}
