/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending half of a socket: two of them that share a spool, each on one end of a
 * socket pair, the test being both clients.
 */
#include "gateway/outlet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

#define SOON_MS 40
#define NEVER_MS 600000
#define SMALL_SOCKET_BYTES 4096

struct end {
	struct outlet outlet;
	int client;
	struct buf out; /* all the client has read */
	enum err rc;	/* of the last write */
	int timeouts;
};

/* Of the next rig. A test that waits for a time-out makes it SOON_MS. */
static int64_t timeout_ms = NEVER_MS;

struct rig {
	struct gateway_metrics metrics;
	struct outlet_host host;
	struct end ends[2];
	struct buf sent; /* to both */
};

static void on_io(struct loop_io *io, unsigned ready)
{
	outlet_on_ready(&CONTAINER_OF(io, struct end, outlet.sock.io)->outlet, ready);
}

static void on_flush(struct loop_flush *flush)
{
	struct end *end = CONTAINER_OF(flush, struct end, outlet.flush);

	if (!end->outlet.is_blocked)
		end->rc = outlet_write(&end->outlet);
}

static void on_timer(struct outlet *outlet)
{
	CONTAINER_OF(outlet, struct end, outlet)->timeouts++;
}

static void end_init(struct end *end, struct outlet_host *host)
{
	const int bytes = SMALL_SOCKET_BYTES;
	struct sock sock;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	end->client = fds[1];
	sock_init(&sock, host->loop, fds[0], NULL, NULL);
	outlet_init(&end->outlet, host, &sock, on_io, on_flush);
}

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->host = (struct outlet_host){ .loop = loop_new(),
					  .send_timeout_ms = timeout_ms,
					  .close_timeout_ms = timeout_ms,
					  .metrics = &rig->metrics,
					  .on_timer = on_timer,
					  .spool = spool_new() };
	for (size_t i = 0; i < 2; i++)
		end_init(&rig->ends[i], &rig->host);
}

static void rig_fini(struct rig *rig)
{
	for (size_t i = 0; i < 2; i++) {
		outlet_fini(&rig->ends[i].outlet);
		(void)close(rig->ends[i].client);
		buf_fini(&rig->ends[i].out);
	}
	cr_expect_eq(rig->metrics.queue_bytes, 0, "bytes nobody waits for");
	buf_fini(&rig->sent);
	spool_free(rig->host.spool);
	loop_free(rig->host.loop);
}

static void turn(struct rig *rig)
{
	loop_turn(rig->host.loop, 0);
}

static void client_read(struct end *end)
{
	ssize_t n;

	do {
		n = read(end->client, buf_reserve(&end->out, 65536), 65536);
		if (n > 0)
			end->out.len += (size_t)n;
	} while (n > 0);
}

/* A blob of `len` bytes, no two alike, to both. */
static void send_both(struct rig *rig, size_t len)
{
	struct blob *blob = blob_new(len);

	for (size_t i = 0; i < len; i++)
		blob->data[i] = (char)('a' + (rig->sent.len + i) % 23);
	buf_append_slice(&rig->sent, blob_slice(blob));
	for (size_t i = 0; i < 2; i++)
		outlet_add(&rig->ends[i].outlet, blob);
	cr_expect_geq(blob->refs, 2);
	blob_unref(blob);
}

static void expect_all(const struct rig *rig, const struct end *end)
{
	cr_assert_eq(end->out.len, rig->sent.len);
	cr_expect_eq(memcmp(end->out.ptr, rig->sent.ptr, rig->sent.len), 0);
	cr_expect_eq(outlet_queued_bytes(&end->outlet), 0);
}

/* What both have that their clients do not take. */
static void expect_counted(const struct rig *rig)
{
	cr_expect_eq(rig->metrics.queue_bytes,
		     (int64_t)(outlet_stuck_bytes(&rig->ends[0].outlet) +
			       outlet_stuck_bytes(&rig->ends[1].outlet)));
}

Test(outlet, many_blobs_leave_in_one_write)
{
	struct rig rig;

	rig_init(&rig);
	for (size_t len = 1; len <= 16; len++)
		send_both(&rig, len);
	cr_expect_eq(outlet_queued_bytes(&rig.ends[0].outlet), 136);
	cr_expect_eq(outlet_stuck_bytes(&rig.ends[0].outlet), 0);
	cr_expect_eq(rig.host.spool->lanes[0].len, 136);
	turn(&rig);
	cr_expect_eq(rig.host.spool->lanes[0].len, 0);
	for (size_t i = 0; i < 2; i++) {
		client_read(&rig.ends[i]);
		expect_all(&rig, &rig.ends[i]);
		cr_expect_eq(rig.ends[i].rc, OK);
	}
	cr_expect_eq(rig.metrics.out_bytes_total, 272);
	rig_fini(&rig);
}

