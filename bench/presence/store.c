/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence costs in Redis: memory of a million connections, and how many come and go
 * in a second, beside plain pipelined SADD + EXPIRE with the same pipeline on the same
 * server, in turns. bench/presence.sh starts the server and explains the figures.
 *
 *	store URL SERVER_PID CONNECTIONS USERS ROUNDS
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "presence/store_redis.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/redis.h"

#define GATEWAYS 16
#define FLIGHT 1024 /* operations asked for and not answered */
#define ROUND_OPERATIONS 200000
#define ROUNDS_MAX 31
#define LEASE_MS 3600000
#define PLAIN_KEYS 200000
#define IDS_BYTES 22

enum kind { CHURN, FIRST_AND_LAST, PLAIN, KINDS };

static const char *const names[KINDS] = {
	"one of a user's connections comes or goes",
	"a user comes or goes (and everybody is told)",
	"plain SADD + EXPIRE",
};

struct figures {
	double rate;	  /* a second */
	double server_us; /* CPU for each */
	double client_us;
};

struct bench {
	struct loop *loop;
	struct store *store;
	struct redis *redis; /* for what is plain */
	struct store_redis_stats store_stats;
	struct redis_stats redis_stats;
	clockid_t server_clock;
	uint64_t gateways[GATEWAYS];
	uint64_t connections;
	uint64_t users;
	uint64_t dice;
	size_t in_flight;
	uint64_t failed_n;
	uint64_t told_n;
	int64_t used_memory;
};

/* One operation under way; free ones are kept. */
struct slot {
	struct store_call call;
	struct redis_call plain;
	struct bench *bench;
	bool is_free;
	bool is_first_half; /* of a plain pair */
};

static struct slot slots[FLIGHT];

static double clock_us(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0)
		fatal("clock_gettime: %s", err_errno_text());
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static uint64_t chance(struct bench *bench, uint64_t n)
{
	assert(n > 0);
	bench->dice = bench->dice * 6364136223846793005u + 1442695040888963407u;
	return (bench->dice >> 33) % n;
}

/* ---- slots */

static struct slot *slot_take(struct bench *bench)
{
	while (bench->in_flight == FLIGHT)
		loop_turn(bench->loop, -1);
	for (size_t i = 0;; i++) {
		if (!slots[i].is_free)
			continue;
		slots[i].is_free = false;
		bench->in_flight++;
		return &slots[i];
	}
}

static void slot_put(struct slot *slot)
{
	slot->is_free = true;
	slot->bench->in_flight--;
}

static void wait_all(struct bench *bench)
{
	while (bench->in_flight > 0)
		loop_turn(bench->loop, -1);
}

static void on_done(struct store_call *call, const struct store_answer *answer)
{
	struct slot *slot = CONTAINER_OF(call, struct slot, call);

	if (answer->rc != OK)
		slot->bench->failed_n++;
	slot_put(slot);
}

static void on_registered(struct store_call *call, const struct store_answer *answer)
{
	struct slot *slot = CONTAINER_OF(call, struct slot, call);
	struct bench *bench = slot->bench;

	for (size_t i = 0; i < GATEWAYS; i++) {
		if (bench->gateways[i] != 0)
			continue;
		bench->gateways[i] = answer->registration;
		break;
	}
	on_done(call, answer);
}

static void on_plain(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply)
{
	struct slot *slot = CONTAINER_OF(call, struct slot, plain);

	if (rc != OK || reply->type != REDIS_INTEGER)
		slot->bench->failed_n++;
	slot_put(slot);
}

/* ---- connections */

/* Ids are 22 bytes, as ours are. */
static struct slice id_text(char text[IDS_BYTES + 1], char kind, uint64_t number)
{
	const int n = snprintf(text, IDS_BYTES + 1, "%c%021" PRIu64, kind, number);

	return slice_make(text, (size_t)n);
}

static uint64_t gateway_of(const struct bench *bench, uint64_t connection)
{
	return bench->gateways[connection % GATEWAYS];
}

static void add(struct bench *bench, uint64_t connection, uint64_t user)
{
	static const char *const agents[] = {
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/126.0.0.0 Safari/537.36 Edg/126.00",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
		"(KHTML, like Gecko) Version/17.5.1 Safari/6",
	};
	char connection_id[IDS_BYTES + 1];
	char user_id[IDS_BYTES + 1];
	char name[32];
	char remote[32];
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = id_text(connection_id, 'C', connection),
		.user_id = id_text(user_id, 'u', user),
		.user_name = slice_make(name, (size_t)snprintf(name, sizeof(name),
							       "Firstname L. %" PRIu64,
							       user % 1000)),
		.remote = slice_make(remote,
				     (size_t)snprintf(remote, sizeof(remote),
						      "203.0.113.%u:%05u",
						      (unsigned)(connection % 256),
						      (unsigned)(connection % 65536))),
		.user_agent = slice_from_str(agents[connection % 2]),
		.protocol = 1,
		.transport = 1,
		.opened_unix_ms = 1700000000000,
	};
	struct slot *slot = slot_take(bench);

	store_call_init(&slot->call, on_done);
	bench->store->ops->add(bench->store, gateway_of(bench, connection), &info,
			       &slot->call);
}

