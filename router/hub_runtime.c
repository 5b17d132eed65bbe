/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls wait in their connection's queue; the first of each is ready. At the end of the
 * turn ready calls get a fiber and run until they await or return. A call whose method is
 * over makes room for the next at once, and its Complete leaves when its sends are
 * confirmed.
 */
#include "router/hub_runtime.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/fiber.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_json.h"
#include "router/hub_private.h"
#include "router/hubs/hubs.h"

#define FIBERS_SPARE_MAX 64

/* There was no memory for a fiber: try again. */
#define FIBER_RETRY_MS 100

static const struct hub_module *const modules[] = { &relay_hub, &chat_hub };

static void on_flush(struct loop_flush *flush);
static void on_retry(struct timer *timer);

/* ---- life */

void hub_runtime_serve(struct hub_runtime *runtime, const struct hub_module *module)
{
	const size_t n = runtime->served_n + 1;

	/* Connections point into the array. */
	assert(runtime->router->conns.count == 0);
	assert(module->api_version == HUB_API_VERSION);
	runtime->served = mem_realloc(runtime->served, n * sizeof(*runtime->served));
	runtime->served[runtime->served_n++].module = module;
}

static void serve_by_name(struct hub_runtime *runtime, struct slice name)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (slice_equal_nocase(slice_from_str(modules[i]->name), name)) {
			hub_runtime_serve(runtime, modules[i]);
			return;
		}
	}
	fatal("hubs: there is no hub named '%.*s'", SLICE_FMT(name));
}

struct hub_runtime *hub_runtime_new(struct router *router, const char *names)
{
	struct hub_runtime *runtime = MEM_NEW(struct hub_runtime);
	struct slice rest = slice_from_str(names);

	runtime->router = router;
	runtime->fibers =
		fiber_pool_new((size_t)router->conf->hub_calls_max, FIBERS_SPARE_MAX);
	list_init(&runtime->ready);
	list_init(&runtime->waiting);
	timer_init(&runtime->retry, on_retry);
	loop_flush_init(&runtime->flush, on_flush);
	do {
		serve_by_name(runtime, slice_trim(slice_cut(&rest, ',')));
	} while (rest.ptr != NULL);
	return runtime;
}

const struct hub_served *hub_find(const struct hub_runtime *runtime, struct slice name)
{
	for (size_t i = 0; i < runtime->served_n; i++) {
		if (slice_equal(hub_served_name(&runtime->served[i]), name))
			return &runtime->served[i];
	}
	return NULL;
}

struct slice hub_served_name(const struct hub_served *hub)
{
	return slice_from_str(hub->module->name);
}

/* ---- a call's life */

static struct hub_call *call_new(struct conn *conn, enum hub_call_kind kind)
{
	struct arena arena;
	struct hub_call *call;

	arena_init(&arena);
	call = ARENA_NEW(&arena, struct hub_call);
	call->arena = arena;
	call->runtime = conn->router->hubs;
	call->conn = conn;
	call->kind = kind;
	list_init(&call->conn_node);
	list_init(&call->node);
	list_append(&conn->calls, &call->conn_node);
	conn->router->metrics.calls++;
	return call;
}

static void call_free(struct hub_call *call)
{
	struct arena arena = call->arena;

	assert(call->sends_left == 0 && call->fiber == NULL);
	call->runtime->router->metrics.calls--;
	list_remove(&call->node);
	list_remove(&call->conn_node);
	arena_fini(&arena);
}

static void call_ready(struct hub_call *call)
{
	if (!list_is_linked(&call->node))
		list_append(&call->runtime->ready, &call->node);
	loop_touch(call->runtime->router->loop, &call->runtime->flush);
}

/* Only the first of the queue runs. */
static void call_queued(struct hub_call *call)
{
	if (call->conn->calls.next == &call->conn_node)
		call_ready(call);
}

void hub_call_wake(struct hub_call *call)
{
	if (call->runtime->running != call)
		call_ready(call);
}

/* ---- the end of a call */

static void call_complete(struct hub_call *call)
{
	struct router *router = call->runtime->router;
	Link__Complete complete = LINK__COMPLETE__INIT;
	struct buf frame = BUF_INIT;

	if (call->conn == NULL || call->conn->gateway == NULL)
		return;
	if (call->is_answered)
		hub_call_encode(call, &frame);
	complete.hub = link_bytes(hub_served_name(call->conn->hub));
	complete.connection = link_bytes(call->conn->id);
	complete.call = call->number;
	complete.frame = link_bytes(buf_slice(&frame));
	if (link_send_complete(call->conn->gateway->peer, &complete, NULL) != OK)
		router_resync(call->conn->gateway);
	buf_fini(&frame);
	histogram_add_us(&router->metrics.invoke_seconds,
			 (uint64_t)(loop_clock_us() - call->started_us));
	if (call->failure.ptr != NULL || call->rc != HUB_OK || call->has_send_failed)
		router->metrics.invoke_failed_total++;
}

