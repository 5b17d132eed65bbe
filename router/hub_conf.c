/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the options that every hub has.
 */
#include "router/hub_conf.h"

#include <assert.h>

#include "router/conf.h"
#include "router/hub_module.h"
#include "router/hub_option.h"

#define FIELD(name) offsetof(struct hub_conf, name)

const char *const hub_ack_names[] = { "gateways", "shard", NULL };

static const struct conf_option options[] = {
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed),
	  CONF_INHERIT("detailed_errors"), 0, 0, NULL,
	  "Tell clients what went wrong inside; for development.", true },
	{ "invocations_parallel_max", CONF_INT, FIELD(invocations_parallel_max),
	  CONF_INHERIT("invocations_parallel_max"), 1, HUB_INVOCATIONS_PARALLEL_MAX, NULL,
	  "Methods of one client that run at the same time.", true },
	{ "await_timeout", CONF_MS, FIELD(await_timeout_ms),
	  CONF_INHERIT("hub_await_timeout"), 10, 600000, NULL,
	  "How long a method waits for one answer.", true },
	{ "client_result_timeout", CONF_MS, FIELD(client_result_timeout_ms),
	  CONF_INHERIT("client_result_timeout"), 10, 600000, NULL,
	  "How long a method waits for a client's result.", true },
	{ "ack", CONF_ENUM, FIELD(ack), CONF_INHERIT("ack"), 0, 0, hub_ack_names,
	  "Who has a call's sends when it completes: all gateways with receivers, or the "
	  "shards that own the keys.",
	  true },
};

bool hub_conf_has(struct slice option)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (slice_equal(slice_from_str(options[i].name), option))
			return true;
	}
	return false;
}

/* Options of a hub's own: those of our hubs are known here, those of files when the
 * router starts. */
static enum err own_check(struct slice hub, struct slice option, struct slice value,
			  struct buf *why)
{
	const struct hub_module *module = hub_module_builtin(hub);

	return module != NULL ? hub_option_check(module, option, value, why) : OK;
}

static bool own_known(size_t i, const char **hub, struct conf_option *option)
{
	const struct hub_module *module;

	for (size_t at = 0; (module = hub_module_builtin_at(at)) != NULL; at++) {
		if (i < module->options_n) {
			*hub = module->name;
			*option = hub_option_row(&module->options[i]);
			return true;
		}
		i -= module->options_n;
	}
	return false;
}

const struct conf_scope hub_conf_scope = {
	.prefix = "hub",
	.list = "hubs",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.bytes = sizeof(struct hub_conf),
	.field = offsetof(struct router_conf, hub_confs),
	.check = own_check,
	.known = own_known,
};

const struct hub_conf *hub_conf_find(const struct router_conf *conf, const char *hub)
{
	const struct hub_conf *found =
		conf_scoped_find(&conf->hub_confs, slice_from_str(hub));

	assert(found != NULL);
	return found;
}
