/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a store in tests: every question is waited for; what an answer pointed to is
 * kept as text, ids with a space behind each, and so is what the store tells: "+ann "
 * when she came online, "-ann " when she went, "! " for a reset.
 */
#ifndef TESTS_UNIT_PRESENCE_STORE_ASK_H
#define TESTS_UNIT_PRESENCE_STORE_ASK_H

#include "presence/store.h"
#include "tests/unit/presence/store_kit.h"

#define MANY 100000 /* sessions_max where nothing else is said */
#define ROOM 1000
#define LONG_MS 600000
#define SHORT_MS 50

struct asked {
	struct store_call call;
	bool is_done;
	struct store_answer answer; /* its pointers are dead */
	struct store_user user;	    /* the first, with its texts in `users` */
	char users[16384];
	char sessions[4096];
	char events[4096];
	char next[16384];
};

/* Of the one test that is running. */
extern const struct store_kit *kit;
extern struct store *store;
extern struct asked asked;
extern uint64_t g1; /* registrations of gateways "g1" and "g2" */
extern uint64_t g2;
extern char told[65536]; /* since the test began */
extern size_t told_n;
extern char told_id[128]; /* of the last one */

/* Another store than the one that the test began with; it is not settled. */
void use_store(const struct store_kit_options *options);

void on_asked(struct store_call *call, const struct store_answer *answer);
struct store_call *ask_with(store_done_fn *done);
struct store_call *ask(void);
const struct store_answer *wait_answer(void);

uint64_t gateway_new(const char *name, uint64_t incarnation, int64_t lease_ms);
enum err gateway_renew(uint64_t registration, int64_t lease_ms);
enum err gateway_replayed(uint64_t registration);
enum err gateway_retire(uint64_t registration);

const struct store_answer *add_info(uint64_t registration,
				    const struct session_info *info);
const struct store_answer *add(uint64_t registration, const char *connection,
			       const char *user);
/* One that was told before. */
const struct store_answer *add_told(uint64_t registration, const char *connection,
				    const char *user);
const struct store_answer *take(uint64_t registration, const char *hub,
				const char *connection);

const struct store_answer *sweep(size_t limit);
size_t settle(void); /* to the end; how many came online */

const struct store_answer *find_user(struct slice id, const char *cursor, size_t limit);
const struct store_answer *find_connection(struct slice id);
/* Of `cursor`, which may be the last answer's own. */
const struct store_answer *list(const char *prefix, const char *cursor, size_t limit);
const struct store_answer *find_events(const char *after, size_t limit);

/* Sweeps until so many are left. */
void until_counts(size_t users, size_t connections);
void expect_counts(size_t users, size_t connections);

/* Waits for as many events and expects just these: they end with the coming of "end",
 * which is made for the purpose. */
void expect_told(const char *events);

#endif
