/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection reads: the handshake, every message, in every split, up to the limit
 * and one past it, and over a pause.
 */
#include <criterion/criterion.h>

#include "gateway/conn_work.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define HELLO "{\"protocol\":\"json\",\"version\":1}~"
#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"f\",\"arguments\":[1]}~"
#define CLOSED                                                                           \
	"{\"type\":7,\"error\":\"Connection closed with an "                             \
	"error.\",\"allowReconnect\":true}~"

/* ---- the handshake */

static void expect_refused(const char *in, bool is_detailed, const char *out)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->is_detailed = is_detailed;
	kit_start(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	wire_in(wire, in);
	wire_expect(wire, out);
	wire_expect_end(wire, "closed");
	cr_expect_eq(kit.metrics->handshake_failed_total, 1);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_HANDSHAKE], 1);
	cr_expect_eq(kit.metrics->connections_total, 0);
	cr_expect_eq(kit.gateway->conns.count, 0, "freed at once");
	peer_expect(kit.router, "");
	kit_stop(&kit);
}

Test(conn_in, a_good_handshake_opens)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	wire_in(wire, HELLO);
	wire_expect(wire, "{}~");
	wire_expect_end(wire, "open");
	cr_expect_eq(wire->conn->state, CONN_OPEN);
	cr_expect_eq(kit.metrics->connections, 1);
	cr_expect_eq(kit.metrics->connections_total, 1);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; ");
	kit_stop(&kit);
}

Test(conn_in, a_user_is_told_before_the_connection)
{
	struct kit kit;

	kit_up(&kit);
	wire_in(kit_dial(&kit, 'A', "ann"), HELLO);
	peer_expect(kit.router,
		    "Member user ann A; Connected A user=ann resumed=0 groups=; ");
	kit_stop(&kit);
}

Test(conn_in, messages_may_stand_right_behind_the_handshake)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	wire_in(wire, HELLO CALL("7"));
	wire_expect(wire, "{}~");
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; "
				"Invoke A call=1 id=7 f[1]; ");
	kit_stop(&kit);
}

Test(conn_in, a_bad_handshake_is_answered_and_nothing_else)
{
	expect_refused("{\"protocol\":\"blazorpack\",\"version\":1}~", false,
		       "{\"error\":\"The protocol 'blazorpack' is not supported.\"}~");
	expect_refused("{\"protocol\":\"json\",\"version\":3}~", false,
		       "{\"error\":\"The server does not support version 3 of the 'json' "
		       "protocol.\"}~");
	expect_refused("nonsense~", false,
		       "{\"error\":\"An unexpected error occurred during connection "
		       "handshake.\"}~");
	expect_refused("~", false,
		       "{\"error\":\"An unexpected error occurred during connection "
		       "handshake.\"}~");
	expect_refused("{\"protocol\":\"json\"}~", true,
		       "{\"error\":\"An unexpected error occurred during connection "
		       "handshake. Missing required property 'version'.\"}~");
	expect_refused("{\"protocol\":\"json\"}~" CALL("7"), false,
		       "{\"error\":\"An unexpected error occurred during connection "
		       "handshake.\"}~");
}

/* The limit counts the end byte. */
static void handshake_of(size_t len, const char *out, const char *end)
{
	struct kit kit;
	struct buf in = BUF_INIT;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	buf_append_str(&in, "{\"protocol\":\"json\",\"version\":1");
	while (in.len < len - 2)
		buf_append_byte(&in, ' ');
	buf_append_str(&in, "}~");
	buf_append_byte(&in, '\0');
	wire_in(wire, in.ptr);
	wire_expect(wire, out);
	wire_expect_end(wire, end);
	buf_fini(&in);
	kit_stop(&kit);
}

Test(conn_in, a_handshake_over_the_limit_is_canceled)
{
	handshake_of(256, "{}~", "open");
	handshake_of(257, "{\"error\":\"Handshake was canceled.\"}~", "closed");
}

Test(conn_in, a_handshake_has_its_time_and_no_more)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	wire_in(wire, "{\"protocol\"");
	kit_wait(&kit, 9999);
	wire_expect(wire, "");
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	wire_expect(wire, "{\"error\":\"Handshake was canceled.\"}~");
	wire_expect_end(wire, "closed");
	cr_expect_eq(kit.metrics->handshake_timeout_total, 1);
	kit_stop(&kit);
}

Test(conn_in, a_client_that_goes_before_its_handshake_leaves_nothing)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', "ann");
	conn_on_end(wire->conn, CONN_CLOSE_TRANSPORT);
	wire_expect(wire, "");
	wire_expect_end(wire, "aborted");
	cr_expect_eq(kit.gateway->conns.count, 0);
	peer_expect(kit.router, "");
	kit_stop(&kit);
}

