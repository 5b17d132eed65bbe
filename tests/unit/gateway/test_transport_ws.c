/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebSocket transport on one end of a socket pair, the test being the client on the
 * other; the connection above it is a stand-in that notes what it is told.
 */
#define _GNU_SOURCE /* memmem */
#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/transport_ws.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/conn.h"
#include "proto/base/mem.h"
#include "tests/unit/gateway/ws_kit.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
enum { SOON_MS = 40, NEVER_MS = 600000 };
static int64_t timeout_ms = NEVER_MS; /* of the next rig */

/* What the transport told its connection, and what this is to do about it. */
struct stand_in {
	struct conn conn;
	struct buf in;
	size_t idle_bytes; /* that are counted here */
	int ends;
	enum conn_close_reason reason;
	bool is_pausing; /* at the next bytes */
};

struct rig {
	struct loop *loop;
	struct gateway_metrics metrics;
	struct ws_host *host;
	struct transport *transport;
	struct stand_in above;
	int client;
	struct buf out; /* all the client has read */
	bool is_eof;
};

void conn_on_drained(struct conn *conn)
{
	(void)conn;
}

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	struct stand_in *above = CONTAINER_OF(conn, struct stand_in, conn);

	buf_append_slice(&above->in, bytes);
	if (above->is_pausing)
		conn->transport->ops->pause(conn->transport, true);
}

void conn_count_bytes(struct conn *conn, size_t n)
{
	CONTAINER_OF(conn, struct stand_in, conn)->idle_bytes += n;
}

/* As the real one. */
void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	struct stand_in *above = CONTAINER_OF(conn, struct stand_in, conn);
	struct transport *transport = conn->transport;

	above->ends++;
	above->reason = reason;
	conn->transport = NULL;
	if (reason == CONN_CLOSE_TRANSPORT || reason == CONN_CLOSE_SLOW)
		transport->ops->abort(transport);
	else
		transport->ops->close(transport, reason == CONN_CLOSE_PROTOCOL);
}

static void rig_init(struct rig *rig, const char *rest)
{
	struct outlet_host outlets = { .send_timeout_ms = timeout_ms,
				       .close_timeout_ms = timeout_ms,
				       .metrics = &rig->metrics };
	struct buf behind = BUF_INIT;
	struct sock sock;
	int ends[2];

	memset(rig, 0, sizeof(*rig));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	rig->loop = loop_new();
	outlets.loop = rig->loop;
	rig->host = ws_host_new(&outlets);
	rig->client = ends[1];
	buf_append_str(&behind, rest);
	sock_init(&sock, rig->loop, ends[0], NULL, NULL);
	rig->transport = transport_ws_new(rig->host, &sock, &behind, SLICE(KEY));
	rig->transport->conn = &rig->above.conn;
	rig->above.conn.transport = rig->transport;
	transport_ws_start(rig->transport);
}

