/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker does in each phase: opens connections at the ramp's pace, has them set
 * up, keeps the pace of messages or the window of the closed loop, and lets things run
 * out. The parent is never waited for; it is looked at once a turn.
 */
#include <assert.h>

#include "bench/worker_private.h"

/* Messages of a turn, so that what comes is read in between. */
#define DUE_PER_TURN_MAX 1024

/* A client that failed to open, or ended, is opened again so often in a row. */
#define TRIES_MAX 5
#define RETRY_MS 250

/* What in_flight waits for is given up when nothing has come for so long. */
#define STALL_US 1000000

static const int64_t wait_max_us = (int64_t)WORKER_WAIT_MS * 1000;

/* ---- connecting */

/* Of all clients that are to be opened in the beginning, none is left. */
static bool is_connected(const struct worker *worker)
{
	return worker->scenario->starts_closed ||
	       (worker->opened_n == worker->clients_n &&
		worker->ready_n + worker->lost_n >= worker->clients_n);
}

static bool may_open(const struct worker *worker)
{
	return worker->opened_n < worker->clients_n &&
	       (int64_t)worker->opening_n < worker->conf->connect_parallel;
}

static int64_t open_clients(struct worker *worker)
{
	const bool has_rate = worker->conf->connect_rate > 0;
	const int64_t now_us = loop_clock_us();
	struct client *client;
	int64_t due_us = 0;

	if (worker->scenario->starts_closed)
		return wait_max_us;
	while (may_open(worker)) {
		if (has_rate && !pace_take(&worker->ramp, now_us, &due_us))
			return pace_wait_us(&worker->ramp, now_us);
		client = &worker->clients[worker->opened_n++];
		client_open(client);
		if (has_rate)
			client->began_us = due_us; /* late by us is late */
	}
	return wait_max_us;
}

static int64_t step_connect(struct worker *worker)
{
	int64_t wait_us = open_clients(worker);

	if (worker->clients_n > 0 && worker->lost_n == worker->clients_n)
		worker_fail(worker, "no connection could be opened: %s",
			    worker->share->trouble);
	if (is_connected(worker))
		atomic_store(&worker->share->phase_done, PHASE_CONNECT);
	return wait_us;
}

/* ---- setting up */

static bool may_set_up(const struct worker *worker)
{
	return worker->asked_n < worker->clients_n &&
	       (int64_t)(worker->asked_n - worker->set_up_n) <
		       worker->conf->connect_parallel;
}

/* A client that is away has nothing to be set up now; when it returns it will. */
static void set_up_next(struct worker *worker)
{
	struct client *client = &worker->clients[worker->asked_n++];

	if (client->state == CLIENT_READY) {
		worker->scenario->set_up(client);
	} else {
		client->is_returning = true;
		worker_set_up_done(client);
	}
}

static int64_t step_set_up(struct worker *worker)
{
	if (worker->scenario->set_up == NULL)
		worker->set_up_n = worker->clients_n;
	else
		while (may_set_up(worker))
			set_up_next(worker);
	if (worker->set_up_n >= worker->clients_n)
		atomic_store(&worker->share->phase_done, PHASE_SET_UP);
	return wait_max_us;
}

void worker_set_up_done(struct client *client)
{
	if (client->is_set_up)
		return;
	client->is_set_up = true;
	client->worker->set_up_n++;
}

/* ---- sending */

static void forget_lost(struct worker *worker, int64_t now_us)
{
	if (now_us - worker->progress_us < STALL_US)
		return;
	worker->awaited_deliveries = 0;
	worker->awaited_answers = 0;
	worker->progress_us = now_us;
}

static bool window_is_open(const struct worker *worker)
{
	const uint64_t in_flight =
		worker->conf->in_flight > 0 ? (uint64_t)worker->conf->in_flight : 1;

	if (worker->conf->in_flight == 0 && worker->rate_milli > 0)
		return true;
	return worker->awaited_answers < in_flight &&
	       worker->awaited_deliveries <= (in_flight - 1) * worker->receivers_n;
}

static bool send_one(struct worker *worker, int64_t due_us)
{
	return window_is_open(worker) && worker->scenario->on_due(worker, due_us);
}

static int64_t send_paced(struct worker *worker, int64_t now_us)
{
	int64_t due_us;

	if (worker->rate_milli == STATS_RATE_PAUSED)
		return wait_max_us; /* it would be due in days */
	for (int i = 0; i < DUE_PER_TURN_MAX; i++) {
		if (!pace_take(&worker->pace, now_us, &due_us))
			return pace_wait_us(&worker->pace, now_us);
		if (send_one(worker, due_us))
			worker->stats->begun++;
		else
			worker->stats->skipped++;
	}
	return 0;
}

