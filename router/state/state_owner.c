/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are placed like groups: a room's history lies where the room does.
 */
#include "router/state/state_owner.h"

#include "proto/base/log.h"
#include "router/ask.h"
#include "router/router.h"
#include "router/state/state_change.h"
#include "router/state/state_message.h"
#include "router/state/state_redis.h"

/* How long a key may outlive its time in memory; nobody sees it then. */
#define EXPIRY_MS 1000

static void on_timer(struct timer *timer)
{
	struct router *router = CONTAINER_OF(timer, struct router, state.timer);
	struct state_table *table = &router->state.table;

	state_table_advance(table, loop_now_ms(router->loop));
	if (table->items.count > 0)
		loop_timer_start(router->loop, timer, EXPIRY_MS);
}

void state_owner_init(struct router *router, uint64_t seed)
{
	const struct state_table_limits limits = {
		.keys_max = (size_t)router->conf->state_keys_max,
		.bytes_max = (size_t)router->conf->state_bytes_max,
	};
	/* Above the versions of the process before us, unless it gave one each us. */
	const uint64_t version = (uint64_t)loop_unix_ms(router->loop) * 1000;

	state_table_init(&router->state.table, &limits, version,
			 loop_now_ms(router->loop), seed);
	timer_init(&router->state.timer, on_timer);
}

void state_owner_fini(struct router *router)
{
	loop_timer_stop(router->loop, &router->state.timer);
	state_table_fini(&router->state.table);
}

struct shard_owner state_owner_of(const struct router *router,
				  const struct state_question *question)
{
	return shard_owner_of(router, question->hub, LINK__KIND__KIND_GROUP,
			      question->key);
}

/* ---- the owner's side */

static void count(struct router *router, enum state_op op, enum err rc)
{
	if (state_op_is_change(op))
		router->metrics.state_change_total++;
	else
		router->metrics.state_read_total++;
	if (rc == ERR_EXISTS)
		router->metrics.state_conflict_total++;
	else if (rc != OK && rc != ERR_NOT_FOUND)
		router->metrics.state_failed_total++;
}

void state_owner_watch(struct router *router)
{
	struct state_owner *state = &router->state;

	if (state->table.items.count > 0 && !timer_is_running(&state->timer))
		loop_timer_start(router->loop, &state->timer, EXPIRY_MS);
}

void state_answer_own(struct router *router, const struct state_question *question,
		      struct arena *arena, struct state_answer *answer)
{
	struct state_owner *state = &router->state;

	*answer = (struct state_answer){ .rc = state_question_check(question) };
	if (answer->rc == OK)
		state_table_ask(&state->table, question, loop_now_ms(router->loop), arena,
				answer);
	count(router, question->op, answer->rc);
	state_owner_watch(router);
	if (question->op == STATE_PUT && answer->rc == OK)
		state_change_on_changed(router, question->hub, question->key);
}

