/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices one by one: who is served in which turn, what goes out ahead of its turn and
 * why, and what the limits do. test_sweep_sim.c has whatever may come together.
 */
#include "gateway/sweep.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "gateway/stateful.h"
#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define ALL LINK__KIND__KIND_ALL
#define GROUP LINK__KIND__KIND_GROUP
#define USER LINK__KIND__KIND_USER
#define CONNECTION LINK__KIND__KIND_CONNECTION
#define CLOSED "{\"type\":7,\"allowReconnect\":true}~"

/* A to E in group g, D and E in h as well; F in none. All are of one user. A turn serves
 * two. */
static struct kit kit;
static struct wire *a, *b, *c, *d, *e, *f;

static void setup(void)
{
	kit_init(&kit);
	kit.conf->sweep_slice = 2;
	kit_start(&kit);
	a = kit_open(&kit, 'A', "ann");
	b = kit_open(&kit, 'B', "ann");
	c = kit_open(&kit, 'C', "ann");
	d = kit_open(&kit, 'D', "ann");
	e = kit_open(&kit, 'E', "ann");
	f = kit_open(&kit, 'F', "ann");
	for (const char *at = "ABCDE"; *at != '\0'; at++)
		kit_join(&kit, *at, "g", false, 1);
	kit_join(&kit, 'D', "h", false, 1);
	kit_join(&kit, 'E', "h", false, 1);
	kit_settle(&kit);
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(sweep, .init = setup, .fini = teardown);

/* What A to F got since the last time. */
static void expect(const char *to_a, const char *to_b, const char *to_c, const char *to_d,
		   const char *to_e, const char *to_f)
{
	wire_expect(a, to_a);
	wire_expect(b, to_b);
	wire_expect(c, to_c);
	wire_expect(d, to_d);
	wire_expect(e, to_e);
	wire_expect(f, to_f);
}

static void rest(void)
{
	for (int i = 0; i < 20; i++)
		kit_turn(&kit);
	cr_expect_eq(kit.metrics->sweeps, 0);
	cr_expect_eq(kit.metrics->sweep_bytes, 0);
}

/* ---- slices */

Test(sweep, a_slice_goes_out_at_once)
{
	kit_deliver(&kit, GROUP, "h", "", "1");
	expect("", "", "", "1", "1", "");
	cr_expect_eq(kit.metrics->sweep_total, 0);
	kit_join(&kit, 'A', "h", false, 1);
	kit_deliver(&kit, GROUP, "h", "", "2");
	expect("", "", "", "", "", "");
	cr_expect_eq(kit.metrics->sweep_total, 1);
	rest();
	expect("2", "", "", "2", "2", "");
}

Test(sweep, each_turn_serves_a_slice)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	cr_expect_eq(kit.metrics->sweeps, 1);
	cr_expect_gt(kit.metrics->sweep_bytes, 0);
	expect("", "", "", "", "", "");
	kit_turn(&kit);
	expect("1", "1", "", "", "", "");
	kit_turn(&kit);
	expect("", "", "1", "1", "", "");
	kit_turn(&kit);
	expect("", "", "", "", "1", "");
	cr_expect_eq(kit.metrics->sweeps, 0);
	cr_expect_eq(kit.metrics->sweep_bytes, 0);
	cr_expect_eq(kit.metrics->sweep_slices_total, 3);
	cr_expect_eq(kit.metrics->deliver_total, 1);
	cr_expect_eq(kit.metrics->deliveries_total, 5);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->sweep_slices_total, 3, "the loop may sleep");
}

Test(sweep, users_and_hubs_are_sliced_too)
{
	kit_deliver(&kit, USER, "ann", "", "1");
	kit_turn(&kit);
	expect("1", "1", "", "", "", "");
	rest();
	expect("", "", "1", "1", "1", "1");
	kit_deliver(&kit, ALL, "", "", "2");
	kit_turn(&kit);
	expect("2", "2", "", "", "", "");
	rest();
	expect("", "", "2", "2", "2", "2");
}

