/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the options to a store.
 */
#include "presence/store_choose.h"

#include "presence/presence.h"
#include "presence/store_memory.h"
#include "presence/store_redis.h"
#include "proto/base/crypto.h"

/* Of changes that wait. A million connections that gateways tell at once are 450 MB. */
#define QUEUE_BYTES_MAX (512u << 20)

static struct store *store_choose_redis(struct presence *presence)
{
	const struct presence_conf *conf = presence->conf;
	struct store_redis_options options = {
		.url = conf->redis.url,
		.prefix = conf->redis.prefix,
		.connect_timeout_ms = conf->redis.connect_timeout_ms,
		.command_timeout_ms = conf->redis.timeout_ms,
		.queue_max = (size_t)conf->redis_queue_max,
		.queue_bytes_max = QUEUE_BYTES_MAX,
		.sessions_max = (size_t)conf->sessions_max,
		.offline_grace_ms = conf->offline_grace_ms,
		.events_max = (size_t)conf->events_max,
		.seed = crypto_random_uint64(),
		.stats = &presence->metrics.store,
		.redis_stats = &presence->metrics.redis,
	};
	struct store *store;

	redis_secrets_read(&conf->redis, &presence->redis_secrets);
	store = store_redis_new(presence->loop, &options);
	store_redis_set_secrets(store, &presence->redis_secrets);
	return store;
}

bool store_choose_reload(struct presence *presence)
{
	const struct redis_conf *conf = &presence->conf->redis;
	bool is_good;

	if (conf->url[0] == '\0')
		return true;
	is_good = redis_secrets_reload(conf, &presence->redis_secrets) == OK;
	presence->metrics.reload.secret_failed_total += !is_good;
	store_redis_set_secrets(presence->store, &presence->redis_secrets);
	return is_good;
}

struct store *store_choose(struct presence *presence)
{
	const struct presence_conf *conf = presence->conf;
	const struct store_memory_options options = {
		.sessions_max = (size_t)conf->sessions_max,
		.offline_grace_ms = conf->offline_grace_ms,
		.events_max = (size_t)conf->events_max,
		.seed = crypto_random_uint64(),
	};

	if (conf->redis.url[0] != '\0')
		return store_choose_redis(presence);
	return store_memory_new(presence->loop, &options);
}
