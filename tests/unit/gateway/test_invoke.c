/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls between clients and their shard: one completion for each, whatever happens to the
 * router, and none for what nobody waits for.
 */
#include "gateway/invoke.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"f\",\"arguments\":[]}~"
#define TELL "{\"type\":1,\"target\":\"f\",\"arguments\":[]}~"
#define RESULT(id) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":1}\x1e"
#define RESULT_OUT(id) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":1}~"
#define LOST(id)                                                                         \
	"{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"An unexpected error "       \
	"occurred invoking 'f' on the server. HubException: The outcome is unknown: "    \
	"the router that ran it was lost.\"}~"
#define BUSY(id)                                                                         \
	"{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"Failed to invoke 'f' due "  \
	"to an error on the server. HubException: The server is busy.\"}~"

Test(invoke, a_completion_reaches_the_client_as_it_is)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("7"));
	cr_expect_eq(kit.metrics->invocations, 1);
	kit_complete(&kit, 'A', 1, RESULT("7"));
	wire_expect(wire, RESULT_OUT("7"));
	cr_expect_eq(kit.metrics->invocations, 0);
	cr_expect_eq(kit.metrics->complete_total, 1);
	kit_stop(&kit);
}

Test(invoke, completions_come_in_any_order)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("7") CALL("8"));
	kit_complete(&kit, 'A', 2, RESULT("8"));
	kit_complete(&kit, 'A', 1, RESULT("7"));
	wire_expect(wire, RESULT_OUT("8") RESULT_OUT("7"));
	kit_stop(&kit);
}

Test(invoke, nobody_hears_of_a_completion_without_a_frame)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, TELL);
	kit_complete(&kit, 'A', 1, "");
	wire_expect(wire, "");
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_stop(&kit);
}

Test(invoke, unknown_completions_are_dropped)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("7"));
	kit_complete(&kit, 'A', 2, RESULT("8"));
	kit_complete(&kit, 'B', 1, RESULT("8"));
	kit_complete(&kit, 'A', 1, RESULT("7"));
	kit_complete(&kit, 'A', 1, RESULT("7"));
	wire_expect(wire, RESULT_OUT("7"));
	cr_expect_eq(kit.metrics->complete_unknown_total, 3);
	kit_stop(&kit);
}

Test(invoke, a_late_completion_misses_the_next_owner_of_the_id)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("7"));
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	kit_settle(&kit);
	kit_turn(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("8"));
	kit_complete(&kit, 'A', 1, RESULT("7"));
	wire_expect(wire, "");
	kit_complete(&kit, 'A', 2, RESULT("8"));
	wire_expect(wire, RESULT_OUT("8"));
	kit_stop(&kit);
}

Test(invoke, calls_die_with_their_connection)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("7"));
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_complete(&kit, 'A', 1, RESULT("7"));
	cr_expect_eq(kit.metrics->complete_unknown_total, 1);
	kit_stop(&kit);
}

Test(invoke, a_completion_may_end_a_slow_client)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->queue_bytes_max = 10;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2") CALL("3"));
	wire->is_stuck = true;
	kit_complete(&kit, 'A', 1, RESULT("1"));
	wire_expect_end(wire, "open");
	kit_complete(&kit, 'A', 2, RESULT("2"));
	wire_expect_end(wire, "aborted");
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_stop(&kit);
}

/* ---- the link is full */

Test(invoke, a_full_link_is_a_busy_server)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	peer_fill(kit.router);
	wire_in(wire, CALL("1") CALL("2") CALL("3"));
	wire_expect(wire, BUSY("1") BUSY("2") BUSY("3"));
	cr_expect_not(wire->is_paused);
	cr_expect_eq(kit.metrics->invoke_refused_total, 3);
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_stop(&kit);
}

Test(invoke, a_name_with_a_nul_is_told_whole)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	peer_fill(kit.router);
	wire_in(wire, "{\"type\":1,\"invocationId\":\"1\",\"target\":\"a\\u0000b\","
		      "\"arguments\":[]}~");
	wire_expect(wire, "{\"type\":3,\"invocationId\":\"1\",\"error\":\"Failed to "
			  "invoke 'a\\u0000b' due to an error on the server. "
			  "HubException: The server is busy.\"}~");
	kit_stop(&kit);
}

/* Nobody would tell the client that its message is lost. */
Test(invoke, what_nobody_awaits_does_not_vanish_on_a_full_link)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	peer_fill(kit.router);
	wire_in(wire, TELL CALL("2"));
	cr_expect_eq(kit.metrics->invoke_refused_total, 1);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_BUSY], 1);
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_stop(&kit);
}

