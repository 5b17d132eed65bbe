/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/event_stream.h"

#include <criterion/criterion.h>

#include "proto/base/mem.h"

struct rig {
	struct event_stream stream;
	struct buf seen; /* "name|data|id;" of each */
	enum err rc;
};

static struct rig rig;

static void teardown(void)
{
	event_stream_fini(&rig.stream);
	buf_fini(&rig.seen);
}

TestSuite(event_stream, .fini = teardown);

static void feed(struct slice bytes)
{
	struct event event;

	while (event_stream_next(&rig.stream, &bytes, &event, &rig.rc)) {
		buf_append_slice(&rig.seen, event.name);
		buf_append_byte(&rig.seen, '|');
		buf_append_slice(&rig.seen, event.data);
		buf_append_byte(&rig.seen, '|');
		buf_append_slice(&rig.seen, event.id);
		buf_append_byte(&rig.seen, ';');
	}
}

static void expect_seen(const char *text)
{
	cr_expect(slice_equal(buf_slice(&rig.seen), slice_from_str(text)),
		  "\"%.*s\", not \"%s\"", SLICE_FMT(buf_slice(&rig.seen)), text);
}

Test(event_stream, an_event_is_name_data_and_id)
{
	feed(SLICE("id: 7-1\nevent: online\ndata: {}\n\n"));
	expect_seen("online|{}|7-1;");
}

Test(event_stream, without_a_name_it_is_a_message_and_the_id_stays)
{
	feed(SLICE("id: 7\ndata: a\n\ndata: b\n\n"));
	expect_seen("message|a|7;message|b|7;");
}

Test(event_stream, comments_and_what_has_no_data_are_none)
{
	feed(SLICE(": hello\n\nevent: x\n\n\n\nretry: 10\nfoo: bar\n\ndata: a\n\n"));
	expect_seen("message|a|;");
}

Test(event_stream, an_id_without_data_counts_for_the_next_event)
{
	feed(SLICE("id: 4\n\ndata: a\n\n"));
	expect_seen("message|a|4;");
}

Test(event_stream, lines_of_data_are_joined)
{
	feed(SLICE("data: a\ndata\ndata:  b\n\n"));
	expect_seen("message|a\n\n b|;");
}

Test(event_stream, lines_end_in_any_of_three_ways)
{
	feed(SLICE("data: a\r\n\r\ndata: b\r\rdata: c\n\n"));
	expect_seen("message|a|;message|b|;message|c|;");
}

Test(event_stream, bytes_may_come_one_by_one)
{
	static const char text[] =
		"id: 1\r\nevent: e\r\ndata: x\r\n\r\n: c\r\ndata: y\r\n\r\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed(slice_make(text + i, 1));
	cr_expect_eq(rig.rc, OK);
	expect_seen("e|x|1;message|y|1;");
}

Test(event_stream, an_id_with_a_nul_is_ignored)
{
	feed(SLICE("id: 1\ndata: a\n\nid: x\0y\ndata: b\n\n"));
	expect_seen("message|a|1;message|b|1;");
}

Test(event_stream, what_is_cut_off_is_none)
{
	feed(SLICE("data: a\n"));
	expect_seen("");
}

Test(event_stream, an_event_of_the_limit_is_taken_and_one_byte_more_is_not)
{
	char *text = mem_alloc(EVENT_STREAM_BYTES_MAX);
	struct event event;
	struct slice bytes;

	memset(text, 'x', EVENT_STREAM_BYTES_MAX);
	memcpy(text, "data:", 5);
	feed(slice_make(text, EVENT_STREAM_BYTES_MAX));
	cr_expect_eq(rig.rc, OK);
	bytes = SLICE("\n\n");
	cr_expect(event_stream_next(&rig.stream, &bytes, &event, &rig.rc));
	cr_expect_eq(event.data.len, EVENT_STREAM_BYTES_MAX - 5);
	feed(slice_make(text, EVENT_STREAM_BYTES_MAX));
	feed(SLICE("x"));
	cr_expect_eq(rig.rc, ERR_LIMIT);
	mem_free(text);
}
