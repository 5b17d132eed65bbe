/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured is what the allocator has given out (mem_used_bytes()): it falls when
 * something is freed, as the process's resident size need not, and it counts a message
 * once that waits in many queues.
 */
#include "gateway/memory.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/conn_out.h"
#include "gateway/gateway.h"
#include "proto/base/log.h"
#include "proto/base/machine.h"
#include "proto/base/mem.h"

#define CHECK_MS 1000
#define CHECK_CRITICAL_MS 50

/* In percent of the budget. */
#define CRITICAL_PERCENT 95
#define SHORT_PERCENT 85
#define FINE_PERCENT 80
#define TARGET_PERCENT 90
#define DERIVED_PERCENT 80

/* Who has less than this waiting is not closed for it. */
#define FAT_BYTES_MIN 4096

enum memory_level memory_level_next(enum memory_level level, int64_t used, int64_t max)
{
	assert(used >= 0 && max >= 100);
	if (used >= max / 100 * CRITICAL_PERCENT ||
	    (level == MEMORY_CRITICAL && used >= max / 100 * TARGET_PERCENT))
		return MEMORY_CRITICAL;
	if (used >= max / 100 * SHORT_PERCENT)
		return MEMORY_SHORT;
	if (level != MEMORY_FINE && used >= max / 100 * FINE_PERCENT)
		return MEMORY_SHORT;
	return MEMORY_FINE;
}

bool memory_is_short(const struct gateway *gateway)
{
	return gateway->memory.level != MEMORY_FINE;
}

/* ---- the fattest */

struct fat {
	struct conn *conn; /* borrowed */
	size_t bytes;
};

static int by_bytes_down(const void *a, const void *b)
{
	const size_t x = ((const struct fat *)a)->bytes;
	const size_t y = ((const struct fat *)b)->bytes;

	return (x < y) - (x > y);
}

static size_t find_fat(struct gateway *gateway, struct fat *fat)
{
	struct map_node *node = NULL;
	size_t n = 0;

	while ((node = map_next(&gateway->conns, node)) != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);
		const size_t bytes =
			conn->state == CONN_CLOSED ? 0 : conn_held_bytes(conn);

		if (bytes >= FAT_BYTES_MIN)
			fat[n++] = (struct fat){ conn, bytes };
	}
	return n;
}

/* What is shared is freed with the last who has it: the next check goes on. */
static void close_fattest(struct gateway *gateway, int64_t excess)
{
	struct fat *fat = mem_alloc((gateway->conns.count + 1) * sizeof(*fat));
	const size_t n = find_fat(gateway, fat);

	qsort(fat, n, sizeof(*fat), by_bytes_down);
	for (size_t i = 0; i < n && excess > 0; i++) {
		excess -= (int64_t)fat[i].bytes;
		conn_close(fat[i].conn, CONN_CLOSE_MEMORY, NULL);
	}
	mem_free(fat);
}

/* ---- checks */

static void tell(enum memory_level level, int64_t used, int64_t max)
{
	switch (level) {
	case MEMORY_FINE:
		log_info("memory.fine", "used=%lld max=%lld", (long long)used,
			 (long long)max);
		break;
	case MEMORY_SHORT:
		log_warn("memory.short", "used=%lld max=%lld", (long long)used,
			 (long long)max);
		break;
	case MEMORY_CRITICAL:
		log_error("memory.critical", "used=%lld max=%lld", (long long)used,
			  (long long)max);
		break;
	}
}

static int64_t budget(const struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;

	if (conf->memory_max > 0)
		return conf->memory_max;
	return gateway->memory.machine_bytes / 100 * DERIVED_PERCENT / conf->workers;
}

static void check(struct gateway *gateway)
{
	struct memory *memory = &gateway->memory;
	const int64_t max = budget(gateway);
	const int64_t used = (int64_t)mem_used_bytes();
	const enum memory_level level = memory_level_next(memory->level, used, max);

	gateway->metrics.memory_used_bytes = used;
	gateway->metrics.memory_max_bytes = max;
	if (level != memory->level)
		tell(level, used, max);
	memory->level = level;
	if (level == MEMORY_CRITICAL)
		close_fattest(gateway, used - max / 100 * TARGET_PERCENT);
	loop_timer_start(gateway->loop, &memory->timer,
			 level == MEMORY_FINE ? CHECK_MS : CHECK_CRITICAL_MS);
}

static void on_timer(struct timer *timer)
{
	check(CONTAINER_OF(timer, struct gateway, memory.timer));
}

void memory_open(struct gateway *gateway)
{
	gateway->memory.machine_bytes = machine_memory_bytes("");
	timer_init(&gateway->memory.timer, on_timer);
	check(gateway);
}

void memory_close(struct gateway *gateway)
{
	loop_timer_stop(gateway->loop, &gateway->memory.timer);
}