Test(invoke, what_waited_over_a_pause_may_meet_a_full_link)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2") CALL("3") CALL("4"));
	peer_fill(kit.router);
	kit_complete(&kit, 'A', 1, "");
	kit_turn(&kit);
	wire_expect(wire, BUSY("3") BUSY("4"));
	cr_expect_not(wire->is_paused);
	kit_stop(&kit);
}

/* ---- the router is lost */

Test(invoke, handled_calls_are_lost_with_their_router)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") TELL);
	kit_settle(&kit);
	fake_peer_down(kit.router);
	kit_turn(&kit);
	wire_expect(wire, "");
	fake_peer_renew(kit.router, 200);
	wire_expect(wire, "");
	kit_turn(&kit);
	wire_expect(wire, LOST("1"));
	cr_expect_eq(kit.metrics->invoke_lost_total, 2);
	cr_expect_eq(kit.metrics->invocations, 0);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	kit_complete(&kit, 'A', 1, RESULT("1"));
	wire_expect(wire, "");
	kit_stop(&kit);
}

Test(invoke, calls_that_were_sent_may_have_run)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1"));
	peer_expect(kit.router, "Invoke A call=1 id=1 f[]; ");
	fake_peer_renew(kit.router, 200);
	wire_expect(wire, LOST("1"));
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	kit_stop(&kit);
}

Test(invoke, calls_that_were_not_sent_survive_in_order)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->invocations_max = 10;
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1"));
	kit_settle(&kit);
	wire_in(wire, CALL("2"));
	peer_expect(kit.router, "Invoke A call=2 id=2 f[]; ");
	fake_peer_down(kit.router);
	wire_in(wire, CALL("3") CALL("4"));
	fake_peer_renew(kit.router, 200);
	kit_turn(&kit);
	wire_expect(wire, LOST("2") LOST("1"));
	wire_in(wire, CALL("5"));
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Invoke A call=3 id=3 f[]; Invoke A call=4 id=4 f[]; "
				"Invoke A call=5 id=5 f[]; ");
	fake_peer_ack(kit.router);
	kit_complete(&kit, 'A', 3, RESULT("3"));
	wire_expect(wire, RESULT_OUT("3"));
	kit_stop(&kit);
}

Test(invoke, a_survivor_may_be_lost_the_next_time)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	fake_peer_down(kit.router);
	wire_in(wire, CALL("1"));
	fake_peer_renew(kit.router, 200);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 300);
	kit_turn(&kit);
	wire_expect(wire, LOST("1"));
	kit_stop(&kit);
}

Test(invoke, a_broken_stream_loses_nothing)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1"));
	fake_peer_down(kit.router);
	fake_peer_resume(kit.router);
	kit_turn(&kit);
	wire_expect(wire, "");
	peer_expect(kit.router, "Invoke A call=1 id=1 f[]; ");
	kit_stop(&kit);
}

/* What the client sends next must stand behind the replay. */
Test(invoke, a_pause_that_ends_by_loss_reads_on_behind_the_replay)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL("1") CALL("2") CALL("3") CALL("4"));
	kit_settle(&kit);
	fake_peer_renew(kit.router, 200);
	kit_turn(&kit);
	wire_expect(wire, LOST("1") LOST("2"));
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Invoke A call=3 id=3 f[]; Invoke A call=4 id=4 f[]; ");
	kit_stop(&kit);
}

Test(invoke, telling_of_a_loss_may_end_a_slow_client)
{
	struct kit kit;
	struct wire *a;
	struct wire *b;

	kit_init(&kit);
	kit.conf->queue_bytes_max = 10;
	kit_start(&kit);
	a = kit_open(&kit, 'A', NULL);
	b = kit_open(&kit, 'B', NULL);
	wire_in(a, CALL("1"));
	wire_in(b, CALL("1"));
	wire_in(a, CALL("2"));
	wire_in(b, CALL("2"));
	kit_settle(&kit);
	a->is_stuck = true;
	fake_peer_renew(kit.router, 200);
	kit_turn(&kit);
	wire_expect_end(a, "aborted");
	wire_expect(b, LOST("1") LOST("2"));
	cr_expect_eq(kit.metrics->invocations, 0);
	kit_stop(&kit);
}

Test(invoke, a_loss_told_while_restoring_may_end_a_slow_client)
{
	struct kit kit;
	struct wire *a;

	kit_init(&kit);
	kit.conf->queue_bytes_max = 10;
	kit_start(&kit);
	a = kit_open(&kit, 'A', NULL);
	wire_in(a, CALL("1") CALL("2"));
	peer_expect(kit.router, "Invoke A call=1 id=1 f[]; Invoke A call=2 id=2 f[]; ");
	a->is_stuck = true;
	fake_peer_renew(kit.router, 200);
	wire_expect_end(a, "aborted");
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Disconnected A error=slow; ");
	kit_stop(&kit);
}