/* One reads, the other does not: what the spool forgets is kept for it. */
Test(outlet, what_the_kernel_does_not_take_waits)
{
	struct rig rig;

	rig_init(&rig);
	for (int i = 0; i < 200; i++)
		send_both(&rig, 300);
	turn(&rig);
	cr_expect_eq(rig.ends[1].rc, ERR_AGAIN);
	cr_expect(rig.ends[1].outlet.is_blocked);
	cr_expect_eq(rig.host.spool->lanes[0].ranges_n, 0);
	cr_expect_gt(outlet_stuck_bytes(&rig.ends[1].outlet), 0);
	expect_counted(&rig);
	send_both(&rig, 300);
	expect_counted(&rig);
	for (int i = 0; i < 100; i++) {
		client_read(&rig.ends[0]);
		turn(&rig);
	}
	client_read(&rig.ends[0]);
	expect_all(&rig, &rig.ends[0]);
	cr_expect_not(rig.ends[0].outlet.is_blocked);
	cr_expect_null(rig.ends[0].outlet.timer);
	cr_expect(rig.ends[1].outlet.is_blocked);
	expect_counted(&rig);
	cr_expect_gt(rig.metrics.queue_bytes, 0);
	for (int i = 0; i < 100; i++) {
		client_read(&rig.ends[1]);
		turn(&rig);
	}
	client_read(&rig.ends[1]);
	expect_all(&rig, &rig.ends[1]);
	rig_fini(&rig);
}

/* More than the spool holds, and blobs that it does not take. */
Test(outlet, the_queue_goes_on_where_the_spool_ends)
{
	static const size_t lens[] = { 100, SPOOL_BLOB_BYTES_MAX,
				       SPOOL_BLOB_BYTES_MAX + 1, 7, 60000 };
	struct rig rig;

	rig_init(&rig);
	for (size_t n = 0; n < 30; n++)
		send_both(&rig, lens[n % 5]);
	cr_expect_gt(rig.ends[0].outlet.queue.n, 0);
	cr_expect_gt(spool_range_len(&rig.ends[0].outlet.spooled), 0);
	for (int i = 0; i < 2000; i++) {
		turn(&rig);
		client_read(&rig.ends[0]);
		client_read(&rig.ends[1]);
	}
	expect_all(&rig, &rig.ends[0]);
	expect_all(&rig, &rig.ends[1]);
	rig_fini(&rig);
}

/* At the limit and one past, of one that the kernel takes nothing from. */
Test(outlet, has_room_up_to_its_limit)
{
	struct rig rig;
	struct outlet *outlet = &rig.ends[1].outlet;
	size_t stuck;

	rig_init(&rig);
	for (int i = 0; i < 200; i++)
		send_both(&rig, 300);
	turn(&rig);
	cr_assert(outlet->is_blocked);
	stuck = outlet_stuck_bytes(outlet);
	cr_expect(outlet_has_room(outlet, 10, stuck + 10));
	cr_expect_not(outlet_has_room(outlet, 11, stuck + 10));
	cr_expect_not(outlet_has_room(outlet, 1, stuck - 1));
	cr_expect_not(outlet_has_room(outlet, UINT32_MAX, stuck + 10));
	cr_expect_eq(outlet_stuck_bytes(outlet), stuck);
	rig_fini(&rig);
}

/* What a turn brings is no sign of slowness: only what the kernel does not take is. */
Test(outlet, writes_before_it_says_no)
{
	struct rig rig;
	struct outlet *outlet = &rig.ends[0].outlet;

	rig_init(&rig);
	send_both(&rig, 300);
	cr_expect(outlet_has_room(outlet, 10, 310));
	cr_expect_eq(outlet_queued_bytes(outlet), 300, "there is no need");
	cr_expect(outlet_has_room(outlet, 11, 310));
	cr_expect_eq(outlet_queued_bytes(outlet), 0);
	cr_expect(outlet_has_room(outlet, 1000, 310), "one message, however long");
	send_both(&rig, 400);
	turn(&rig);
	client_read(&rig.ends[0]);
	client_read(&rig.ends[1]);
	expect_all(&rig, &rig.ends[0]);
	expect_all(&rig, &rig.ends[1]);
	rig_fini(&rig);
}

