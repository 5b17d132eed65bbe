/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much may wait for a long polling client.
 */
#include <criterion/criterion.h>

#include "gateway/conn.h"
#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/transport_lp.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/reply_kit.h"

#define ID "abcdefghijklmnopqrstuv"
#define MAX 1000

static struct loop loop;
static struct gateway_conf conf;
static struct gateway_metrics metrics;
static struct lp_host *host;
static struct hub hub;
static struct conn conn;
static struct transport *transport;
static int drained;

void conn_on_bytes(struct conn *of, struct slice bytes)
{
	cr_assert_fail("%p: %.*s", (void *)of, SLICE_FMT(bytes));
}

void conn_on_drained(struct conn *of)
{
	cr_expect_eq(of, &conn);
	drained++;
}

void conn_on_end(struct conn *of, enum conn_close_reason reason)
{
	cr_assert_fail("%p: %d", (void *)of, (int)reason);
}

static void poll(struct asked *asked)
{
	transport_lp_poll(transport, asked_new(asked));
}

static void setup(void)
{
	struct asked first;

	wheel_init(&loop.wheel, 0);
	list_init(&loop.flushes);
	conf.poll_timeout_ms = 90000;
	conf.disconnect_timeout_ms = 15000;
	conf.post_bytes_max = MAX;
	host = lp_host_new(&loop, &conf, &metrics, 1);
	transport = transport_lp_new(host, &hub, SLICE(ID));
	transport->conn = &conn;
	poll(&first);
	asked_expect(&first, 200, "");
}

static void teardown(void)
{
	transport->ops->abort(transport);
	lp_host_free(host);
	fake_loop_turn(&loop, 0);
	cr_expect_eq(metrics.queue_bytes, 0);
}

TestSuite(transport_lp_room, .init = setup, .fini = teardown);

static void say(size_t len)
{
	struct blob *blob = blob_new(len);

	memset(blob->data, 'x', len);
	transport->ops->send(transport, blob);
	blob_unref(blob);
}

static bool has_room(size_t len)
{
	return transport->ops->has_room(transport, len, MAX);
}

Test(transport_lp_room, ends_at_the_limit)
{
	cr_expect(has_room(MAX + 1), "one message, however long");
	say(MAX - 1);
	cr_expect(has_room(1));
	cr_expect_not(has_room(2));
	say(1);
	cr_expect_not(has_room(1));
	cr_expect_eq(metrics.queue_bytes, MAX);
}

/* A client whose poll waits is none that does not read. */
Test(transport_lp_room, a_poll_makes_room)
{
	struct asked asked;

	poll(&asked);
	fake_loop_turn(&loop, 0);
	say(MAX);
	asked_expect_waiting(&asked);
	cr_expect(has_room(1));
	asked_expect(&asked, 200, NULL);
	cr_expect_eq(asked.body_len, MAX);
	cr_expect_eq(metrics.queue_bytes, 0);
	say(MAX);
	cr_expect_not(has_room(1), "the answer may be on its way still");
	cr_expect_eq(drained, 0, "somebody sends just now");
	poll(&asked);
	fake_loop_turn(&loop, 0);
	cr_expect_eq(drained, 1);
}
