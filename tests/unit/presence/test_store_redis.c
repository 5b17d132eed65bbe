/* SPDX-License-Identifier: Apache-2.0 */
/* The store in Redis does what store_kit.h asks of every store. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/redis_world.h"
#include "tests/unit/presence/store_kit.h"

TestSuite(store_redis, .init = world_open, .fini = world_close, .timeout = 120);

static void on_lost_nothing(void *owner)
{
	(void)owner;
}

/* Each in keys of its own. */
static struct store *make(const struct store_kit_options *kit_options)
{
	static char prefix[16];
	static int n;
	struct store *store;

	(void)snprintf(prefix, sizeof(prefix), "t%d", ++n);
	world.options.prefix = prefix;
	world.options.sessions_max = kit_options->sessions_max;
	world.options.offline_grace_ms = kit_options->offline_grace_ms;
	world.options.events_max = kit_options->events_max;
	store = world_release(world_join());
	store->watcher.on_lost = on_lost_nothing;
	return store;
}

static void turn(void)
{
	loop_turn(world.loop, 1);
}

static const struct store_kit redis_kit = { .make = make, .turn = turn };

#define STORE_REDIS_TEST(name)                                                           \
	Test(store_redis, name)                                                          \
	{                                                                                \
		store_kit_run(&redis_kit, store_kit_##name);                             \
	}
STORE_KIT_TESTS(STORE_REDIS_TEST)
