/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is always given all that it is due of all sweeps at once, in the order in
 * which it came. So there is one way to serve it, whoever asks, and with several sweeps
 * each moves the others on.
 *
 * A sweep that is over is freed by the timer alone: no caller holds one that is gone.
 */
#include "gateway/sweep.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "gateway/conn_out.h"
#include "gateway/gateway.h"
#include "gateway/parcel.h"
#include "proto/base/mem.h"

/* As long as a write of its own takes, the kernel copies about so much more. */
#define WRITE_BYTES 4096
/* Nor is it less to look through so many memberships, each of a key elsewhere in memory.
 */
#define WRITE_MEMBERSHIPS 64

/* ---- the kept */

static struct list *receivers(struct sweep *sweep)
{
	return sweep->key != NULL ? &sweep->key->members : &sweep->hub->conns;
}

static uint32_t *serial(struct sweep *sweep)
{
	return sweep->key != NULL ? &sweep->key->serial : &sweep->hub->serial;
}

static struct sweep **home(struct sweep *sweep)
{
	return sweep->key != NULL ? &sweep->key->sweep : &sweep->hub->sweep;
}

static struct membership *membership_at(struct list *node)
{
	return CONTAINER_OF(node, struct membership, key_node);
}

static struct conn *conn_at(struct list *node)
{
	return CONTAINER_OF(node, struct conn, hub_node);
}

/* By whoever has waited longest; NULL: nobody is left. */
static const uint32_t *first_served(struct sweep *sweep)
{
	struct list *node;

	if (sweep->is_over || list_is_empty(receivers(sweep)))
		return NULL;
	node = receivers(sweep)->next;
	return sweep->key != NULL ? &membership_at(node)->served : &conn_at(node)->served;
}

static struct sweep *sweep_new(struct gateway *gateway, struct hub *hub,
			       struct index_key *key)
{
	struct sweeps *sweeps = &gateway->sweeps;
	struct sweep *sweep = MEM_NEW(struct sweep);

	sweep->hub = hub;
	sweep->key = key;
	list_init(&sweep->node);
	list_init(&sweep->parcels);
	assert(*home(sweep) == NULL);
	*home(sweep) = sweep;
	list_append(&sweeps->active, &sweep->node);
	sweeps->active_n++;
	if (key != NULL)
		sweeps->of_keys_n++;
	gateway->metrics.sweeps = (int64_t)sweeps->active_n;
	if (!timer_is_running(&sweeps->timer))
		loop_timer_start(gateway->loop, &sweeps->timer, 0);
	return sweep;
}

static void forget_parcels(struct gateway *gateway, struct sweep *sweep, uint32_t n)
{
	assert(n <= sweep->parcels_n);
	for (; sweep->parcels_n > n; sweep->parcels_n--) {
		struct parcel *parcel =
			CONTAINER_OF(list_shift(&sweep->parcels), struct parcel, node);

		gateway->metrics.sweep_bytes -= (int64_t)parcel->bytes;
		if (parcel->reached == 0)
			gateway->metrics.deliver_empty_total++;
		parcel_free(parcel);
	}
}

/* What the first receiver has had, all have. */
static void forget_served(struct gateway *gateway, struct sweep *sweep)
{
	const uint32_t *served = first_served(sweep);

	forget_parcels(gateway, sweep, served != NULL ? *serial(sweep) - *served : 0);
}

static void sweep_free(struct gateway *gateway, struct sweep *sweep)
{
	forget_parcels(gateway, sweep, 0);
	if (sweep->is_over || sweep->key != NULL)
		gateway->sweeps.of_keys_n--;
	if (!sweep->is_over)
		*home(sweep) = NULL;
	list_remove(&sweep->node);
	gateway->sweeps.active_n--;
	gateway->metrics.sweeps = (int64_t)gateway->sweeps.active_n;
	mem_free(sweep);
}

