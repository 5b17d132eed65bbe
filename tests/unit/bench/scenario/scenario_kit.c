/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bench/scenario/scenario_kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/mem.h"

static const char *const verbs[VERBS] = {
	[VERB_ECHO] = "echo",
	[VERB_BROADCAST] = "broadcast",
	[VERB_SEND_GROUP] = "group",
	[VERB_SEND_USER] = "user",
	[VERB_SEND_CONNECTION] = "connection",
	[VERB_JOIN] = "join",
	[VERB_LEAVE] = "leave",
	[VERB_STREAM] = "stream",
	[VERB_UPLOAD] = "upload",
	[VERB_UPLOAD_ITEM] = "item",
	[VERB_UPLOAD_END] = "end",
	[VERB_ASK] = "ask",
	[VERB_ANSWER] = "answer",
	[VERB_PING] = "ping",
};

static struct kit *kit_of(struct worker *worker)
{
	return (struct kit *)worker; /* its first member */
}

static void make_folder(struct kit *kit)
{
	(void)snprintf(kit->folder, sizeof(kit->folder), "/tmp/heliograph-kit-XXXXXX");
	cr_assert_not_null(mkdtemp(kit->folder));
	(void)snprintf(kit->path, sizeof(kit->path), "%s/history", kit->folder);
	(void)snprintf(kit->history, sizeof(kit->history), "%s.0", kit->path);
	kit->conf.history = kit->path;
}

struct kit *kit_new(const char *scenario, const struct bench_conf *conf, uint32_t first,
		    uint32_t n)
{
	struct kit *kit = MEM_NEW(struct kit);
	struct worker *worker = &kit->worker;

	kit->conf = *conf;
	make_folder(kit);
	kit->dialect.name = "kit";
	kit->dialect.has_results = true;
	worker->conf = &kit->conf;
	worker->scenario = scenario_named(scenario);
	cr_assert_not_null(worker->scenario);
	worker->dialect = &kit->dialect;
	worker->stats = &kit->stats;
	worker->ledger = ledger_new(1000);
	worker->first = first;
	worker->clients_n = n;
	worker->clients = mem_zalloc(n * sizeof(struct client));
	worker->phase = PHASE_SET_UP;
	for (uint32_t i = 0; i < n; i++) {
		char id[32];
		const int len = snprintf(id, sizeof(id), "id-%u", first + i);

		worker->clients[i].worker = worker;
		worker->clients[i].index = first + i;
		worker->clients[i].state = CLIENT_READY;
		worker->clients[i].connection_id = mem_dup(id, (size_t)len);
	}
	return kit;
}

void kit_free(struct kit *kit)
{
	if (kit->worker.scenario->fini != NULL)
		kit->worker.scenario->fini(&kit->worker);
	cr_assert_null(kit->worker.scenario_state);
	for (uint32_t i = 0; i < kit->worker.clients_n; i++)
		mem_free(kit->worker.clients[i].connection_id);
	mem_free(kit->worker.clients);
	ledger_free(kit->worker.ledger);
	buf_fini(&kit->said);
	(void)unlink(kit->history); /* most scenarios wrote none */
	cr_assert_eq(rmdir(kit->folder), 0);
	mem_free(kit);
}

void kit_start(struct kit *kit)
{
	struct worker *worker = &kit->worker;
	const struct scenario *scenario = worker->scenario;

	cr_assert(scenario->init == NULL || scenario->init(worker));
	for (uint32_t i = 0; i < worker->clients_n; i++) {
		const uint32_t number = worker->clients[i].calls;

		if (scenario->set_up == NULL)
			break;
		scenario->set_up(&worker->clients[i]);
		if (worker->clients[i].calls > number)
			kit_answer(kit, worker->first + i, number, SLICE(""));
		cr_assert_eq(kit->set_up_n, i + 1);
	}
	kit_forget(kit);
	worker->phase = PHASE_MEASURE;
}

bool kit_due(struct kit *kit, int64_t due_us)
{
	return kit->worker.scenario->on_due(&kit->worker, due_us);
}

void kit_expect(struct kit *kit, const char *lines)
{
	buf_append(&kit->said, "", 1);
	cr_assert_str_eq(buf_slice(&kit->said).ptr, lines);
	kit_forget(kit);
}

void kit_forget(struct kit *kit)
{
	buf_consume(&kit->said, buf_slice(&kit->said).len);
}

void kit_answer(struct kit *kit, uint32_t client, uint32_t number, struct slice result)
{
	kit->worker.scenario->on_answer(worker_client(&kit->worker, client), number,
					result, false);
}

void kit_answer_error(struct kit *kit, uint32_t client, uint32_t number)
{
	kit->worker.scenario->on_answer(worker_client(&kit->worker, client), number,
					SLICE(""), true);
}

struct slice kit_payload(const struct kit *kit)
{
	return slice_make(kit->payload, kit->payload_len);
}

void kit_deliver(struct kit *kit, uint32_t client)
{
	worker_on_message(worker_client(&kit->worker, client), kit_payload(kit));
}

