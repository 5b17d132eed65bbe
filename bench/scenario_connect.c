/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of connections alone: opened at a rate (connect), closed and opened again
 * beside others that rest (churn), kept open (idle), and reached once (hold).
 */
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"
#include "proto/base/mem.h"

/* ---- connect */

struct ring {
	uint32_t next; /* of the worker's clients */
};

static bool connect_init(struct worker *worker)
{
	worker->scenario_state = MEM_NEW(struct ring);
	return true;
}

static void connect_fini(struct worker *worker)
{
	mem_free(worker->scenario_state);
	worker->scenario_state = NULL;
}

static bool may_open(const struct worker *worker)
{
	return (int64_t)worker->opening_n < worker->conf->connect_parallel;
}

/* In turn; once all are open, the oldest is closed for each new one. */
static bool connect_on_due(struct worker *worker, int64_t due_us)
{
	struct ring *ring = worker->scenario_state;
	struct client *client = &worker->clients[ring->next];

	if (!may_open(worker))
		return false;
	if (client->state == CLIENT_READY)
		worker_close(client);
	if (client->state != CLIENT_IDLE)
		return false;
	worker_open(client, due_us);
	ring->next = (ring->next + 1) % worker->clients_n;
	return true;
}

const struct scenario scenario_connect = {
	.name = "connect",
	.help = "Connections are opened; once all are, the oldest is closed for each new "
		"one.",
	.rate = "connections/s",
	.starts_closed = true,
	.init = connect_init,
	.fini = connect_fini,
	.on_due = connect_on_due,
};

/* ---- churn */

static bool churn_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client;

	if (!may_open(worker))
		return false;
	client = senders_pick(worker->scenario_state, worker);
	if (client == NULL)
		return false;
	worker_close(client);
	worker_open(client, due_us);
	worker->stats->reconnects++;
	return true;
}

const struct scenario scenario_churn = {
	.name = "churn",
	.help = "Connections are closed and opened again, by chance, while the others "
		"rest.",
	.rate = "connections/s",
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = churn_on_due,
};

/* ---- idle */

const struct scenario scenario_idle = {
	.name = "idle",
	.help = "Connections are held for --hold, with nothing but their keep-alive.",
	.rate = "nothing",
	.is_held = true,
};

/* ---- hold: that all who are there can be reached */

struct holding {
	bool has_sent;
};

static bool hold_init(struct worker *worker)
{
	worker->scenario_state = MEM_NEW(struct holding);
	return true;
}

static bool is_half_over(const struct worker *worker)
{
	return worker->phase == PHASE_MEASURE &&
	       loop_clock_us() - worker->measure_us >= worker->conf->hold_ms * 1000 / 2;
}

static bool hold_on_due(struct worker *worker, int64_t due_us)
{
	struct holding *holding = worker->scenario_state;
	struct client *client = &worker->clients[0];
	struct saying saying = { .verb = VERB_BROADCAST };

	if (worker->first != 0 || holding->has_sent || !is_half_over(worker) ||
	    client->state != CLIENT_READY)
		return false;
	holding->has_sent = true;
	return scenario_send(client, &saying, target_make(TARGET_ALL, 0), &client->seq,
			     due_us);
}

const struct scenario scenario_hold = {
	.name = "hold",
	.help = "Connections are held for --hold; half-way the first sends to all, once.",
	.rate = "nothing",
	.is_held = true,
	.init = hold_init,
	.fini = connect_fini,
	.on_due = hold_on_due,
	.receivers = receivers_all,
};
