/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker counts of what is said and heard.
 */
#include <assert.h>
#include <string.h>

#include "bench/worker_private.h"

/* ---- said */

static uint32_t receivers(const struct worker *worker, uint32_t sender, uint32_t target,
			  uint32_t first, uint32_t n)
{
	if (worker->scenario->receivers == NULL)
		return 0;
	return worker->scenario->receivers(worker->conf, sender, target, first, n);
}

struct slice worker_payload(struct client *client, uint32_t target, uint32_t *seq,
			    int64_t due_us)
{
	struct worker *worker = client->worker;
	const size_t size = (size_t)worker->conf->size;
	const struct payload payload = { client->index, target, ++*seq, due_us };

	payload_write(worker->payload, PAYLOAD_BYTES_MIN, &payload);
	worker->receivers_n = receivers(worker, client->index, target, worker->first,
					worker->clients_n);
	worker->awaited_deliveries += worker->receivers_n;
	worker->stats->due_deliveries += receivers(worker, client->index, target, 0,
						   (uint32_t)worker->conf->connections);
	worker->stats->sent++;
	worker->stats->sent_bytes += size;
	return slice_make(worker->payload, size);
}

void worker_on_said(struct client *client, const struct saying *saying, bool is_awaited)
{
	struct worker *worker = client->worker;

	worker->awaited_answers += is_awaited;
	worker->stats->invocations += is_awaited;
	if (saying->verb == VERB_JOIN || saying->verb == VERB_LEAVE)
		worker->stats->joins++;
	else if (saying->verb == VERB_UPLOAD_ITEM)
		worker->stats->uploads++;
}

/* ---- heard */

void worker_forget(struct worker *worker, uint32_t answers_n)
{
	worker->awaited_answers -=
		answers_n < worker->awaited_answers ? answers_n : worker->awaited_answers;
}

void worker_trouble(struct worker *worker, struct slice why)
{
	char *trouble = worker->share->trouble;
	const size_t len =
		why.len < STATS_TROUBLE_BYTES ? why.len : STATS_TROUBLE_BYTES - 1;

	memcpy(trouble, why.ptr, len);
	trouble[len] = '\0';
}

/* What was due in PHASE_MEASURE counts, even if it comes in PHASE_DRAIN. */
static bool is_timed(const struct worker *worker, int64_t due_us)
{
	return (worker->phase == PHASE_MEASURE || worker->phase == PHASE_DRAIN) &&
	       due_us >= worker->measure_us;
}

bool worker_note(struct client *client, uint32_t sender, uint32_t target, uint32_t seq)
{
	struct worker *worker = client->worker;
	struct stats *stats = worker->stats;

	switch (ledger_note(worker->ledger, client->index, sender, target, seq)) {
	case LEDGER_NEXT:
		return true;
	case LEDGER_GAP:
		stats->gaps++;
		return true;
	case LEDGER_LATE:
		stats->reordered++;
		return true;
	case LEDGER_DUPLICATE:
	case LEDGER_STALE:
		break;
	}
	stats->duplicates++;
	return false;
}

static bool is_stranger(const struct client *client, const struct payload *payload)
{
	const struct worker *worker = client->worker;

	return worker->scenario->is_receiver != NULL &&
	       !worker->scenario->is_receiver(worker->conf, client->index,
					      payload->sender, payload->target);
}

static void count_delivery(struct worker *worker, const struct payload *payload,
			   size_t len)
{
	struct stats *stats = worker->stats;

	stats->deliveries++;
	stats->delivered_bytes += len;
	if (target_kind(payload->target) != TARGET_GROUND &&
	    is_timed(worker, payload->due_us))
		histogram_add(&stats->delivery_us,
			      worker->intake.read_at_us - payload->due_us);
	if (worker->awaited_deliveries > 0 && payload->sender >= worker->first &&
	    payload->sender - worker->first < worker->clients_n)
		worker->awaited_deliveries--;
	worker->progress_us = worker->intake.read_at_us;
}

void worker_on_message(struct client *client, struct slice text)
{
	struct worker *worker = client->worker;
	struct payload payload;

	if (text.len != (size_t)worker->conf->size ||
	    payload_read(text, &payload) != OK) {
		worker->stats->malformed++;
		return;
	}
	if (worker->scenario->on_heard != NULL)
		worker->scenario->on_heard(client, &payload);
	if (is_stranger(client, &payload)) {
		worker->stats->strangers++;
		return;
	}
	if (!worker_note(client, payload.sender, payload.target, payload.seq))
		return;
	count_delivery(worker, &payload, text.len);
	if (worker->scenario->on_message != NULL)
		worker->scenario->on_message(client, &payload);
}

#define ANSWERED_BITS 64u

/* False: there is no such call, or it has its answer. One that has had ANSWERED_BITS
 * behind it is not known any more. */
static bool note_answer(struct client *client, uint32_t number)
{
	const uint32_t newer = client->calls - client->answered_calls;
	const uint32_t behind = client->calls - 1 - number;
	uint64_t bit;

	client->answered = newer < ANSWERED_BITS ? client->answered << newer : 0;
	client->answered_calls = client->calls;
	if (client->awaited == 0 || number >= client->calls)
		return false;
	if (behind >= ANSWERED_BITS)
		return true;
	bit = (uint64_t)1 << behind;
	if ((client->answered & bit) != 0)
		return false;
	client->answered |= bit;
	return true;
}

static void on_answer(struct client *client, const struct hearing *hearing)
{
	struct worker *worker = client->worker;
	struct stats *stats = worker->stats;
	const bool is_error = hearing->heard == HEARD_ERROR;
	uint32_t number;
	int64_t due_us;

	if (client_id_read(hearing->id, &number, &due_us) != OK ||
	    !note_answer(client, number)) {
		stats->malformed++;
		return;
	}
	client->awaited--;
	worker_forget(worker, 1);
	worker->progress_us = worker->intake.read_at_us;
	stats->results += !is_error;
	stats->errors += is_error;
	if (is_error)
		worker_trouble(worker, hearing->error.len > 0
					       ? hearing->error
					       : SLICE("an error without a word"));
	if (is_timed(worker, due_us))
		histogram_add(&stats->invocation_us, worker->intake.read_at_us - due_us);
	if (worker->scenario->on_answer != NULL)
		worker->scenario->on_answer(client, number, hearing->payload, is_error);
}

static void on_item(struct client *client, const struct hearing *hearing)
{
	struct worker *worker = client->worker;
	uint32_t number;
	int64_t due_us;

	if (client_id_read(hearing->id, &number, &due_us) != OK) {
		worker->stats->malformed++;
		return;
	}
	worker->stats->items++;
	if (worker->scenario->on_item != NULL)
		worker->scenario->on_item(client, number, hearing->payload);
}

void worker_on_hearing(struct client *client, const struct hearing *hearing)
{
	const struct scenario *scenario = client->worker->scenario;

	switch (hearing->heard) {
	case HEARD_MESSAGE:
		worker_on_message(client, hearing->payload);
		break;
	case HEARD_RESULT:
	case HEARD_ERROR:
		on_answer(client, hearing);
		break;
	case HEARD_ITEM:
		on_item(client, hearing);
		break;
	case HEARD_QUESTION:
		if (scenario->on_question != NULL)
			scenario->on_question(client, hearing->id, hearing->payload);
		break;
	case HEARD_NOTHING:
	case HEARD_READY:
	case HEARD_REFUSED:
	case HEARD_CLOSE:
		break;
	}
}