/* ---- messages */

Test(conn_in, calls_go_to_the_shard)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, "{\"type\":1,\"target\":\"f\",\"arguments\":[\"x\", {} ]}~");
	wire_in(wire,
		"{\"arguments\":[],\"type\":4,\"invocationId\":\"8\",\"target\":\"s\"}~");
	peer_expect(kit.router, "Invoke A call=1 id= f[\"x\", {} ]; "
				"Invoke A call=2 id=8 s[] stream; ");
	cr_expect_eq(kit.metrics->messages_in_total, 2);
	kit_stop(&kit);
}

Test(conn_in, what_has_no_meaning_here_is_passed_over)
{
	static const char *const messages[] = {
		"{\"type\":2,\"invocationId\":\"1\",\"item\":1}~",
		"{\"type\":3,\"invocationId\":\"longer than 8\",\"result\":1}~",
		"{\"type\":5,\"invocationId\":\"longer than 8\"}~",
		"{\"type\":6}~",
		"{\"type\":8,\"sequenceId\":1}~",
		"{\"type\":9,\"sequenceId\":1}~",
		"{\"type\":10}~",
		"{\"type\":99,\"target\":5}~",
	};
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		wire_in(wire, messages[i]);
	wire_expect(wire, "");
	wire_expect_end(wire, "open");
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->messages_in_total, 8);
	cr_expect_eq(kit.metrics->pings_in_total, 1);
	kit_stop(&kit);
}

static void expect_fatal(const char *in, const char *detail)
{
	struct buf detailed = BUF_INIT;

	buf_appendf(&detailed,
		    "{\"type\":7,\"error\":\"Connection closed with an error. %s\","
		    "\"allowReconnect\":true}~",
		    detail);
	buf_append_byte(&detailed, '\0');
	for (int i = 0; i < 2; i++) {
		struct kit kit;
		struct wire *wire;

		kit_init(&kit);
		kit.conf->is_detailed = i == 1;
		kit_start(&kit);
		wire = kit_open(&kit, 'A', NULL);
		wire_in(wire, in);
		wire_expect(wire, i == 1 ? detailed.ptr : CLOSED);
		wire_expect_end(wire, "failed");
		kit_stop(&kit);
	}
	buf_fini(&detailed);
}

Test(conn_in, malformed_messages_are_fatal)
{
	expect_fatal("x~", "InvalidDataException: The message is not a JSON object.");
	expect_fatal("~", "InvalidDataException: The message is not a JSON object.");
	expect_fatal("{}~", "InvalidDataException: Missing required property 'type'.");
	expect_fatal("{\"type\":1,\"arguments\":[]}~",
		     "InvalidDataException: Missing required property 'target'.");
	/* What stands behind is not read. */
	expect_fatal("x~" CALL("1"),
		     "InvalidDataException: The message is not a JSON object.");
}

Test(conn_in, an_invocation_id_has_a_limit)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("12345678"));
	wire_expect_end(wire, "open");
	wire_in(wire, CALL("123456789"));
	wire_expect(wire, CLOSED);
	cr_expect_eq(kit.metrics->invocation_id_refused_total, 1);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_PROTOCOL], 1);
	kit_stop(&kit);
	expect_fatal(CALL("123456789"),
		     "InvalidDataException: An invocation or stream id is too long.");
}

/* ---- sizes and splits */

/* A ping of `len` bytes, the end byte included unless it is left off. */
static struct buf long_ping(size_t len, bool has_end)
{
	struct buf in = BUF_INIT;

	buf_append_str(&in, "{\"type\":6");
	while (in.len < len - 2)
		buf_append_byte(&in, ' ');
	buf_append_str(&in, has_end ? "}~" : "  ");
	buf_append_byte(&in, '\0');
	return in;
}

static void expect_size(size_t len, bool has_end, size_t piece, bool is_accepted)
{
	struct buf in = long_ping(len, has_end);
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	for (size_t at = 0; at < len && wire_is_open(wire); at += piece) {
		wire_in_part(wire, in.ptr + at, piece);
		if (wire_is_open(wire))
			cr_expect_lt(conn_partial_bytes(wire->conn), 256);
	}
	wire_expect(wire, is_accepted ? "" : CLOSED);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TOO_LARGE], !is_accepted);
	kit_stop(&kit);
	buf_fini(&in);
}

Test(conn_in, a_message_has_a_limit_however_it_comes)
{
	for (size_t piece = 1; piece <= 257; piece += 32) {
		expect_size(256, true, piece, true);
		expect_size(257, true, piece, false);
		expect_size(255, false, piece, true);
		expect_size(256, false, piece, false);
	}
}

