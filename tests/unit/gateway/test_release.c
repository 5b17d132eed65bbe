/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COMMIT: when calls wait and go on, where streams end, which router hears of an end.
 */
#include "gateway/release.h"

#include <criterion/criterion.h>

#include "gateway/conn_work.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/reshard_kit.h"

static void down(void)
{
	kit_stop(&kit);
}

TestSuite(release, .fini = down);

Test(release, a_connection_moves_with_what_its_hub_keeps)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	EXPECT(r1, letter, "Release @; ");
	wire_in(wire, CALL LATE);
	peer_expect(r1, "");
	released(r1, letter, "name");
	kit_turn(&kit);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$ item name; "
	       "Invoke @ call=1 id=7 t[]; Invoke @ call=2 id=8 u[]; ");
	cr_expect_not(kit.gateway->reshard.is_done);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	cr_expect_eq(kit.metrics->conns_moved_total, 1);
}

Test(release, calls_before_the_release_end_where_they_are)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, CALL);
	EXPECT(r1, letter, "Invoke @ call=1 id=7 t[]; ");
	grow(1, SHARD_PHASE_COMMIT);
	EXPECT(r1, letter, "Release @; ");
	kit_complete(&kit, letter, 1, "done~");
	wire_expect(wire, "done~");
	released(r1, letter, NULL);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, what_waits_is_counted_once)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);
	const uint64_t before = kit.metrics->messages_in_total;

	wire_in(wire, CALL "{\"type\":6}~");
	cr_expect_eq(kit.metrics->messages_in_total, before + 2);
	released(r1, letter, NULL);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->messages_in_total, before + 2);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; Invoke @ call=1 id=7 t[]; ");
	cr_expect_null(wire->conn->stateful);
	cr_expect_not(wire->is_paused);
}

/* The method at the old router asks its client, who has called another one before. */
Test(release, an_answer_overtakes_the_calls_that_wait)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, CALL "{\"type\":3,\"invocationId\":\"s5\",\"result\":1}~");
	EXPECT(r1, letter, "ClientCompletion @ s5 result=1; ");
	released(r1, letter, NULL);
}

Test(release, what_belongs_to_a_call_that_waits_stays_behind_it)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, "{\"type\":1,\"invocationId\":\"9\",\"target\":\"s\","
		      "\"arguments\":[],\"streamIds\":[\"u\"]}~"
		      "{\"type\":2,\"invocationId\":\"u\",\"item\":1}~"
		      "{\"type\":3,\"invocationId\":\"u\"}~"
		      "{\"type\":5,\"invocationId\":\"9\"}~");
	peer_expect(r1, "");
	released(r1, letter, NULL);
	kit_turn(&kit);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; Invoke @ call=1 id=9 s[] ~u; "
	       "StreamItem @ u 1; ClientCompletion @ u; Cancel @ 9; ");
	cr_expect_eq(wire->conn->work->held.len, 0);
}

Test(release, more_than_a_message_may_be_is_not_read)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);
	int n = 0;

	peer_handle(r1);
	while (!wire->is_paused) {
		wire_in(wire, CALL);
		n++;
	}
	cr_expect_eq(n,
		     (int)((size_t)kit.conf->message_bytes_max / (sizeof(CALL) - 1)) + 2,
		     "the last one is not held");
	cr_expect_eq(wire->conn->work->partial.len, sizeof(CALL) - 1);
	released(r1, letter, NULL);
	kit_turn(&kit);
	cr_expect_eq(wire->conn->calls_n, 2, "invocations_max");
	cr_expect(wire->is_paused);
	for (uint64_t call = 1; call <= (uint64_t)n; call++) {
		kit_complete(&kit, letter, call, "");
		kit_turn(&kit);
	}
	cr_expect_eq(kit.metrics->complete_total, (uint64_t)n);
	cr_expect_not(wire->is_paused);
}

Test(release, who_ends_takes_what_waits_along)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	wire_in(wire, CALL "{\"type\":7}~");
	cr_expect_not(wire_is_open(wire));
	released(r1, letter, NULL);
	EXPECT(r2, letter,
	       "Member group $ @ gone; Connected @ user= resumed=1 groups=; "
	       "Disconnected @ error=; ");
}

Test(release, streams_end_where_they_began)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, STREAM);
	peer_handle(r1);
	grow(1, SHARD_PHASE_COMMIT);
	EXPECT(r1, letter, "Release @; ");
	released(r1, letter, NULL);
	settle();
	cr_expect_not(kit.gateway->reshard.is_done, "the stream goes on");
	wire_in(wire, "{\"type\":5,\"invocationId\":\"9\"}~" CALL);
	EXPECT(r1, letter, "Cancel @ 9; ");
	EXPECT(r2, letter, "Invoke @ call=2 id=7 t[]; ");
	kit_complete(&kit, letter, 1, "end~");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	wire_expect(wire, "end~");
}

