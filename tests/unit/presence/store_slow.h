/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in front of another one, for tests: its questions about registrations and
 * events wait until they are released, or fail. Everything else goes straight through.
 */
#ifndef TESTS_UNIT_PRESENCE_STORE_SLOW_H
#define TESTS_UNIT_PRESENCE_STORE_SLOW_H

#include "presence/store.h"

/* Takes `store` over. Its watcher is told what that one tells. */
struct store *store_slow_new(struct store *store);

/* From now on gateway_new(), gateway_retire() and events() wait, or do no more. */
void store_slow_hold(struct store *store, bool is_held);

/* What waits is asked, and answered, now; how many. */
int store_slow_release(struct store *store);

/* gateway_new(), events(), marked() and add() fail with it; OK: no more. */
void store_slow_fail(struct store *store, enum err rc);

/* From now on it says that it is away, or there. */
void store_slow_leave(struct store *store, bool is_away);

/* As if it had lost everything. */
void store_slow_lose(struct store *store);

#endif