static void take(struct bench *bench, uint64_t connection)
{
	char id[IDS_BYTES + 1];
	struct slot *slot = slot_take(bench);

	store_call_init(&slot->call, on_done);
	bench->store->ops->remove(bench->store, gateway_of(bench, connection),
				  SLICE("chat"), id_text(id, 'C', connection),
				  &slot->call);
}

static void plain(struct bench *bench, const struct slice *args, size_t n)
{
	struct slot *slot = slot_take(bench);

	slot->plain.done = on_plain;
	if (redis_command(bench->redis, args, n, &slot->plain) != OK)
		fatal("redis_command");
}

static void plain_pair(struct bench *bench)
{
	char key[64];
	char id[IDS_BYTES + 1];
	const int n = snprintf(key, sizeof(key), "{plain}:user:%021" PRIu64,
			       chance(bench, PLAIN_KEYS));
	const struct slice key_slice = slice_make(key, (size_t)n);

	plain(bench,
	      (const struct slice[]){ SLICE("SADD"), key_slice,
				      id_text(id, 'C', chance(bench, 1000000)) },
	      3);
	plain(bench, (const struct slice[]){ SLICE("EXPIRE"), key_slice, SLICE("60") },
	      3);
}

/* ---- rounds */

static void run(struct bench *bench, enum kind what)
{
	for (uint64_t i = 0; i < ROUND_OPERATIONS / 2; i++) {
		uint64_t connection = chance(bench, bench->connections);

		switch (what) {
		case CHURN:
			take(bench, connection);
			add(bench, connection, connection % bench->users);
			break;
		case FIRST_AND_LAST:
			connection = bench->connections + i;
			add(bench, connection, bench->users + i);
			if (i >= FLIGHT) /* some time later */
				take(bench, connection - FLIGHT);
			break;
		case PLAIN:
			plain_pair(bench);
			plain_pair(bench);
			break;
		case KINDS:
			break;
		}
	}
	for (uint64_t i = 0; what == FIRST_AND_LAST && i < FLIGHT; i++)
		take(bench, bench->connections + ROUND_OPERATIONS / 2 - FLIGHT + i);
	wait_all(bench);
}

static struct figures measure(struct bench *bench, enum kind what)
{
	const double began = clock_us(CLOCK_MONOTONIC);
	const double server = clock_us(bench->server_clock);
	const double client = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	struct figures figures;