void sweep_on_gone(struct sweep *sweep)
{
	assert(sweep->key != NULL && sweep->key->members_n == 1);
	sweep->key->sweep = NULL;
	sweep->key = NULL;
	sweep->is_over = true;
}

/* ---- what is due */

/* It has had all up to there, and goes to the back of its list. */
static void member_served(struct membership *membership, uint32_t served)
{
	membership->served = served;
	list_remove(&membership->key_node);
	list_append(&membership->key->members, &membership->key_node);
}

static void conn_served(struct conn *conn, uint32_t served)
{
	conn->served = served;
	list_remove(&conn->hub_node);
	list_append(&conn->hub->conns, &conn->hub_node);
}

static void due_add(struct sweep_due *due, struct sweep *sweep, uint32_t n)
{
	struct list *node = &sweep->parcels;

	assert(n <= sweep->parcels_n);
	if (due->n + n > due->cap) {
		due->cap = (due->n + n) * 2;
		due->parcels =
			mem_realloc(due->parcels, due->cap * sizeof(due->parcels[0]));
	}
	for (uint32_t i = 0; i < n; i++)
		node = node->prev;
	for (; node != &sweep->parcels; node = node->next) {
		struct parcel *parcel = CONTAINER_OF(node, struct parcel, node);

		due->parcels[due->n++] = parcel;
		due->bytes += parcel->len;
	}
}

static void due_of_membership(struct sweep_due *due, struct membership *membership)
{
	struct index_key *key = membership->key;

	if (membership->served == key->serial)
		return;
	due_add(due, key->sweep, key->serial - membership->served);
	member_served(membership, key->serial);
}

static void due_of_hub(struct sweep_due *due, struct conn *conn)
{
	struct hub *hub = conn->hub;

	/* One that is closed is in no hub any more. */
	if (conn->state != CONN_OPEN || conn->served == hub->serial)
		return;
	due_add(due, hub->sweep, hub->serial - conn->served);
	conn_served(conn, hub->serial);
}

static int by_arrival(const void *a, const void *b)
{
	const struct parcel *const *x = a;
	const struct parcel *const *y = b;

	/* The number goes round; what is kept at a time is near together. */
	return (int32_t)((*x)->arrival - (*y)->arrival) < 0 ? -1 : 1;
}

static void due_begin(struct sweep_due *due, struct conn *conn)
{
	due->n = 0;
	due->bytes = 0;
	conn->caught_up = conn->gateway->sweeps.arrivals;
}

/* All that it is due, in order, counts as given from now on. */
static void due_take(struct sweep_due *due, struct conn *conn)
{
	const struct sweeps *sweeps = &conn->gateway->sweeps;

	due_begin(due, conn);
	due_of_hub(due, conn);
	if (sweeps->of_keys_n > 0) {
		LIST_EACH (node, &conn->memberships)
			due_of_membership(
				due, CONTAINER_OF(node, struct membership, conn_node));
	}
	if (sweeps->active_n > 1 && due->n > 1)
		qsort(due->parcels, due->n, sizeof(due->parcels[0]), by_arrival);
}

/* ---- giving */

static void give(struct parcel *parcel, struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	const size_t held = parcel->bytes;
	struct blob *wrapped;

	if (conn->state != CONN_OPEN)
		return;
	wrapped = parcel_wrapped(parcel, conn);
	if (wrapped == NULL)
		return;
	gateway->metrics.sweep_bytes += (int64_t)(parcel->bytes - held);
	gateway->metrics.deliveries_total++;
	parcel->reached++;
	conn_send_wrapped(conn, wrapped);
}

void sweep_catch_up(struct conn *conn)
{
	struct sweeps *sweeps = &conn->gateway->sweeps;
	struct sweep_due *due = &sweeps->due;

	if (sweeps->active_n == 0 || conn->caught_up == sweeps->arrivals)
		return;
	assert(sweeps->batch_n == 0);
	due_take(due, conn);
	if (due->n > 0)
		conn->gateway->metrics.sweep_catch_up_total++;
	for (size_t i = 0; i < due->n; i++)
		give(due->parcels[i], conn);
}

