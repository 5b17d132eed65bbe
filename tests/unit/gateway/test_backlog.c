/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that wait for room on the link to their router: nothing of theirs is lost or
 * overtaken, and they do not wait for ever.
 */
#include "gateway/backlog.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"f\",\"arguments\":[]}~"
#define TELL "{\"type\":1,\"target\":\"f\",\"arguments\":[]}~"
#define BUSY(id)                                                                         \
	"{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"Failed to invoke 'f' due "  \
	"to an error on the server. HubException: The server is busy.\"}~"
#define AWAY(id)                                                                         \
	"{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"Failed to invoke 'f' due "  \
	"to an error on the server. HubException: It was not run: its router is "        \
	"away.\"}~"

static struct kit kit;
static struct wire *wire;

/* Of the client 'A'. */
static struct link_peer *owner(void)
{
	return gateway_conn_owner(wire->conn)->peer;
}

static struct link_peer *another(void)
{
	struct link_peer *first = kit_router(&kit, 0);

	return owner() == first ? kit_router(&kit, 1) : first;
}

static void set_up(void)
{
	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=ipc:///a,r2=ipc:///b");
	kit_start(&kit);
	wire = kit_open(&kit, 'A', NULL);
	kit_settle(&kit);
	kit.router = owner();
}

static void tear_down(void)
{
	kit_stop(&kit);
}

TestSuite(backlog, .init = set_up, .fini = tear_down);

/* How many Invokes reach the router. */
static int invokes(void)
{
	Link__Envelope *envelope;
	int n = 0;

	while ((envelope = fake_peer_next(kit.router)) != NULL) {
		n += envelope->body_case == LINK__ENVELOPE__BODY_INVOKE;
		link__envelope__free_unpacked(envelope, NULL);
	}
	return n;
}

Test(backlog, a_client_of_a_crowded_router_is_not_read)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1") TELL);
	cr_expect(wire->is_paused);
	cr_expect_eq(invokes(), 0);
	cr_expect_eq(kit.metrics->backlog, 1);
	cr_expect_eq(kit.metrics->backlog_total, 1);
	wire_expect(wire, "");
}

Test(backlog, room_lets_all_go_on_in_their_order)
{
	fake_peer_crowd(kit.router, true);
	kit.conf->invocations_max = 4;
	wire_in(wire, CALL("1") TELL CALL("2"));
	fake_peer_crowd(kit.router, false);
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
	cr_expect_eq(kit.metrics->backlog, 0);
	cr_expect_eq(invokes(), 3);
	wire_expect(wire, "");
}

Test(backlog, a_client_of_another_router_is_read)
{
	fake_peer_crowd(another(), true);
	wire_in(wire, CALL("1"));
	cr_expect_not(wire->is_paused);
	cr_expect_eq(invokes(), 1);
}

Test(backlog, who_waits_again_waits_behind_what_came_before)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1") CALL("2"));
	fake_peer_crowd(kit.router, false);
	kit.router->is_crowded = true; /* at once */
	kit_turn(&kit);
	cr_expect(wire->is_paused);
	cr_expect_eq(kit.metrics->backlog, 1);
	cr_expect_eq(invokes(), 0);
	fake_peer_crowd(kit.router, false);
	kit_turn(&kit);
	cr_expect_eq(invokes(), 2);
}

/* At the limit it waits; one past it is told. */
Test(backlog, no_room_for_invoke_timeout_is_an_error)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1"));
	kit_wait(&kit, kit.conf->invoke_timeout_ms - 1);
	cr_expect(wire->is_paused);
	wire_expect(wire, "");
	kit_wait(&kit, 1);
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
	wire_expect(wire, BUSY("1"));
	cr_expect_eq(kit.metrics->backlog_overdue_total, 1);
	cr_expect_eq(kit.metrics->backlog, 0);
	cr_expect_eq(invokes(), 0);
}

Test(backlog, then_calls_fail_at_once_until_there_is_room)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1"));
	kit_wait(&kit, kit.conf->invoke_timeout_ms);
	kit_turn(&kit);
	wire_expect(wire, BUSY("1"));
	wire_in(wire, CALL("2"));
	wire_expect(wire, BUSY("2"));
	fake_peer_crowd(kit.router, false);
	wire_in(wire, CALL("3"));
	wire_expect(wire, "");
	cr_expect_eq(invokes(), 1);
}

Test(backlog, what_nobody_awaits_ends_its_connection_then)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, TELL);
	kit_wait(&kit, kit.conf->invoke_timeout_ms);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_BUSY], 1);
}

Test(backlog, who_is_closed_meanwhile_waits_no_more)
{
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1"));
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	cr_expect_eq(kit.metrics->backlog, 0);
	fake_peer_crowd(kit.router, false);
	kit_turn(&kit);
	cr_expect_eq(invokes(), 0);
}

/* The wait is ours, not the client's silence. */
Test(backlog, who_waits_is_not_timed_out)
{
	wire_in(wire, "{\"type\":6}~");
	fake_peer_crowd(kit.router, true);
	wire_in(wire, CALL("1"));
	kit_wait(&kit, kit.conf->invoke_timeout_ms - 1);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TIMEOUT], 0);
	cr_expect_eq(kit.metrics->backlog, 1);
}

Test(backlog, routers_are_given_up_after_invoke_timeout_but_not_within_the_lease)
{
	kit.conf->link.lease_ms = kit.conf->invoke_timeout_ms;
	routers_reload(kit.gateway);
	cr_expect_eq(kit.router->patience_ms, kit.conf->invoke_timeout_ms);
	kit.conf->link.lease_ms++;
	routers_reload(kit.gateway);
	cr_expect_eq(kit.router->patience_ms, kit.conf->link.lease_ms);
}

/* As its link tells it when it is given up. */
Test(backlog, what_was_never_sent_was_certainly_not_run)
{
	struct session_kept kept;

	fake_peer_down(kit.router);
	wire_in(wire, CALL("1"));
	session_reset(&kit.router->session, 0, &kept);
	session_restore(&kit.router->session, &kept);
	wire_expect(wire, AWAY("1"));
	cr_expect_eq(kit.metrics->invoke_refused_total, 1);
	cr_expect_eq(kit.metrics->invoke_lost_total, 0);
}
