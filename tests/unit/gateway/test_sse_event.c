/* SPDX-License-Identifier: Apache-2.0 */
/* What an event of the stream looks like, whatever stands in the hub messages. */
#include <criterion/criterion.h>

#include "gateway/transport_sse.h"
#include "proto/base/mem.h"

static void expect_event(struct slice frames, const char *event)
{
	struct blob *blob = transport_sse_ops.wrap(frames, true);

	cr_expect(slice_equal(blob_slice(blob), slice_from_str(event)), "%.*s for %s",
		  (int)blob->len, blob->data, event);
	blob_unref(blob);
}

Test(sse_event, a_chunk_is_one_event)
{
	expect_event(SLICE("{}\x1e"), "data: {}\x1e\r\n\r\n");
	expect_event(SLICE("{\"a\":1}\x1e{\"b\":2}\x1e"),
		     "data: {\"a\":1}\x1e{\"b\":2}\x1e\r\n\r\n");
	expect_event(SLICE(""), "data: \r\n\r\n");
}

Test(sse_event, lines_are_split_at_every_end_that_a_client_sees)
{
	expect_event(SLICE("a\nb\x1e"), "data: a\r\ndata: b\x1e\r\n\r\n");
	expect_event(SLICE("a\r\nb"), "data: a\r\ndata: b\r\n\r\n");
	expect_event(SLICE("a\rb"), "data: a\r\ndata: b\r\n\r\n");
	expect_event(SLICE("\r\revent: x"), "data: \r\ndata: \r\ndata: event: x\r\n\r\n");
	expect_event(SLICE("a\n\r\n\nb"),
		     "data: a\r\ndata: \r\ndata: \r\ndata: b\r\n\r\n");
	expect_event(SLICE("a\n"), "data: a\r\ndata: \r\n\r\n");
	expect_event(SLICE("a\r"), "data: a\r\ndata: \r\n\r\n");
	expect_event(SLICE("\r\n"), "data: \r\ndata: \r\n\r\n");
}

Test(sse_event, other_separators_are_no_line_ends)
{
	expect_event(SLICE("a\xe2\x80\xa8"
			   "b\xe2\x80\xa9"
			   "c\xc2\x85"
			   "d\v\fe"),
		     "data: a\xe2\x80\xa8"
		     "b\xe2\x80\xa9"
		     "c\xc2\x85"
		     "d\v\fe\r\n\r\n");
}

Test(sse_event, a_long_text_of_line_ends_is_split_in_no_time)
{
	const size_t len = 3u << 20;
	char *text = mem_alloc(len);
	struct blob *blob;

	memset(text, '\r', len);
	blob = transport_sse_ops.wrap(slice_make(text, len), true);
	cr_expect_eq(blob->len, (len + 1) * 8 + 2);
	blob_unref(blob);
	mem_free(text);
}
