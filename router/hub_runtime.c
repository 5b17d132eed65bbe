/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hubs that are served, and the running of calls: at the end of the turn those that
 * are ready get a fiber and run until they await or return.
 */
#include "router/hub_runtime.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/fiber.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/hub_crash.h"
#include "router/hub_module.h"
#include "router/hub_option.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

#define FIBERS_SPARE_MAX 64

/* There was no memory for a fiber: try again. */
#define FIBER_RETRY_MS 100

static void on_flush(struct loop_flush *flush);
static void on_retry(struct timer *timer);

/* ---- life */

void hub_runtime_serve(struct hub_runtime *runtime, const struct hub_module *module)
{
	const size_t n = runtime->served_n + 1;
	struct hub_served *served;
	struct buf why = BUF_INIT;

	/* Connections point into the array. */
	assert(runtime->router->conns.count == 0 && runtime->router->going.count == 0);
	assert(module->api_version == HUB_API_VERSION);
	assert(hub_module_is_sound(module, &why));
	buf_fini(&why);
	runtime->served = mem_realloc(runtime->served, n * sizeof(*runtime->served));
	runtime->served[runtime->served_n] = (struct hub_served){
		.module = module,
		.conf = hub_conf_find(runtime->router->conf, module->name),
	};
	served = &runtime->served[runtime->served_n++];
	hub_users_init(served);
	hub_options_init(served, runtime->router->conf);
	hub_counters_open(served, &runtime->router->metrics);
}

static void serve_by_name(struct hub_runtime *runtime, struct slice name)
{
	const struct hub_module *module = hub_modules_find(runtime->modules, name);

	if (module == NULL)
		fatal("hubs: there is no hub named '%.*s'", SLICE_FMT(name));
	hub_runtime_serve(runtime, module);
}

/* Whoever names a file most likely wants its hubs. */
static void warn_of_unserved(const struct hub_runtime *runtime)
{
	const struct hub_module *module;

	for (size_t i = 0; (module = hub_modules_loaded_at(runtime->modules, i)) != NULL;
	     i++) {
		if (hub_find(runtime, slice_from_str(module->name)) == NULL)
			log_warn("hub.not_served", "hub=%s hint=\"add it to hubs\"",
				 module->name);
	}
}

struct hub_runtime *hub_runtime_new(struct router *router, const char *names)
{
	struct hub_runtime *runtime = MEM_NEW(struct hub_runtime);
	struct slice rest = slice_from_str(names);

	runtime->router = router;
	runtime->modules = hub_modules_new(router->conf->hub_module);
	runtime->fibers =
		fiber_pool_new((size_t)router->conf->hub_calls_max, FIBERS_SPARE_MAX);
	list_init(&runtime->begun);
	list_init(&runtime->ready);
	list_init(&runtime->waiting);
	list_init(&runtime->held);
	list_init(&runtime->crediting);
	hub_questions_init(runtime);
	timer_init(&runtime->retry, on_retry);
	loop_flush_init(&runtime->flush, on_flush);
	do {
		serve_by_name(runtime, slice_trim(slice_cut(&rest, ',')));
	} while (rest.ptr != NULL);
	warn_of_unserved(runtime);
	hub_crash_open(runtime);
	return runtime;
}

void hub_runtime_reload(struct hub_runtime *runtime)
{
	for (size_t i = 0; i < runtime->served_n; i++)
		hub_options_reload(&runtime->served[i], runtime->router->conf);
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

/* ---- running */

void hub_call_ready(struct hub_call *call)
{
	if (!list_is_linked(&call->node))
		list_append(&call->runtime->ready, &call->node);
	loop_touch(call->runtime->router->loop, &call->runtime->flush);
}

void hub_call_wake(struct hub_call *call)
{
	if (call->runtime->running != call)
		hub_call_ready(call);
}

static void fiber_main(struct fiber *self, void *arg)
{
	struct hub_call *call = arg;

	(void)self; /* call->fiber, by which it yields */
	call->rc = hub_next(call);
	if (call->is_misused && call->rc == HUB_OK)
		call->rc = HUB_FAILED;
	/* A filter may have made good what failed inside it. */
	if (call->rc == HUB_OK)
		call->failure = SLICE_NONE;
}

enum hub_rc hub_next(struct hub_call *call)
{
	const struct hub_module *module = call->conn->hub->module;
	const size_t depth = call->depth++;
	enum hub_rc rc = HUB_OK;

	if (depth < module->filters_n) {
		rc = module->filters[depth](call);
	} else if (depth > module->filters_n) {
		hub_misuse(call, "hub_next() outside a filter");
		rc = HUB_FAILED;
	} else if (call->fn != NULL) {
		rc = call->fn(call);
	}
	call->depth = depth;
	return rc;
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
			 call->conn->hub->module->name,
			 log_quote(hub_method_name(call)).text, took_ms);
	}
	if (!is_over)
		return;
	fiber_free(call->fiber);
	call->fiber = NULL;
	hub_call_over(call);
}

