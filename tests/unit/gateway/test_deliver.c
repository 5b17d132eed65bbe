/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fan-out: who gets a message, who is left out, what is shared, and receivers that are
 * closed while the sweep is under way.
 */
#include "gateway/deliver.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define ALL LINK__KIND__KIND_ALL
#define GROUP LINK__KIND__KIND_GROUP
#define USER LINK__KIND__KIND_USER
#define CONNECTION LINK__KIND__KIND_CONNECTION

/* Four connections of two users; A, B and C in group g. */
struct four {
	struct kit kit;
	struct wire *a;
	struct wire *b;
	struct wire *c;
	struct wire *d;
};

static void four_up(struct four *four)
{
	kit_up(&four->kit);
	four->a = kit_open(&four->kit, 'A', "ann");
	four->b = kit_open(&four->kit, 'B', "ann");
	four->c = kit_open(&four->kit, 'C', "cat");
	four->d = kit_open(&four->kit, 'D', NULL);
	for (const char *at = "ABC"; *at != '\0'; at++)
		kit_join(&four->kit, *at, "g", false, 1);
	kit_settle(&four->kit);
}

static void four_expect(struct four *four, const char *a, const char *b, const char *c,
			const char *d)
{
	wire_expect(four->a, a);
	wire_expect(four->b, b);
	wire_expect(four->c, c);
	wire_expect(four->d, d);
}

Test(deliver, each_kind_finds_its_own)
{
	struct four four;
	char id[CONN_ID_LEN + 1] = { 0 };

	four_up(&four);
	kit_deliver(&four.kit, ALL, "", "", "1");
	four_expect(&four, "1", "1", "1", "1");
	kit_deliver(&four.kit, GROUP, "g", "", "2");
	four_expect(&four, "2", "2", "2", "");
	kit_deliver(&four.kit, USER, "ann", "", "3");
	four_expect(&four, "3", "3", "", "");
	memcpy(id, kit_id('D').ptr, CONN_ID_LEN);
	kit_deliver(&four.kit, CONNECTION, id, "", "4");
	four_expect(&four, "", "", "", "4");
	cr_expect_eq(four.kit.metrics->deliver_total, 4);
	cr_expect_eq(four.kit.metrics->deliveries_total, 10);
	cr_expect_eq(four.kit.metrics->deliver_empty_total, 0);
	kit_stop(&four.kit);
}

Test(deliver, nobody_may_be_here)
{
	struct four four;

	four_up(&four);
	kit_deliver(&four.kit, GROUP, "other", "", "x");
	kit_deliver(&four.kit, USER, "g", "", "x");
	kit_deliver(&four.kit, CONNECTION, "nobody", "", "x");
	kit_deliver(&four.kit, GROUP, "g", "ABC", "x");
	kit_deliver(&four.kit, (Link__Kind)9, "g", "", "x");
	four_expect(&four, "", "", "", "");
	cr_expect_eq(four.kit.metrics->deliver_empty_total, 5);
	cr_expect_eq(four.kit.metrics->envelope_unknown_total, 1);
	kit_stop(&four.kit);
}

Test(deliver, the_excluded_are_left_out_of_this_sweep)
{
	struct four four;

	four_up(&four);
	kit_deliver(&four.kit, ALL, "", "BDZ", "1");
	four_expect(&four, "1", "", "1", "");
	kit_deliver(&four.kit, GROUP, "g", "A", "2");
	four_expect(&four, "", "2", "2", "");
	kit_deliver(&four.kit, ALL, "", "", "3");
	four_expect(&four, "3", "3", "3", "3");
	kit_stop(&four.kit);
}

Test(deliver, marks_outlive_the_counter)
{
	struct four four;

	four_up(&four);
	four.kit.gateway->deliver_mark = UINT32_MAX - 1;
	kit_deliver(&four.kit, ALL, "", "A", "1");
	kit_deliver(&four.kit, ALL, "", "B", "2");
	kit_deliver(&four.kit, ALL, "", "", "3");
	four_expect(&four, "23", "13", "123", "123");
	kit_stop(&four.kit);
}

Test(deliver, a_mark_of_the_round_before_leaves_nobody_out)
{
	struct four four;

	four_up(&four);
	four.kit.gateway->deliver_mark = 0;
	kit_deliver(&four.kit, ALL, "", "A", "1");
	four.kit.gateway->deliver_mark = UINT32_MAX;
	kit_deliver(&four.kit, ALL, "", "B", "2");
	four_expect(&four, "2", "1", "12", "12");
	kit_stop(&four.kit);
}

Test(deliver, is_wrapped_once_and_shared)
{
	struct four four;
	int wraps;

	four_up(&four);
	wraps = wire_wraps;
	kit_deliver(&four.kit, ALL, "", "", "x");
	cr_expect_eq(wire_wraps, wraps + 1);
	cr_expect_eq(four.a->last, four.d->last);
	cr_expect_eq(four.d->last_refs, 1, "the sweep's own is the only one left");
	kit_stop(&four.kit);
}

Test(deliver, is_wrapped_once_for_each_kind_of_transport)
{
	struct four four;
	struct wire *other;
	int wraps;

	four_up(&four);
	other = kit_dial_over(&four.kit, &wire_other_ops, 'E', NULL);
	wire_in(other, "{\"protocol\":\"json\",\"version\":1}~");
	wire_expect(other, "{}~");
	wraps = wire_wraps;
	kit_deliver(&four.kit, ALL, "", "", "x");
	cr_expect_eq(wire_wraps, wraps + 2);
	wire_expect(other, "x");
	cr_expect_neq(other->last, four.d->last);
	kit_stop(&four.kit);
}