static void abort_connection(struct conn *conn, struct slice error)
{
	Link__Abort message = LINK__ABORT__INIT;

	if (conn->gateway == NULL)
		return;
	message.hub = link_bytes(hub_served_name(conn->hub));
	message.connection = link_bytes(conn->id);
	message.error = link_bytes(error);
	if (link_send_abort(conn->gateway->peer, &message, NULL) != OK)
		router_resync(conn->gateway);
}

void hub_abort(struct hub_call *call)
{
	abort_connection(call->conn, SLICE_NONE);
}

static void call_confirm(struct hub_call *call)
{
	if (call->kind == HUB_CALL_INVOKE) {
		call_complete(call);
		if (call->conn != NULL)
			call->conn->invokes_n--;
	}
	call_free(call);
}

/* A connection whose last call is over is no more; calls that still wait for their sends
 * have nobody left to tell. */
static void conn_ended(struct conn *conn)
{
	LIST_EACH (node, &conn->confirming) {
		CONTAINER_OF(node, struct hub_call, conn_node)->conn = NULL;
		list_remove(node);
	}
	conn_free(conn);
}

static void call_over(struct hub_call *call)
{
	struct conn *conn = call->conn;
	const bool is_last = call->kind == HUB_CALL_DISCONNECTED;

	if (call->kind == HUB_CALL_CONNECTED && call->rc != HUB_OK) {
		conn->is_refused = true;
		abort_connection(conn, SLICE("Connection closed with an error."));
	}
	call->is_over = true;
	list_remove(&call->conn_node);
	if (call->sends_left > 0) {
		call->runtime->confirming_n++;
		list_append(&conn->confirming, &call->conn_node);
	} else {
		call_confirm(call);
	}
	if (is_last)
		conn_ended(conn);
	else if (!list_is_empty(&conn->calls))
		call_ready(CONTAINER_OF(conn->calls.next, struct hub_call, conn_node));
}

void hub_call_confirmed(struct hub_call *call, enum err rc)
{
	assert(call->sends_left > 0);
	call->sends_left--;
	if (rc != OK)
		call->has_send_failed = true;
	if (call->sends_left == 0 && call->is_over) {
		call->runtime->confirming_n--;
		call_confirm(call);
	}
}

/* ---- running */

static void fiber_main(struct fiber *self, void *arg)
{
	struct hub_call *call = arg;

	(void)self; /* call->fiber, by which it yields */
	call->rc = call->fn(call);
}

static struct slice call_name(const struct hub_call *call)
{
	switch (call->kind) {
	case HUB_CALL_CONNECTED:
		return SLICE("on_connected");
	case HUB_CALL_DISCONNECTED:
		return SLICE("on_disconnected");
	case HUB_CALL_INVOKE:
		break;
	}
	return call->target;
}

static void call_resume(struct hub_call *call)
{
	struct hub_runtime *runtime = call->runtime;
	struct router *router = runtime->router;
	const int64_t start_us = loop_clock_us();
	bool is_over;
	int64_t took_ms;

	runtime->running = call;
	is_over = fiber_resume(call->fiber);
	runtime->running = NULL;
	took_ms = (loop_clock_us() - start_us) / 1000;
	if (took_ms >= router->conf->hub_slow_ms) {
		router->metrics.hub_slow_total++;
		log_warn("hub.slow", "hub=%s method=%s ms=%" PRId64,
			 call->conn->hub->module->name, log_quote(call_name(call)).text,
			 took_ms);
	}
	if (!is_over)
		return;
	fiber_free(call->fiber);
	call->fiber = NULL;
	call_over(call);
}

static const struct hub_method *method_find(const struct hub_module *module,
					    struct slice name)
{
	for (size_t i = 0; i < module->methods_n; i++) {
		if (slice_equal_nocase(slice_from_str(module->methods[i].name), name))
			return &module->methods[i];
	}
	return NULL;
}

/* Ends the call before its method ran: `before` and `after` the name, as SignalR says it.
 */
static void call_reject(struct hub_call *call, const char *before, struct slice after)
{
	call->failure = arena_printf(&call->arena, "%s '%.*s' %.*s", before,
				     SLICE_FMT(call->target), SLICE_FMT(after));
	call->rc = HUB_FAILED;
	call_over(call);
}

/* Finds the method and reads the arguments. False: the call is over with an error, and
 * freed unless it has sends to be confirmed. */
static bool call_bind(struct hub_call *call)
{
	const struct hub_method *method =
		method_find(call->conn->hub->module, call->target);
	struct router *router = call->runtime->router;
	struct slice detail = SLICE_NONE;

	if (method == NULL) {
		router->metrics.invoke_unknown_total++;
		call_reject(call, "Failed to invoke",
			    SLICE("due to an error on the server. "
				  "HubException: Method does not exist."));
		return false;
	}
	if (call->is_stream) {
		router->metrics.invoke_unbound_total++;
		call_reject(call, "The client attempted to invoke the non-streaming",
			    SLICE("method with a streaming invocation."));
		return false;
	}
	if (hub_call_bind(call, method, &detail) != OK) {
		if (!router->conf->is_detailed)
			detail = SLICE_NONE;
		router->metrics.invoke_unbound_total++;
		call_reject(call, "Failed to invoke",
			    arena_printf(&call->arena,
					 "due to an error on the server.%.*s",
					 SLICE_FMT(detail)));
		return false;
	}
	call->fn = method->fn;
	return true;
}

