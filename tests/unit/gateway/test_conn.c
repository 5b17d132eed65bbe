/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's timers and its end: what the client is told, how the transport goes, and
 * what the cluster hears of it.
 */
#include "gateway/conn.h"

#include <criterion/criterion.h>

#include "gateway/conn_out.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define PING "{\"type\":6}~"
#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"f\",\"arguments\":[]}~"
#define FAILED                                                                           \
	"{\"type\":7,\"error\":\"Connection closed with an "                             \
	"error.\",\"allowReconnect\":true}~"

/* ---- keep-alive */

Test(conn, a_silent_connection_gets_a_ping)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	kit_wait(&kit, 14999);
	wire_expect(wire, "");
	kit_wait(&kit, 1);
	wire_expect(wire, PING);
	kit_wait(&kit, 15000);
	wire_expect(wire, PING);
	cr_expect_eq(kit.metrics->pings_out_total, 2);
	kit_stop(&kit);
}

Test(conn, what_is_sent_puts_the_ping_off)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	kit_wait(&kit, 10000);
	conn_send(wire->conn, SLICE("x"));
	kit_wait(&kit, 14999);
	wire_expect(wire, "x");
	kit_wait(&kit, 1);
	wire_expect(wire, PING);
	kit_stop(&kit);
}

Test(conn, pings_of_one_kind_of_transport_are_one_blob)
{
	struct kit kit;
	struct wire *a;
	struct wire *b;
	int wraps;

	kit_up(&kit);
	a = kit_open(&kit, 'A', NULL);
	b = kit_open(&kit, 'B', NULL);
	wraps = wire_wraps;
	kit_wait(&kit, 15000);
	cr_expect_eq(wire_wraps, wraps + 1);
	cr_expect_eq(a->last, b->last);
	kit_stop(&kit);
}

/* ---- the client's timeout */

Test(conn, a_client_that_never_pinged_may_be_silent)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, "{\"type\":5,\"invocationId\":\"1\"}~");
	for (int i = 0; i < 10; i++)
		kit_wait(&kit, 15000);
	wire_expect_end(wire, "open");
	kit_stop(&kit);
}

Test(conn, a_client_that_pinged_may_not)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->is_detailed = true;
	kit.conf->keepalive_interval_ms = 1000000;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, PING);
	kit_wait(&kit, 29999);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	wire_expect(wire,
		    "{\"type\":7,\"error\":\"Connection closed with an error. "
		    "TimeoutException: Client hasn't sent a message/ping within the "
		    "configured ClientTimeoutInterval.\",\"allowReconnect\":true}~");
	wire_expect_end(wire, "failed");
	peer_expect(kit.router, "Disconnected A error=timeout; ");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TIMEOUT], 1);
	kit_stop(&kit);
}

Test(conn, any_message_puts_the_timeout_off)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, PING);
	kit_wait(&kit, 29999);
	wire_in(wire, "{\"type\":5,\"invocationId\":\"1\"}~");
	kit_wait(&kit, 29999);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	wire_expect_end(wire, "failed");
	kit_stop(&kit);
}

Test(conn, a_pause_is_not_the_clients_silence)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, PING CALL("1") CALL("2"));
	for (int i = 0; i < 10; i++)
		kit_wait(&kit, 15000);
	kit_wait(&kit, 14999);
	wire_expect_end(wire, "open");
	kit_complete(&kit, 'A', 1, "");
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
	kit_wait(&kit, 29999);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	wire_expect_end(wire, "failed");
	kit_stop(&kit);
}

/* ---- the end: cause, hub Close, transport, Disconnected */

struct end {
	enum conn_close_reason reason;
	bool is_detailed;
	const char *out;
	const char *how;
	const char *error; /* in Disconnected */
};