Test(deliver, nothing_is_wrapped_for_nobody)
{
	struct four four;
	int wraps;

	four_up(&four);
	wraps = wire_wraps;
	kit_deliver(&four.kit, ALL, "", "ABCD", "x");
	cr_expect_eq(wire_wraps, wraps);
	kit_stop(&four.kit);
}

Test(deliver, reaches_open_connections_only)
{
	struct four four;
	struct wire *half;
	char id[CONN_ID_LEN + 1] = { 0 };

	four_up(&four);
	half = kit_dial(&four.kit, 'H', "ann");
	conn_close(four.a->conn, CONN_CLOSE_TRANSPORT, NULL);
	kit_deliver(&four.kit, ALL, "", "", "1");
	kit_deliver(&four.kit, GROUP, "g", "", "2");
	kit_deliver(&four.kit, USER, "ann", "", "3");
	memcpy(id, kit_id('A').ptr, CONN_ID_LEN);
	kit_deliver(&four.kit, CONNECTION, id, "", "4");
	memcpy(id, kit_id('H').ptr, CONN_ID_LEN);
	kit_deliver(&four.kit, CONNECTION, id, "", "5");
	four_expect(&four, "", "123", "12", "1");
	wire_expect(half, "");
	kit_stop(&four.kit);
}

static void deliver_to(struct kit *kit, struct slice hub, uint32_t protocol)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver deliver = LINK__DELIVER__INIT;
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };

	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &deliver;
	deliver.hub = link_bytes(hub);
	deliver.kind = ALL;
	deliver.payloads = payloads;
	deliver.n_payloads = 1;
	payload.protocol = protocol;
	payload.frame = link_bytes(SLICE("x"));
	kit_receive(kit, &envelope);
}

Test(deliver, another_hub_is_another_world)
{
	struct four four;

	four_up(&four);
	deliver_to(&four.kit, SLICE("other"), HUB_PROTOCOL_JSON);
	deliver_to(&four.kit, SLICE("none"), HUB_PROTOCOL_JSON);
	four_expect(&four, "", "", "", "");
	deliver_to(&four.kit, SLICE("chat"), HUB_PROTOCOL_JSON);
	four_expect(&four, "x", "x", "x", "x");
	kit_stop(&four.kit);
}

Test(deliver, a_protocol_without_payload_gets_nothing)
{
	struct four four;

	four_up(&four);
	deliver_to(&four.kit, SLICE("chat"), HUB_PROTOCOL_MSGPACK);
	deliver_to(&four.kit, SLICE("chat"), 77);
	four_expect(&four, "", "", "", "");
	kit_stop(&four.kit);
}

/* ---- slow receivers */

/* With something in its queue. */
static void stick(struct wire *wire)
{
	wire->is_stuck = true;
	buf_append_str(&wire->out, "old");
}

static void slow(struct four *four, struct wire *wire)
{
	four->kit.conf->queue_bytes_max = 2;
	stick(wire);
}

static void expect_slow(struct four *four, const struct wire *wire)
{
	wire_expect_end(wire, "aborted");
	cr_expect_eq(four->kit.metrics->close_total[CONN_CLOSE_SLOW], 1);
}

Test(deliver, a_slow_receiver_ends_and_the_sweep_goes_on)
{
	for (int i = 0; i < 3; i++) {
		struct four four;
		struct wire *wires[3];

		four_up(&four);
		wires[0] = four.a;
		wires[1] = four.b;
		wires[2] = four.c;
		slow(&four, wires[i]);
		kit_deliver(&four.kit, GROUP, "g", "", "xxx");
		expect_slow(&four, wires[i]);
		for (int k = 0; k < 3; k++)
			wire_expect(wires[k], k == i ? "old" : "xxx");
		kit_stop(&four.kit);
	}
}

Test(deliver, a_hub_wide_sweep_goes_on_too)
{
	for (int i = 0; i < 4; i++) {
		struct four four;
		struct wire *wires[4];

		four_up(&four);
		wires[0] = four.a;
		wires[1] = four.b;
		wires[2] = four.c;
		wires[3] = four.d;
		slow(&four, wires[i]);
		kit_deliver(&four.kit, ALL, "", "", "xxx");
		expect_slow(&four, wires[i]);
		for (int k = 0; k < 4; k++)
			wire_expect(wires[k], k == i ? "old" : "xxx");
		kit_stop(&four.kit);
	}
}

Test(deliver, the_last_member_takes_its_key_along)
{
	struct four four;

	four_up(&four);
	slow(&four, four.c);
	kit_deliver(&four.kit, USER, "cat", "", "xxx");
	expect_slow(&four, four.c);
	cr_expect_null(index_find(&four.kit.gateway->index,
				  &four.kit.gateway->hubs.items[0], USER, SLICE("cat")));
	kit_stop(&four.kit);
}

Test(deliver, all_may_be_slow)
{
	struct four four;

	four_up(&four);
	four.kit.conf->queue_bytes_max = 2;
	stick(four.a);
	stick(four.b);
	stick(four.c);
	kit_deliver(&four.kit, GROUP, "g", "", "xxx");
	wire_expect_end(four.a, "aborted");
	wire_expect_end(four.b, "aborted");
	wire_expect_end(four.c, "aborted");
	cr_expect_eq(four.kit.gateway->index.memberships_n, 0);
	kit_stop(&four.kit);
}

Test(deliver, a_slow_one_that_cannot_leave_yet_gets_no_more)
{
	struct four four;

	four_up(&four);
	slow(&four, four.c);
	peer_fill(four.kit.router);
	kit_deliver(&four.kit, GROUP, "g", "", "xxx");
	expect_slow(&four, four.c);
	kit_deliver(&four.kit, GROUP, "g", "", "y");
	wire_expect(four.c, "old");
	wire_expect(four.a, "xxxy");
	kit_stop(&four.kit);
}
