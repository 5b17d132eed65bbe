/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that send too fast, and messages that do not end.
 */
#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define HELLO "{\"protocol\":\"json\",\"version\":1}~"
#define PING "{\"type\":6}~"
#define TIMEOUT_MS 5000
#define CHECK_MS 15000 /* the kit's keepalive_interval */

static struct kit kit;

static struct wire *start(int64_t messages_max, int64_t bytes_max)
{
	kit_init(&kit);
	kit.conf->messages_per_second_max = messages_max;
	kit.conf->bytes_per_second_max = bytes_max;
	kit.conf->message_timeout_ms = TIMEOUT_MS;
	kit_start(&kit);
	return kit_dial(&kit, 'A', NULL);
}

Test(conn_rate, messages_over_the_limit_wait)
{
	struct wire *wire = start(2, 0);

	wire_in(wire, HELLO PING);
	cr_expect_not(wire->is_paused, "two are allowed");
	wire_in(wire, PING PING);
	cr_expect(wire->is_paused);
	cr_expect_eq(kit.metrics->pings_in_total, 2, "what had come is handled");
	cr_expect_eq(kit.metrics->rate_paused_total, 1);
	kit_wait(&kit, 499);
	cr_expect_eq(kit.metrics->pings_in_total, 2);
	kit_wait(&kit, 1);
	cr_expect_eq(kit.metrics->pings_in_total, 3);
	cr_expect(wire->is_paused, "the next one was too much again");
	kit_wait(&kit, 500);
	cr_expect_not(wire->is_paused);
	kit_stop(&kit);
}

Test(conn_rate, bytes_over_the_limit_are_handled_and_the_next_wait)
{
	struct wire *wire = start(0, sizeof(HELLO PING) - 1);

	wire_in(wire, HELLO PING);
	cr_expect_not(wire->is_paused);
	wire_in(wire, PING);
	cr_expect(wire->is_paused);
	kit_wait(&kit, 1000);
	cr_expect_not(wire->is_paused);
	cr_expect_eq(kit.metrics->pings_in_total, 2);
	kit_stop(&kit);
}

Test(conn_rate, a_handshake_in_pieces_goes_on_after_a_pause)
{
	struct wire *wire = start(0, 10);

	wire_in_part(wire, HELLO, 15);
	cr_expect(wire->is_paused);
	kit_wait(&kit, 500);
	cr_expect_not(wire->is_paused, "half of the handshake has come");
	wire_in(wire, &HELLO[15]);
	kit_wait(&kit, 5000);
	cr_expect_eq(kit.metrics->connections, 1);
	wire_expect(wire, "{}~");
	kit_stop(&kit);
}

Test(conn_rate, a_pause_ends_with_its_connection)
{
	struct wire *wire = start(1, 0);

	wire_in(wire, HELLO PING);
	cr_expect(wire->is_paused);
	conn_close(wire->conn, CONN_CLOSE_ABORTED, NULL);
	kit_wait(&kit, 1000);
	cr_expect_eq(kit.metrics->connections, 0);
	kit_stop(&kit);
}

Test(conn_rate, a_message_without_an_end_closes)
{
	struct wire *wire = start(0, 0);

	wire_in(wire, HELLO);
	for (int64_t ms = 0; ms < CHECK_MS; ms += 1000) {
		wire_in(wire, " ");
		kit_wait(&kit, 1000);
	}
	wire_expect_end(wire, "failed");
	cr_expect_eq(kit.metrics->message_timeout_total, 1);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TIMEOUT], 1);
	kit_stop(&kit);
}

Test(conn_rate, each_message_has_the_time_from_its_own_beginning)
{
	struct wire *wire = start(0, 0);

	wire_in(wire, HELLO);
	kit_wait(&kit, CHECK_MS - TIMEOUT_MS - 1);
	wire_in(wire, " ");
	kit_wait(&kit, TIMEOUT_MS - 1);
	/* One ends and the next begins. */
	wire_in(wire, PING " ");
	kit_wait(&kit, 2);
	wire_expect_end(wire, "open");
	wire_in(wire, PING);
	cr_expect_eq(kit.metrics->pings_in_total, 2);
	kit_wait(&kit, TIMEOUT_MS + 1);
	cr_expect_eq(kit.metrics->message_timeout_total, 0);
	kit_stop(&kit);
}
