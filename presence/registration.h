/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations of gateways: what one has told since it began to tell. It lives for as
 * long as its lease is renewed. A retired one is found by nobody, holds what it holds
 * until that has been removed, and is gone then. Pure: time is a parameter.
 *
 * Leases of processes (lease.h) are another thing: those are this presence's own view.
 */
#ifndef PRESENCE_REGISTRATION_H
#define PRESENCE_REGISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

/* One life of a gateway. */
struct session_gateway_id {
	struct slice name;
	uint64_t incarnation;
};

struct registration {
	struct map_node map_node; /* in registrations->by_number; live ones */
	struct list node;	  /* among the live or the retired ones */
	struct list entries;	  /* connections: session.c's */
	uint64_t number;
	uint64_t incarnation;
	int64_t end_ms; /* of its lease */
	bool is_retired;
	size_t name_len;
	char name[];
};

struct registrations {
	struct map by_number;
	struct list live;
	struct list retired;
	uint64_t last_number;
};

void registrations_init(struct registrations *registrations, uint64_t seed);

/* None of them may hold a connection any more. */
void registrations_fini(struct registrations *registrations);

/* Retires those of other incarnations of the same name. */
struct registration *registration_new(struct registrations *registrations,
				      const struct session_gateway_id *gateway,
				      int64_t end_ms);

/* A live one, or NULL. */
struct registration *registration_find(const struct registrations *registrations,
				       uint64_t number);

/* With it all others of its gateway: what they hold is its own until it has told all. */
void registration_renew(struct registrations *registrations,
			const struct registration *registration, int64_t end_ms);

/* It may be gone on return. */
void registration_retire(struct registrations *registrations,
			 struct registration *registration);

/* All others of its gateway. */
void registration_retire_earlier(struct registrations *registrations,
				 const struct registration *registration);

/* Has its gateway begun to tell anew, under a later one that lives? */
bool registration_has_later(const struct registrations *registrations,
			    const struct registration *registration);

/* One whose lease has run out, or NULL; the caller retires it and asks again. */
struct registration *registration_expired(const struct registrations *registrations,
					  int64_t now_ms);

/* A retired one, which holds something; or NULL. */
struct registration *
registration_first_retired(const struct registrations *registrations);

/* It has lost a connection: a retired one ends with its last. */
void registration_shrunk(struct registration *registration);

struct session_gateway_id registration_gateway(const struct registration *registration);

#endif
