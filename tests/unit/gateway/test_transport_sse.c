/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream on one end of a socket pair, the test being the client on the other;
 * the connection above it is a stand-in that notes what it is told.
 */
#include "gateway/transport_sse.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/conn.h"
#include "gateway/conn_out.h"
#include "proto/base/mem.h"
#include "tests/unit/gateway/reply_kit.h"

#define SOON_MS 40
#define NEVER_MS 600000
#define POST_BYTES_MAX 100
#define HEAD "HTTP/1.1 200 OK\r\n\r\n"
#define START HEAD ":\r\n"

/* What the transport told its connection. */
struct stand_in {
	struct conn conn;
	struct buf in;
	int ends;
	int drains;
	enum conn_close_reason reason;
};

/* Of the next rig. A test that waits for a time-out makes it SOON_MS. */
static int64_t timeout_ms = NEVER_MS;

struct rig {
	struct loop *loop;
	struct gateway_metrics metrics;
	struct sse_host *host;
	struct transport *transport;
	struct stand_in above;
	int client;
	struct buf out; /* all the client has read */
	bool is_eof;
};

void conn_on_drained(struct conn *conn)
{
	CONTAINER_OF(conn, struct stand_in, conn)->drains++;
}

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	buf_append_slice(&CONTAINER_OF(conn, struct stand_in, conn)->in, bytes);
}

/* As the real one. */
void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	struct stand_in *above = CONTAINER_OF(conn, struct stand_in, conn);
	struct transport *transport = conn->transport;

	above->ends++;
	above->reason = reason;
	conn->transport = NULL;
	transport->ops->abort(transport);
}

static void rig_init(struct rig *rig)
{
	struct outlet_host outlets = { .send_timeout_ms = timeout_ms,
				       .close_timeout_ms = timeout_ms,
				       .metrics = &rig->metrics };
	struct sock sock;
	int ends[2];

	memset(rig, 0, sizeof(*rig));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	rig->loop = loop_new();
	outlets.loop = rig->loop;
	rig->host = sse_host_new(&outlets, POST_BYTES_MAX);
	rig->client = ends[1];
	sock_init(&sock, rig->loop, ends[0], NULL, NULL);
	rig->transport = transport_sse_new(rig->host, &sock, SLICE(HEAD));
	rig->transport->conn = &rig->above.conn;
	rig->above.conn.transport = rig->transport;
	transport_sse_start(rig->transport);
}

static void rig_fini(struct rig *rig)
{
	struct transport *transport = rig->above.conn.transport;

	if (transport != NULL)
		transport->ops->abort(transport);
	sse_host_free(rig->host);
	cr_expect_eq(rig->metrics.sse_sockets, 0);
	loop_free(rig->loop);
	(void)close(rig->client);
	buf_fini(&rig->above.in);
	buf_fini(&rig->out);
}

/* As the connection does in the end. */
static void rig_close(struct rig *rig, bool is_error)
{
	rig->above.conn.transport = NULL;
	rig->transport->ops->close(rig->transport, is_error);
}

static void client_read(struct rig *rig)
{
	ssize_t n;

	do {
		n = read(rig->client, buf_reserve(&rig->out, 65536), 65536);
		if (n > 0)
			rig->out.len += (size_t)n;
	} while (n > 0);
	rig->is_eof = n == 0 || errno == ECONNRESET;
}

static void turn(struct rig *rig)
{
	loop_turn(rig->loop, 5);
	client_read(rig);
}

static void turns(struct rig *rig)
{
	for (int i = 0; i < 4; i++)
		turn(rig);
}

static void expect_out(struct rig *rig, const char *text)
{
	cr_expect(slice_equal(buf_slice(&rig->out), slice_from_str(text)), "%.*s for %s",
		  (int)rig->out.len, rig->out.ptr, text);
}

static void expect_in(struct rig *rig, const char *text)
{
	cr_expect(slice_equal(buf_slice(&rig->above.in), slice_from_str(text)),
		  "%.*s for %s", (int)rig->above.in.len, rig->above.in.ptr, text);
}

static void send_text(struct rig *rig, struct slice text)
{
	struct blob *blob = transport_sse_ops.wrap(text, true);

	transport_sse_ops.send(rig->transport, blob);
	blob_unref(blob);
}

static void post(struct rig *rig, const char *body, struct asked *asked)
{
	inbox_post(transport_sse_ops.inbox(rig->transport), slice_from_str(body),
		   asked_new(asked));
}

/* ---- out */

Test(transport_sse, the_head_and_a_comment_go_out_at_once)
{
	struct rig rig;

	rig_init(&rig);
	turn(&rig);
	expect_out(&rig, START);
	cr_expect_eq(rig.metrics.sse_sockets, 1);
	rig_fini(&rig);
}

