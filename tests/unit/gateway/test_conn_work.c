/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection has its block of work for as long as something is under way.
 */
#include <criterion/criterion.h>

#include "gateway/conn_work.h"
#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CALL "{\"type\":1,\"invocationId\":\"7\",\"target\":\"t\",\"arguments\":[]}~"
#define RESULT "{\"type\":3,\"invocationId\":\"7\",\"result\":1}\x1e"

Test(conn_work, an_idle_connection_has_none)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', "ann");
	cr_expect_null(wire->conn->work, "its shard has confirmed it");
	kit_wait(&kit, kit.conf->keepalive_interval_ms);
	wire_in(wire, "{\"type\":6}~");
	cr_expect_null(wire->conn->work, "a Ping either way needs nothing");
	kit_stop(&kit);
}

Test(conn_work, lasts_for_the_announcement)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	cr_expect_null(wire->conn->work);
	wire_in(wire, "{\"protocol\":\"json\",\"version\":1}~");
	cr_assert_not_null(wire->conn->work);
	kit_settle(&kit);
	cr_expect_null(wire->conn->work);
	kit_stop(&kit);
}

Test(conn_work, lasts_from_the_first_call_to_the_last)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL CALL);
	kit_complete(&kit, 'A', 1, RESULT);
	cr_assert_not_null(wire->conn->work);
	kit_complete(&kit, 'A', 2, RESULT);
	kit_turn(&kit); /* two are the kit's limit: reading goes on */
	cr_expect_null(wire->conn->work);
	kit_stop(&kit);
}

Test(conn_work, lasts_while_a_message_is_incomplete)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, "{\"type\":");
	cr_assert_not_null(wire->conn->work);
	wire_in(wire, "6}~");
	cr_expect_null(wire->conn->work);
	kit_stop(&kit);
}

Test(conn_work, is_made_again_for_the_end)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	cr_assert_not_null(wire->conn->work);
	kit_settle(&kit);
	cr_expect_null(gateway_conn_find(kit.gateway, kit_id('A')));
	kit_stop(&kit);
}
