/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/presence/redis_world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/base/redis_kit.h"

#define ARGS_MAX 64
#define RELEASED_MAX 16

struct world world;

static struct redis_kit kit;
static struct redis_server server;
static struct redis_stats command_stats;
static struct replica *released[RELEASED_MAX]; /* whose stores are somebody else's */
static size_t released_n;

/* ---- the server */

void world_open(void)
{
	redis_kit_init(&kit);
	world = (struct world){ .loop = kit.loop };
	world.options = (struct store_redis_options){
		.prefix = "test",
		.connect_timeout_ms = 5000,
		.command_timeout_ms = 5000,
		.queue_max = 100000,
		.queue_bytes_max = 256 << 20,
		.sessions_max = 100000,
		.events_max = 1000,
		.seed = 1,
	};
	world_start(NULL, NULL);
}

void world_close(void)
{
	for (size_t i = 0; i < WORLD_STORES_MAX; i++) {
		if (world.replicas[i] != NULL)
			world_remove(world.replicas[i]);
	}
	while (released_n > 0)
		mem_free(released[--released_n]);
	redis_server_kill(&server);
	redis_kit_fini(&kit);
}

void world_start(const char *more, ...)
{
	const char *words[4] = { more };
	va_list list;

	va_start(list, more);
	for (size_t i = 1; i < 4 && words[i - 1] != NULL; i++)
		words[i] = va_arg(list, const char *);
	va_end(list);
	redis_server_start(&kit, &server, words[0], words[1], words[2], words[3], NULL);
}

void world_kill(void)
{
	redis_server_kill(&server);
}

void world_pause(void)
{
	cr_assert_eq(kill(server.pid, SIGSTOP), 0);
}

void world_resume(void)
{
	cr_assert_eq(kill(server.pid, SIGCONT), 0);
}

void world_url(char *url, size_t size, const char *user)
{
	snprintf(url, size, "unix://%s%s", user, server.socket);
}

void world_turn(int64_t end_us, const char *what)
{
	cr_assert(loop_clock_us() < end_us, "never: %s", what);
	loop_turn(world.loop, 2);
}

/* ---- commands */

struct command {
	struct redis_call call;
	bool is_done;
	char *text;
};

static void put(char *text, size_t size, struct slice s)
{
	const size_t len = strlen(text);

	if (len + s.len + 1 < size && s.len > 0) {
		memcpy(text + len, s.ptr, s.len);
		text[len + s.len] = '\0';
	}
}

static void put_reply(char *text, size_t size, const struct redis_reply *reply)
{
	char number[32];

	snprintf(number, sizeof(number), "%lld", (long long)reply->integer);
	if (reply->type == REDIS_INTEGER)
		put(text, size, slice_from_str(number));
	else
		put(text, size, reply->text);
}

static void on_command(struct redis_call *call, enum err rc,
		       const struct redis_reply *reply)
{
	struct command *command = CONTAINER_OF(call, struct command, call);

	command->is_done = true;
	command->text[0] = '\0';
	cr_assert_eq(rc, OK, "%s", err_name(rc));
	put_reply(command->text, WORLD_TEXTS_MAX, reply);
	for (size_t i = 0; i < reply->items_n; i++) {
		put_reply(command->text, WORLD_TEXTS_MAX, &reply->items[i]);
		put(command->text, WORLD_TEXTS_MAX, SLICE(" "));
	}
}

const char *world_redis_words(const char *const *words)
{
	static char text[WORLD_TEXTS_MAX];
	struct command command = { .call.done = on_command, .text = text };
	struct redis_options options = { .name = "test",
					 .url = kit.url,
					 .stats = &command_stats };
	struct redis *redis = redis_new(world.loop, &options);
	struct slice args[ARGS_MAX];
	size_t n = 0;

	for (; words[n] != NULL; n++) {
		cr_assert_lt(n, ARGS_MAX);
		args[n] = slice_from_str(words[n]);
	}
	cr_assert_eq(redis_command(redis, args, n, &command.call), OK);
	WORLD_WAIT(command.is_done);
	redis_free(redis);
	return text;
}

