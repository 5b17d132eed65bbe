/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large groups have an order to begin in; a small one is sorted each time.
 */
#include "router/group_page.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/base/mem.h"

/* ---- groups */

/* As group_compare(), but what begins with the bytes stands before them. */
static int compare_past(const void *item, const void *key)
{
	const struct slice *prefix = key;

	return slice_starts_with(group_bytes(item), *prefix)
		       ? -1
		       : slice_compare(group_bytes(item), *prefix);
}

static void key_write(struct buf *out, struct slice hub, struct slice name)
{
	const struct group_key key = { hub, GROUP_KIND_LISTED, name };

	group_key_write(out, &key);
}

/* The first one that is not before the name, or the one behind it. */
static struct order_place place_of(const struct order *listed, struct slice hub,
				   struct slice name, bool is_behind)
{
	struct buf key = BUF_INIT;
	struct order_place place;
	struct slice bytes;
	const struct group *group;

	key_write(&key, hub, name);
	bytes = buf_slice(&key);
	place = order_seek(listed, group_compare, &bytes);
	if (is_behind) {
		struct order_place next = place;

		group = order_next(listed, &next);
		if (group != NULL && group_compare(group, &bytes) == 0)
			place = next;
	}
	buf_fini(&key);
	return place;
}

void group_page_init(struct group_page *page, const struct group_table *table,
		     const struct group_query *query)
{
	const bool has_begun = query->after.ptr != NULL &&
			       slice_compare(query->after, query->prefix) >= 0;

	*page = (struct group_page){ .listed = &table->listed };
	buf_init(&page->prefix);
	key_write(&page->prefix, query->hub, query->prefix);
	page->place = place_of(page->listed, query->hub,
			       has_begun ? query->after : query->prefix, has_begun);
}

void group_page_fini(struct group_page *page)
{
	buf_fini(&page->prefix);
}

const struct group *group_page_next(struct group_page *page)
{
	const struct group *group = order_next(page->listed, &page->place);
	const bool is_one = group != NULL && slice_starts_with(group_bytes(group),
							       buf_slice(&page->prefix));

	return is_one ? group : NULL;
}

size_t group_page_count(const struct group_table *table, const struct group_query *query)
{
	const struct order *listed = &table->listed;
	struct buf prefix = BUF_INIT;
	struct slice bytes;
	size_t n;

	key_write(&prefix, query->hub, query->prefix);
	bytes = buf_slice(&prefix);
	n = order_rank(listed, order_seek(listed, compare_past, &bytes)) -
	    order_rank(listed, order_seek(listed, group_compare, &bytes));
	buf_fini(&prefix);
	return n;
}

/* ---- members */

static struct slice id_of(const struct member *member)
{
	return group_member_who(member).connection;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *const *left = a;
	const struct member *const *right = b;

	return slice_compare(id_of(*left), id_of(*right));
}

static void sort(struct member_page *page, const struct group *group)
{
	page->sorted = mem_alloc(group->members_n * sizeof(*page->sorted));
	LIST_EACH (node, &group->members) {
		const struct member *member =
			CONTAINER_OF(node, struct member, group_node);

		if (slice_compare(id_of(member), page->last) > 0)
			page->sorted[page->sorted_n++] = member;
	}
	qsort(page->sorted, page->sorted_n, sizeof(*page->sorted), compare_members);
}

void member_page_init(struct member_page *page, const struct group *group,
		      struct slice after)
{
	const struct member_place place = { after, NULL };

	*page = (struct member_page){ .order = group->order, .last = after };
	if (page->order != NULL)
		page->place = order_seek(page->order, member_compare, &place);
	else
		sort(page, group);
}

void member_page_fini(struct member_page *page)
{
	mem_free(page->sorted);
	page->sorted = NULL;
}

static const struct member *next(struct member_page *page)
{
	if (page->order != NULL)
		return order_next(page->order, &page->place);
	return page->place.i < page->sorted_n ? page->sorted[page->place.i++] : NULL;
}

const struct member *member_page_next(struct member_page *page)
{
	const struct member *member = next(page);

	while (member != NULL && slice_equal(id_of(member), page->last))
		member = next(page);
	if (member != NULL)
		page->last = id_of(member);
	return member;
}
