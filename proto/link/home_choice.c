/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rendezvous order: a replica's place is the hash of both names. The hash need not be the
 * same everywhere, for nobody else has to know where we are at home.
 */
#include "proto/link/home_choice.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"

static int replica_compare(const void *a, const void *b)
{
	const struct home_replica *left = a;
	const struct home_replica *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

void home_choice_init(struct home_choice *choice, struct slice name,
		      const struct shards *list, int64_t now_ms)
{
	*choice = (struct home_choice){ .n = list->n, .chosen = -1 };
	choice->replicas = mem_alloc(list->n * sizeof(*choice->replicas));
	for (size_t i = 0; i < list->n; i++) {
		const struct slice parts[] = { name,
					       slice_from_str(list->items[i].name) };

		choice->replicas[i] = (struct home_replica){
			.place = hash_stable(parts, 2),
			.index = i,
			.since_ms = now_ms,
		};
	}
	qsort(choice->replicas, choice->n, sizeof(*choice->replicas), replica_compare);
}

void home_choice_fini(struct home_choice *choice)
{
	mem_free(choice->replicas);
	*choice = (struct home_choice){ .chosen = -1 };
}

void home_choice_set(struct home_choice *choice, size_t index, bool is_up, int64_t now_ms)
{
	for (size_t i = 0; i < choice->n; i++) {
		struct home_replica *replica = &choice->replicas[i];

		if (replica->index != index || replica->is_up == is_up)
			continue;
		replica->is_up = is_up;
		replica->since_ms = now_ms;
	}
}

static bool is_given_up(const struct home_replica *replica, int64_t now_ms)
{
	return !replica->is_up && now_ms - replica->since_ms >= HOME_LEAVE_MS;
}

/* The first that is up, unless a better one may be back in a moment. */
static ptrdiff_t first_up(const struct home_choice *choice, int64_t now_ms)
{
	for (size_t i = 0; i < choice->n; i++) {
		if (choice->replicas[i].is_up)
			return (ptrdiff_t)i;
		if (!is_given_up(&choice->replicas[i], now_ms))
			return -1;
	}
	return -1;
}

/* One that is better than the chosen one, and steady. */
static ptrdiff_t better(const struct home_choice *choice, int64_t now_ms)
{
	for (ptrdiff_t i = 0; i < choice->chosen; i++) {
		const struct home_replica *replica = &choice->replicas[i];

		if (replica->is_up && now_ms - replica->since_ms >= HOME_RETURN_MS)
			return i;
	}
	return choice->chosen;
}

bool home_choice_make(struct home_choice *choice, int64_t now_ms)
{
	const ptrdiff_t was = choice->chosen;

	if (was < 0 || is_given_up(&choice->replicas[was], now_ms))
		choice->chosen = first_up(choice, now_ms);
	else
		choice->chosen = better(choice, now_ms);
	assert(choice->chosen < (ptrdiff_t)choice->n);
	return choice->chosen != was;
}

ptrdiff_t home_choice_index(const struct home_choice *choice)
{
	return choice->chosen < 0 ? -1
				  : (ptrdiff_t)choice->replicas[choice->chosen].index;
}

static int64_t sooner(int64_t due_ms, int64_t other_ms)
{
	return due_ms < 0 || other_ms < due_ms ? other_ms : due_ms;
}

/* The first down one that an up one follows holds the choice back. */
static int64_t wait_due_ms(const struct home_choice *choice)
{
	int64_t due_ms = -1;

	for (size_t i = 0; i < choice->n; i++) {
		const struct home_replica *replica = &choice->replicas[i];

		if (replica->is_up)
			return due_ms;
		if (replica->since_ms + HOME_LEAVE_MS > due_ms)
			due_ms = replica->since_ms + HOME_LEAVE_MS;
	}
	return -1;
}

int64_t home_choice_due_ms(const struct home_choice *choice)
{
	int64_t due_ms = -1;

	if (choice->chosen < 0)
		return wait_due_ms(choice);
	if (!choice->replicas[choice->chosen].is_up)
		due_ms = choice->replicas[choice->chosen].since_ms + HOME_LEAVE_MS;
	for (ptrdiff_t i = 0; i < choice->chosen; i++) {
		const struct home_replica *replica = &choice->replicas[i];

		if (replica->is_up)
			due_ms = sooner(due_ms, replica->since_ms + HOME_RETURN_MS);
	}
	return due_ms;
}