const char *world_redis(const char *word, ...)
{
	const char *words[ARGS_MAX + 1];
	size_t n = 0;
	va_list list;

	va_start(list, word);
	for (; word != NULL; word = va_arg(list, const char *)) {
		cr_assert_lt(n, ARGS_MAX);
		words[n++] = word;
	}
	va_end(list);
	words[n] = NULL;
	return world_redis_words(words);
}

/* ---- stores */

static void on_event(void *owner, const struct store_event *event)
{
	static const char marks[] = {
		[STORE_ONLINE] = '+', [STORE_OFFLINE] = '-', [STORE_RESET] = '!'
	};
	struct replica *replica = owner;
	const size_t room = sizeof(replica->told) - replica->told_len;
	int n;

	/* Ids grow; what the store says of its own accord has the id of the last one. */
	cr_assert_lt(event->id.len, sizeof(replica->told_id));
	cr_expect_geq(memcmp(event->id.ptr, replica->told_id, event->id.len),
		      event->change == STORE_RESET ? 0 : 1);
	memcpy(replica->told_id, event->id.ptr, event->id.len);
	if (replica->on_told != NULL) {
		replica->on_told(replica, event);
		return;
	}
	n = snprintf(replica->told + replica->told_len, room, "%c%.*s ",
		     marks[event->change], SLICE_FMT(event->user_id));
	cr_assert(n > 0 && (size_t)n < room);
	replica->told_len += (size_t)n;
	replica->told_n++;
}

static void on_lost(void *owner)
{
	((struct replica *)owner)->lost_n++;
}

struct replica *world_add(void)
{
	struct replica *replica = MEM_NEW(struct replica);
	struct store_redis_options options = world.options;
	size_t i = 0;

	while (world.replicas[i] != NULL)
		i++;
	cr_assert_lt(i, WORLD_STORES_MAX);
	world.replicas[i] = replica;
	if (options.url == NULL)
		options.url = kit.url;
	options.stats = &replica->stats;
	options.redis_stats = &replica->redis_stats;
	replica->store = store_redis_new(world.loop, &options);
	replica->store->watcher = (struct store_watcher){ .on_event = on_event,
							  .on_lost = on_lost,
							  .owner = replica };
	return replica;
}

void world_wait_up(struct replica *replica)
{
	WORLD_WAIT(replica->store->ops->away_since_ms(replica->store) == 0);
}

struct replica *world_join(void)
{
	struct replica *replica = world_add();

	world_wait_up(replica);
	return replica;
}

struct store *world_release(struct replica *replica)
{
	for (size_t i = 0; i < WORLD_STORES_MAX; i++) {
		if (world.replicas[i] == replica)
			world.replicas[i] = NULL;
	}
	cr_assert_lt(released_n, RELEASED_MAX);
	released[released_n++] = replica;
	return replica->store;
}

void world_remove(struct replica *replica)
{
	for (size_t i = 0; i < WORLD_STORES_MAX; i++) {
		if (world.replicas[i] == replica)
			world.replicas[i] = NULL;
	}
	replica->store->ops->free(replica->store);
	mem_free(replica);
}

void world_use(const char *user)
{
	static char url[256];
	char at[64];

	world.options.url = NULL;
	world.options.password = SLICE_NONE;
	if (user == NULL)
		return;
	(void)world_redis("ACL", "SETUSER", user, "on", ">secret", "~*", "+@all", NULL);
	(void)snprintf(at, sizeof(at), "%s@", user);
	world_url(url, sizeof(url), at);
	world.options.url = url;
	world.options.password = SLICE("secret");
}

/* ---- operations */

static void on_outcome(struct store_call *call, const struct store_answer *answer)
{
	struct outcome *outcome = CONTAINER_OF(call, struct outcome, call);

	cr_assert(!outcome->is_done);
	outcome->is_done = true;
	outcome->answer = *answer;
	for (size_t i = 0; answer->users != NULL && i < answer->users_n; i++) {
		put(outcome->users, sizeof(outcome->users), answer->users[i].id);
		put(outcome->users, sizeof(outcome->users), SLICE(" "));
	}
	put(outcome->next, sizeof(outcome->next), answer->next);
}

