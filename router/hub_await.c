/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Awaits: put a question, stop the fiber, go on with the answer. The answer may come
 * before the fiber stops, when the owner of the key is this very router.
 *
 * A call waits for one answer at a time, so it has one wait, made when it first needs it.
 */
#include <assert.h>
#include <stdlib.h>

#include "router/group_page.h"
#include "router/hub_event.h"
#include "router/hub_steps.h"
#include "router/hub_wait.h"
#include "router/route.h"

static int compare_members(const void *a, const void *b)
{
	const struct hub_member *left = a;
	const struct hub_member *right = b;
	const int by_user = slice_compare(left->user_id, right->user_id);

	return by_user != 0 ? by_user
			    : slice_compare(left->connection_id, right->connection_id);
}

static void wait_take_members(struct hub_wait *wait, const Link__Members *members)
{
	struct arena *arena = hub_arena(wait->call);

	wait->members = arena_alloc(arena, members->n_members * sizeof(*wait->members));
	for (size_t i = 0; i < members->n_members; i++) {
		const Link__Member *from = members->members[i];

		wait->members[wait->members_n++] = (struct hub_member){
			.connection_id = arena_dup(arena, link_slice(from->connection)),
			.user_id = arena_dup(arena, link_slice(from->user_id)),
			.user_name = arena_dup(arena, link_slice(from->user_name)),
		};
	}
	wait->next = arena_dup(arena, link_slice(members->next));
}

static enum hub_rc client_failed(struct hub_call *call, struct slice error)
{
	call->client_error = arena_dup(hub_arena(call), error);
	call->passed =
		arena_printf(hub_arena(call), " HubException: %.*s", SLICE_FMT(error));
	return HUB_FAILED;
}

static void wait_take_answer(struct hub_wait *wait, const Link__Answer *answer)
{
	const struct hub_codec *codec = hub_codec((enum hub_protocol)answer->protocol);
	struct arena *arena = hub_arena(wait->call);
	struct value *result;

	if (answer->has_error)
		wait->hub_rc = client_failed(wait->call, link_slice(answer->error));
	else if (answer->result.len == 0)
		wait->hub_rc =
			client_failed(wait->call, SLICE("The client gave no result."));
	else if (codec == NULL ||
		 codec->decode_value(arena_dup(arena, link_slice(answer->result)), arena,
				     &result) != OK)
		wait->hub_rc = client_failed(
			wait->call, SLICE("The client's result cannot be read."));
	else
		wait->result = result;
}

static void on_answer(struct ask *ask, const struct ask_answer *answer)
{
	struct hub_wait *wait = CONTAINER_OF(ask, struct hub_wait, ask);

	wait->call->is_asking = false;
	wait->rc = answer->rc;
	if (answer->rc == ERR_TIMEOUT)
		wait->call->runtime->router->metrics.ask_timeout_total++;
	if (answer->rc == OK && answer->members != NULL)
		wait_take_members(wait, answer->members);
	if (answer->state != NULL) /* also tells of a conflict */
		hub_wait_take_state(wait, answer->state);
	if (answer->rc == OK && answer->reply != NULL)
		hub_wait_take_reply(wait, answer->reply);
	if (answer->rc == OK && answer->answer != NULL)
		wait_take_answer(wait, answer->answer);
	hub_call_wake(wait->call);
}

static struct hub_wait *wait_new_ms(struct hub_call *call, int64_t timeout_ms)
{
	struct router *router = call->runtime->router;

	if (call->is_canceled || call->runtime->is_stopping)
		return NULL;
	if (call->wait == NULL)
		call->wait = arena_alloc(&call->arena, sizeof(*call->wait));
	*call->wait = (struct hub_wait){ .call = call };
	call->is_asking = true;
	ask_start(&call->wait->ask, &router->asks, timeout_ms, on_answer);
	return call->wait;
}

struct hub_wait *hub_wait_new(struct hub_call *call)
{
	return wait_new_ms(call, call->conn->hub->conf->await_timeout_ms);
}

int64_t hub_wait_deadline(const struct hub_call *call)
{
	return loop_now_ms(call->runtime->router->loop) +
	       call->conn->hub->conf->await_timeout_ms;
}