Test(sweep, who_is_served_later_gets_all_at_once)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_turn(&kit);
	kit_deliver(&kit, GROUP, "g", "", "2");
	kit_deliver(&kit, GROUP, "g", "", "3");
	kit_turn(&kit);
	expect("1", "1", "123", "123", "", "");
	rest();
	expect("23", "23", "", "", "123", "");
	cr_expect_eq(kit.metrics->deliveries_total, 15);
}

Test(sweep, sweeps_take_turns)
{
	struct wire *g = kit_open(&kit, 'G', NULL);
	struct wire *h = kit_open(&kit, 'H', NULL);

	for (const char *at = "FGH"; *at != '\0'; at++)
		kit_join(&kit, *at, "i", false, 1);
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_deliver(&kit, GROUP, "i", "", "2");
	cr_expect_eq(kit.metrics->sweeps, 2);
	kit_turn(&kit);
	expect("1", "1", "", "", "", "");
	kit_turn(&kit);
	expect("", "", "", "", "", "2");
	wire_expect(g, "2");
	kit_turn(&kit);
	expect("", "", "1", "1", "", "");
	kit_turn(&kit);
	wire_expect(h, "2");
	rest();
	expect("", "", "", "", "1", "");
}

Test(sweep, long_messages_count_as_more_than_one_client)
{
	static char text[4097];

	memset(text, 'x', sizeof(text) - 1);
	kit_deliver(&kit, GROUP, "g", "", text);
	kit_turn(&kit);
	wire_expect(a, text);
	expect("", "", "", "", "", "");
	rest();
	wire_expect(b, text);
}

/* With several sweeps all that a client is a member of is looked through. */
Test(sweep, many_memberships_count_as_a_client)
{
	char group[16];

	kit.conf->groups_per_connection_max = 64;
	for (unsigned i = 0; i < 62; i++) { /* and of g, of its user's */
		(void)snprintf(group, sizeof(group), "many%u", i);
		kit_join(&kit, 'A', group, false, 1);
		if (i < 61)
			kit_join(&kit, 'B', group, false, 1);
	}
	kit_settle(&kit);
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_turn(&kit);
	expect("1", "1", "", "", "", "");
	rest();
	expect("", "", "1", "1", "1", "");
	kit_deliver(&kit, GROUP, "g", "", "2");
	kit_deliver(&kit, ALL, "", "", "3");
	kit_turn(&kit);
	expect("23", "", "", "", "", "");
	rest();
	expect("", "23", "23", "23", "23", "3");
	kit_deliver(&kit, GROUP, "g", "A", "4");
	kit_deliver(&kit, ALL, "", "A", "5");
	kit_turn(&kit);
	expect("", "45", "45", "", "", "");
	rest();
}

/* ---- who gets what */

Test(sweep, the_excluded_do_not_get_it)
{
	kit_deliver(&kit, GROUP, "g", "AE", "1");
	kit_deliver(&kit, GROUP, "g", "BZF", "2");
	kit_deliver(&kit, ALL, "", "CF", "3");
	rest();
	expect("23", "13", "12", "123", "23", "");
	kit_deliver(&kit, GROUP, "g", "ABCDE", "4");
	rest();
	expect("", "", "", "", "", "");
	cr_expect_eq(kit.metrics->deliver_empty_total, 1);
}

Test(sweep, joiners_get_what_is_said_after_they_joined)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_join(&kit, 'F', "g", false, 1);
	kit_deliver(&kit, GROUP, "g", "", "2");
	rest();
	expect("12", "12", "12", "12", "12", "2");
}

Test(sweep, leavers_get_what_was_said_before_they_left)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_join(&kit, 'E', "g", true, 1);
	expect("", "", "", "", "1", "");
	cr_expect_eq(kit.metrics->sweep_catch_up_total, 1);
	kit_deliver(&kit, GROUP, "g", "", "2");
	kit_join(&kit, 'E', "g", false, 1);
	rest();
	expect("12", "12", "12", "12", "", "");
}

Test(sweep, newcomers_get_nothing_that_went_to_all_before)
{
	struct wire *late;

	kit_deliver(&kit, ALL, "", "", "1");
	late = kit_open(&kit, 'G', NULL);
	kit_deliver(&kit, ALL, "", "", "2");
	rest();
	wire_expect(late, "2");
	expect("12", "12", "12", "12", "12", "12");
}