static void expect_end(const struct end *end)
{
	struct buf sent = BUF_INIT;
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->is_detailed = end->is_detailed;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', "ann");
	conn_close(wire->conn, end->reason, " Detail: it.");
	wire_expect(wire, end->out);
	wire_expect_end(wire, end->how);
	buf_appendf(&sent, "Member user ann A gone; Disconnected A error=%s; ",
		    end->error);
	buf_append_byte(&sent, '\0');
	peer_expect(kit.router, sent.ptr);
	buf_fini(&sent);
	cr_expect_eq(kit.metrics->close_total[end->reason], 1);
	cr_expect_eq(kit.metrics->connections, 0);
	cr_expect_eq(kit.metrics->connections_waiting, 1);
	cr_expect_eq(kit.gateway->conns.count, 1, "until it is confirmed");
	fake_peer_ack(kit.router);
	cr_expect_eq(kit.gateway->conns.count, 0);
	cr_expect_eq(kit.metrics->connections_waiting, 0);
	kit_stop(&kit);
}

#define DETAILED                                                                         \
	"{\"type\":7,\"error\":\"Connection closed with an error. Detail: "              \
	"it.\",\"allowReconnect\":true}~"

Test(conn, every_reason_has_its_end)
{
	static const struct end ends[] = {
		{ CONN_CLOSE_CLIENT, true, "{\"type\":7}~", "closed", "" },
		{ CONN_CLOSE_TRANSPORT, true, "", "aborted", "transport" },
		{ CONN_CLOSE_ABORTED, true, "{\"type\":7}~", "closed", "" },
		{ CONN_CLOSE_CONNECT, false,
		  "{\"type\":7,\"error\":\"Connection closed with an error.\"}~",
		  "failed", "connect_failed" },
		{ CONN_CLOSE_PROTOCOL, false, FAILED, "failed", "protocol" },
		{ CONN_CLOSE_PROTOCOL, true, DETAILED, "failed", "protocol" },
		{ CONN_CLOSE_TOO_LARGE, false, FAILED, "failed", "too_large" },
		{ CONN_CLOSE_TOO_LARGE, true, DETAILED, "failed", "too_large" },
		{ CONN_CLOSE_TIMEOUT, false, FAILED, "failed", "timeout" },
		{ CONN_CLOSE_SLOW, true, "", "aborted", "slow" },
		{ CONN_CLOSE_SHUTDOWN, true, "{\"type\":7,\"allowReconnect\":true}~",
		  "closed", "" },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		expect_end(&ends[i]);
}

Test(conn, the_clients_close_is_answered)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, "{\"type\":7,\"error\":\"bye\"}~" CALL("1"));
	wire_expect(wire, "{\"type\":7}~");
	wire_expect_end(wire, "closed");
	peer_expect(kit.router, "Disconnected A error=; ");
	kit_stop(&kit);
}

Test(conn, the_application_may_abort)
{
	struct kit kit;
	struct wire *a;
	struct wire *b;

	kit_up(&kit);
	a = kit_open(&kit, 'A', NULL);
	b = kit_open(&kit, 'B', NULL);
	kit_abort(&kit, 'A', "", true);
	kit_abort(&kit, 'B', "Enough.", false);
	kit_abort(&kit, 'B', "Enough.", false);
	kit_abort(&kit, 'C', "", false);
	wire_expect(a, "{\"type\":7,\"allowReconnect\":true}~");
	wire_expect(b, "{\"type\":7,\"error\":\"Enough.\"}~");
	wire_expect_end(a, "closed");
	wire_expect_end(b, "closed");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_ABORTED], 2);
	cr_expect_eq(kit.metrics->abort_total, 4);
	kit_stop(&kit);
}

Test(conn, closing_twice_is_harmless)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	conn_close(wire->conn, CONN_CLOSE_TIMEOUT, NULL);
	wire_expect(wire, "{\"type\":7}~");
	peer_expect(kit.router, "Disconnected A error=; ");
	kit_stop(&kit);
}

Test(conn, a_queue_over_its_limit_is_the_end)
{
	struct kit kit;
	struct wire *wire;
	char text[1000] = { 0 };

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire->is_stuck = true;
	memset(text, 'x', 999);
	conn_send(wire->conn, slice_from_str(text));
	conn_send(wire->conn, SLICE("y"));
	wire_expect_end(wire, "open");
	conn_send(wire->conn, SLICE("z"));
	wire_expect_end(wire, "aborted");
	cr_expect_eq(wire->out.len, 1000, "the limit, and nothing beyond");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 1);
	kit_stop(&kit);
}

