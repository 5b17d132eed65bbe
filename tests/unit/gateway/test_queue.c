/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of blobs of one socket.
 */
#include "gateway/queue.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct blob *text_blob(const char *text)
{
	return blob_from(slice_from_str(text));
}

/* All that waits, as one text. */
static void collect(const struct queue *queue, char *out, size_t cap)
{
	struct iovec iov[64];
	int n = queue_peek(queue, iov, 64);
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		cr_assert_lt(len + iov[i].iov_len, cap);
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	out[len] = '\0';
}

static void add_text(struct queue *queue, const char *text)
{
	struct blob *blob = text_blob(text);

	queue_add(queue, blob);
	blob_unref(blob);
}

Test(queue, starts_empty)
{
	struct queue queue;
	struct iovec iov[1];

	queue_init(&queue);
	cr_expect_eq(queue.bytes, 0);
	cr_expect_eq(queue_peek(&queue, iov, 1), 0);
	queue_fini(&queue);
}

Test(queue, shares_the_blob)
{
	struct blob *blob = text_blob("abc");
	struct queue queue;

	queue_init(&queue);
	queue_add(&queue, blob);
	queue_add(&queue, blob);
	cr_expect_eq(blob->refs, 3);
	cr_expect_eq(queue.bytes, 6);
	queue_consume(&queue, 4);
	cr_expect_eq(blob->refs, 2);
	queue_fini(&queue);
	cr_expect_eq(blob->refs, 1);
	blob_unref(blob);
}

Test(queue, leaves_empty_blobs_out)
{
	struct queue queue;

	queue_init(&queue);
	add_text(&queue, "");
	cr_expect_eq(queue.n, 0);
	queue_fini(&queue);
}

Test(queue, peeks_at_most_as_many_as_asked)
{
	struct iovec iov[2];
	struct queue queue;

	queue_init(&queue);
	for (int i = 0; i < 3; i++)
		add_text(&queue, "ab");
	cr_expect_eq(queue_peek(&queue, iov, 2), 2);
	queue_fini(&queue);
}

Test(queue, consumes_in_any_steps)
{
	char out[64];
	struct queue queue;

	for (size_t step = 1; step <= 12; step++) {
		size_t left = 12;

		queue_init(&queue);
		add_text(&queue, "abc");
		add_text(&queue, "d");
		add_text(&queue, "efgh");
		add_text(&queue, "ij");
		add_text(&queue, "kl");
		while (left > 0) {
			size_t n = step < left ? step : left;

			queue_consume(&queue, n);
			left -= n;
			collect(&queue, out, sizeof(out));
			cr_assert_str_eq(out, &"abcdefghijkl"[12 - left]);
			cr_assert_eq(queue.bytes, left);
		}
		cr_assert_eq(queue.n, 0);
		queue_fini(&queue);
	}
}

Test(queue, grows_past_what_is_inline_and_gives_back)
{
	char expected[128] = "";
	char out[128];
	struct queue queue;

	queue_init(&queue);
	for (int i = 0; i < 40; i++) {
		char text[8];

		(void)snprintf(text, sizeof(text), "%d", i % 10);
		add_text(&queue, text);
		(void)strcat(expected, text);
	}
	cr_expect_not_null(queue.ring);
	collect(&queue, out, sizeof(out));
	cr_expect_str_eq(out, expected);
	queue_consume(&queue, 40);
	cr_expect_null(queue.ring);
	cr_expect_eq(queue.cap, QUEUE_INLINE);
	queue_fini(&queue);
}

Test(queue, grows_when_its_ring_has_turned)
{
	char out[64];
	struct queue queue;

	queue_init(&queue);
	add_text(&queue, "a");
	add_text(&queue, "b");
	add_text(&queue, "cc");
	queue_consume(&queue, 3);
	for (const char *text = "defgh"; *text; text++) {
		char one[2] = { *text, '\0' };

		add_text(&queue, one);
	}
	collect(&queue, out, sizeof(out));
	cr_expect_str_eq(out, "cdefgh");
	queue_fini(&queue);
}

Test(queue, moves_behind_another)
{
	char out[64];
	struct queue to;
	struct queue from;

	queue_init(&to);
	queue_init(&from);
	queue_move(&to, &from);
	cr_expect_eq(to.n, 0);
	add_text(&to, "ab");
	queue_consume(&to, 1);
	for (const char *text = "cdefgh"; *text; text++) {
		char one[2] = { *text, '\0' };

		add_text(&from, one);
	}
	queue_move(&to, &from);
	collect(&to, out, sizeof(out));
	cr_expect_str_eq(out, "bcdefgh");
	cr_expect_eq(to.bytes, 7);
	cr_expect_eq(from.n, 0);
	cr_expect_eq(from.bytes, 0);
	queue_fini(&to);
	queue_fini(&from);
}
