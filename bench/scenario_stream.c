/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of streams: from the server (stream) and to it (upload). Each due message is
 * a whole stream of STREAM_ITEMS items.
 */
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"

#define STREAM_ITEMS 100
#define PICK_TRIES 8

/* Item i of a client's stream has the number of items before that stream, and i. */
static uint32_t stream_target(void)
{
	return target_make(TARGET_STREAM, 0);
}

/* ---- stream: `pending` is 1 while one is on the way, `seq` what came before it */

static struct client *stream_pick(struct worker *worker)
{
	for (int i = 0; i < PICK_TRIES; i++) {
		struct client *client = senders_pick(worker->scenario_state, worker);

		if (client == NULL || client->pending == 0)
			return client;
	}
	return NULL;
}

static bool stream_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = stream_pick(worker);
	struct saying saying = { .verb = VERB_STREAM,
				 .number = STREAM_ITEMS,
				 .size = (uint32_t)worker->conf->size };

	if (client == NULL || !scenario_say(client, &saying, due_us))
		return false;
	client->pending = 1;
	worker->stats->sent++;
	worker->stats->due_deliveries += STREAM_ITEMS;
	return true;
}

static void stream_on_item(struct client *client, uint32_t number, struct slice payload)
{
	struct stats *stats = client->worker->stats;
	int64_t item;

	(void)number; /* a client has one stream at a time */
	if (client->pending == 0 || slice_to_int64(payload, &item) != OK || item < 0 ||
	    item >= STREAM_ITEMS || payload.len != (size_t)client->worker->conf->size) {
		stats->malformed++;
		return;
	}
	if (!worker_note(client, client->index, stream_target(),
			 client->seq + (uint32_t)item + 1))
		return;
	stats->deliveries++;
	stats->delivered_bytes += payload.len;
}

/* What was missing of this one becomes a gap of the next. */
static void stream_on_answer(struct client *client, uint32_t number, struct slice result,
			     bool is_error)
{
	(void)number;
	(void)result;
	(void)is_error; /* counted by the worker; the items that did not come are lost */
	client->pending = 0;
	client->seq += STREAM_ITEMS;
}

/* It was lost, with its stream. */
static void stream_on_ready(struct client *client)
{
	if (client->pending == 0)
		return;
	client->pending = 0;
	client->seq += STREAM_ITEMS;
}

const struct scenario scenario_stream = {
	.name = "stream",
	.help = "A client has the server stream 100 items to it.",
	.rate = "streams/s",
	.needs_results = true,
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = stream_on_due,
	.on_ready = stream_on_ready,
	.on_answer = stream_on_answer,
	.on_item = stream_on_item,
};

/* ---- upload: what is delivered is what the server says it has counted */

static bool items_send(struct client *client, struct slice id, int64_t due_us)
{
	struct saying item = { .verb = VERB_UPLOAD_ITEM, .id = id };
	struct saying end = { .verb = VERB_UPLOAD_END, .id = id };

	for (int i = 0; i < STREAM_ITEMS; i++)
		if (!scenario_send(client, &item, stream_target(), &client->seq, due_us))
			return false;
	return scenario_say(client, &end, -1);
}

static bool upload_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);
	struct saying saying = { .verb = VERB_UPLOAD };
	char id[CLIENT_ID_BYTES];

	if (client == NULL || !scenario_say(client, &saying, due_us))
		return false;
	if (saying.id.len > sizeof(id)) {
		worker_fail(worker, "the id of an upload is too long");
		return false;
	}
	memcpy(id, saying.id.ptr, saying.id.len);
	worker->stats->due_deliveries += STREAM_ITEMS;
	return items_send(client, slice_make(id, saying.id.len), due_us);
}

static void upload_on_answer(struct client *client, uint32_t number, struct slice result,
			     bool is_error)
{
	struct stats *stats = client->worker->stats;
	int64_t n;

	(void)number;
	if (is_error)
		return;
	if (slice_to_int64(result, &n) != OK || n < 0) {
		stats->malformed++;
		return;
	}
	if (n > STREAM_ITEMS) {
		stats->duplicates += (uint64_t)(n - STREAM_ITEMS);
		n = STREAM_ITEMS;
	}
	stats->deliveries += (uint64_t)n;
	stats->delivered_bytes += (uint64_t)n * (uint64_t)client->worker->conf->size;
}

const struct scenario scenario_upload = {
	.name = "upload",
	.help = "A client streams 100 items to the server, which says how many came.",
	.rate = "streams/s",
	.needs_results = true,
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = upload_on_due,
	.on_answer = upload_on_answer,
};