Test(conn, one_message_however_long_makes_nobody_slow)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->queue_bytes_max = 2;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire->is_stuck = true;
	conn_send(wire->conn, SLICE("xxx"));
	wire_expect_end(wire, "open");
	kit_stop(&kit);
}

Test(conn, a_ping_may_be_what_is_too_much)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->queue_bytes_max = 10;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire->is_stuck = true;
	kit_wait(&kit, 15000);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 15000);
	wire_expect_end(wire, "aborted");
	kit_wait(&kit, 15000);
	peer_expect(kit.router, "Disconnected A error=slow; ");
	kit_stop(&kit);
}

/* ---- full links */

Test(conn, who_cannot_be_announced_is_refused)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', "ann");
	peer_fill(kit.router);
	wire_in(wire, "{\"protocol\":\"json\",\"version\":1}~");
	wire_expect(wire,
		    "{}~{\"type\":7,\"error\":\"Connection closed with an error.\"}~");
	wire_expect_end(wire, "failed");
	cr_expect_eq(kit.gateway->index.memberships_n, 0);
	cr_expect_eq(kit.router->resets, 0);
	kit_stop(&kit);
}

Test(conn, its_end_is_told_when_the_link_has_room_again)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', "ann");
	peer_fill(kit.router);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	kit_wait(&kit, 1000);
	cr_expect_eq(kit.gateway->conns.count, 1);
	kit_settle(&kit);
	peer_expect(kit.router, "");
	kit_wait(&kit, 999);
	peer_expect(kit.router, "");
	kit_wait(&kit, 1);
	peer_expect(kit.router, "Member user ann A gone; Disconnected A error=; ");
	fake_peer_ack(kit.router);
	cr_expect_eq(kit.gateway->conns.count, 0);
	cr_expect_eq(kit.gateway->index.memberships_n, 0);
	cr_expect_eq(kit.router->resets, 0);
	kit_stop(&kit);
}

/* The user's shard is full, not the group's, which is the connection's too. */
Test(conn, one_full_link_delays_the_last_word_only)
{
	struct kit kit;
	struct wire *wire;
	struct link_peer *full;
	struct link_peer *shard;
	size_t other;

	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=a:1,r2=b:2");
	kit_start(&kit);
	other = gateway_owner(kit.gateway, &kit.gateway->hubs.items[0],
			      LINK__KIND__KIND_CONNECTION,
			      kit_id('A')) == kit.gateway->routers.items[0];
	full = kit_router(&kit, other);
	shard = kit_router(&kit, !other);
	wire = kit_open(&kit, 'A', kit_name_of(&kit, LINK__KIND__KIND_USER, other, "u"));
	kit_join(&kit, 'A', kit_name_of(&kit, LINK__KIND__KIND_GROUP, !other, "g"), false,
		 1);
	kit_settle(&kit);
	kit_settle(&kit);
	peer_fill(full);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	cr_expect_eq(wire->conn->memberships_n, 1);
	cr_expect_eq(shard->session.last_seq - shard->session.sent_seq, 1);
	kit_settle(&kit);
	kit_wait(&kit, 1000);
	peer_expect(shard, "Disconnected A error=; ");
	kit_stop(&kit);
}

/* ---- stopping */

Test(conn, a_stop_with_all_in_flight_leaks_nothing)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	(void)kit_dial(&kit, 'H', "half");
	(void)kit_dial(&kit, 'A', "ann");
	wire = kit_open(&kit, 'B', "bob");
	wire_in(wire, CALL("1") CALL("2") CALL("3"));
	kit_join(&kit, 'B', "g", false, 1);
	kit_complete(&kit, 'B', 1, "");
	wire = kit_open(&kit, 'C', "cat");
	kit_join(&kit, 'C', "g", false, 2);
	wire_in(wire, CALL("1"));
	fake_peer_down(kit.router);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	wire = kit_open(&kit, 'D', "dan");
	peer_fill(kit.router);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	kit_stop(&kit);
}