/* ---- what the worker does for scenarios */

struct client *worker_client(struct worker *worker, uint32_t index)
{
	if (index < worker->first || index - worker->first >= worker->clients_n)
		return NULL;
	return &worker->clients[index - worker->first];
}

void worker_fail(struct worker *worker, const char *format, ...)
{
	struct kit *kit = kit_of(worker);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(kit->failure, sizeof(kit->failure), format, args);
	va_end(args);
}

struct slice worker_payload(struct client *client, uint32_t target, uint32_t *seq,
			    int64_t due_us)
{
	struct kit *kit = kit_of(client->worker);
	const struct scenario *scenario = client->worker->scenario;
	const struct payload payload = {
		.sender = client->index, .target = target, .seq = ++*seq, .due_us = due_us
	};

	kit->stats.sent++;
	if (scenario->receivers != NULL)
		kit->stats.due_deliveries +=
			scenario->receivers(&kit->conf, client->index, target, 0,
					    (uint32_t)kit->conf.connections);
	kit->payload_len = (size_t)kit->conf.size;
	payload_write(kit->payload, kit->payload_len, &payload);
	return kit_payload(kit);
}

bool worker_note(struct client *client, uint32_t sender, uint32_t target, uint32_t seq)
{
	struct worker *worker = client->worker;

	switch (ledger_note(worker->ledger, client->index, sender, target, seq)) {
	case LEDGER_NEXT:
		return true;
	case LEDGER_GAP:
		worker->stats->gaps++;
		return true;
	case LEDGER_LATE:
		worker->stats->reordered++;
		return true;
	case LEDGER_DUPLICATE:
	case LEDGER_STALE:
		break;
	}
	worker->stats->duplicates++;
	return false;
}

void worker_on_message(struct client *client, struct slice text)
{
	struct worker *worker = client->worker;
	const struct scenario *scenario = worker->scenario;
	struct payload payload;

	if (payload_read(text, &payload) != OK) {
		worker->stats->malformed++;
		return;
	}
	if (scenario->on_heard != NULL)
		scenario->on_heard(client, &payload);
	if (scenario->is_receiver != NULL &&
	    !scenario->is_receiver(worker->conf, client->index, payload.sender,
				   payload.target))
		worker->stats->strangers++;
	else if (worker_note(client, payload.sender, payload.target, payload.seq)) {
		worker->stats->deliveries++;
		if (scenario->on_message != NULL)
			scenario->on_message(client, &payload);
	}
}

void worker_set_up_done(struct client *client)
{
	kit_of(client->worker)->set_up_n++;
}

void worker_open(struct client *client, int64_t due_us)
{
	cr_assert_eq(client->state, CLIENT_IDLE);
	client->state = CLIENT_OPENING;
	client->worker->opening_n++;
	buf_appendf(&kit_of(client->worker)->said, "%u open @%lld\n", client->index,
		    (long long)due_us);
}

void worker_close(struct client *client)
{
	cr_assert_eq(client->state, CLIENT_READY);
	client->state = CLIENT_IDLE;
	buf_appendf(&kit_of(client->worker)->said, "%u close\n", client->index);
}

/* ---- what clients do for scenarios */

void client_open_later(struct client *client, int64_t delay_ms)
{
	cr_assert_eq(client->state, CLIENT_IDLE);
	buf_appendf(&kit_of(client->worker)->said, "%u open in %lld ms\n", client->index,
		    (long long)delay_ms);
}

static void say_payload(struct buf *out, struct slice text)
{
	struct payload payload;

	if (text.len == 0)
		return;
	cr_assert_eq(payload_read(text, &payload), OK);
	buf_appendf(out, " ~%u.%d:%u.%u", payload.sender,
		    (int)target_kind(payload.target), target_number(payload.target),
		    payload.seq);
}

enum err client_say(struct client *client, struct saying *saying, int64_t due_us)
{
	struct kit *kit = kit_of(client->worker);
	struct buf *out = &kit->said;

	cr_assert_eq(client->state, CLIENT_READY);
	if (kit->is_wordless)
		return ERR_UNSUPPORTED;
	buf_appendf(out, "%u %s", client->index, verbs[saying->verb]);
	if (due_us >= 0) {
		const int len = snprintf(kit->id, sizeof(kit->id), "%u", client->calls++);

		cr_assert_eq(saying->id.len, 0);
		saying->id = slice_make(kit->id, (size_t)len);
		buf_appendf(out, " #%s", kit->id);
	} else if (saying->id.len > 0)
		buf_appendf(out, " id=%.*s", SLICE_FMT(saying->id));
	if (saying->name.len > 0)
		buf_appendf(out, " %.*s", SLICE_FMT(saying->name));
	say_payload(out, saying->payload);
	if (saying->verb == VERB_STREAM)
		buf_appendf(out, " %ux%u", saying->number, saying->size);
	buf_append_str(out, "\n");
	return OK;
}