static void ends(struct wire *wire, enum conn_close_reason reason, const char *said)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	conn_close(wire->conn, reason, NULL);
	wire_expect(wire, said);
	rest();
	wire_expect(wire, "");
}

Test(sweep, who_is_told_of_the_end_gets_all_before)
{
	ends(e, CONN_CLOSE_SHUTDOWN, "1" CLOSED);
	expect("1", "1", "1", "1", "", "");
}

Test(sweep, who_is_gone_drops_out)
{
	ends(a, CONN_CLOSE_TRANSPORT, "");
	expect("", "1", "1", "1", "1", "");
	cr_expect_eq(kit.metrics->sweep_catch_up_total, 0);
}

Test(sweep, an_abort_comes_behind)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_abort(&kit, 'E', "", true);
	wire_expect(e, "1" CLOSED);
	rest();
}

Test(sweep, one_that_cannot_leave_yet_gets_no_more)
{
	peer_fill(kit.router);
	kit_deliver(&kit, GROUP, "g", "", "1");
	conn_close(a->conn, CONN_CLOSE_TRANSPORT, NULL);
	cr_expect_neq(a->conn->memberships_n, 0);
	rest();
	expect("", "1", "1", "1", "1", "");
}

/* ---- ahead of its turn */

Test(sweep, what_is_said_to_one_comes_behind_what_was_said_to_all)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_push(&kit, 'E', "2");
	expect("", "", "", "", "12", "");
	kit_deliver(&kit, GROUP, "h", "", "3");
	expect("", "", "", "13", "3", "");
	kit_deliver(&kit, CONNECTION, "CCCCCCCCCCCCCCCCCCCCCC", "", "4");
	expect("", "", "14", "", "", "");
	wire_in(b, "{\"type\":1,\"invocationId\":\"7\",\"target\":\"F\",\"arguments\":[]}"
		   "~");
	kit_complete(&kit, 'B', 1, "5");
	expect("", "15", "", "", "", "");
	cr_expect_eq(kit.metrics->sweep_catch_up_total, 4);
	rest();
	expect("1", "", "", "", "", "");
}

Test(sweep, several_come_in_the_order_in_which_they_were_said)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_deliver(&kit, ALL, "", "", "2");
	kit_deliver(&kit, USER, "ann", "", "3");
	kit_deliver(&kit, GROUP, "g", "", "4");
	kit_deliver(&kit, ALL, "", "", "5");
	kit_push(&kit, 'E', "6");
	expect("", "", "", "", "123456", "");
	rest();
	expect("12345", "12345", "12345", "12345", "", "235");
}

Test(sweep, the_order_outlives_the_counter)
{
	/* F was caught up at 1 of the round before. */
	kit.gateway->sweeps.arrivals = 0;
	kit_deliver(&kit, ALL, "", "", "0");
	kit_push(&kit, 'F', "!");
	rest();
	expect("0", "0", "0", "0", "0", "0!");
	kit.gateway->sweeps.arrivals = UINT32_MAX;
	kit_deliver(&kit, ALL, "", "", "1");
	kit_push(&kit, 'F', "2");
	wire_expect(f, "12");
	rest();
}

Test(sweep, a_stateful_one_without_transport_keeps_its_own)
{
	struct wire *wire = kit_open_stateful(&kit, 'S');
	struct conn *conn = wire->conn;

	kit_join(&kit, 'S', "g", false, 1);
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_push(&kit, 'S', "2");
	wire = kit_attach(&kit, conn);
	wire_expect(wire, "{\"type\":9,\"sequenceId\":1}~12");
	kit_deliver(&kit, GROUP, "g", "", "3");
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	wire = kit_attach(&kit, conn);
	rest();
	wire_expect(wire, "{\"type\":9,\"sequenceId\":1}~123");
}

/* ---- slow receivers */

static void stick(struct wire *wire)
{
	kit.conf->queue_bytes_max = 2;
	wire->is_stuck = true;
	buf_append_str(&wire->out, "old");
}