	run(bench, what);
	figures.client_us =
		(clock_us(CLOCK_PROCESS_CPUTIME_ID) - client) / ROUND_OPERATIONS;
	figures.server_us = (clock_us(bench->server_clock) - server) / ROUND_OPERATIONS;
	figures.rate = ROUND_OPERATIONS / (clock_us(CLOCK_MONOTONIC) - began) * 1e6;
	return figures;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const struct figures *figures, size_t n, size_t field)
{
	double values[ROUNDS_MAX];

	for (size_t i = 0; i < n; i++)
		values[i] = *(const double *)(const void *)((const char *)&figures[i] +
							    field);
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void report(struct figures figures[KINDS][ROUNDS_MAX], size_t n)
{
	const double base = median(figures[PLAIN], n, offsetof(struct figures, rate));

	printf("\n| %-46s | a second | lowest | highest | of plain | Redis, us | ours, "
	       "us "
	       "|\n",
	       "what");
	printf("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
	for (size_t what = 0; what < KINDS; what++) {
		const struct figures *of = figures[what];
		double low = of[0].rate;
		double high = of[0].rate;

		for (size_t i = 1; i < n; i++) {
			low = of[i].rate < low ? of[i].rate : low;
			high = of[i].rate > high ? of[i].rate : high;
		}
		printf("| %-46s | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f |\n",
		       names[what], median(of, n, offsetof(struct figures, rate)), low,
		       high, median(of, n, offsetof(struct figures, rate)) / base,
		       median(of, n, offsetof(struct figures, server_us)),
		       median(of, n, offsetof(struct figures, client_us)));
	}
	printf("\nmedians of %zu rounds of %d, in turns; %d operations under way; CPU "
	       "for "
	       "each of them\n",
	       n, ROUND_OPERATIONS, FLIGHT);
}

/* ---- memory */

struct info {
	struct redis_call call;
	int64_t used;
	bool is_done;
};

static void on_info(struct redis_call *call, enum err rc, const struct redis_reply *reply)
{
	struct info *info = CONTAINER_OF(call, struct info, call);
	struct slice rest = rc == OK ? reply->text : SLICE_NONE;

	info->is_done = true;
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (slice_starts_with(line, SLICE("used_memory:")) &&
		    slice_to_int64(slice_from(line, 12), &info->used) != OK)
			info->used = 0;
	}
}

static int64_t used_memory(struct bench *bench)
{
	struct info info = { .call.done = on_info };

	if (redis_command(bench->redis,
			  (const struct slice[]){ SLICE("INFO"), SLICE("memory") }, 2,
			  &info.call) != OK)
		fatal("redis_command");
	while (!info.is_done)
		loop_turn(bench->loop, -1);
	if (info.used == 0)
		fatal("INFO memory: no used_memory");
	return info.used;
}

static void fill(struct bench *bench)
{
	const int64_t before = used_memory(bench);
	const double began = clock_us(CLOCK_MONOTONIC);
	double seconds;
	int64_t after;

	for (uint64_t i = 0; i < bench->connections; i++)
		add(bench, i, i % bench->users);
	wait_all(bench);
	seconds = (clock_us(CLOCK_MONOTONIC) - began) / 1e6;
	after = used_memory(bench);
	printf("%" PRIu64 " connections of %" PRIu64 " users in %.1f s, %.0f a second\n",
	       bench->connections, bench->users, seconds,
	       (double)bench->connections / seconds);
	printf("used_memory %.1f MiB, %.0f bytes a connection\n",
	       (double)(after - before) / 1048576,
	       (double)(after - before) / (double)bench->connections);
}

/* ---- life */

static void on_event(void *owner, const struct store_event *event)
{
	(void)event;
	((struct bench *)owner)->told_n++;
}

static void on_lost(void *owner)
{
	(void)owner;
	fatal("the store was lost");
}

static void begin(struct bench *bench, const char *url)
{
	const struct store_redis_options options = {
		.url = url,
		.prefix = "bench",
		.queue_max = 1000000,
		.queue_bytes_max = 1u << 30,
		.sessions_max = 10000000,
		.events_max = 10000,
		.seed = 1,
		.stats = &bench->store_stats,
		.redis_stats = &bench->redis_stats,
	};
	const struct redis_options plain_options = {
		.name = "plain",
		.url = url,
		.in_flight_max = FLIGHT,
		.stats = &bench->redis_stats,
	};

	bench->loop = loop_new();
	bench->store = store_redis_new(bench->loop, &options);
	bench->store->watcher = (struct store_watcher){ on_event, on_lost, bench };
	bench->redis = redis_new(bench->loop, &plain_options);
	for (size_t i = 0; i < FLIGHT; i++)
		slots[i] = (struct slot){ .bench = bench, .is_free = true };
	while (bench->store->ops->away_since_ms(bench->store) != 0 ||
	       !redis_is_up(bench->redis))
		loop_turn(bench->loop, -1);
	for (size_t i = 0; i < GATEWAYS; i++) {
		char name[16];
		struct slot *slot = slot_take(bench);
		const int n = snprintf(name, sizeof(name), "g%zu", i);
		const struct session_gateway_id id = { slice_make(name, (size_t)n), 1 };

		store_call_init(&slot->call, on_registered);
		bench->store->ops->gateway_new(bench->store, &id, LEASE_MS, &slot->call);
	}
	wait_all(bench);
	for (bool is_first = true; is_first; is_first = false) {
		struct slot *slot = slot_take(bench);

		store_call_init(&slot->call, on_done);
		bench->store->ops->settle(bench->store, &slot->call);
		wait_all(bench);
	}
}

int main(int argc, char **argv)
{
	static struct figures figures[KINDS][ROUNDS_MAX];
	static struct bench bench = { .dice = 1 };
	size_t rounds;

	if (argc != 6)
		fatal("store URL SERVER_PID CONNECTIONS USERS ROUNDS");
	log_open(LOG_LOGFMT, LOG_ERROR, "bench");
	bench.connections = strtoull(argv[3], NULL, 10);
	bench.users = strtoull(argv[4], NULL, 10);
	rounds = strtoull(argv[5], NULL, 10);
	if (bench.connections == 0 || bench.users == 0 || rounds == 0 ||
	    rounds > ROUNDS_MAX)
		fatal("CONNECTIONS and USERS from 1, ROUNDS from 1 to %d", ROUNDS_MAX);
	if (clock_getcpuclockid((pid_t)strtol(argv[2], NULL, 10), &bench.server_clock) !=
	    0)
		fatal("no process %s", argv[2]);
	begin(&bench, argv[1]);
	fill(&bench);
	for (size_t i = 0; i < rounds; i++) {
		for (size_t what = 0; what < KINDS; what++)
			figures[what][i] = measure(&bench, (enum kind)what);
	}
	report(figures, rounds);
	printf("events told %" PRIu64 ", resets %" PRIu64 ", failed %" PRIu64 "\n",
	       bench.told_n, bench.store_stats.resets_total, bench.failed_n);
	bench.store->ops->free(bench.store);
	redis_free(bench.redis);
	loop_free(bench.loop);
	return bench.failed_n == 0 ? 0 : 2;
}