static void rig_fini(struct rig *rig)
{
	if (rig->above.conn.transport != NULL)
		rig->transport->ops->abort(rig->transport);
	ws_host_free(rig->host);
	loop_free(rig->loop);
	(void)close(rig->client);
	buf_fini(&rig->above.in);
	buf_fini(&rig->out);
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

/* Until all that goes on has gone on; the client's answers come back in a few turns. */
static void turns(struct rig *rig)
{
	for (int i = 0; i < 4; i++)
		turn(rig);
}

static void client_frame(struct rig *rig, unsigned first, const char *payload, size_t len)
{
	struct buf bytes = BUF_INIT;

	ws_frame_add(&bytes, first, payload, len);
	cr_assert_eq(write(rig->client, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	buf_fini(&bytes);
}

/* The client has read the 101 and then exactly this. */
static void expect_out(struct rig *rig, const char *bytes, size_t len)
{
	const char *end = memmem(rig->out.ptr, rig->out.len, "\r\n\r\n", 4);
	struct slice out = buf_slice(&rig->out);

	cr_assert_not_null(end);
	cr_assert(slice_starts_with(out, SLICE("HTTP/1.1 101 ")));
	out = slice_from(out, (size_t)(end + 4 - out.ptr));
	cr_expect(slice_equal(out, slice_make(bytes, len)), "%zu bytes", out.len);
}

static void send_text(struct rig *rig, struct slice text)
{
	struct blob *blob = transport_ws_ops.wrap(text, true);

	transport_ws_ops.send(rig->transport, blob);
	blob_unref(blob);
}

static void expect_in(struct rig *rig, const char *text)
{
	cr_expect(slice_equal(buf_slice(&rig->above.in), slice_from_str(text)),
		  "%.*s for %s", SLICE_FMT(buf_slice(&rig->above.in)), text);
}

/* ---- in and out */

Test(transport_ws, answers_101_at_once)
{
	struct rig rig;

	rig_init(&rig, "");
	turn(&rig);
	expect_out(&rig, "", 0);
	cr_expect_eq(rig.metrics.ws_sockets, 1);
	rig_fini(&rig);
	cr_expect_eq(rig.metrics.ws_sockets, 0);
}

Test(transport_ws, gives_the_payload_up)
{
	struct rig rig;

	rig_init(&rig, "");
	client_frame(&rig, WS_TEXT, "ab", 2);
	client_frame(&rig, FIN | WS_CONTINUATION, "c", 1);
	client_frame(&rig, FIN | WS_BINARY, "de", 2);
	turns(&rig);
	expect_in(&rig, "abcde");
	rig_fini(&rig);
}

Test(transport_ws, reads_a_frame_that_comes_byte_by_byte)
{
	struct buf bytes = BUF_INIT;
	struct rig rig;

	rig_init(&rig, "");
	ws_frame_add(&bytes, FIN | WS_TEXT, "abc", 3);
	ws_frame_add(&bytes, FIN | WS_PING, "xy", 2);
	for (size_t i = 0; i < bytes.len; i++) {
		cr_assert_eq(write(rig.client, bytes.ptr + i, 1), 1);
		turn(&rig);
	}
	expect_in(&rig, "abc");
	expect_out(&rig, "\x8a\x02xy", 4);
	buf_fini(&bytes);
	rig_fini(&rig);
}

Test(transport_ws, reads_what_stood_behind_the_request)
{
	struct buf bytes = BUF_INIT;
	struct rig rig;

	ws_frame_add(&bytes, FIN | WS_TEXT, "early", 5);
	buf_append_byte(&bytes, '\0');
	rig_init(&rig, bytes.ptr);
	turn(&rig);
	expect_in(&rig, "early");
	buf_fini(&bytes);
	rig_fini(&rig);
}

Test(transport_ws, sends_one_message_a_blob)
{
	struct rig rig;

	rig_init(&rig, "");
	send_text(&rig, SLICE("one"));
	send_text(&rig, SLICE("two"));
	/* No write was tried: that is no sign of a slow reader. */
	cr_expect_eq(rig.transport->ops->queued_bytes(rig.transport), 0);
	turn(&rig);
	expect_out(&rig, "\x81\x03one\x81\x03two", 10);
	cr_expect_eq(rig.transport->ops->queued_bytes(rig.transport), 0);
	rig_fini(&rig);
}

Test(transport_ws, sends_binary_when_told)
{
	struct blob *blob = transport_ws_ops.wrap(SLICE("b"), false);

	cr_expect_arr_eq(blob->data,
			 "\x82\x01"
			 "b",
			 3);
	blob_unref(blob);
}

Test(transport_ws, writes_more_than_the_kernel_takes_at_once)
{
	char *text = mem_alloc(100000);
	struct rig rig;

	memset(text, 'x', 100000);
	rig_init(&rig, "");
	for (int i = 0; i < 100; i++)
		send_text(&rig, slice_make(text, 100000));
	loop_turn(rig.loop, 0);
	cr_expect_gt(rig.transport->ops->queued_bytes(rig.transport), 0);
	cr_expect_gt(rig.metrics.write_blocked_total, 0);
	for (int i = 0; i < 1000 && rig.out.len < 10000000; i++)
		turn(&rig);
	cr_expect_gt(rig.out.len, 10000000);
	cr_expect_eq(rig.transport->ops->queued_bytes(rig.transport), 0);
	cr_expect_eq(rig.above.ends, 0);
	mem_free(text);
	rig_fini(&rig);
}

/* ---- pausing */

Test(transport_ws, a_pause_keeps_what_was_read)
{
	struct rig rig;

	rig_init(&rig, "");
	rig.above.is_pausing = true;
	for (int i = 0; i < 3; i++)
		client_frame(&rig, FIN | WS_TEXT, "abc", 3);
	turns(&rig);
	expect_in(&rig, "abc");
	rig.above.is_pausing = false;
	rig.transport->ops->pause(rig.transport, false);
	turns(&rig);
	expect_in(&rig, "abcabcabc");
	rig_fini(&rig);
}

Test(transport_ws, a_paused_socket_that_is_closed_still_hears_the_close)
{
	struct rig rig;

	rig_init(&rig, "");
	rig.above.is_pausing = true;
	client_frame(&rig, FIN | WS_TEXT, "abc", 3);
	client_frame(&rig, FIN | WS_TEXT, "def", 3);
	client_frame(&rig, FIN | WS_CLOSE, "", 0);
	turns(&rig);
	rig.above.conn.transport = NULL;
	rig.transport->ops->close(rig.transport, false);
	turns(&rig);
	expect_in(&rig, "abc");
	expect_out(&rig, "\x88\x02\x03\xe8", 4);
	cr_expect(rig.is_eof);
	rig_fini(&rig);
}

Test(transport_ws, answers_pings)
{
	struct rig rig;

	rig_init(&rig, "");
	client_frame(&rig, FIN | WS_PING, "hi", 2);
	client_frame(&rig, FIN | WS_PONG, "unasked", 7);
	turns(&rig);
	expect_out(&rig, "\x8a\x02hi", 4);
	cr_expect_eq(rig.above.idle_bytes, 6 + 2 + 6 + 7);
	rig_fini(&rig);
}

Test(transport_ws, pongs_are_bounded_for_a_client_that_does_not_read)
{
	static const char bytes[8000];
	struct rig rig;

	rig_init(&rig, "");
	turn(&rig);
	rig.out.len = 0;
	send_text(&rig, slice_make(bytes, sizeof(bytes))); /* is not counted */
	for (int i = 0; i < 150; i++)
		client_frame(&rig, FIN | WS_PING, bytes, 125);
	turn(&rig);
	client_frame(&rig, FIN | WS_PING, "", 0);
	turn(&rig);
	cr_expect_eq(rig.out.len, 4 + 8000 + 33 * (2 + 125) + 2);
	rig_fini(&rig);
}

/* ---- endings */

Test(transport_ws, close_is_answered_with_1000_and_ends)
{
	struct rig rig;

	rig_init(&rig, "");
	client_frame(&rig, FIN | WS_CLOSE, "\x03\xe9", 2);
	turns(&rig);
	cr_expect_eq(rig.above.ends, 1);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_CLIENT);
	expect_out(&rig, "\x88\x02\x03\xe8", 4);
	cr_expect(rig.is_eof);
	cr_expect_eq(rig.metrics.ws_sockets, 0);
	rig_fini(&rig);
}

Test(transport_ws, nothing_is_read_behind_a_close)
{
	struct rig rig;

	rig_init(&rig, "");
	client_frame(&rig, FIN | WS_CLOSE, "", 0);
	client_frame(&rig, FIN | WS_TEXT, "late", 4);
	turns(&rig);
	expect_in(&rig, "");
	rig_fini(&rig);
}

Test(transport_ws, our_close_comes_last_and_waits_for_theirs)
{
	struct rig rig;

	rig_init(&rig, "");
	send_text(&rig, SLICE("bye"));
	rig.above.conn.transport = NULL;
	rig.transport->ops->close(rig.transport, false);
	turn(&rig);
	expect_out(&rig,
		   "\x81\x03"
		   "bye\x88\x02\x03\xe8",
		   9);
	cr_expect_not(rig.is_eof);
	client_frame(&rig, FIN | WS_CLOSE, "\x03\xe8", 2);
	turns(&rig);
	cr_expect(rig.is_eof);
	cr_expect_eq(rig.above.ends, 0);
	cr_expect_eq(rig.metrics.ws_close_timeout_total, 0);
	rig_fini(&rig);
}

Test(transport_ws, an_error_closes_with_1011)
{
	struct rig rig;

	rig_init(&rig, "");
	rig.above.conn.transport = NULL;
	rig.transport->ops->close(rig.transport, true);
	turn(&rig);
	expect_out(&rig, "\x88\x02\x03\xf3", 4);
	rig_fini(&rig);
}

Test(transport_ws, a_client_that_never_closes_is_aborted_after_close_timeout)
{
	struct rig rig;

	timeout_ms = SOON_MS;
	rig_init(&rig, "");
	rig.above.conn.transport = NULL;
	rig.transport->ops->close(rig.transport, false);
	for (int i = 0; i < 1000 && !rig.is_eof; i++)
		turn(&rig);
	cr_expect(rig.is_eof);
	cr_expect_eq(rig.metrics.ws_close_timeout_total, 1);
	rig_fini(&rig);
}

Test(transport_ws, a_lost_client_is_told_as_lost)
{
	struct rig rig;

	rig_init(&rig, "");
	turn(&rig);
	cr_assert_eq(shutdown(rig.client, SHUT_WR), 0);
	turns(&rig);
	cr_expect_eq(rig.above.ends, 1);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_TRANSPORT);
	cr_expect_eq(rig.metrics.ws_sockets, 0);
	rig_fini(&rig);
}

Test(transport_ws, a_lost_client_shows_on_writing)
{
	struct rig rig;

	rig_init(&rig, "");
	turn(&rig);
	(void)close(rig.client);
	rig.client = -1;
	send_text(&rig, SLICE("x"));
	loop_turn(rig.loop, 0);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_TRANSPORT);
	rig_fini(&rig);
}

