/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router under whatever order of events there may be: calls of all kinds, their ends
 * from either side, answers, silence, clients that come and go, gateways that are lost,
 * all at random. Held against what clients count on: one completion a call, items before
 * it and in order, credit for no more than was sent; and when the world is kind again,
 * everything ends. TEST_SEED repeats a run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"
#include "router/hub_private.h"
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_sim.h"

#define RUNS 60
#define SETTLE_MAX_MS 5000

/* ---- what the router says */

static struct sim_call *call_of(struct sim *sim, unsigned number, const char *conn)
{
	cr_assert(number > 0 && number <= sim->kit->last_invoke);
	cr_assert_str_eq(sim->calls[number].conn->id, conn);
	return &sim->calls[number];
}

static void on_complete(struct sim *sim, const char *said)
{
	char id[SIM_WORD_MAX];
	unsigned number;
	struct sim_call *call;

	cr_assert_eq(sscanf(said, "complete %31s %u", id, &number), 2);
	call = call_of(sim, number, id);
	cr_expect(!call->is_completed && !call->is_void, "%s", said);
	if (sim_is_alive(call) && call->is_upload && !call->is_stream &&
	    strstr(said, "\"result\":") != NULL)
		cr_expect_not_null(
			strstr(said, kit_text(sim->kit, "\"result\":%" PRId64 "}",
					      call->total)),
			"%s", said);
	call->is_completed = true;
}

static void on_item(struct sim *sim, const char *id, const char *frame)
{
	unsigned number;
	int64_t item;
	struct sim_call *call;

	cr_assert_eq(sscanf(frame,
			    "{\"type\":2,\"invocationId\":\"i%u\",\"item\":%" SCNd64 "}",
			    &number, &item),
		     2);
	call = call_of(sim, number, id);
	cr_expect(call->is_stream && !call->is_completed && !call->is_void, "%s", frame);
	cr_expect_eq(item, ++call->items);
}

static void on_question(struct sim *sim, const char *id, const char *frame)
{
	struct sim_conn *conn = sim_conn_find(sim, id);
	char question[SIM_WORD_MAX];

	cr_assert_eq(sscanf(frame, "{\"type\":1,\"invocationId\":\"%31[^\"]", question),
		     1);
	if (!conn->is_open)
		return;
	if (sim_random(sim, 4) == 0)
		kit_completion(sim->kit, conn->gateway, id, question, NULL, "no");
	else
		kit_completion(sim->kit, conn->gateway, id, question, "7", NULL);
}

static void on_push(struct sim *sim, const char *said)
{
	char id[SIM_WORD_MAX];
	const char *frame = strchr(said, '{');

	cr_assert_eq(sscanf(said, "push %31s", id), 1);
	cr_assert_not_null(frame);
	if (strncmp(frame, "{\"type\":2", 9) == 0)
		on_item(sim, id, frame);
	else
		on_question(sim, id, frame);
}

static void on_credit(struct sim *sim, const char *said)
{
	char id[SIM_WORD_MAX];
	unsigned number;
	unsigned items;
	struct sim_call *call;

	cr_assert_eq(sscanf(said, "credit %31s u%u %u", id, &number, &items), 3);
	call = call_of(sim, number, id);
	call->credited += items;
	cr_expect(items > 0 && call->credited <= call->sent, "%s", said);
}

static void on_said(struct sim *sim, struct link_peer *gateway, const char *said)
{
	char id[SIM_WORD_MAX] = "";

	if (strncmp(said, "complete ", 9) == 0)
		on_complete(sim, said);
	else if (strncmp(said, "push ", 5) == 0)
		on_push(sim, said);
	else if (strncmp(said, "credit ", 7) == 0)
		on_credit(sim, said);
	else if (sscanf(said, "abort %31s", id) == 1)
		sim_close(sim, sim_conn_find(sim, id));
	else if (sscanf(said, "join %31s", id) == 1)
		kit_joined(sim->kit, gateway, id, "g", false, OK);
}

