/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define INVOKE_1                                                                         \
	"{\"type\":1,\"invocationId\":\"1\",\"target\":\"Up\",\"arguments\":[],"         \
	"\"streamIds\":[\"a\"]}~"
#define ITEM(id) "{\"type\":2,\"invocationId\":\"" id "\",\"item\":7}~"
#define END(id) "{\"type\":3,\"invocationId\":\"" id "\"}~"

static struct kit kit;
static struct wire *wire;

static void setup(void)
{
	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(upload, .init = setup, .fini = teardown);

Test(upload, items_and_the_end_go_to_the_shard)
{
	wire_in(wire, INVOKE_1 ITEM("a") END("a"));
	peer_expect(kit.router, "Invoke A call=1 id=1 Up[] ~a; StreamItem A a 7; "
				"ClientCompletion A a; ");
	cr_expect_eq(kit.metrics->uploads, 0);
	cr_expect_eq(kit.metrics->upload_items_total, 1);
}

Test(upload, an_error_of_the_client_is_told)
{
	wire_in(wire, INVOKE_1 "{\"type\":3,\"invocationId\":\"a\",\"error\":\"no\"}~");
	peer_expect(kit.router,
		    "Invoke A call=1 id=1 Up[] ~a; ClientCompletion A a error=no; ");
}

Test(upload, an_answer_to_a_call_of_ours_is_told)
{
	wire_in(wire, "{\"type\":3,\"invocationId\":\"s1\",\"result\":[1, 2]}~");
	peer_expect(kit.router, "ClientCompletion A s1 result=[1, 2]; ");
}

Test(upload, items_of_no_stream_are_dropped)
{
	wire_in(wire, ITEM("a"));
	wire_in(wire, INVOKE_1 END("a"));
	kit_settle(&kit);
	wire_in(wire, ITEM("a"));
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->upload_late_total, 2);
}

Test(upload, the_invocations_end_is_the_streams_end)
{
	wire_in(wire, INVOKE_1);
	kit_settle(&kit);
	kit_complete(&kit, 'A', 1, "done~");
	wire_expect(wire, "done~");
	wire_in(wire, ITEM("a"));
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->uploads, 0);
}

Test(upload, a_full_stream_stops_the_reading_until_credit_comes)
{
	wire_in(wire, INVOKE_1 ITEM("a") ITEM("a"));
	cr_expect_not(wire->is_paused, "stream_capacity is 2");
	wire_in(wire, ITEM("a") "{\"type\":6}~");
	cr_expect(wire->is_paused);
	cr_expect_eq(kit.metrics->pings_in_total, 0);
	kit_credit(&kit, 'A', "a", 1);
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
	cr_expect_eq(kit.metrics->pings_in_total, 1, "what had waited was read");
}

Test(upload, credit_for_one_stream_does_not_open_another)
{
	wire_in(wire, INVOKE_1
		"{\"type\":1,\"invocationId\":\"2\",\"target\":\"Up\",\"arguments\":[],"
		"\"streamIds\":[\"b\"]}~" ITEM("a") ITEM("a") ITEM("a"));
	cr_expect(wire->is_paused);
	kit_credit(&kit, 'A', "b", 3);
	kit_turn(&kit);
	cr_expect(wire->is_paused);
	kit_complete(&kit, 'A', 1, "done~");
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
}

Test(upload, streams_max_is_a_limit)
{
	wire_in(wire,
		"{\"type\":1,\"invocationId\":\"1\",\"target\":\"Up\",\"arguments\":[],"
		"\"streamIds\":[\"a\",\"b\"]}~");
	peer_expect(kit.router, "Invoke A call=1 id=1 Up[] ~a ~b; ");
	wire_in(wire,
		"{\"type\":1,\"invocationId\":\"2\",\"target\":\"Up\",\"arguments\":[],"
		"\"streamIds\":[\"c\"]}~");
	peer_expect(kit.router, "");
	wire_expect(wire, "{\"type\":3,\"invocationId\":\"2\",\"error\":\"Failed to "
			  "invoke 'Up' due to an error on the server. HubException: Too "
			  "many streams, or one of that id.\"}~");
	cr_expect_eq(kit.metrics->streams_refused_total, 1);
	cr_expect_eq(kit.metrics->uploads, 2);
}

Test(upload, a_stream_id_in_use_is_refused_and_none_of_its_call_is_open)
{
	wire_in(wire, INVOKE_1);
	wire_in(wire,
		"{\"type\":1,\"invocationId\":\"2\",\"target\":\"Up\",\"arguments\":[],"
		"\"streamIds\":[\"a\"]}~");
	cr_expect_eq(kit.metrics->streams_refused_total, 1);
	cr_expect_eq(kit.metrics->uploads, 1);
}

Test(upload, a_full_link_closes_the_connection)
{
	wire_in(wire, INVOKE_1);
	peer_fill(kit.router);
	wire_in(wire, ITEM("a"));
	wire_expect(wire, "{\"type\":7,\"error\":\"Connection closed with an error.\","
			  "\"allowReconnect\":true}~");
	wire_expect_end(wire, "failed");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_BUSY], 1);
	cr_expect_eq(kit.metrics->uploads, 0);
}

Test(upload, cancel_of_a_call_in_flight_goes_to_the_shard)
{
	wire_in(wire, INVOKE_1);
	kit_settle(&kit);
	wire_in(wire, "{\"type\":5,\"invocationId\":\"1\"}~");
	peer_expect(kit.router, "Cancel A 1; ");
	cr_expect_eq(kit.metrics->cancel_total, 1);
}

Test(upload, cancel_of_a_call_that_is_over_goes_nowhere)
{
	wire_in(wire, INVOKE_1);
	kit_settle(&kit);
	wire_in(wire, "{\"type\":5,\"invocationId\":\"2\"}~");
	kit_complete(&kit, 'A', 1, "done~");
	wire_in(wire, "{\"type\":5,\"invocationId\":\"1\"}~");
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->cancel_total, 0);
}

/* ---- streams to the client */

Test(upload, what_is_pushed_reaches_the_client)
{
	kit_push(&kit, 'A', "item~");
	kit_push(&kit, 'B', "nobody's~");
	wire_expect(wire, "item~");
	peer_expect(kit.router, "");
}

Test(upload, a_slow_client_pauses_its_streams_and_lets_them_go_on)
{
	char frame[80];

	memset(frame, 'x', sizeof(frame) - 1);
	frame[sizeof(frame) - 1] = '\0';
	wire->is_stuck = true;
	kit_push(&kit, 'A', "x");
	peer_expect(kit.router, "");
	kit_push(&kit, 'A', frame);
	peer_expect(kit.router, "Flow A blocked; ");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Flow A blocked; "
				"Replayed 1; ");
	kit_push(&kit, 'A', "x");
	peer_expect(kit.router, "");
	wire_drain(wire);
	peer_expect(kit.router, "Flow A; ");
	cr_expect_eq(kit.metrics->streams_paused_total, 1);
}