struct hub_wait *hub_wait_new_until(struct hub_call *call, int64_t end_ms)
{
	const int64_t left_ms = end_ms - loop_now_ms(call->runtime->router->loop);

	return wait_new_ms(call, left_ms > 0 ? left_ms : 0);
}

void hub_wait_cancel(struct hub_call *call)
{
	assert(call->is_asking);
	ask_cancel(&call->wait->ask);
}

enum hub_rc hub_wait_end(struct hub_wait *wait)
{
	while (wait->call->is_asking)
		hub_call_pause(wait->call);
	switch (wait->rc) {
	case OK:
		return wait->hub_rc;
	case ERR_TIMEOUT:
		return HUB_ETIMEDOUT;
	case ERR_CANCELED:
		return HUB_ECANCELED;
	case ERR_NOT_FOUND:
		return HUB_ENOTFOUND;
	case ERR_LIMIT:
	case ERR_ARGUMENT:
		return HUB_ELIMIT;
	case ERR_EXISTS:
		return HUB_ECONFLICT;
	case ERR_AGAIN:
	case ERR_CLOSED:
	case ERR_MALFORMED:
	case ERR_DENIED:
	case ERR_UNSUPPORTED:
	case ERR_OUTCOME:
	case ERR_IO:
	case ERR_MOVED:
		break;
	}
	return HUB_EUNAVAILABLE;
}

static enum hub_rc await_join(struct hub_call *call, struct slice connection_id,
			      struct slice group, bool is_leave)
{
	struct hub_wait *wait = hub_wait_new(call);
	Link__Join join = LINK__JOIN__INIT;

	if (wait == NULL)
		return HUB_ECANCELED;
	join.hub = link_bytes(hub_served_name(call->conn->hub));
	join.connection = link_bytes(connection_id);
	join.group = link_bytes(group);
	join.is_leave = is_leave;
	route_join(call->runtime->router, &join, &wait->ask);
	return hub_wait_end(wait);
}

enum hub_rc hub_await_join(struct hub_call *call, struct slice group)
{
	return await_join(call, call->conn->id, group, false);
}

enum hub_rc hub_await_leave(struct hub_call *call, struct slice group)
{
	return await_join(call, call->conn->id, group, true);
}

enum hub_rc hub_await_join_connection(struct hub_call *call, struct slice connection_id,
				      struct slice group)
{
	return await_join(call, connection_id, group, false);
}

enum hub_rc hub_await_leave_connection(struct hub_call *call, struct slice connection_id,
				       struct slice group)
{
	return await_join(call, connection_id, group, true);
}

/* ---- time */

bool hub_is_canceled(const struct hub_call *call)
{
	return call->is_canceled || call->runtime->is_stopping ||
	       (call->conn->is_gone && call->kind != HUB_CALL_DISCONNECTED);
}

static void on_timer(struct timer *timer)
{
	hub_call_wake(CONTAINER_OF(timer, struct hub_call, timer));
}

/* Until the time is over or the call canceled. */
static void rest(struct hub_call *call, int64_t ms)
{
	struct loop *loop = call->runtime->router->loop;

	timer_init(&call->timer, on_timer);
	loop_timer_start(loop, &call->timer, ms > 0 ? ms : 0);
	while (timer_is_running(&call->timer) && !hub_is_canceled(call))
		hub_call_pause(call);
	loop_timer_stop(loop, &call->timer);
}

enum hub_rc hub_await_sleep(struct hub_call *call, int64_t ms)
{
	if (!hub_is_canceled(call))
		rest(call, ms);
	return hub_is_canceled(call) ? HUB_ECANCELED : HUB_OK;
}

enum hub_rc hub_await_cancel(struct hub_call *call, int64_t ms)
{
	if (ms >= 0 && !hub_is_canceled(call))
		rest(call, ms);
	while (ms < 0 && !hub_is_canceled(call))
		hub_call_pause(call);
	return hub_is_canceled(call) ? HUB_ECANCELED : HUB_ETIMEDOUT;
}

/* ---- members */