/* One message after the other to all of them, so that its bytes are shared. A connection
 * that ends stays in memory until the turn is over. */
static void batch_give(struct sweeps *sweeps)
{
	for (size_t i = 0; i < sweeps->batch_due.n; i++) {
		for (size_t k = 0; k < sweeps->batch_n; k++)
			give(sweeps->batch_due.parcels[i], sweeps->batch[k]);
	}
	sweeps->batch_n = 0;
}

static bool due_is_same(const struct sweep_due *a, const struct sweep_due *b)
{
	return a->n == b->n &&
	       memcmp(a->parcels, b->parcels, a->n * sizeof(a->parcels[0])) == 0;
}

/* Who has waited longest, if he is due something; what he is due is taken. */
static struct conn *first_due(struct sweeps *sweeps, struct sweep *sweep)
{
	const uint32_t *served = first_served(sweep);
	struct list *node;
	struct conn *conn;

	if (served == NULL || *served == *serial(sweep))
		return NULL;
	node = receivers(sweep)->next;
	conn = sweep->key != NULL ? membership_at(node)->conn : conn_at(node);
	if (sweeps->active_n > 1) {
		due_take(&sweeps->due, conn);
		return conn;
	}
	/* Its other memberships, of which there may be many, have nothing for it. */
	due_begin(&sweeps->due, conn);
	if (sweep->key != NULL)
		due_of_membership(&sweeps->due, membership_at(node));
	else
		due_of_hub(&sweeps->due, conn);
	return conn;
}

/* Returns what serving it costs, in writes. */
static size_t batch_add(struct sweeps *sweeps, struct conn *conn)
{
	/* Of one sweep it was known which membership it is. */
	const size_t looks = sweeps->active_n > 1 && sweeps->of_keys_n > 0
				     ? conn->memberships_n / WRITE_MEMBERSHIPS
				     : 0;
	struct sweep_due due;

	if (sweeps->batch_n == 0 || !due_is_same(&sweeps->due, &sweeps->batch_due)) {
		batch_give(sweeps);
		due = sweeps->batch_due;
		sweeps->batch_due = sweeps->due;
		sweeps->due = due;
	}
	sweeps->batch[sweeps->batch_n++] = conn;
	return 1 + sweeps->batch_due.bytes / WRITE_BYTES + looks;
}

/* ---- a slice */

/* Serves a batch of those who have waited longest, of at most `left` writes or the first
 * alone; returns how many are left. */
static size_t serve_batch(struct gateway *gateway, struct sweep *sweep, size_t left)
{
	struct sweeps *sweeps = &gateway->sweeps;
	struct conn *conn;
	size_t n = 0;

	while (n < SWEEP_BATCH && left > 0 && (conn = first_due(sweeps, sweep)) != NULL) {
		const size_t writes = batch_add(sweeps, conn);

		left -= writes < left ? writes : left;
		n++;
	}
	batch_give(sweeps);
	forget_served(gateway, sweep);
	return left;
}

static void on_timer(struct timer *timer)
{
	struct gateway *gateway = CONTAINER_OF(timer, struct gateway, sweeps.timer);
	struct sweeps *sweeps = &gateway->sweeps;
	size_t left = (size_t)gateway->conf->sweep_slice;

	gateway->metrics.sweep_slices_total++;
	while (sweeps->active_n > 0 && left > 0) {
		struct sweep *sweep =
			CONTAINER_OF(sweeps->active.next, struct sweep, node);

		left = serve_batch(gateway, sweep, left);
		list_remove(&sweep->node);
		list_append(&sweeps->active, &sweep->node);
		if (sweep->parcels_n == 0)
			sweep_free(gateway, sweep);
	}
	if (sweeps->active_n > 0) {
		loop_timer_start(gateway->loop, timer, 0);
		/* The links have threads of their own, which may wait for this core. */
		(void)sched_yield(); /* cannot fail on Linux */
	}
}