struct store_call *outcome_init(struct outcome *outcome)
{
	outcome->is_done = false;
	outcome->users[0] = outcome->next[0] = '\0';
	store_call_init(&outcome->call, on_outcome);
	return &outcome->call;
}

const struct store_answer *outcome_wait(struct outcome *outcome)
{
	WORLD_WAIT(outcome->is_done);
	return &outcome->answer;
}

uint64_t replica_gateway(struct replica *replica, const char *name, uint64_t incarnation,
			 int64_t lease_ms)
{
	const struct session_gateway_id id = { slice_from_str(name), incarnation };
	struct outcome outcome;

	replica->store->ops->gateway_new(replica->store, &id, lease_ms,
					 outcome_init(&outcome));
	cr_assert_eq(outcome_wait(&outcome)->rc, OK, "%s", err_name(outcome.answer.rc));
	return outcome.answer.registration;
}

void replica_add(struct replica *replica, uint64_t registration, const char *connection,
		 const char *user, struct outcome *outcome)
{
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = slice_from_str(connection),
		.user_id = slice_from_str(user),
		.opened_unix_ms = 1000,
	};

	replica->store->ops->add(replica->store, registration, &info,
				 outcome_init(outcome));
}

void replica_remove(struct replica *replica, uint64_t registration,
		    const char *connection, struct outcome *outcome)
{
	replica->store->ops->remove(replica->store, registration, SLICE("chat"),
				    slice_from_str(connection), outcome_init(outcome));
}

enum err replica_put(struct replica *replica, uint64_t registration,
		     const char *connection, const char *user)
{
	struct outcome outcome;

	replica_add(replica, registration, connection, user, &outcome);
	return outcome_wait(&outcome)->rc;
}

enum err replica_take(struct replica *replica, uint64_t registration,
		      const char *connection)
{
	struct outcome outcome;

	replica_remove(replica, registration, connection, &outcome);
	return outcome_wait(&outcome)->rc;
}

void replica_settle(struct replica *replica)
{
	struct outcome outcome;

	do {
		replica->store->ops->settle(replica->store, outcome_init(&outcome));
		cr_assert_eq(outcome_wait(&outcome)->rc, OK);
	} while (outcome.answer.is_more);
}

size_t replica_sweep(struct replica *replica)
{
	struct outcome outcome;
	size_t n = 0;

	do {
		replica->store->ops->sweep(replica->store, 100, outcome_init(&outcome));
		cr_assert_eq(outcome_wait(&outcome)->rc, OK);
		n += outcome.answer.connections_n;
	} while (outcome.answer.is_more);
	return n;
}

void replica_expect_counts(struct replica *replica, size_t users, size_t connections)
{
	struct outcome outcome;

	replica->store->ops->count(replica->store, outcome_init(&outcome));
	cr_assert_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect(outcome.answer.users_n == users &&
			  outcome.answer.connections_n == connections,
		  "%zu users, %zu connections", outcome.answer.users_n,
		  outcome.answer.connections_n);
}

void replica_expect_told(struct replica *replica, const char *told)
{
	const int64_t end_us = loop_clock_us() + WORLD_WAIT_US;

	while (replica->told_len < strlen(told))
		world_turn(end_us, told);
	cr_expect_str_eq(replica->told, told);
}

struct replica *world_begin(void)
{
	struct replica *replica = world_join();

	replica_settle(replica);
	replica_expect_told(replica, "! ");
	return replica;
}

bool replica_is_away(const struct replica *replica)
{
	return replica->store->ops->away_since_ms(replica->store) != 0;
}

void replica_notice(struct replica *replica)
{
	struct outcome outcome;

	replica->store->ops->sweep(replica->store, 1, outcome_init(&outcome));
	(void)outcome_wait(&outcome);
}

uint64_t replica_tell(struct replica *replica, const char *gateway,
		      const char *const *users, size_t n)
{
	char connection[32];
	const uint64_t registration = replica_gateway(replica, gateway, 1, 600000);
	struct outcome outcome;

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(connection, sizeof(connection), "%s-%s", gateway,
			       users[i]);
		cr_expect_eq(replica_put(replica, registration, connection, users[i]),
			     OK);
	}
	replica->store->ops->gateway_replayed(replica->store, registration,
					      outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	return registration;
}