Test(transport_sse, each_blob_is_an_event_and_shared_by_its_receivers)
{
	struct blob *blob = transport_sse_ops.wrap(SLICE("one\x1e"), true);
	struct rig rig;

	rig_init(&rig);
	transport_sse_ops.send(rig.transport, blob);
	transport_sse_ops.send(rig.transport, blob);
	cr_expect_eq(blob->refs, 3);
	/* No write was tried: that is no sign of a slow reader. */
	cr_expect_eq(rig.transport->ops->queued_bytes(rig.transport), 0);
	turn(&rig);
	expect_out(&rig, START "data: one\x1e\r\n\r\ndata: one\x1e\r\n\r\n");
	cr_expect_eq(blob->refs, 1);
	blob_unref(blob);
	rig_fini(&rig);
}

Test(transport_sse, writes_more_than_the_kernel_takes_at_once)
{
	char *text = mem_alloc(100000);
	struct rig rig;

	memset(text, 'x', 100000);
	rig_init(&rig);
	for (int i = 0; i < 100; i++)
		send_text(&rig, slice_make(text, 100000));
	loop_turn(rig.loop, 0);
	cr_expect_gt(rig.transport->ops->queued_bytes(rig.transport), 0);
	cr_expect_gt(rig.metrics.write_blocked_total, 0);
	cr_expect_eq(rig.above.drains, 0);
	for (int i = 0; i < 1000 && rig.above.drains == 0; i++)
		turn(&rig);
	client_read(&rig);
	cr_expect_eq(rig.out.len, strlen(START) + (100000 + 10) * 100);
	cr_expect_eq(rig.transport->ops->queued_bytes(rig.transport), 0);
	cr_expect_eq(rig.above.ends, 0);
	cr_expect_eq(rig.metrics.out_bytes_total, rig.out.len);
	mem_free(text);
	rig_fini(&rig);
}

/* ---- in */

Test(transport_sse, posts_are_given_on)
{
	struct asked asked;
	struct rig rig;

	rig_init(&rig);
	post(&rig, "ab", &asked);
	asked_expect(&asked, 200, "");
	post(&rig, "c", &asked);
	asked_expect(&asked, 200, "");
	expect_in(&rig, "abc");
	rig_fini(&rig);
}

Test(transport_sse, posts_wait_for_the_end_of_a_pause)
{
	struct asked asked[3];
	struct rig rig;
	char full[POST_BYTES_MAX + 1] = { 0 };

	memset(full, 'x', POST_BYTES_MAX);
	rig_init(&rig);
	rig.transport->ops->pause(rig.transport, true);
	post(&rig, full, &asked[0]);
	post(&rig, "", &asked[1]);
	post(&rig, "y", &asked[2]);
	turns(&rig);
	expect_in(&rig, "");
	asked_expect_waiting(&asked[0]);
	asked_expect_waiting(&asked[1]);
	asked_expect(&asked[2], 503, "Too many requests wait.");
	rig.transport->ops->pause(rig.transport, false);
	turns(&rig);
	expect_in(&rig, full);
	asked_expect(&asked[0], 200, "");
	asked_expect(&asked[1], 200, "");
	rig_fini(&rig);
}

Test(transport_sse, a_pause_does_not_hide_the_clients_end)
{
	struct rig rig;

	rig_init(&rig);
	rig.transport->ops->pause(rig.transport, true);
	turn(&rig);
	cr_assert_eq(shutdown(rig.client, SHUT_WR), 0);
	turns(&rig);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_TRANSPORT);
	rig_fini(&rig);
}

Test(transport_sse, what_stands_behind_the_request_is_ignored)
{
	char *junk = mem_zalloc(10000);
	struct rig rig;

	rig_init(&rig);
	cr_assert_eq(write(rig.client, junk, 10000), 10000);
	turns(&rig);
	send_text(&rig, SLICE("x"));
	turns(&rig);
	expect_in(&rig, "");
	expect_out(&rig, START "data: x\r\n\r\n");
	cr_expect_eq(rig.metrics.in_bytes_total, 0);
	mem_free(junk);
	rig_fini(&rig);
}

/* ---- endings */

Test(transport_sse, a_lost_client_is_noticed_at_once_and_its_posts_with_it)
{
	struct asked asked;
	struct rig rig;

	rig_init(&rig);
	turn(&rig);
	rig.transport->ops->pause(rig.transport, true);
	post(&rig, "x", &asked);
	(void)close(rig.client);
	rig.client = -1;
	loop_turn(rig.loop, 5);
	cr_expect_eq(rig.above.ends, 1);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_TRANSPORT);
	asked_expect(&asked, 404, "");
	cr_expect_eq(rig.metrics.sse_sockets, 0);
	rig_fini(&rig);
}

