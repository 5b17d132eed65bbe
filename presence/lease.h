/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lives: each process says so every third of its lease, and one that has not for a
 * whole lease is gone. Pure: time is a parameter, and what follows from an end is the
 * caller's business.
 */
#ifndef PRESENCE_LEASE_H
#define PRESENCE_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/slice.h"

#define LEASE_NAME_MAX 64
#define LEASE_MS_MIN 100
#define LEASE_MS_MAX 600000

/* Embedded in the caller's struct. */
struct lease {
	struct list node; /* in leases->all */
	int role;	  /* Link__Role */
	char name[LEASE_NAME_MAX + 1];
	uint64_t incarnation;
	int64_t lease_ms;
	int64_t connections; /* as it last said */
	int64_t seen_ms;
};

struct leases {
	struct list all; /* the oldest process first */
	size_t n;
};

void leases_init(struct leases *leases);

/* Sets who it is; `name` is at most LEASE_NAME_MAX long. */
void lease_init(struct lease *lease, int role, struct slice name, uint64_t incarnation);

/* From now on; `lease_ms` is what holds until the process says its own. */
void leases_add(struct leases *leases, struct lease *lease, int64_t lease_ms,
		int64_t now_ms);
void leases_remove(struct leases *leases, struct lease *lease);

/* It said so. A lease_ms out of range is taken to the range's nearer end. */
void lease_renew(struct lease *lease, int64_t lease_ms, int64_t connections,
		 int64_t now_ms);

/* It lives, though it did not say for how long. */
void lease_touch(struct lease *lease, int64_t now_ms);

/* One that has run out, or NULL; the caller removes it and asks again. */
struct lease *leases_expired(const struct leases *leases, int64_t now_ms);

/* When the next one runs out if nobody says anything; -1: there is none. */
int64_t leases_due_ms(const struct leases *leases);

/* We were the ones who did not listen: everyone gets a whole lease again. */
void leases_forgive(struct leases *leases, int64_t now_ms);

size_t leases_count(const struct leases *leases, int role);

#endif
