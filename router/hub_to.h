/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): sends, and whom they go to.
 *
 *	hub_send(call, hub_to_group(room), SLICE("Said"), arguments);
 *
 * What the calls of one connection send to the same group, user or connection reaches
 * each receiver in that order; between different ones there is none, so there is none
 * between the names of a plural either. Who is in two of its groups gets it twice.
 */
#ifndef ROUTER_HUB_TO_H
#define ROUTER_HUB_TO_H

#include <stddef.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* Names of one send, and connections that it leaves out; with more it fails. */
#define HUB_TO_MAX 1000u
#define HUB_EXCLUDED_MAX 1000u

enum hub_to_kind {
	HUB_TO_CALLER,
	HUB_TO_OTHERS, /* without the caller */
	HUB_TO_ALL,
	HUB_TO_GROUPS,
	HUB_TO_OTHERS_IN_GROUP, /* the same */
	HUB_TO_USERS,
	HUB_TO_CONNECTIONS,
};

/* Borrows what it is made of. Made by the functions below. */
struct hub_to {
	enum hub_to_kind kind;
	struct slice name;	    /* one group, user or connection */
	const struct slice *names;  /* or several; NULL: `name` alone */
	size_t names_n;		    /* 1 for `name` */
	const struct slice *except; /* connection ids; of others the caller's instead */
	size_t except_n;
	const char *hub; /* whose clients; NULL: the hub's that sends */
};

/* To nobody when no connection calls; "others" are all then. */
static inline struct hub_to hub_to_caller(void)
{
	return (struct hub_to){ .kind = HUB_TO_CALLER };
}

static inline struct hub_to hub_to_others(void)
{
	return (struct hub_to){ .kind = HUB_TO_OTHERS };
}

static inline struct hub_to hub_to_all_except(const struct slice *ids, size_t n)
{
	return (struct hub_to){ .kind = HUB_TO_ALL, .except = ids, .except_n = n };
}

static inline struct hub_to hub_to_all(void)
{
	return hub_to_all_except(NULL, 0);
}

static inline struct hub_to hub_to_group(struct slice group)
{
	return (struct hub_to){ .kind = HUB_TO_GROUPS, .name = group, .names_n = 1 };
}

static inline struct hub_to hub_to_groups(const struct slice *groups, size_t n)
{
	return (struct hub_to){ .kind = HUB_TO_GROUPS, .names = groups, .names_n = n };
}

static inline struct hub_to hub_to_group_except(struct slice group,
						const struct slice *ids, size_t n)
{
	return (struct hub_to){ HUB_TO_GROUPS, group, NULL, 1, ids, n, NULL };
}

static inline struct hub_to hub_to_others_in_group(struct slice group)
{
	return (struct hub_to){ HUB_TO_OTHERS_IN_GROUP, group, NULL, 1, NULL, 0, NULL };
}

static inline struct hub_to hub_to_user(struct slice user_id)
{
	return (struct hub_to){ .kind = HUB_TO_USERS, .name = user_id, .names_n = 1 };
}

static inline struct hub_to hub_to_users(const struct slice *ids, size_t n)
{
	return (struct hub_to){ .kind = HUB_TO_USERS, .names = ids, .names_n = n };
}

static inline struct hub_to hub_to_connection(struct slice id)
{
	return (struct hub_to){ .kind = HUB_TO_CONNECTIONS, .name = id, .names_n = 1 };
}

static inline struct hub_to hub_to_connections(const struct slice *ids, size_t n)
{
	return (struct hub_to){ .kind = HUB_TO_CONNECTIONS, .names = ids, .names_n = n };
}

/* The same among another hub's clients; one that this router does not serve has none. */
static inline struct hub_to hub_to_in(const char *hub, struct hub_to to)
{
	to.hub = hub;
	return to;
}

/* `event` is the client's handler, `arguments` an array. It is encoded once, however many
 * it goes to, and does not wait: a failure becomes the failure of the invocation. */
void hub_send(struct hub_call *call, struct hub_to to, struct slice event,
	      const struct value *arguments);

#endif