Test(sweep, a_slow_one_ends_and_the_sweep_goes_on)
{
	stick(a);
	stick(d);
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_deliver(&kit, GROUP, "g", "", "2");
	rest();
	wire_expect_end(a, "aborted");
	wire_expect_end(d, "aborted");
	expect("old", "12", "12", "old", "12", "");
}

Test(sweep, a_slow_one_that_is_told_something_ends)
{
	stick(a);
	stick(b);
	stick(c);
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_push(&kit, 'A', "2");
	wire_expect_end(a, "aborted");
	kit_join(&kit, 'B', "g", true, 1);
	wire_expect_end(b, "aborted");
	kit_abort(&kit, 'C', "", false);
	wire_expect_end(c, "aborted");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 3);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_ABORTED], 0);
	rest();
	expect("old", "old", "old", "1", "1", "");
}

static void stick_all(void)
{
	stick(a);
	stick(b);
	stick(c);
	stick(d);
	stick(e);
}

Test(sweep, the_last_of_the_slow_takes_the_group_along)
{
	stick_all();
	kit_deliver(&kit, GROUP, "g", "", "1");
	rest();
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 5);
	cr_expect_null(index_find(&kit.gateway->index, &kit.gateway->hubs.items[0], GROUP,
				  SLICE("g")));
	kit_join(&kit, 'F', "g", false, 1);
	kit_deliver(&kit, GROUP, "g", "", "2");
	wire_expect(f, "2");
}

Test(sweep, and_so_when_all_is_sent_in_one_turn)
{
	kit.conf->sweep_messages_max = 1;
	kit_deliver(&kit, GROUP, "g", "", "1");
	stick_all();
	kit_deliver(&kit, GROUP, "g", "", "2");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 5);
	rest();
}

Test(sweep, the_excluded_may_be_the_last)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	stick_all();
	kit_deliver(&kit, GROUP, "g", "ABCDE", "2");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 5);
	rest();
}

/* ---- limits */

Test(sweep, no_more_messages_are_kept_than_may_be)
{
	kit.conf->sweep_messages_max = 2;
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_deliver(&kit, GROUP, "g", "", "2");
	cr_expect_eq(kit.metrics->sweep_refused_total, 0);
	expect("", "", "", "", "", "");
	kit_deliver(&kit, GROUP, "g", "B", "3");
	expect("123", "12", "123", "123", "123", "");
	cr_expect_eq(kit.metrics->sweep_refused_total, 1);
	cr_expect_eq(kit.metrics->sweep_total, 2);
	kit_deliver(&kit, GROUP, "g", "", "4");
	expect("", "", "", "", "", "");
	rest();
	expect("4", "4", "4", "4", "4", "");
}

Test(sweep, nor_more_bytes)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit.conf->sweep_bytes_max = kit.metrics->sweep_bytes + 1;
	kit_deliver(&kit, GROUP, "g", "", "2");
	cr_expect_eq(kit.metrics->sweep_refused_total, 0);
	kit_deliver(&kit, USER, "ann", "", "3");
	expect("123", "123", "123", "123", "123", "3");
	cr_expect_eq(kit.metrics->sweep_refused_total, 1);
	rest();
	kit.conf->sweep_bytes_max = 0;
	kit_deliver(&kit, GROUP, "g", "", "4");
	expect("4", "4", "4", "4", "4", "");
}

Test(sweep, a_group_that_shrank_is_served_to_its_end)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	for (const char *at = "ABC"; *at != '\0'; at++)
		kit_join(&kit, *at, "g", true, 1);
	expect("1", "1", "1", "", "", "");
	kit_deliver(&kit, GROUP, "g", "", "2");
	expect("", "", "", "12", "12", "");
	cr_expect_eq(kit.metrics->sweep_refused_total, 0);
	rest();
}

/* ---- the end */

Test(sweep, a_fence_comes_behind)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	loop_touch(&kit.loop, &kit.gateway->fence);
	kit_turn(&kit);
	expect("1" CLOSED, "1" CLOSED, "1" CLOSED, "1" CLOSED, "1" CLOSED, CLOSED);
	rest();
}

Test(sweep, the_gateway_may_stop_under_way)
{
	kit_deliver(&kit, GROUP, "g", "", "1");
	kit_deliver(&kit, ALL, "", "", "2");
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->sweeps, 2);
}
