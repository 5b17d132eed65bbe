/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "presence/presence.h"
#include "tests/sim/inspect.h"
#include "tests/sim/presences.h"

static struct store_watcher before;

static void on_event(void *owner, const struct store_event *event)
{
	if (event->change == STORE_RESET)
		presences_reset();
	else
		presences_changed(event->user_id, event->change == STORE_ONLINE);
	before.on_event(owner, event);
}

void inspect_presence_watch(void *state)
{
	struct presence *presence = state;

	before = presence->store->watcher;
	presence->store->watcher.on_event = on_event;
	presences_reset();
}

struct count {
	struct store_call call;
	size_t n;
	size_t users_n;
};

static void on_user(struct store_call *call, const struct store_answer *answer)
{
	struct count *count = CONTAINER_OF(call, struct count, call);

	count->n = answer->rc == OK ? answer->users[0].connections_n : 0;
}

size_t inspect_presence_connections(void *state, const char *user)
{
	struct presence *presence = state;
	struct count count = { .n = 0 };

	store_call_init(&count.call, on_user);
	presence->store->ops->user(presence->store, slice_from_str(user), SLICE_NONE, 1,
				   &count.call);
	return count.n;
}

static void on_count(struct store_call *call, const struct store_answer *answer)
{
	struct count *count = CONTAINER_OF(call, struct count, call);

	assert(answer->rc == OK);
	count->n = answer->connections_n;
	count->users_n = answer->users_n;
}

const char *inspect_presence_left(void *state)
{
	struct presence *presence = state;
	struct count count = { .n = 0 };

	store_call_init(&count.call, on_count);
	presence->store->ops->count(presence->store, &count.call);
	if (count.n > 0)
		return "connections";
	return count.users_n > 0 ? "users" : NULL;
}
