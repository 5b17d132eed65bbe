/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits is put into the table first and the key read behind that, so what changes in
 * between is not missed. A change that its owner is not told of, because the router that
 * made it died, is found when the next one begins to wait.
 */
#include "router/state/state_change.h"

#include "proto/base/mem.h"
#include "router/router.h"
#include "router/state/state_message.h"
#include "router/state/state_redis.h"

/* A look at Redis; on the heap. */
struct state_look {
	struct ask ask;
	struct list node;
	struct router *router;
	struct state_topic *topic; /* there for as long as it is read */
};

static struct router *router_of_waits(struct state_waits *waits)
{
	return CONTAINER_OF(waits, struct router, waits);
}

/* ---- the owner of the key */

static void wait_answer(struct state_wait *wait, const struct state_answer *answer)
{
	struct router *router = router_of_waits(wait->waits);
	struct link_peer *origin = wait->id.origin;
	const uint64_t call = wait->id.call;

	state_wait_free(wait);
	state_answer_to(router, origin, call, answer);
}

static void on_due(struct state_wait *wait)
{
	const struct state_answer nothing = { .rc = OK, .last = wait->after };

	wait_answer(wait, &nothing);
}

void state_change_init(struct router *router, uint64_t seed)
{
	state_waits_init(&router->waits, router->loop,
			 (size_t)router->conf->state_waits_max, seed, on_due);
}

void state_change_stop(struct router *router)
{
	struct list *node;

	state_waits_clear(&router->waits);
	while ((node = router->waits.looks.next) != &router->waits.looks)
		ask_cancel(&CONTAINER_OF(node, struct state_look, node)->ask);
}

void state_change_fini(struct router *router)
{
	state_waits_fini(&router->waits);
}

/* Of what was read, by version, that which it has not got. */
static void wait_take(struct state_wait *wait, const struct state_answer *read)
{
	struct state_answer answer = *read;

	while (answer.entries_n > 0 && answer.entries[0].number <= wait->after) {
		answer.entries++;
		answer.entries_n--;
	}
	if (answer.rc != OK || answer.entries_n > 0)
		wait_answer(wait, &answer);
}

/* Those that it has nothing for go on waiting; they may want what did not fit. A page of
 * nothing would be the same one again. */
static void topic_take(struct state_topic *topic, const struct state_answer *read)
{
	LIST_EACH (node, &topic->waits)
		wait_take(CONTAINER_OF(node, struct state_wait, topic_node), read);
	if (read->is_more && read->entries_n > 0)
		topic->is_stale = true;
}

static struct state_question topic_question(const struct state_topic *topic)
{
	return (struct state_question){
		.op = STATE_LIST,
		.hub = state_topic_hub(topic),
		.key = state_topic_key(topic),
		.entries_max = HUB_CHANGES_MAX,
		.expected = HUB_ANY,
		.first = state_topic_after(topic) + 1,
	};
}

static void read_memory(struct router *router, struct state_topic *topic)
{
	do {
		const struct state_question question = topic_question(topic);
		struct arena arena = ARENA_INIT;
		struct state_answer answer;

		state_answer_own(router, &question, &arena, &answer);
		topic_take(topic, &answer);
		arena_fini(&arena);
	} while (state_topic_read_done(&router->waits, topic));
}

/* ---- the same from Redis */

static void on_read(struct ask *ask, const struct ask_answer *answer);

static void read_redis(struct router *router, struct state_topic *topic)
{
	struct state_look *look = MEM_NEW(struct state_look);
	const struct state_question question = topic_question(topic);

	look->router = router;
	look->topic = topic;
	list_init(&look->node);
	list_append(&router->waits.looks, &look->node);
	ask_start(&look->ask, &router->asks, router->conf->hub_await_timeout_ms, on_read);
	state_redis_ask(router->redis, &question, look->ask.number);
}