/* Finds what is to run. False: nothing, and the call is over, and freed as by
 * call_bind(). */
static bool call_prepare(struct hub_call *call)
{
	const struct hub_module *module = call->conn->hub->module;

	switch (call->kind) {
	case HUB_CALL_CONNECTED:
		call->fn = module->on_connected;
		break;
	case HUB_CALL_DISCONNECTED:
		call->fn = module->on_disconnected;
		break;
	case HUB_CALL_INVOKE:
		if (!call->conn->is_refused)
			return call_bind(call);
		call_reject(call, "Failed to invoke",
			    SLICE("because the connection was refused."));
		return false;
	}
	if (call->fn == NULL) {
		call_over(call);
		return false;
	}
	return true;
}

/* For one more fiber, if there is memory. */
static bool has_room(const struct hub_runtime *runtime)
{
	return fiber_pool_in_use(runtime->fibers) <
	       (size_t)runtime->router->conf->hub_calls_max;
}

static void call_start(struct hub_call *call)
{
	struct hub_runtime *runtime = call->runtime;

	if (!call_prepare(call))
		return;
	call->fiber = fiber_new(runtime->fibers, fiber_main, call);
	if (call->fiber != NULL) {
		call_resume(call);
	} else if (call->kind == HUB_CALL_INVOKE) {
		runtime->router->metrics.hub_busy_total++;
		call_reject(call, "Failed to invoke",
			    SLICE("due to an error on the server. "
				  "HubException: The server is busy."));
	} else {
		/* Coming and going is never skipped: it waits for a fiber or memory. */
		list_append(&runtime->waiting, &call->node);
		runtime->is_starved = has_room(runtime);
	}
}

static void waiting_again(struct hub_runtime *runtime)
{
	list_splice(&runtime->ready, &runtime->waiting);
	loop_touch(runtime->router->loop, &runtime->flush);
}

static void on_flush(struct loop_flush *flush)
{
	struct hub_runtime *runtime = CONTAINER_OF(flush, struct hub_runtime, flush);
	struct list *node;

	while ((node = list_shift(&runtime->ready)) != NULL) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, node);

		if (call->fiber != NULL)
			call_resume(call);
		else
			call_start(call);
	}
	if (list_is_empty(&runtime->waiting) || !has_room(runtime) ||
	    timer_is_running(&runtime->retry))
		return;
	if (runtime->is_starved && !runtime->is_stopping)
		loop_timer_start(runtime->router->loop, &runtime->retry, FIBER_RETRY_MS);
	else
		waiting_again(runtime);
	runtime->is_starved = false;
}

static void on_retry(struct timer *timer)
{
	waiting_again(CONTAINER_OF(timer, struct hub_runtime, retry));
}

void hub_call_wait(struct hub_call *call, const bool *is_done)
{
	assert(call->runtime->running == call);
	while (!*is_done)
		fiber_yield(call->fiber);
}

/* ---- calls from the router */

void hub_connected(struct conn *conn)
{
	call_queued(call_new(conn, HUB_CALL_CONNECTED));
}

void hub_disconnected(struct conn *conn)
{
	call_queued(call_new(conn, HUB_CALL_DISCONNECTED));
}

void hub_invoke(struct conn *conn, const Link__Invoke *invoke)
{
	struct hub_call *call = call_new(conn, HUB_CALL_INVOKE);

	conn->invokes_n++;
	call->number = invoke->call;
	call->is_stream = invoke->is_stream;
	call->is_answered = invoke->invocation_id.len > 0;
	call->invocation_id = arena_dup(&call->arena, link_slice(invoke->invocation_id));
	call->target = arena_dup(&call->arena, link_slice(invoke->target));
	call->raw_arguments = arena_dup(&call->arena, link_slice(invoke->arguments));
	call->started_us = loop_clock_us();
	call_queued(call);
}

/* ---- the end */

bool hub_runtime_is_idle(const struct hub_runtime *runtime)
{
	return list_is_empty(&runtime->ready) && list_is_empty(&runtime->waiting) &&
	       runtime->confirming_n == 0 && fiber_pool_in_use(runtime->fibers) == 0;
}

static void conns_free(struct router *router)
{
	struct map_node *node = map_next(&router->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&router->conns, node);
		assert(list_is_empty(&conn->calls) && list_is_empty(&conn->confirming));
		conn_free(conn);
	}
}

void hub_runtime_free(struct hub_runtime *runtime)
{
	struct router *router = runtime->router;

	runtime->is_stopping = true;
	loop_timer_stop(router->loop, &runtime->retry);
	/* Awaits return at once now, so each round ends all methods that it runs. */
	while (!hub_runtime_is_idle(runtime)) {
		asks_cancel(&router->asks);
		on_flush(&runtime->flush);
	}
	loop_untouch(&runtime->flush);
	conns_free(router);
	fiber_pool_free(runtime->fibers);
	mem_free(runtime->served);
	mem_free(runtime);
}