Test(transport_sse, a_lost_client_shows_on_writing)
{
	struct rig rig;

	rig_init(&rig);
	turn(&rig);
	(void)close(rig.client);
	rig.client = -1;
	send_text(&rig, SLICE("x"));
	loop_turn(rig.loop, 0);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_TRANSPORT);
	rig_fini(&rig);
}

Test(transport_sse, a_client_that_does_not_read_is_slow_after_send_timeout)
{
	char *text = mem_zalloc(1000000);
	struct rig rig;

	timeout_ms = SOON_MS;
	rig_init(&rig);
	for (int i = 0; i < 10; i++)
		send_text(&rig, slice_make(text, 1000000));
	for (int i = 0; i < 1000 && rig.above.ends == 0; i++)
		loop_turn(rig.loop, 5);
	cr_expect_eq(rig.above.ends, 1);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_SLOW);
	cr_expect_eq(rig.metrics.send_timeout_total, 1);
	cr_expect_eq(rig.metrics.sse_sockets, 0);
	mem_free(text);
	rig_fini(&rig);
}

Test(transport_sse, a_close_sends_what_is_queued_and_ends_the_stream)
{
	struct rig rig;

	rig_init(&rig);
	cr_assert_eq(write(rig.client, "junk", 4), 4);
	send_text(&rig, SLICE("bye"));
	rig_close(&rig, false);
	turns(&rig);
	expect_out(&rig, START "data: bye\r\n\r\n");
	cr_expect(rig.is_eof);
	cr_expect_eq(rig.metrics.sse_sockets, 1);
	cr_assert_eq(shutdown(rig.client, SHUT_WR), 0);
	turns(&rig);
	cr_expect_eq(rig.metrics.sse_sockets, 0);
	cr_expect_eq(rig.metrics.sse_close_timeout_total, 0);
	cr_expect_eq(rig.above.ends, 0);
	cr_expect_eq(rig.above.drains, 0);
	rig_fini(&rig);
}

Test(transport_sse, a_close_with_nothing_queued_ends_the_stream)
{
	struct rig rig;

	rig_init(&rig);
	turn(&rig);
	rig_close(&rig, true);
	turn(&rig);
	expect_out(&rig, START);
	cr_expect(rig.is_eof);
	rig_fini(&rig);
}

Test(transport_sse, a_close_sends_all_although_the_kernel_was_full)
{
	char *text = mem_zalloc(1000000);
	struct rig rig;

	rig_init(&rig);
	for (int i = 0; i < 10; i++)
		send_text(&rig, slice_make(text, 1000000));
	loop_turn(rig.loop, 0);
	rig_close(&rig, false);
	for (int i = 0; i < 1000 && !rig.is_eof; i++)
		turn(&rig);
	cr_expect_eq(rig.out.len, strlen(START) + (1000000 + 10) * 10);
	cr_expect_eq(rig.metrics.sse_close_timeout_total, 0);
	mem_free(text);
	rig_fini(&rig);
}

Test(transport_sse, posts_that_wait_are_answered_when_it_closes)
{
	struct asked asked;
	struct asked late;
	struct rig rig;

	rig_init(&rig);
	rig.transport->ops->pause(rig.transport, true);
	post(&rig, "x", &asked);
	rig_close(&rig, false);
	asked_expect(&asked, 404, "");
	post(&rig, "y", &late);
	asked_expect(&late, 404, "");
	expect_in(&rig, "");
	rig_fini(&rig);
}

Test(transport_sse, a_client_that_stays_is_aborted_after_close_timeout)
{
	struct rig rig;

	timeout_ms = SOON_MS;
	rig_init(&rig);
	rig_close(&rig, false);
	for (int i = 0; i < 1000 && rig.metrics.sse_sockets > 0; i++)
		turn(&rig);
	cr_expect_eq(rig.metrics.sse_sockets, 0);
	cr_expect_eq(rig.metrics.sse_close_timeout_total, 1);
	rig_fini(&rig);
}

Test(transport_sse, a_client_that_goes_amid_the_close_is_let_go)
{
	struct rig rig;

	rig_init(&rig);
	turn(&rig);
	send_text(&rig, SLICE("x"));
	rig_close(&rig, false);
	(void)close(rig.client);
	rig.client = -1;
	loop_turn(rig.loop, 0);
	cr_expect_eq(rig.metrics.sse_sockets, 0);
	cr_expect_eq(rig.metrics.sse_close_timeout_total, 0);
	cr_expect_eq(rig.above.ends, 0);
	rig_fini(&rig);
}

Test(transport_sse, the_host_ends_what_is_still_closing)
{
	struct rig rig;

	rig_init(&rig);
	rig_close(&rig, false);
	turn(&rig);
	cr_expect_eq(rig.metrics.sse_sockets, 1);
	rig_fini(&rig);
}