Test(transport_ws, a_broken_frame_closes_with_its_code)
{
	struct rig rig;

	rig_init(&rig, "");
	client_frame(&rig, FIN | WS_TEXT, "\xff", 1);
	client_frame(&rig, FIN | WS_TEXT, "more", 4);
	turns(&rig);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_PROTOCOL);
	expect_out(&rig, "\x88\x02\x03\xef", 4);
	cr_expect(rig.is_eof);
	cr_expect_eq(rig.metrics.ws_malformed_total, 1);
	expect_in(&rig, "");
	rig_fini(&rig);
}

Test(transport_ws, a_client_that_does_not_read_is_slow_after_send_timeout)
{
	char *text = mem_zalloc(1000000);
	struct rig rig;

	timeout_ms = SOON_MS;
	rig_init(&rig, "");
	for (int i = 0; i < 10; i++)
		send_text(&rig, slice_make(text, 1000000));
	for (int i = 0; i < 1000 && rig.above.ends == 0; i++)
		loop_turn(rig.loop, 5);
	cr_expect_eq(rig.above.ends, 1);
	cr_expect_eq(rig.above.reason, CONN_CLOSE_SLOW);
	cr_expect_eq(rig.metrics.send_timeout_total, 1);
	mem_free(text);
	rig_fini(&rig);
}

Test(transport_ws, the_host_ends_what_is_still_closing)
{
	struct rig rig;

	rig_init(&rig, "");
	rig.above.conn.transport = NULL;
	rig.transport->ops->close(rig.transport, false);
	turn(&rig);
	cr_expect_eq(rig.metrics.ws_sockets, 1);
	rig_fini(&rig);
	cr_expect_eq(rig.metrics.ws_sockets, 0);
}