/* Questions, and joins. */
static bool is_asking(const char *said)
{
	return strncmp(said, "join ", 5) == 0 ||
	       (strncmp(said, "push ", 5) == 0 && strstr(said, "{\"type\":1") != NULL);
}

static void sim_put_off(struct sim *sim, struct link_peer *gateway, const char *said)
{
	cr_assert_lt(sim->late_n, SIM_LATE_MAX);
	sim->late[sim->late_n++] = (struct sim_late){
		.gateway = gateway,
		.incarnation = link_peer_incarnation(gateway),
		.said = said,
		.call = sim->kit->call,
	};
}

static void sim_catch_up(struct sim *sim)
{
	for (size_t i = 0; i < sim->late_n; i++) {
		const struct sim_late *late = &sim->late[i];

		if (late->incarnation != link_peer_incarnation(late->gateway))
			continue;
		sim->kit->call = late->call;
		on_said(sim, late->gateway, late->said);
	}
	sim->late_n = 0;
}

static void sim_hear(struct sim *sim, struct link_peer *gateway)
{
	const char *said;

	while ((said = kit_said(sim->kit, gateway))[0] != '\0') {
		if (sim->is_silent && is_asking(said))
			sim_put_off(sim, gateway, said);
		else
			on_said(sim, gateway, said);
	}
}

/* ---- gateways */

static void gateway_restart(struct sim *sim, struct link_peer *gateway)
{
	for (size_t i = 1; i <= sim->kit->last_invoke; i++) {
		if (sim->calls[i].conn->gateway == gateway)
			sim->calls[i].is_void = true;
	}
	for (size_t i = 0; i < SIM_CONNS; i++) {
		if (sim->conns[i].gateway == gateway)
			sim->conns[i].is_open = false;
	}
	kit_restart(sim->kit, gateway);
	kit_replayed(sim->kit, gateway);
	kit_topology(sim->kit, true, sim->kit->g1, sim->kit->g2);
}

/* The router found a link full and gave its gateway up; which one is not seen here. */
static void sim_resync(struct sim *sim)
{
	if (sim->kit->router->metrics.gateway_resync_total == sim->resyncs)
		return;
	gateway_restart(sim, sim->kit->g1);
	gateway_restart(sim, sim->kit->g2);
	sim->resyncs = sim->kit->router->metrics.gateway_resync_total;
}

/* ---- a run */

static void sim_act_on_call(struct sim *sim)
{
	struct sim_call *call = sim_pick_call(sim);

	if (call == NULL)
		return;
	switch (sim_random(sim, 6)) {
	case 0:
		sim_end_upload(sim, call);
		break;
	case 1:
		sim_cancel(sim, call);
		break;
	default:
		sim_send_up(sim, call);
	}
}

static void sim_act_on_conn(struct sim *sim)
{
	struct sim_conn *conn = &sim->conns[sim_random(sim, SIM_CONNS)];
	const uint64_t what = sim_random(sim, 20);

	if (!conn->is_open)
		sim_open(sim, conn);
	else if (what == 0)
		sim_close(sim, conn);
	else if (what <= 3)
		kit_flow(sim->kit, conn->gateway, conn->id, what <= 2);
	else
		sim_call_any(sim, conn);
}

static void sim_step(struct sim *sim)
{
	struct link_peer *gateway = sim_random(sim, 2) == 0 ? sim->kit->g1 : sim->kit->g2;
	const uint64_t what = sim_random(sim, 100);

	if (what < 40)
		sim_act_on_conn(sim);
	else if (what < 65)
		sim_act_on_call(sim);
	else if (what < 75)
		kit_turn(sim->kit);
	else if (what < 85)
		sim_hear(sim, gateway);
	else if (what < 95)
		kit_ack(sim->kit, gateway);
	else if (what < 99)
		sim->is_silent = !sim->is_silent;
	else
		gateway_restart(sim, gateway);
	sim_resync(sim);
}

