/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending half of a socket under TLS, whose client does not read at first: a record
 * that was begun with a range of the spool must go on with the blobs of it.
 */
#include "gateway/outlet.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#include "tests/unit/proto/base/tls_kit.h"

#define SMALL_SOCKET_BYTES 4096
#define TURNS_MAX 5000

struct rig {
	struct gateway_metrics metrics;
	struct outlet_host host;
	struct outlet outlet;
	struct tls_kit certs;
	struct tls_client client;
	struct buf sent;
	enum err rc; /* of the last write */
};

static struct rig rig;

/* The handshake is done in reads. */
static void on_io(struct loop_io *io, unsigned ready)
{
	char bytes[16];

	(void)io;
	outlet_on_ready(&rig.outlet, ready);
	if (ready & LOOP_READ)
		cr_assert_eq(sock_recv(&rig.outlet.sock, bytes, sizeof(bytes)),
			     ERR_AGAIN);
}

static void on_flush(struct loop_flush *flush)
{
	(void)flush;
	if (!rig.outlet.is_blocked)
		rig.rc = outlet_write(&rig.outlet);
}

static void on_timer(struct outlet *outlet)
{
	(void)outlet;
	cr_assert_fail("the client reads");
}

static void turn(void)
{
	loop_turn(rig.host.loop, 0);
}

static void setup(void)
{
	const int bytes = SMALL_SOCKET_BYTES;
	struct sock sock;
	int fds[2];

	memset(&rig, 0, sizeof(rig));
	tls_kit_init(&rig.certs);
	rig.host = (struct outlet_host){ .loop = loop_new(),
					 .send_timeout_ms = 60000,
					 .close_timeout_ms = 60000,
					 .metrics = &rig.metrics,
					 .on_timer = on_timer,
					 .spool = spool_new() };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	sock_init(&sock, rig.host.loop, fds[0], rig.certs.tls, NULL);
	outlet_init(&rig.outlet, &rig.host, &sock, on_io, on_flush);
	outlet_read(&rig.outlet, true);
	tls_client_init(&rig.client, fds[1], TLS1_3_VERSION);
	for (int i = 0; i < TURNS_MAX && !tls_client_shake(&rig.client); i++)
		turn();
	for (int i = 0; i < TURNS_MAX && !sock_is_open(&rig.outlet.sock); i++)
		turn();
	cr_assert(sock_is_open(&rig.outlet.sock));
}

static void teardown(void)
{
	outlet_fini(&rig.outlet);
	tls_client_fini(&rig.client);
	buf_fini(&rig.sent);
	spool_free(rig.host.spool);
	loop_free(rig.host.loop);
	tls_kit_fini(&rig.certs);
}

TestSuite(outlet_tls, .init = setup, .fini = teardown, .timeout = 60);

static void send_blob(size_t len)
{
	struct blob *blob = blob_new(len);

	for (size_t i = 0; i < len; i++)
		blob->data[i] = (char)('a' + (rig.sent.len + i) % 23);
	buf_append_slice(&rig.sent, blob_slice(blob));
	outlet_add(&rig.outlet, blob);
	blob_unref(blob);
}

/* So many blobs in one turn, which the client reads later. */
static void check(size_t blobs_n, size_t blob_len)
{
	for (size_t i = 0; i < blobs_n; i++)
		send_blob(blob_len);
	turn();
	cr_assert_eq(rig.rc, ERR_AGAIN);
	send_blob(blob_len);
	for (int i = 0; i < TURNS_MAX && rig.client.in.len < rig.sent.len; i++) {
		tls_client_read(&rig.client);
		turn();
		cr_assert_neq(rig.rc, ERR_IO, "%zu blobs of %zu bytes", blobs_n,
			      blob_len);
	}
	cr_assert_eq(rig.client.in.len, rig.sent.len);
	cr_expect_arr_eq(rig.client.in.ptr, rig.sent.ptr, rig.sent.len);
	cr_expect_eq(rig.rc, OK);
	cr_expect_eq(outlet_queued_bytes(&rig.outlet), 0);
}

Test(outlet_tls, a_range_of_a_few_blobs_goes_on)
{
	check(8, SPOOL_BLOB_BYTES_MAX);
}

Test(outlet_tls, a_range_of_as_many_blobs_as_a_lane_holds_goes_on)
{
	check(SPOOL_LANE_BLOBS_MAX, SPOOL_LANE_BYTES_MAX / SPOOL_LANE_BLOBS_MAX);
}

Test(outlet_tls, more_blobs_than_a_lane_holds_go_on)
{
	check(2 * SPOOL_LANE_BLOBS_MAX, 65);
}

/* Together less than a record: it is begun with all of them. */
Test(outlet_tls, a_range_of_less_than_a_record_goes_on)
{
	check(SPOOL_LANE_BLOBS_MAX, 60);
}