/* What it asked is done in any case. */
static void say_lost(struct link_peer *origin, uint64_t call)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;

	done.call = call;
	done.rc = ERR_OUTCOME;
	if (link_send_state_done(origin, &done, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

static void answer_peer(struct link_peer *origin, uint64_t call,
			const struct state_answer *answer)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;
	struct arena arena = ARENA_INIT;

	state_answer_write(answer, &arena, &done);
	done.call = call;
	if (link_send_state_done(origin, &done, NULL) != OK)
		say_lost(origin, call);
	arena_fini(&arena);
}

static void answer_question(struct router *router, struct link_peer *origin,
			    const Link__State *message)
{
	struct arena arena = ARENA_INIT;
	struct state_answer answer = { .rc = ERR_MOVED };
	struct state_question question;

	state_question_read(message, &question);
	if (!state_owner_of(router, &question).is_own) {
		router->metrics.shards_moved_total++;
		state_answer_to(router, origin, message->call, &answer);
	} else if (state_move_hold(router, origin, message)) {
		return;
	} else if (question.op == STATE_LIST && question.wait_ms > 0) {
		state_change_on_wait(router, origin, message->call, &question);
	} else {
		state_answer_own(router, &question, &arena, &answer);
		state_answer_to(router, origin, message->call, &answer);
		arena_fini(&arena);
	}
}

void state_on_state(struct router *router, struct link_peer *origin,
		    const Link__State *message)
{
	switch ((int)message->op) {
	case LINK__STATE_OP__STATE_OP_CHANGED:
		state_change_on_changed(router, link_slice(message->hub),
					link_slice(message->key));
		break;
	case LINK__STATE_OP__STATE_OP_END:
		state_change_on_end(router, origin, message->call);
		break;
	default:
		answer_question(router, origin, message);
	}
}

/* ---- the asker's */

static void answered(struct router *router, uint64_t call,
		     const struct state_answer *state)
{
	const struct ask_answer answer = { .rc = state->rc, .state = state };

	asks_answer(&router->asks, call, &answer);
}

void state_answer_to(struct router *router, struct link_peer *origin, uint64_t call,
		     const struct state_answer *answer)
{
	if (origin == NULL)
		answered(router, call, answer);
	else
		answer_peer(origin, call, answer);
}

void state_on_done(struct router *router, const Link__StateDone *message)
{
	struct arena arena = ARENA_INIT;
	struct state_answer answer;

	state_answer_read(message, &arena, &answer);
	answered(router, message->call, &answer);
	arena_fini(&arena);
}

static void ask_peer(struct router *router, struct link_peer *peer,
		     const struct state_question *question, struct ask *ask)
{
	Link__State message = LINK__STATE__INIT;
	const uint64_t call = ask->number;
	struct state_answer answer = { .rc = OK };

	state_question_write(question, &message);
	message.call = call;
	answer.rc = link_send_state(peer, &message, ask_put_to(ask, peer));
	if (answer.rc != OK)
		answered(router, call, &answer);
}

void state_on_redis(void *owner, uint64_t call, const struct state_question *question,
		    const struct state_answer *answer)
{
	struct router *router = owner;
	const enum err rc = answer->rc;

	count(router, question->op, rc);
	answered(router, call, answer);
	/* Also when nobody knows whether it was done. */
	if (question->op == STATE_PUT && rc != ERR_EXISTS && rc != ERR_CLOSED)
		state_change_tell(router, question);
}

/* The key is ours, but what is kept under it may have to come yet. */
static bool hold_own(struct router *router, const struct state_question *question,
		     uint64_t call)
{
	Link__State message = LINK__STATE__INIT;

	if (router->shards.map.phase != SHARD_PHASE_COMMIT)
		return false;
	state_question_write(question, &message);
	message.call = call;
	return state_move_hold(router, NULL, &message);
}

void state_ask(struct router *router, const struct state_question *question,
	       struct ask *ask)
{
	const struct shard_owner owner = state_owner_of(router, question);
	struct arena arena = ARENA_INIT;
	struct state_answer answer;

	answer.rc = state_question_check(question);
	if (answer.rc == OK && !owner.is_own && owner.peer == NULL)
		answer.rc = ERR_MOVED;
	if (answer.rc != OK) {
		answer = (struct state_answer){ .rc = answer.rc };
		answered(router, ask->number, &answer);
	} else if (router->redis != NULL && question->wait_ms == 0) {
		state_redis_ask(router->redis, question, ask->number);
	} else if (!owner.is_own) {
		ask_peer(router, owner.peer, question, ask);
	} else if (hold_own(router, question, ask->number)) {
		/* It is answered later. */
	} else if (question->wait_ms > 0) {
		state_change_on_wait(router, NULL, ask->number, question);
	} else {
		state_answer_own(router, question, &arena, &answer);
		answered(router, ask->number, &answer);
	}
	arena_fini(&arena);
}
