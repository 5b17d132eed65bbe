/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of what is in the table, for people: the groups of a hub by name, the members of
 * a group by connection id. A page begins behind the last item of the one before, so
 * whatever is there all the time is in exactly one page. The table must not change while
 * a page is read. Pure.
 */
#ifndef ROUTER_GROUP_PAGE_H
#define ROUTER_GROUP_PAGE_H

#include "router/group_order.h"

/* Of a page that leaves this process: so many items, and so many bytes when the last one
 * is begun. */
#define GROUP_PAGE_MAX 1000u
#define GROUP_PAGE_BYTES_MAX (1u << 20)

/* ---- groups */

struct group_query {
	struct slice hub;
	struct slice prefix; /* of the name */
	struct slice after;  /* a name; ptr NULL: from the first one on */
};

struct group_page {
	const struct order *listed; /* borrowed */
	struct order_place place;
	struct buf prefix; /* owned: what the key of all of them begins with */
};

void group_page_init(struct group_page *page, const struct group_table *table,
		     const struct group_query *query);
void group_page_fini(struct group_page *page);

/* NULL: there are no more. */
const struct group *group_page_next(struct group_page *page);

/* How many there are in all pages together. Takes a step for each chunk of the order. */
size_t group_page_count(const struct group_table *table, const struct group_query *query);

/* ---- members of one group */

struct member_page {
	const struct order *order; /* borrowed; NULL: they are in `sorted` */
	struct order_place place;
	const struct member **sorted; /* owned */
	size_t sorted_n;
	struct slice last; /* the id before; one that is at two gateways is told once */
};

/* Those behind the connection id `after`; empty: from the first one on. */
void member_page_init(struct member_page *page, const struct group *group,
		      struct slice after);
void member_page_fini(struct member_page *page);

/* NULL: there are no more. */
const struct member *member_page_next(struct member_page *page);

#endif