Test(release, what_a_client_streams_up_goes_on)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, "{\"type\":1,\"invocationId\":\"9\",\"target\":\"s\","
		      "\"arguments\":[],\"streamIds\":[\"u\"]}~");
	peer_handle(r1);
	grow(1, SHARD_PHASE_COMMIT);
	peer_handle(r1);
	wire_in(wire, "{\"type\":2,\"invocationId\":\"u\",\"item\":1}~");
	EXPECT(r1, letter, "StreamItem @ u 1; ");
	released(r1, letter, NULL);
	settle();
	wire_in(wire, "{\"type\":2,\"invocationId\":\"u\",\"item\":2}~"
		      "{\"type\":3,\"invocationId\":\"u\"}~");
	EXPECT(r1, letter, "StreamItem @ u 2; ClientCompletion @ u; ");
	peer_expect(r2, "");
	kit_complete(&kit, letter, 1, "end~");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, an_answer_of_the_client_goes_to_whoever_may_have_asked)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, "{\"type\":3,\"invocationId\":\"s5\",\"result\":1}~");
	EXPECT(r1, letter, "ClientCompletion @ s5 result=1; ");
	EXPECT(r2, letter, "ClientCompletion @ s5 result=1; ");
	released(r1, letter, NULL);
}

Test(release, what_takes_too_long_is_ended)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, CALL);
	peer_handle(r1);
	grow(1, SHARD_PHASE_COMMIT);
	peer_handle(r1);
	wire_in(wire, LATE);
	kit_wait(&kit, kit.conf->reshard_timeout_ms - 1);
	wire_expect(wire, "");
	kit_wait(&kit, 1);
	wire_expect(wire,
		    "{\"type\":3,\"invocationId\":\"7\",\"error\":\"An unexpected error "
		    "occurred invoking 't' on the server. HubException: The outcome is "
		    "unknown: another router runs the hub now.\"}~");
	EXPECT(r1, letter, "Cancel @ 7; Connected @ user= resumed=1 groups=$ standby; ");
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; Invoke @ call=2 id=8 u[]; ");
	cr_expect_eq(kit.metrics->release_timeout_total, 1);
	cr_expect_eq(kit.metrics->invoke_ended_total, 1);
	released(r1, letter, NULL);
	cr_expect_eq(kit.metrics->released_late_total, 1);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, a_stream_that_takes_too_long_is_ended)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, STREAM);
	grow(1, SHARD_PHASE_COMMIT);
	released(r1, letter, NULL);
	settle();
	kit_wait(&kit, kit.conf->reshard_timeout_ms);
	settle();
	cr_expect_eq(kit.metrics->release_timeout_total, 0);
	cr_expect_eq(kit.metrics->invoke_ended_total, 1);
	cr_expect(kit.gateway->reshard.is_done);
	cr_expect_eq(wire->conn->calls_n, 0);
}

Test(release, an_end_is_for_the_router_that_is_the_last_to_run_the_hub)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	EXPECT(r1, letter, "Release @; ");
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	EXPECT(r1, letter, "Member group $ @ gone; ");
	EXPECT(r2, letter, "Member group $ @ gone; ");
	released(r1, letter, NULL);
	EXPECT(r1, letter, "Disconnected @ error=; ");
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=; Disconnected @ error=; ");
	fake_peer_ack(r1);
	cr_expect_eq(kit.gateway->conns.count, 1);
	fake_peer_ack(r2);
	cr_expect_eq(kit.gateway->conns.count, 0);
}

Test(release, an_end_that_nobody_lets_go_of_is_told_in_the_end)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_handle(r1);
	kit_wait(&kit, kit.conf->reshard_timeout_ms);
	EXPECT(r1, letter, "Disconnected @ error=; ");
	settle();
	cr_expect_eq(kit.gateway->conns.count, 0);
	cr_expect(kit.gateway->reshard.is_done);
}