/* Finds what is to run. False: nothing. */
static bool call_prepare(struct hub_call *call)
{
	const struct hub_module *module = call->conn->hub->module;

	switch (call->kind) {
	case HUB_CALL_CONNECTED:
		call->fn = module->on_connected;
		break;
	case HUB_CALL_DISCONNECTED:
		if (call->conn->is_standby)
			return false;
		call->fn = module->on_disconnected;
		break;
	case HUB_CALL_USER_ONLINE:
		call->fn = module->on_user_online;
		break;
	case HUB_CALL_USER_OFFLINE:
		call->fn = module->on_user_offline;
		break;
	case HUB_CALL_INVOKE:
		return call->refusal.ptr == NULL && hub_call_bind(call);
	}
	return call->fn != NULL || module->filters_n > 0;
}

/* For so many more fibers, if there is memory. */
static size_t room_of(const struct hub_runtime *runtime)
{
	const size_t fibers_max = (size_t)runtime->router->conf->hub_calls_max;
	const size_t in_use = fiber_pool_in_use(runtime->fibers);

	return in_use < fibers_max ? fibers_max - in_use : 0;
}

static void call_start(struct hub_call *call)
{
	struct hub_runtime *runtime = call->runtime;

	if (!call_prepare(call)) {
		hub_call_over(call);
		return;
	}
	call->fiber = fiber_new(runtime->fibers, fiber_main, call);
	if (call->fiber != NULL) {
		call_resume(call);
	} else if (call->kind == HUB_CALL_INVOKE) {
		runtime->router->metrics.hub_busy_total++;
		hub_call_refuse(call, "Failed to invoke",
				SLICE("due to an error on the server. "
				      "HubException: The server is busy."));
		hub_call_over(call);
	} else {
		/* Coming and going is never skipped: it waits for a fiber or memory. */
		list_append(&runtime->waiting, &call->node);
		runtime->is_starved = room_of(runtime) > 0;
	}
}

/* As many as there is room for: a crowd that leaves at once is not tried as a whole in
 * each turn. */
static void waiting_again(struct hub_runtime *runtime)
{
	struct list *node;

	for (size_t room = room_of(runtime); room > 0; room--) {
		node = list_shift(&runtime->waiting);
		if (node == NULL)
			break;
		list_append(&runtime->ready, node);
	}
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
	hub_credits_send(runtime);
	if (list_is_empty(&runtime->waiting) || room_of(runtime) == 0 ||
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

void hub_call_pause(struct hub_call *call)
{
	assert(call->runtime->running == call);
	fiber_yield(call->fiber);
}

/* ---- the end */

bool hub_runtime_is_idle(const struct hub_runtime *runtime)
{
	return list_is_empty(&runtime->ready) && list_is_empty(&runtime->waiting) &&
	       runtime->confirming_n == 0 && fiber_pool_in_use(runtime->fibers) == 0;
}

static void wake_all(struct hub_runtime *runtime)
{
	LIST_EACH (node, &runtime->begun) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, begun_node);

		if (call->fiber != NULL)
			hub_call_wake(call);
	}
}

/* Also of connections that have left the table since: their end waits behind. */
void hub_on_sends_left(struct hub_runtime *runtime)
{
	struct list held;
	struct list *node;

	list_init(&held);
	list_splice(&held, &runtime->held);
	while ((node = list_shift(&held)) != NULL)
		hub_queue_advance(CONTAINER_OF(node, struct hub_call, node)->conn);
}

void hub_on_room(struct hub_runtime *runtime)
{
	LIST_EACH (node, &runtime->begun) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, begun_node);

		if (call->is_stream && call->fiber != NULL)
			hub_call_wake(call);
	}
}

void hub_runtime_drain(struct hub_runtime *runtime)
{
	runtime->is_draining = true;
	LIST_EACH (node, &runtime->begun) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, begun_node);

		if (call->is_beside)
			hub_call_cancel(call);
	}
}

static void conns_free(struct router *router)
{
	struct map_node *node = map_next(&router->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&router->conns, node);
		assert(list_is_empty(&conn->queue) && list_is_empty(&conn->begun));
		assert(list_is_empty(&conn->confirming));
		hub_questions_end(conn);
		conn_free(conn);
	}
}

void hub_runtime_free(struct hub_runtime *runtime)
{
	struct router *router = runtime->router;

	runtime->is_stopping = true;
	hub_on_sends_left(runtime);
	loop_timer_stop(router->loop, &runtime->retry);
	/* Awaits return at once now, so each round ends all methods that it runs. */
	while (!hub_runtime_is_idle(runtime)) {
		asks_cancel(&router->asks);
		wake_all(runtime);
		on_flush(&runtime->flush);
	}
	loop_untouch(&runtime->flush);
	conns_free(router);
	hub_questions_fini(runtime);
	for (size_t i = 0; i < runtime->served_n; i++) {
		hub_users_fini(&runtime->served[i]);
		hub_options_fini(&runtime->served[i]);
	}
	metric_counters_fini(&router->metrics.hub_counted);
	hub_crash_close();
	fiber_pool_free(runtime->fibers);
	hub_modules_free(runtime->modules);
	mem_free(runtime->served);
	mem_free(runtime);
}