static int64_t send_closed(struct worker *worker, int64_t now_us)
{
	for (int i = 0; i < DUE_PER_TURN_MAX; i++) {
		if (!send_one(worker, now_us))
			return wait_max_us;
		worker->stats->begun++;
	}
	return 0;
}

static void follow_rate(struct worker *worker, int64_t now_us)
{
	const uint64_t rate_milli =
		atomic_load_explicit(&worker->share->rate_milli, memory_order_relaxed);
	const double rate = (double)rate_milli / 1000 / (double)worker->conf->workers;

	if (rate_milli == worker->rate_milli)
		return;
	if (worker->rate_milli == 0)
		pace_init(&worker->pace, (enum pace_kind)worker->conf->arrivals, rate,
			  now_us, (uint64_t)worker->conf->seed + worker->number + 1);
	else if (rate_milli > 0)
		pace_change(&worker->pace, rate, now_us);
	worker->rate_milli = rate_milli;
}

static int64_t step_traffic(struct worker *worker)
{
	const int64_t now_us = loop_clock_us();

	if (worker->scenario->on_due == NULL)
		return wait_max_us;
	follow_rate(worker, now_us);
	forget_lost(worker, now_us);
	return worker->rate_milli > 0 ? send_paced(worker, now_us)
				      : send_closed(worker, now_us);
}

/* ---- the phases */

static void phase_done(struct worker *worker, enum phase phase)
{
	atomic_store(&worker->share->phase_done, (int)phase);
}

static void enter(struct worker *worker, enum phase phase)
{
	const int64_t now_us = loop_clock_us();

	worker->phase = phase;
	if (phase == PHASE_MEASURE)
		worker->measure_us = atomic_load(&worker->share->phase_at_us);
	if (phase == PHASE_WARM_UP || phase == PHASE_MEASURE) {
		worker->progress_us = now_us;
		phase_done(worker, phase);
	}
}

static void follow_phase(struct worker *worker)
{
	const int phase =
		atomic_load_explicit(&worker->share->phase, memory_order_acquire);

	assert(phase >= 0);
	assert(phase < PHASES);
	if (phase != (int)worker->phase)
		enter(worker, (enum phase)phase);
}

int64_t worker_step(struct worker *worker)
{
	follow_phase(worker);
	switch (worker->phase) {
	case PHASE_CONNECT:
		return step_connect(worker);
	case PHASE_SET_UP:
		return step_set_up(worker);
	case PHASE_WARM_UP:
	case PHASE_MEASURE:
		return step_traffic(worker);
	case PHASE_DRAIN:
		if (worker->awaited_answers == 0)
			phase_done(worker, PHASE_DRAIN);
		return wait_max_us;
	case PHASE_CLOSE:
	case PHASES:
		break;
	}
	return 0;
}

/* ---- connections that come and go */

static bool is_under_way(uint8_t state)
{
	return state != CLIENT_IDLE && state != CLIENT_READY;
}

void worker_on_state(struct client *client, enum client_state before)
{
	struct worker *worker = client->worker;

	worker->opening_n += (uint32_t)is_under_way(client->state);
	worker->opening_n -= (uint32_t)is_under_way((uint8_t)before);
	worker->ready_n += (uint32_t)(client->state == CLIENT_READY);
	worker->ready_n -= (uint32_t)(before == CLIENT_READY);
	worker->stats->open = worker->ready_n;
}

void worker_open(struct client *client, int64_t due_us)
{
	client_open(client);
	client->began_us = due_us;
}

void worker_close(struct client *client)
{
	client_close(client);
}

void worker_on_ready(struct client *client)
{
	struct worker *worker = client->worker;
	const struct scenario *scenario = worker->scenario;

	worker->stats->connects++;
	histogram_add(&worker->stats->connect_us, loop_clock_us() - client->began_us);
	if (scenario->on_ready != NULL)
		scenario->on_ready(client);
	if (client->is_returning && scenario->set_up != NULL &&
	    client->state == CLIENT_READY)
		scenario->set_up(client);
	client->is_returning = false;
}

void worker_on_end(struct client *client, bool was_ready, const char *why)
{
	struct worker *worker = client->worker;

	worker_trouble(worker, slice_from_str(why));
	worker->stats->closes += was_ready;
	worker->stats->connect_errors += !was_ready;
	if (worker->scenario->on_end != NULL)
		worker->scenario->on_end(client, why);
	client->is_returning = client->is_set_up;
	if (client->worker->phase == PHASE_SET_UP && worker->scenario->set_up != NULL)
		worker_set_up_done(client); /* nobody would say so any more */
	if (worker->scenario->starts_closed || worker->phase >= PHASE_DRAIN)
		return;
	if (client->tries < TRIES_MAX)
		client->tries++;
	if (client->tries < TRIES_MAX || worker->scenario->is_persistent)
		client_open_later(client, (int64_t)RETRY_MS * client->tries);
	else
		worker->lost_n++;
}
