/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hub tells operators: lines of its own in the log, counters of its own in the
 * metrics, and, told by us, what it did wrong.
 */
#include <assert.h>
#include <stdio.h>

#include "proto/base/log.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

/* ---- the log */

void hub_log(struct hub_call *call, enum log_level level, const char *event,
	     const char *fmt, ...)
{
	const bool is_user = hub_call_is_user(call);
	char id[LOG_ID_MAX + 1];
	struct slice pairs;
	va_list args;

	va_start(args, fmt);
	pairs = hub_vprintf(hub_arena(call), fmt, args);
	va_end(args);
	/* Longer than a hub's name and a word should be, it is cut. */
	(void)snprintf(id, sizeof(id), "hub.%s.%s", call->conn->hub->module->name, event);
	log_write(level, id, "method=%s%s%s%s%.*s", log_quote(hub_method_name(call)).text,
		  is_user ? "" : " connection=",
		  is_user ? "" : log_quote(hub_connection_id(call)).text,
		  pairs.len > 0 ? " " : "", SLICE_FMT(pairs));
}

const char *hub_quote(struct hub_call *call, struct slice text)
{
	const struct log_quoted quoted = log_quote(text);

	return arena_dup(hub_arena(call), slice_from_str(quoted.text)).ptr;
}

void hub_misuse(const struct hub_call *call, const char *what)
{
	struct hub_runtime *runtime = call->runtime;

	assert(runtime->running == call);
	runtime->running->is_misused = true;
	runtime->router->metrics.hub_misuse_total++;
	log_error("hub.misuse", "hub=%s method=%s what=\"%s\"",
		  call->conn->hub->module->name, log_quote(hub_method_name(call)).text,
		  what);
}

/* ---- counters */

void hub_counters_open(struct hub_served *hub, struct router_metrics *metrics)
{
	const struct hub_module *module = hub->module;

	hub->counters = metrics->hub_counted.n;
	for (size_t i = 0; i < module->counters_n; i++) {
		struct buf labels = BUF_INIT;

		buf_appendf(&labels, "hub=\"%s\",name=\"%s\"", module->name,
			    module->counters[i]);
		metric_counters_add(&metrics->hub_counted, buf_slice(&labels));
		buf_fini(&labels);
	}
}

void hub_count(struct hub_call *call, size_t counter, uint64_t n)
{
	const struct hub_served *hub = call->conn->hub;
	struct metric_counters *counted = &call->runtime->router->metrics.hub_counted;

	if (counter >= hub->module->counters_n) {
		hub_misuse(call, "hub_count()");
		return;
	}
	counted->items[hub->counters + counter].value += n;
}
