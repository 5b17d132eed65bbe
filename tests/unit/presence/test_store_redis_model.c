/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two replicas on one Redis, doing what chance says. Asked one thing after the other they
 * answer, and tell, what the store in memory does. Asked many at once, over connections
 * that break, they agree, tell each change once, and end with who is here.
 *
 *	TEST_SEED=n repeats a run, TEST_STEPS=n makes it longer.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "presence/store_memory.h"
#include "proto/base/crypto.h"
#include "tests/unit/presence/redis_world.h"

#define LONG_MS 600000
#define USERS 12
#define CONNECTIONS 40
#define GATEWAYS 3

TestSuite(store_redis_model, .init = world_open, .fini = world_close, .timeout = 300);

static uint64_t dice;

static void dice_init(void)
{
	const char *seed = getenv("TEST_SEED");

	dice = seed != NULL ? strtoull(seed, NULL, 10) : crypto_random_uint64() >> 40;
	fprintf(stderr, "store_redis_model: TEST_SEED=%llu\n", (unsigned long long)dice);
}

/* 0 to n - 1. */
static unsigned chance(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

static unsigned steps(unsigned n)
{
	const char *text = getenv("TEST_STEPS");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : n;
}

/* ---- one thing after the other */

/* What was told of each user: the model's, and the replicas'. */
struct ear {
	char of[USERS][4096];
	size_t resets_n;
	size_t n; /* events */
	bool is_ended;
};

static struct ear ears[3];
static const char *const users[USERS] = { "u0", "u1", "u2", "u3", "u4",	 "u5",
					  "u6", "u7", "u8", "u9", "u10", "u11" };

static void hear(struct ear *ear, const struct store_event *event)
{
	size_t i = 0;
	size_t len;

	ear->n++;
	if (slice_equal(event->user_id, SLICE("end"))) {
		ear->is_ended = true;
		return;
	}
	if (event->change == STORE_RESET) {
		ear->resets_n++;
		return;
	}
	while (!slice_equal(event->user_id, slice_from_str(users[i])))
		cr_assert_lt(++i, USERS);
	len = strlen(ear->of[i]);
	cr_assert_lt(len + 1, sizeof(ear->of[i]));
	ear->of[i][len] = event->change == STORE_ONLINE ? '+' : '-';
	ear->of[i][len + 1] = '\0';
}

static void on_model_event(void *owner, const struct store_event *event)
{
	(void)owner;
	hear(&ears[0], event);
}

static void on_replica_event(struct replica *replica, const struct store_event *event)
{
	hear(&ears[replica == world.replicas[0] ? 1 : 2], event);
}

enum kind { NEW, RENEW, REPLAYED, RETIRE, ADD, REMOVE, SWEEP, SETTLE, COUNT, LIST };

struct step {
	enum kind kind;
	unsigned gateway;
	struct session_gateway_id id;
	struct session_info info;
};

/* A store and the registrations of the gateways in it; 0: none. */
struct side {
	struct store *store;
	uint64_t registrations[GATEWAYS];
	struct outcome outcome;
};

static void side_ask(struct side *side, struct store *store, const struct step *step)
{
	const uint64_t registration = side->registrations[step->gateway];
	struct store_call *call = outcome_init(&side->outcome);
	const struct store_ops *ops = store->ops;

	switch (step->kind) {
	case NEW:
		ops->gateway_new(store, &step->id, LONG_MS, call);
		break;
	case RENEW:
		ops->gateway_renew(store, registration, LONG_MS, call);
		break;
	case REPLAYED:
		ops->gateway_replayed(store, registration, call);
		break;
	case RETIRE:
		ops->gateway_retire(store, registration, call);
		break;
	case ADD:
		ops->add(store, registration, &step->info, call);
		break;
	case REMOVE:
		ops->remove(store, registration, step->info.hub, step->info.connection,
			    call);
		break;
	case SWEEP: /* which ones a slice takes is not laid down: so it takes all */
		ops->sweep(store, 500, call);
		break;
	case SETTLE:
		ops->settle(store, call);
		break;
	case COUNT:
		ops->count(store, call);
		break;
	case LIST:
		ops->list(store, SLICE("u"), SLICE_NONE, USERS, call);
		break;
	}
	(void)outcome_wait(&side->outcome);
	if (step->kind == NEW)
		side->registrations[step->gateway] = side->outcome.answer.registration;
}

static void expect_same(const struct side *model, const struct side *side, unsigned step,
			enum kind kind)
{
	const struct store_answer *wanted = &model->outcome.answer;
	const struct store_answer *found = &side->outcome.answer;

	cr_assert_eq(found->rc, wanted->rc, "step %u, %d: %s, not %s", step, (int)kind,
		     err_name(found->rc), err_name(wanted->rc));
	cr_assert_eq(found->users_online, wanted->users_online, "step %u, %d", step,
		     (int)kind);
	cr_assert_eq(found->users_offline, wanted->users_offline, "step %u, %d", step,
		     (int)kind);
	cr_assert_eq(found->connections_n, wanted->connections_n, "step %u, %d", step,
		     (int)kind);
	cr_assert_eq(found->users_n, wanted->users_n, "step %u, %d", step, (int)kind);
	cr_assert_str_eq(side->outcome.users, model->outcome.users);
}

static void step_choose(struct step *step, uint64_t incarnations[GATEWAYS])
{
	static const char *const hubs[] = { "chat", "relay" };
	static const char *const names[GATEWAYS] = { "g0", "g1", "g2" };
	static char connection[8];
	static const enum kind seldom[] = { NEW, NEW, RENEW, REPLAYED, RETIRE, SETTLE };
	const unsigned g = chance(GATEWAYS);

	(void)snprintf(connection, sizeof(connection), "c%u", chance(CONNECTIONS));
	*step = (struct step){
		.kind = chance(2) == 0 ? ADD : REMOVE,
		.gateway = g,
		.info = { .hub = slice_from_str(hubs[chance(2)]),
			  .connection = slice_from_str(connection),
			  .opened_unix_ms = 1000 + chance(1000),
			  .is_told = chance(2) == 0 },
	};
	if (chance(10) > 0) /* else anonymous; mostly a connection's own user */
		step->info.user_id = slice_from_str(
			users[chance(10) > 0 ? (unsigned)connection[1] % USERS
					     : chance(USERS)]);
	if (chance(20) == 0)
		step->kind = seldom[chance(sizeof(seldom) / sizeof(seldom[0]))];
	else if (chance(10) == 0)
		step->kind = chance(2) == 0 ? SWEEP : chance(2) == 0 ? COUNT : LIST;
	if (step->kind == NEW)
		incarnations[g] += chance(2);
	step->id =
		(struct session_gateway_id){ slice_from_str(names[g]), incarnations[g] };
}

static void like_the_model(int64_t grace_ms)
{
	const struct store_memory_options options = { .sessions_max = 30,
						      .offline_grace_ms = grace_ms,
						      .events_max = 1000,
						      .seed = 1 };
	static struct side model;
	static struct side side;
	uint64_t incarnations[GATEWAYS] = { 1, 1, 1 };
	struct replica *replicas[2];
	const unsigned n = steps(4000);
	struct step step;

	dice_init();
	world.options.sessions_max = options.sessions_max;
	world.options.offline_grace_ms = grace_ms;
	world.options.events_max = 100000;
	model.store = store_memory_new(world.loop, &options);
	model.store->watcher.on_event = on_model_event;
	for (size_t i = 0; i < 2; i++) {
		replicas[i] = world_join();
		replicas[i]->on_told = on_replica_event;
	}
	for (unsigned i = 0; i < n; i++) {
		step_choose(&step, incarnations);
		side_ask(&model, model.store, &step);
		side_ask(&side, replicas[chance(2)]->store, &step);
		expect_same(&model, &side, i, step.kind);
	}
	model.store->ops->free(model.store);
	WORLD_WAIT(ears[1].n >= ears[0].n && ears[2].n >= ears[0].n);
	for (size_t i = 0; i < USERS; i++) {
		cr_expect_str_eq(ears[1].of[i], ears[0].of[i], "%s", users[i]);
		cr_expect_str_eq(ears[2].of[i], ears[0].of[i], "%s", users[i]);
	}
	cr_expect_eq(ears[1].resets_n, ears[0].resets_n);
	cr_expect_eq(replicas[0]->lost_n + replicas[1]->lost_n, 0);
}

Test(store_redis_model, asked_in_turn_it_is_the_store_in_memory)
{
	like_the_model(0);
}

Test(store_redis_model, so_it_is_with_a_grace)
{
	like_the_model(LONG_MS);
}

/* ---- many at once */

/* Of each replica: connections of its own gateway, of users of both. */
struct crowd {
	struct replica *replica;
	uint64_t registration;
	bool is_open[CONNECTIONS];
};

static void crowd_step(struct crowd *crowd, size_t place, struct outcome *outcome)
{
	const unsigned i = chance(CONNECTIONS);
	char connection[16];

	(void)snprintf(connection, sizeof(connection), "%zu-%u", place, i);
	if (crowd->is_open[i])
		replica_remove(crowd->replica, crowd->registration, connection, outcome);
	else
		replica_add(crowd->replica, crowd->registration, connection,
			    users[i % USERS], outcome);
	crowd->is_open[i] = !crowd->is_open[i];
}

static bool crowds_have(const struct crowd crowds[2], unsigned user)
{
	for (unsigned i = user; i < CONNECTIONS; i += USERS) {
		if (crowds[0].is_open[i] || crowds[1].is_open[i])
			return true;
	}
	return false;
}

/* Each change once: they alternate, and end with what is. */
static void expect_changes(const char *changes, bool is_here, const char *user)
{
	const size_t n = strlen(changes);

	for (size_t i = 0; i < n; i++)
		cr_assert_eq(changes[i], i % 2 == 0 ? '+' : '-', "%s: %s", user, changes);
	cr_expect_eq(n % 2 == 1, is_here, "%s: %s", user, changes);
}

Test(store_redis_model, asked_at_once_over_connections_that_break_nothing_is_doubled)
{
	const unsigned n = steps(6000);
	struct outcome *outcomes = calloc(n, sizeof(*outcomes));
	static struct crowd crowds[2];

	dice_init();
	world.options.events_max = 100000;
	for (size_t i = 0; i < 2; i++) {
		crowds[i].replica = world_join();
		crowds[i].replica->on_told = on_replica_event;
	}
	replica_settle(crowds[0].replica);
	crowds[0].registration = replica_gateway(crowds[0].replica, "g0", 1, LONG_MS);
	crowds[1].registration = replica_gateway(crowds[1].replica, "g1", 1, LONG_MS);
	for (unsigned i = 0; i < n; i++) {
		const size_t place = chance(2);

		crowd_step(&crowds[place], place, &outcomes[i]);
		if (chance(20) == 0)
			loop_turn(world.loop, chance(2));
		if (chance(300) == 0)
			(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	}
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(outcome_wait(&outcomes[i])->rc, OK, "%u: %s", i,
			     err_name(outcomes[i].answer.rc));
	free(outcomes);
	/* One more, to know when all has been told. */
	cr_assert_eq(replica_put(crowds[0].replica, crowds[0].registration, "end", "end"),
		     OK);
	WORLD_WAIT(ears[1].is_ended && ears[2].is_ended);
	for (unsigned i = 0; i < USERS; i++) {
		cr_expect_str_eq(ears[1].of[i], ears[2].of[i], "%s", users[i]);
		expect_changes(ears[1].of[i], crowds_have(crowds, i), users[i]);
	}
	cr_expect_eq(crowds[0].replica->lost_n + crowds[1].replica->lost_n, 0);
}