static void sim_init(struct sim *sim, uint64_t seed)
{
	struct router_conf conf = kit_conf();

	*sim = (struct sim){ .rng = seed * 2 + 1 };
	if (sim_random(sim, 2) == 0)
		conf.hub_calls_max = 4;
	if (sim_random(sim, 2) == 0)
		conf.invocations_parallel_max = 3;
	if (sim_random(sim, 3) == 0)
		conf.link.window_bytes_max = 4096;
	sim->kit = kit_new_conf(&sim_hub, &conf);
	kit_replayed(sim->kit, sim->kit->g1);
	kit_replayed(sim->kit, sim->kit->g2);
	kit_topology(sim->kit, true, sim->kit->g1, sim->kit->g2);
	for (size_t i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *conn = &sim->conns[i];

		(void)snprintf(conn->id, sizeof(conn->id), "c%zu", i); /* it fits */
		conn->gateway = i % 2 == 0 ? sim->kit->g1 : sim->kit->g2;
	}
}

/* Nobody holds anything back any more. */
static void sim_be_kind(struct sim *sim)
{
	sim->is_silent = false;
	sim_catch_up(sim);
	for (size_t i = 1; i <= sim->kit->last_invoke; i++) {
		struct sim_call *call = &sim->calls[i];

		if (!sim_is_alive(call))
			continue;
		sim_end_upload(sim, call);
		if (call->is_endless && !call->is_canceled)
			sim_cancel(sim, call);
	}
	loop_turn(sim->kit->loop, 1);
	sim_hear(sim, sim->kit->g1);
	sim_hear(sim, sim->kit->g2);
	kit_ack(sim->kit, sim->kit->g1);
	kit_ack(sim->kit, sim->kit->g2);
	sim_resync(sim);
}

static size_t sim_calls_alive(const struct sim *sim)
{
	size_t n = 0;

	for (size_t i = 1; i <= sim->kit->last_invoke; i++)
		n += sim_is_alive(&sim->calls[i]);
	return n;
}

static void sim_settle(struct sim *sim)
{
	const int64_t start_us = loop_clock_us();
	struct router *router = sim->kit->router;

	for (size_t i = 0; i < SIM_CONNS; i++) {
		if (sim->conns[i].is_open)
			kit_flow(sim->kit, sim->conns[i].gateway, sim->conns[i].id,
				 false);
	}
	while (sim_calls_alive(sim) > 0) {
		sim_be_kind(sim);
		cr_assert_lt(loop_clock_us() - start_us, SETTLE_MAX_MS * 1000,
			     "%zu calls have not ended", sim_calls_alive(sim));
	}
	for (size_t i = 0; i < SIM_CONNS; i++)
		sim_close(sim, &sim->conns[i]);
	while (router->metrics.calls > 0) {
		sim_be_kind(sim);
		cr_assert_lt(loop_clock_us() - start_us, SETTLE_MAX_MS * 1000,
			     "%d calls are left", (int)router->metrics.calls);
	}
	cr_expect(hub_runtime_is_idle(router->hubs));
	cr_expect_eq(router->conns.count, 0);
	cr_expect_eq(router->asks.by_number.count, 0);
	cr_expect_eq(router->hubs->questions.count, 0);
}

/* Some runs stop the router in the middle of everything. */
static void run(uint64_t seed)
{
	struct sim *sim = MEM_NEW(struct sim);

	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", seed);
	sim_init(sim, seed);
	for (int i = 0; i < SIM_STEPS; i++)
		sim_step(sim);
	if (sim_random(sim, 3) > 0)
		sim_settle(sim);
	kit_free(sim->kit);
	mem_free(sim);
}

Test(hub_sim, whatever_comes_when)
{
	const char *given = getenv("TEST_SEED");
	const uint64_t seed =
		given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	for (unsigned i = 0; i < (given != NULL ? 1 : RUNS); i++)
		run(seed + i);
}