Test(conn_in, the_limit_is_told_in_detail)
{
	struct kit kit;
	struct wire *wire;
	struct buf in = long_ping(257, true);

	kit_init(&kit);
	kit.conf->is_detailed = true;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, in.ptr);
	wire_expect(
		wire,
		"{\"type\":7,\"error\":\"Connection closed with an error. "
		"InvalidDataException: The maximum message size of 256B was exceeded. "
		"The message size can be configured in AddHubOptions.\","
		"\"allowReconnect\":true}~");
	kit_stop(&kit);
	buf_fini(&in);
}

/* A stream of messages in pieces, the first of `first` bytes, the others of `piece`. */
static void split(size_t first, size_t piece)
{
	static const char stream[] =
		HELLO CALL("1") "{\"type\":6}~" CALL("2") "{\"type\":1,\"tar";
	struct kit kit;
	struct wire *wire;
	size_t n = first;

	kit_init(&kit);
	kit.conf->invocations_max = 100;
	kit_start(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	for (size_t at = 0; at < sizeof(stream) - 1;
	     at += n, n = at == first ? piece : n) {
		wire_in_part(wire, stream + at, n);
	}
	wire_expect(wire, "{}~");
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; "
				"Invoke A call=1 id=1 f[1]; Invoke A call=2 id=2 f[1]; ");
	cr_expect_eq(kit.metrics->messages_in_total, 3);
	cr_expect_eq(conn_partial_bytes(wire->conn), strlen("{\"type\":1,\"tar"));
	kit_stop(&kit);
}

Test(conn_in, every_split_reads_the_same)
{
	for (size_t cut = 1; cut < 160; cut++)
		split(cut, 1000);
	for (size_t piece = 1; piece < 40; piece++)
		split(piece, piece);
}

/* ---- the pause */

Test(conn_in, reading_stops_at_invocations_max)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1"));
	cr_expect_not(wire->is_paused);
	wire_in(wire, CALL("2") CALL("3") CALL("4"));
	cr_expect(wire->is_paused);
	peer_expect(kit.router, "Invoke A call=1 id=1 f[1]; Invoke A call=2 id=2 f[1]; ");
	cr_expect_eq(kit.metrics->invoke_paused_total, 1);
	cr_expect_eq(kit.metrics->invocations, 2);
	kit_stop(&kit);
}

Test(conn_in, reading_goes_on_where_it_stopped)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2") CALL("3") "{\"type\":6}~{\"ty");
	peer_expect(kit.router, "Invoke A call=1 id=1 f[1]; Invoke A call=2 id=2 f[1]; ");
	kit_complete(&kit, 'A', 1, "");
	peer_expect(kit.router, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=3 id=3 f[1]; ");
	cr_expect(wire->is_paused, "two are in flight again");
	cr_expect_eq(kit.metrics->pings_in_total, 0);
	kit_complete(&kit, 'A', 2, "");
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->pings_in_total, 1);
	cr_expect_not(wire->is_paused);
	wire_in(wire, "pe\":6}~");
	cr_expect_eq(kit.metrics->pings_in_total, 2);
	kit_stop(&kit);
}

Test(conn_in, what_comes_in_a_pause_waits_behind_what_waits)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2"));
	wire_in(wire, CALL("3"));
	wire_in(wire, CALL("4"));
	kit_complete(&kit, 'A', 1, "");
	kit_complete(&kit, 'A', 2, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=1 id=1 f[1]; Invoke A call=2 id=2 f[1]; "
				"Invoke A call=3 id=3 f[1]; Invoke A call=4 id=4 f[1]; ");
	cr_expect(wire->is_paused);
	cr_expect_eq(conn_partial_bytes(wire->conn), 0);
	kit_stop(&kit);
}

Test(conn_in, what_waits_has_the_same_limit)
{
	struct kit kit;
	struct wire *wire;
	struct buf in = long_ping(257, true);

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2"));
	wire_in(wire, in.ptr);
	wire_expect_end(wire, "open");
	kit_complete(&kit, 'A', 1, "");
	kit_turn(&kit);
	wire_expect(wire, CLOSED);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TOO_LARGE], 1);
	kit_stop(&kit);
	buf_fini(&in);
}

Test(conn_in, an_end_in_a_pause_is_an_end)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2") CALL("3"));
	kit_complete(&kit, 'A', 1, "");
	conn_on_end(wire->conn, CONN_CLOSE_TRANSPORT);
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=1 id=1 f[1]; Invoke A call=2 id=2 f[1]; "
				"Disconnected A error=transport; ");
	kit_stop(&kit);
}
