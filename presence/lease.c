/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain list: a cluster has tens of processes, and each speaks a few times a lease.
 */
#include "presence/lease.h"

#include <assert.h>

void leases_init(struct leases *leases)
{
	list_init(&leases->all);
	leases->n = 0;
}

void lease_init(struct lease *lease, int role, struct slice name, uint64_t incarnation)
{
	assert(name.len > 0 && name.len <= LEASE_NAME_MAX);
	assert(incarnation != 0);
	*lease = (struct lease){ .role = role, .incarnation = incarnation };
	memcpy(lease->name, name.ptr, name.len);
	list_init(&lease->node);
}

void leases_add(struct leases *leases, struct lease *lease, int64_t lease_ms,
		int64_t now_ms)
{
	assert(!list_is_linked(&lease->node));
	lease_renew(lease, lease_ms, 0, now_ms);
	list_append(&leases->all, &lease->node);
	leases->n++;
}

void leases_remove(struct leases *leases, struct lease *lease)
{
	assert(list_is_linked(&lease->node));
	assert(leases->n > 0);
	list_remove(&lease->node);
	leases->n--;
}

void lease_renew(struct lease *lease, int64_t lease_ms, int64_t connections,
		 int64_t now_ms)
{
	if (lease_ms < LEASE_MS_MIN)
		lease_ms = LEASE_MS_MIN;
	if (lease_ms > LEASE_MS_MAX)
		lease_ms = LEASE_MS_MAX;
	lease->lease_ms = lease_ms;
	lease->connections = connections > 0 ? connections : 0;
	lease_touch(lease, now_ms);
}

void lease_touch(struct lease *lease, int64_t now_ms)
{
	assert(now_ms >= lease->seen_ms);
	lease->seen_ms = now_ms;
}

struct lease *leases_expired(const struct leases *leases, int64_t now_ms)
{
	LIST_EACH (node, &leases->all) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);

		if (lease->seen_ms + lease->lease_ms <= now_ms)
			return lease;
	}
	return NULL;
}

int64_t leases_due_ms(const struct leases *leases)
{
	int64_t due_ms = -1;

	LIST_EACH (node, &leases->all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);
		const int64_t end_ms = lease->seen_ms + lease->lease_ms;

		if (due_ms < 0 || end_ms < due_ms)
			due_ms = end_ms;
	}
	return due_ms;
}

void leases_forgive(struct leases *leases, int64_t now_ms)
{
	LIST_EACH (node, &leases->all)
		lease_touch(CONTAINER_OF(node, struct lease, node), now_ms);
}

size_t leases_count(const struct leases *leases, int role)
{
	size_t n = 0;

	LIST_EACH (node, &leases->all) {
		if (CONTAINER_OF(node, struct lease, node)->role == role)
			n++;
	}
	return n;
}