/* It is told of the end of its call, does not read, and ends by that. */
Test(release, one_that_ends_when_patience_does_is_told)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_PREPARE);

	wire_in(wire, CALL);
	peer_handle(r1);
	grow(1, SHARD_PHASE_COMMIT);
	EXPECT(r1, letter, "Release @; ");
	kit.conf->queue_bytes_max = 2;
	wire->is_stuck = true;
	kit_push(&kit, letter, "more~");
	kit_wait(&kit, kit.conf->reshard_timeout_ms);
	cr_expect_not(wire_is_open(wire));
	EXPECT(r1, letter,
	       "Cancel @ 7; Member group $ @ gone; Disconnected @ error=slow; ");
	cr_expect_eq(kit.gateway->reshard.releasing_n, 0);
	settle();
	cr_expect_eq(kit.gateway->conns.count, 0);
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, who_comes_after_the_switch_is_where_it_belongs)
{
	const char letter = mover();

	start(ONE);
	grow(1, SHARD_PHASE_PREPARE);
	settle();
	grow(1, SHARD_PHASE_COMMIT);
	settle();
	wire_in(kit_dial(&kit, letter, NULL), HELLO CALL);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=0 groups=; Invoke @ call=1 id=7 t[]; ");
	EXPECT(r1, letter, "Connected @ user= resumed=0 groups= standby; ");
	cr_expect(kit.gateway->reshard.is_done);
}

/* The other one has it on standby, and forgets that without a word; this one has run
 * on_connected. */
Test(release, it_moves_though_the_link_is_full)
{
	const char letter = mover();
	Link__Envelope *filler;

	(void)one_in(letter, SHARD_PHASE_COMMIT);
	peer_fill(r2);
	while ((filler = fake_peer_next(r2)) != NULL)
		link__envelope__free_unpacked(filler, NULL);
	released(r1, letter, "name");
	kit_turn(&kit);
	cr_expect_eq(r2->resets, 0);
	EXPECT(r2, letter, "Connected @ user= resumed=1 groups=$ item name; ");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, an_old_owner_that_dies_is_asked_again)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, CALL);
	fake_peer_renew(r1, 500);
	kit_turn(&kit);
	EXPECT(r1, letter,
	       "Connected @ user= resumed=1 groups=$; Member group $ @; Replayed 1; "
	       "Release @; ");
	released(r1, letter, NULL);
	kit_turn(&kit);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; "
	       "Invoke @ call=1 id=7 t[]; ");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

/* What has reached COMMIT goes on to its end. */
Test(release, a_new_owner_that_stays_away_is_not_waited_for_past_the_end_of_patience)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_COMMIT);
	fake_peer_down(r2);
	released(r1, letter, NULL);
	peer_handle(r1);
	kit_wait(&kit, kit.conf->reshard_timeout_ms - 1);
	peer_handle(r1);
	cr_expect_not(kit.gateway->reshard.is_done);
	kit_wait(&kit, 1);
	cr_expect(kit.gateway->reshard.is_forced);
	cr_expect(kit.gateway->reshard.is_done);
}

/* It is asked again at the end of the turn; what comes in before that waits in line. */
Test(release, nothing_overtakes_what_waited_for_an_old_owner_that_dies)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, CALL);
	fake_peer_renew(r1, 500);
	wire_in(wire, LATE);
	kit_turn(&kit);
	EXPECT(r1, letter,
	       "Connected @ user= resumed=1 groups=$; Member group $ @; Replayed 1; "
	       "Release @; ");
	released(r1, letter, NULL);
	kit_turn(&kit);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; "
	       "Invoke @ call=1 id=7 t[]; Invoke @ call=2 id=8 u[]; ");
}

Test(release, what_waited_for_an_old_owner_that_dies_goes_on_when_the_change_is_over)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, CALL);
	fake_peer_renew(r1, 500);
	kit_shards(&kit, r1, 1, SHARD_PHASE_STABLE, BOTH, "");
	kit_shards(&kit, r2, 1, SHARD_PHASE_STABLE, BOTH, "");
	kit_turn(&kit);
	fake_peer_renew(r1, 500);
	fake_peer_renew(r2, 100);
	settle();
	cr_expect_eq(wire->conn->calls_n, 1);
}

/* Its end was to be told once it had moved, and it is not asked for again. */
Test(release, one_that_ended_is_told_to_an_old_owner_that_dies)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_handle(r1);
	fake_peer_renew(r1, 500);
	kit_turn(&kit);
	EXPECT(r1, letter,
	       "Connected @ user= resumed=1 groups=; Replayed 1; Disconnected @ "
	       "error=; ");
	settle();
	cr_expect_eq(kit.gateway->conns.count, 0);
	cr_expect(kit.gateway->reshard.is_done);
}

Test(release, a_new_owner_that_dies_is_told_what_it_runs)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_COMMIT);
	released(r1, letter, NULL);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	fake_peer_renew(r2, 500);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$; Member group $ @; Replayed 1; ");
}