/* Of the pages that came. */
struct member_list {
	struct hub_member *items; /* where the call's values are */
	size_t n;
	size_t room;
	struct slice next; /* empty before the first page and behind the last */
};

static enum hub_rc members_take(struct member_list *all, const struct hub_wait *wait)
{
	struct hub_member *items = all->items;

	all->next = wait->next;
	if (all->n + wait->members_n > HUB_MEMBERS_MAX)
		return HUB_ELIMIT;
	if (all->n == 0) {
		all->items = wait->members;
		all->n = all->room = wait->members_n;
		return HUB_OK;
	}
	if (all->n + wait->members_n > all->room) {
		all->room = (all->n + wait->members_n) * 2;
		all->items = arena_alloc(hub_arena(wait->call),
					 all->room * sizeof(*all->items));
		memcpy(all->items, items, all->n * sizeof(*all->items));
	}
	for (size_t i = 0; i < wait->members_n; i++)
		all->items[all->n++] = wait->members[i];
	return HUB_OK;
}

static enum hub_rc await_page(struct hub_call *call, struct slice group,
			      struct member_list *all, int64_t end_ms)
{
	struct hub_wait *wait = hub_wait_new_until(call, end_ms);
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;
	enum hub_rc rc;

	if (wait == NULL)
		return HUB_ECANCELED;
	list.hub = link_bytes(hub_served_name(call->conn->hub));
	list.group = link_bytes(group);
	list.cursor = link_bytes(all->next);
	list.limit = GROUP_PAGE_MAX;
	route_list_members(call->runtime->router, &list, &wait->ask);
	rc = hub_wait_end(wait);
	return rc == HUB_OK ? members_take(all, wait) : rc;
}

enum hub_rc hub_await_members(struct hub_call *call, struct slice group,
			      const struct hub_member **members, size_t *n)
{
	const int64_t end_ms = hub_wait_deadline(call);
	struct member_list all = { .items = NULL };
	enum hub_rc rc;

	*members = NULL;
	*n = 0;
	do
		rc = await_page(call, group, &all, end_ms);
	while (rc == HUB_OK && all.next.len > 0);
	if (rc != HUB_OK)
		return rc;
	if (all.n > 0)
		qsort(all.items, all.n, sizeof(*all.items), compare_members);
	*members = all.items;
	*n = all.n;
	return HUB_OK;
}

/* ---- clients */

enum hub_rc hub_await_client(struct hub_call *call, struct slice connection_id,
			     struct slice event, const struct value *arguments,
			     int64_t timeout_ms, const struct value **result)
{
	const struct hub_codec *codec = hub_codec(
		hub_is_json_enough(arguments) ? HUB_PROTOCOL_JSON : HUB_PROTOCOL_MSGPACK);
	Link__Question question = LINK__QUESTION__INIT;
	struct buf raw = BUF_INIT;
	struct hub_wait *wait;
	enum hub_rc rc;

	*result = NULL;
	call->client_error = SLICE_NONE;
	if (arguments->type != VALUE_ARRAY) {
		hub_misuse(call, "hub_await_client(): arguments that are no array");
		return HUB_FAILED;
	}
	if (call->kind == HUB_CALL_CONNECTED)
		return client_failed(call, SLICE("A client cannot be asked before "
						 "on_connected is over."));
	if (timeout_ms <= 0)
		timeout_ms = call->conn->hub->conf->client_result_timeout_ms;
	wait = wait_new_ms(call, timeout_ms);
	if (wait == NULL)
		return HUB_ECANCELED;
	codec->encode_value(&raw, arguments);
	question.hub = link_bytes(hub_served_name(call->conn->hub));
	question.connection = link_bytes(connection_id);
	question.target = link_bytes(event);
	question.protocol = codec->protocol;
	question.arguments = link_bytes(buf_slice(&raw));
	question.timeout_ms = (uint64_t)timeout_ms;
	route_question(call->runtime->router, &question, &wait->ask);
	buf_fini(&raw);
	rc = hub_wait_end(wait);
	*result = wait->result;
	return rc;
}

struct slice hub_client_error(const struct hub_call *call)
{
	return call->client_error;
}