Test(outlet, an_early_write_may_find_that_the_client_does_not_read)
{
	struct rig rig;
	struct outlet *outlet = &rig.ends[0].outlet;

	rig_init(&rig);
	for (int i = 0; i < 200; i++)
		send_both(&rig, 300);
	cr_expect_eq(outlet_stuck_bytes(outlet), 0);
	cr_expect_not(outlet_has_room(outlet, 1, 100));
	cr_expect(outlet->is_blocked);
	cr_expect_gt(outlet_stuck_bytes(outlet), 0);
	turn(&rig);
	expect_counted(&rig);
	rig_fini(&rig);
}

/* The owner hears at the flush that it was blocked, for all that was written before. */
Test(outlet, an_early_write_hides_no_end_of_a_block)
{
	struct rig rig;
	struct outlet *outlet = &rig.ends[0].outlet;

	rig_init(&rig);
	for (int i = 0; i < 30; i++)
		send_both(&rig, 300);
	turn(&rig);
	cr_assert(outlet->is_blocked);
	client_read(&rig.ends[0]);
	outlet_on_ready(outlet, LOOP_WRITE);
	for (int i = 0; i < 10 && !outlet_has_room(outlet, 1, 0); i++) {
		client_read(&rig.ends[0]);
		outlet_on_ready(outlet, LOOP_WRITE);
	}
	cr_expect_eq(outlet_queued_bytes(outlet), 0);
	cr_expect(outlet->is_waiting);
	turn(&rig);
	cr_expect_not(outlet->is_waiting);
	cr_expect_null(outlet->timer);
	rig_fini(&rig);
}

/* Its flush finds that, and not that it is slow. */
Test(outlet, a_lost_socket_has_room)
{
	struct rig rig;

	rig_init(&rig);
	send_both(&rig, 300);
	(void)shutdown(rig.ends[0].client, SHUT_RDWR);
	(void)close(rig.ends[0].client);
	rig.ends[0].client = dup(rig.ends[1].client);
	cr_expect(outlet_has_room(&rig.ends[0].outlet, 1, 300));
	turn(&rig);
	cr_expect_eq(rig.ends[0].rc, ERR_IO);
	rig_fini(&rig);
}

Test(outlet, a_blocked_one_times_out)
{
	struct rig rig;

	timeout_ms = SOON_MS;
	rig_init(&rig);
	for (int i = 0; i < 200; i++)
		send_both(&rig, 300);
	for (int i = 0; i < 1000 && rig.ends[0].timeouts == 0; i++)
		loop_turn(rig.host.loop, 5);
	cr_expect_eq(rig.ends[0].timeouts, 1);
	rig_fini(&rig);
}

Test(outlet, one_that_is_to_end_counts_until_it_is_empty)
{
	struct rig rig;

	rig_init(&rig);
	for (int i = 0; i < 200; i++)
		send_both(&rig, 300);
	outlet_end(&rig.ends[0].outlet);
	turn(&rig);
	expect_counted(&rig);
	for (int i = 0; i < 100; i++) {
		client_read(&rig.ends[0]);
		turn(&rig);
	}
	cr_expect_eq(outlet_queued_bytes(&rig.ends[0].outlet), 0);
	expect_counted(&rig);
	rig_fini(&rig);
}

Test(outlet, a_lost_socket_gives_its_bytes_back)
{
	struct rig rig;

	rig_init(&rig);
	cr_assert_eq(shutdown(rig.ends[0].client, SHUT_RDWR), 0);
	send_both(&rig, 10);
	turn(&rig);
	cr_expect_eq(rig.ends[0].rc, ERR_IO);
	cr_expect_eq(rig.host.spool->lanes[0].ranges_n, 1);
	outlet_fini(&rig.ends[0].outlet);
	cr_expect_eq(rig.host.spool->lanes[0].ranges_n, 0);
	(void)close(rig.ends[0].client);
	end_init(&rig.ends[0], &rig.host);
	rig_fini(&rig);
}

Test(outlet, needs_no_spool)
{
	struct spool *spool;
	struct rig rig;

	rig_init(&rig);
	spool = rig.host.spool;
	rig.host.spool = NULL;
	send_both(&rig, 10);
	send_both(&rig, 20);
	turn(&rig);
	for (size_t i = 0; i < 2; i++) {
		client_read(&rig.ends[i]);
		expect_all(&rig, &rig.ends[i]);
	}
	rig.host.spool = spool;
	rig_fini(&rig);
}