/* What went wrong is the same to all who wait: it cannot be looked at now. */
static void on_read(struct ask *ask, const struct ask_answer *answer)
{
	const struct state_answer failed = { .rc = ERR_IO };
	struct state_look *look = CONTAINER_OF(ask, struct state_look, ask);
	struct state_topic *topic = look->topic;
	struct router *router = look->router;

	list_remove(&look->node);
	mem_free(look);
	topic_take(topic, answer->rc == OK ? answer->state : &failed);
	if (state_topic_read_done(&router->waits, topic))
		read_redis(router, topic);
}

/* ---- who comes and goes */

static void topic_read(struct router *router, struct state_topic *topic)
{
	if (!state_topic_read(topic))
		return;
	if (router->redis != NULL)
		read_redis(router, topic);
	else
		read_memory(router, topic);
}

void state_change_on_wait(struct router *router, struct link_peer *origin, uint64_t call,
			  const struct state_question *question)
{
	const struct state_wait_id id = { origin, call };
	struct state_answer refused = { .rc = state_question_check(question) };
	struct state_wait *wait = NULL;

	if (refused.rc == OK) {
		wait = state_wait_new(&router->waits, question->hub, question->key, &id,
				      question->wait_ms);
		refused.rc = ERR_LIMIT;
	}
	if (wait == NULL) {
		state_answer_to(router, origin, call, &refused);
		return;
	}
	wait->after = question->first > 0 ? question->first - 1 : 0;
	topic_read(router, wait->topic);
}

void state_change_on_end(struct router *router, struct link_peer *origin, uint64_t call)
{
	struct state_wait *wait =
		state_wait_find(&router->waits, &(struct state_wait_id){ origin, call });

	if (wait != NULL)
		state_wait_free(wait);
}

void state_change_on_changed(struct router *router, struct slice hub, struct slice key)
{
	struct state_topic *topic = state_topic_find(&router->waits, hub, key);

	if (topic != NULL && !list_is_empty(&topic->waits))
		topic_read(router, topic);
}

void state_change_on_moved(struct router *router)
{
	const struct state_answer moved = { .rc = ERR_MOVED };
	struct map_node *node = map_next(&router->waits.by_id, NULL);

	while (node != NULL) {
		struct state_wait *wait = CONTAINER_OF(node, struct state_wait, node);

		node = map_next(&router->waits.by_id, node);
		if (!shard_owner_of(router, state_topic_hub(wait->topic),
				    LINK__KIND__KIND_GROUP, state_topic_key(wait->topic))
			     .is_own)
			wait_answer(wait, &moved);
	}
}

void state_change_on_lost(struct router *router, const struct link_peer *peer)
{
	state_waits_remove_origin(&router->waits, peer);
}

/* ---- who waits, or changes something */

void state_change_cancel(struct router *router, const struct state_question *question,
			 uint64_t call)
{
	const struct shard_owner owner = state_owner_of(router, question);
	Link__State message = LINK__STATE__INIT;

	if (owner.is_own) {
		state_change_on_end(router, NULL, call);
		return;
	}
	message.op = LINK__STATE_OP__STATE_OP_END;
	message.call = call;
	/* If there is no room for it, the wait goes when its time is up. */
	if (owner.peer == NULL || link_send_state(owner.peer, &message, NULL) != OK)
		router->metrics.state_failed_total++;
}

void state_change_tell(struct router *router, const struct state_question *question)
{
	const struct shard_owner owner = state_owner_of(router, question);
	Link__State message = LINK__STATE__INIT;

	if (owner.is_own) {
		state_change_on_changed(router, question->hub, question->key);
		return;
	}
	message.op = LINK__STATE_OP__STATE_OP_CHANGED;
	message.hub = link_bytes(question->hub);
	message.key = link_bytes(question->key);
	/* If there is no room for it, those who wait find out when their time is up. */
	if (owner.peer == NULL || link_send_state(owner.peer, &message, NULL) != OK)
		router->metrics.state_failed_total++;
}
