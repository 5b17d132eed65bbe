/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "presence/store_record.h"
#include "proto/base/mem.h"

static const struct session_info full = {
	.hub = SLICE("chat"),
	.connection = SLICE("a\0b"),
	.user_id = SLICE("ann"),
	.user_name = SLICE("Ann"),
	.remote = SLICE("10.0.0.9:4711"),
	.user_agent = SLICE("agent/1"),
	.protocol = 4000000000,
	.transport = 3,
	.opened_unix_ms = 1700000000000,
};

Test(store_record, a_connection_is_read_back)
{
	struct session_info info = { .protocol = 0 };
	struct buf buf = BUF_INIT;

	record_encode(&buf, 1700000000001, &full);
	cr_expect_eq(record_decode(buf_slice(&buf), &info), OK);
	cr_expect(slice_equal(info.user_id, full.user_id));
	cr_expect(slice_equal(info.remote, full.remote));
	cr_expect(slice_equal(info.user_agent, full.user_agent));
	cr_expect_eq(info.protocol, full.protocol);
	cr_expect_eq(info.transport, full.transport);
	cr_expect_eq(info.opened_unix_ms, full.opened_unix_ms);
	buf_fini(&buf);
}

/* presence/redis/connection.lua reads these bytes. */
Test(store_record, it_begins_with_registration_and_user)
{
	struct buf buf = BUF_INIT;

	record_encode(&buf, 0x010203040506, &full);
	cr_expect_eq(memcmp(buf.ptr, "\1\2\3\4\5\6\0\3ann", 11), 0);
	buf_fini(&buf);
}

Test(store_record, notes_are_cut_at_their_limit)
{
	char *text = mem_zalloc(SESSION_NOTE_BYTES_MAX + 1);
	const struct slice more = slice_make(text, SESSION_NOTE_BYTES_MAX + 1);
	struct session_info info = full;
	struct buf buf = BUF_INIT;

	info.remote = info.user_agent = more;
	info.opened_unix_ms = -1;
	record_encode(&buf, 1, &info);
	cr_expect_eq(record_decode(buf_slice(&buf), &info), OK);
	cr_expect_eq(info.remote.len, SESSION_NOTE_BYTES_MAX);
	cr_expect_eq(info.user_agent.len, SESSION_NOTE_BYTES_MAX);
	cr_expect_eq(info.opened_unix_ms, 0);
	buf_fini(&buf);
	mem_free(text);
}

Test(store_record, one_that_is_cut_off_is_malformed)
{
	const size_t notes = 8 + 3 + 14 + full.remote.len;
	struct session_info info;
	struct buf buf = BUF_INIT;

	record_encode(&buf, 1, &full);
	for (size_t n = 0; n < notes; n++)
		cr_expect_eq(record_decode(slice_make(buf.ptr, n), &info), ERR_MALFORMED,
			     "%zu bytes", n);
	cr_expect_eq(record_decode(slice_make(buf.ptr, notes), &info), OK);
	buf_fini(&buf);
}

Test(store_record, a_key_is_read_back)
{
	struct session_info info;
	struct buf buf = BUF_INIT;

	record_key_encode(&buf, full.hub, full.connection);
	cr_expect_eq(memcmp(buf.ptr, "\0\4chata\0b", 9), 0);
	cr_expect_eq(record_key_decode(buf_slice(&buf), &info), OK);
	cr_expect(slice_equal(info.hub, full.hub));
	cr_expect(slice_equal(info.connection, full.connection));
	for (size_t n = 0; n < 6; n++)
		cr_expect_eq(record_key_decode(slice_make(buf.ptr, n), &info),
			     ERR_MALFORMED);
	buf_fini(&buf);
}

Test(store_record, a_note_has_a_time_and_a_name)
{
	struct slice name;
	int64_t since;

	cr_expect_eq(record_note_decode(SLICE("h1700000000000:A:n"), &since, &name), OK);
	cr_expect_eq(since, 1700000000000);
	cr_expect(slice_equal(name, SLICE("A:n")));
	cr_expect_eq(record_note_decode(SLICE("l5:"), &since, &name), OK);
	cr_expect_eq(name.len, 0);
	cr_expect_eq(record_note_decode(SLICE("l"), &since, &name), ERR_MALFORMED);
	cr_expect_eq(record_note_decode(SLICE(""), &since, &name), ERR_MALFORMED);
	cr_expect_eq(record_note_decode(SLICE("hx:Ann"), &since, &name), ERR_MALFORMED);
}

Test(store_record, a_gateway_has_an_incarnation_and_a_name)
{
	struct session_gateway_id id;

	cr_expect_eq(record_gateway_decode(SLICE("18446744073709551615:g1"), &id), OK);
	cr_expect_eq(id.incarnation, UINT64_MAX);
	cr_expect(slice_equal(id.name, SLICE("g1")));
	cr_expect_eq(record_gateway_decode(SLICE("0:"), &id), OK);
	cr_expect_eq(record_gateway_decode(SLICE(":g1"), &id), ERR_MALFORMED);
	cr_expect_eq(record_gateway_decode(SLICE("1x:g1"), &id), ERR_MALFORMED);
	cr_expect_eq(record_gateway_decode(SLICE("000000000000000000001:g1"), &id),
		     ERR_MALFORMED);
}