/* ---- taking */

bool sweep_is_needed(const struct gateway *gateway, const struct sweep *sweep,
		     size_t receivers_n)
{
	return sweep != NULL || receivers_n > (size_t)gateway->conf->sweep_slice;
}

static bool is_full(const struct gateway *gateway, const struct sweep *sweep)
{
	const struct gateway_conf *conf = gateway->conf;

	return gateway->metrics.sweep_bytes >= conf->sweep_bytes_max ||
	       (sweep != NULL && sweep->parcels_n >= conf->sweep_messages_max);
}

/* Ahead of its coming: they have had it. */
static void exclude(struct gateway *gateway, struct sweep *sweep,
		    const Link__Deliver *deliver)
{
	const uint32_t served = *serial(sweep) + 1;

	for (size_t i = 0; i < deliver->n_excluded; i++) {
		struct conn *conn =
			gateway_conn_find(gateway, link_slice(deliver->excluded[i]));
		struct membership *membership;

		if (conn == NULL || conn->hub != sweep->hub)
			continue;
		if (sweep->key == NULL) {
			if (conn->state == CONN_OPEN)
				conn_served(conn, served);
			continue;
		}
		membership = index_find_membership(sweep->key, conn);
		if (membership != NULL)
			member_served(membership, served);
	}
}

/* Each time the number comes round nobody may have been caught up to it long ago. */
static uint32_t next_arrival(struct gateway *gateway)
{
	struct map_node *node = NULL;

	if (++gateway->sweeps.arrivals != 0)
		return gateway->sweeps.arrivals;
	while ((node = map_next(&gateway->conns, node)) != NULL)
		CONTAINER_OF(node, struct conn, node)->caught_up = 0;
	return ++gateway->sweeps.arrivals;
}

static void keep(struct gateway *gateway, struct sweep *sweep,
		 const Link__Deliver *deliver)
{
	struct parcel *parcel = parcel_new(deliver);

	exclude(gateway, sweep, deliver);
	parcel->arrival = next_arrival(gateway);
	list_append(&sweep->parcels, &parcel->node);
	sweep->parcels_n++;
	++*serial(sweep);
	gateway->metrics.sweep_bytes += (int64_t)parcel->bytes;
	gateway->metrics.sweep_total++;
}

bool sweep_take(struct gateway *gateway, struct hub *hub, struct index_key *key,
		const Link__Deliver *deliver)
{
	struct sweep *sweep = key != NULL ? key->sweep : hub->sweep;
	const size_t receivers_n = key != NULL ? key->members_n : hub->conns_n;
	const bool is_big = receivers_n > (size_t)gateway->conf->sweep_slice;

	if (is_big && !is_full(gateway, sweep)) {
		if (sweep == NULL)
			sweep = sweep_new(gateway, hub, key);
		keep(gateway, sweep, deliver);
		return true;
	}
	if (is_big)
		gateway->metrics.sweep_refused_total++;
	while (sweep != NULL && sweep->parcels_n > 0)
		(void)serve_batch(gateway, sweep, SIZE_MAX);
	return false;
}

/* ---- life */

void sweeps_init(struct gateway *gateway)
{
	list_init(&gateway->sweeps.active);
	timer_init(&gateway->sweeps.timer, on_timer);
}

void sweeps_fini(struct gateway *gateway)
{
	LIST_EACH (node, &gateway->sweeps.active)
		sweep_free(gateway, CONTAINER_OF(node, struct sweep, node));
	loop_timer_stop(gateway->loop, &gateway->sweeps.timer);
	mem_free(gateway->sweeps.due.parcels);
	mem_free(gateway->sweeps.batch_due.parcels);
}
