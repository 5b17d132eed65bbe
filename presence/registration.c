/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map by number, which each change of a connection looks into, and plain lists for what
 * happens once a lease: there are not many more registrations than gateways.
 */
#include "presence/registration.h"

#include <assert.h>

#include "proto/base/mem.h"

static struct registration *registration_of(struct list *node)
{
	return CONTAINER_OF(node, struct registration, node);
}

static struct slice registration_name(const struct registration *registration)
{
	return slice_make(registration->name, registration->name_len);
}

void registrations_init(struct registrations *registrations, uint64_t seed)
{
	*registrations = (struct registrations){ .last_number = 0 };
	map_init(&registrations->by_number, seed);
	list_init(&registrations->live);
	list_init(&registrations->retired);
}

void registrations_fini(struct registrations *registrations)
{
	LIST_EACH (node, &registrations->live)
		registration_retire(registrations, registration_of(node));
	assert(list_is_empty(&registrations->retired));
	map_fini(&registrations->by_number);
}

struct registration *registration_new(struct registrations *registrations,
				      const struct session_gateway_id *gateway,
				      int64_t end_ms)
{
	struct registration *registration =
		mem_zalloc(offsetof(struct registration, name) + gateway->name.len);

	assert(gateway->name.len > 0);
	LIST_EACH (node, &registrations->live) {
		struct registration *other = registration_of(node);

		if (slice_equal(registration_name(other), gateway->name) &&
		    other->incarnation != gateway->incarnation)
			registration_retire(registrations, other);
	}
	registration->number = ++registrations->last_number;
	registration->incarnation = gateway->incarnation;
	registration->end_ms = end_ms;
	registration->name_len = gateway->name.len;
	memcpy(registration->name, gateway->name.ptr, gateway->name.len);
	list_init(&registration->entries);
	list_init(&registration->node);
	list_append(&registrations->live, &registration->node);
	map_add(&registrations->by_number, &registration->map_node,
		map_number_key(&registration->number));
	return registration;
}

struct registration *registration_find(const struct registrations *registrations,
				       uint64_t number)
{
	struct map_node *node =
		map_find(&registrations->by_number, map_number_key(&number));

	return node != NULL ? CONTAINER_OF(node, struct registration, map_node) : NULL;
}

void registration_renew(struct registrations *registrations,
			const struct registration *registration, int64_t end_ms)
{
	LIST_EACH (node, &registrations->live) {
		struct registration *other = registration_of(node);

		if (slice_equal(registration_name(other),
				registration_name(registration)))
			other->end_ms = end_ms;
	}
}

/* ---- the end of one */

static void registration_free(struct registration *registration)
{
	assert(registration->is_retired);
	assert(list_is_empty(&registration->entries));
	list_remove(&registration->node);
	mem_free(registration);
}

void registration_retire(struct registrations *registrations,
			 struct registration *registration)
{
	assert(!registration->is_retired);
	registration->is_retired = true;
	map_remove(&registrations->by_number, &registration->map_node);
	list_remove(&registration->node);
	list_append(&registrations->retired, &registration->node);
	registration_shrunk(registration);
}

void registration_retire_earlier(struct registrations *registrations,
				 const struct registration *registration)
{
	LIST_EACH (node, &registrations->live) {
		struct registration *other = registration_of(node);

		if (other != registration && slice_equal(registration_name(other),
							 registration_name(registration)))
			registration_retire(registrations, other);
	}
}

bool registration_has_later(const struct registrations *registrations,
			    const struct registration *registration)
{
	LIST_EACH (node, &registrations->live) {
		const struct registration *other = registration_of(node);

		if (other->number > registration->number &&
		    slice_equal(registration_name(other),
				registration_name(registration)))
			return true;
	}
	return false;
}

void registration_shrunk(struct registration *registration)
{
	if (registration->is_retired && list_is_empty(&registration->entries))
		registration_free(registration);
}

/* ---- asking */

struct registration *registration_expired(const struct registrations *registrations,
					  int64_t now_ms)
{
	LIST_EACH (node, &registrations->live) {
		if (registration_of(node)->end_ms <= now_ms)
			return registration_of(node);
	}
	return NULL;
}

struct registration *registration_first_retired(const struct registrations *registrations)
{
	if (list_is_empty(&registrations->retired))
		return NULL;
	return registration_of(registrations->retired.next);
}

struct session_gateway_id registration_gateway(const struct registration *registration)
{
	return (struct session_gateway_id){
		.name = registration_name(registration),
		.incarnation = registration->incarnation,
	};
}
