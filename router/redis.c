/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the options to clients.
 */
#include "router/redis.h"

#include "router/router.h"
#include "router/state/state_owner.h"
#include "router/state/state_redis.h"

static void set_secrets(struct router *router)
{
	state_redis_set_secrets(router->redis, &router->redis_secrets);
	hub_redis_set_secrets(router->hub_redis, &router->redis_secrets);
}

void router_open_redis(struct router *router)
{
	const struct redis_conf *conf = &router->conf->redis;
	struct redis_options options = {
		.url = conf->url,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.command_timeout_ms = conf->timeout_ms,
		.patience_ms = conf->timeout_ms,
		.stats = &router->metrics.redis,
	};
	struct state_redis_options state = {
		.redis = &options,
		.prefix = conf->prefix,
		.done = state_on_redis,
		.owner = router,
	};

	if (conf->url[0] == '\0')
		return;
	redis_secrets_read(conf, &router->redis_secrets);
	router->redis = state_redis_new(router->loop, &state);
	router->hub_redis = hub_redis_new(router, &options);
	set_secrets(router);
}

bool router_reload_redis(struct router *router)
{
	const struct redis_conf *conf = &router->conf->redis;
	bool is_good;

	if (conf->url[0] == '\0')
		return true;
	is_good = redis_secrets_reload(conf, &router->redis_secrets) == OK;
	router->metrics.reload.secret_failed_total += !is_good;
	set_secrets(router);
	return is_good;
}
