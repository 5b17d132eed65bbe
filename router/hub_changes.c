/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for fields to change: a listing of what is newer that the owner of the key
 * holds back until there is something.
 */
#include "router/hub_changes.h"

#include "router/hub_steps.h"
#include "router/hub_wait.h"
#include "router/state/state_change.h"
#include "router/state/state_owner.h"

static void take(struct hub_changes *changes, struct arena *arena,
		 const struct state_answer *answer)
{
	struct hub_field *fields =
		arena_alloc(arena, answer->entries_n * sizeof(*fields));

	for (size_t i = 0; i < answer->entries_n; i++)
		fields[i] = (struct hub_field){ .name = answer->entries[i].name,
						.bytes = answer->entries[i].bytes,
						.version = answer->entries[i].number };
	changes->fields = fields;
	changes->n = answer->entries_n;
	if (changes->n > 0)
		changes->after = fields[changes->n - 1].version;
	changes->version = answer->last > changes->after ? answer->last : changes->after;
}

static int64_t wait_ms_of(int64_t timeout_ms)
{
	if (timeout_ms < 0)
		return 0;
	return timeout_ms < HUB_CHANGES_MS_MAX ? timeout_ms : HUB_CHANGES_MS_MAX;
}

enum hub_rc hub_await_changes(struct hub_call *call, struct slice key, uint64_t after,
			      int64_t timeout_ms, struct hub_changes *changes)
{
	struct router *router = call->runtime->router;
	struct state_question question = {
		.op = STATE_LIST,
		.hub = hub_served_name(call->conn->hub),
		.key = key,
		.entries_max = HUB_CHANGES_MAX,
		.expected = HUB_ANY,
		.first = after < UINT64_MAX ? after + 1 : after,
		.wait_ms = wait_ms_of(timeout_ms),
	};
	/* The owner says when the time is up; the rest is for its answer. */
	const int64_t end_ms = hub_wait_deadline(call) + question.wait_ms;
	struct hub_wait *wait;
	size_t owners = 0;
	enum hub_rc rc;

	*changes = (struct hub_changes){ .after = after, .version = after };
	do {
		wait = hub_wait_new_until(call, end_ms);
		if (wait == NULL)
			return HUB_ECANCELED;
		state_ask(router, &question, &wait->ask);
		rc = hub_wait_end(wait);
	} while (wait->rc == ERR_MOVED && ++owners < HUB_OWNERS_MAX);
	if (timeout_ms > 0 && (rc == HUB_ECANCELED || rc == HUB_ETIMEDOUT))
		state_change_cancel(router, &question, wait->ask.number);
	if (rc != HUB_OK)
		return rc;
	take(changes, hub_arena(call), &wait->state);
	return timeout_ms > 0 && changes->n == 0 ? HUB_ETIMEDOUT : HUB_OK;
}
