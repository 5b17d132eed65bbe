/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of hubs this gateway serves. It is short, so it is searched as it stands.
 */
#include "gateway/hub.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"

#define HUBS_MAX 64
#define HUB_NAME_MAX 64

static bool is_name(struct slice name)
{
	static const char accepted[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (name.len == 0 || name.len > HUB_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!memchr(accepted, name.ptr[i], sizeof(accepted) - 1))
			return false;
	}
	return true;
}

/* Lower case, as routers and other gateways know it: the name is part of every key. */
static char *name_dup(struct slice name)
{
	char *copy = mem_dup(name.ptr, name.len);

	for (char *at = copy; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	return copy;
}

void hubs_init(struct hubs *hubs, const char *list)
{
	struct slice rest = slice_from_str(list);

	assert(hubs && list);
	*hubs = (struct hubs){ .items = mem_zalloc(HUBS_MAX * sizeof(struct hub)) };
	do {
		struct slice name = slice_trim(slice_cut(&rest, ','));

		if (!is_name(name))
			fatal("hubs = %s: a name is 1..%d letters, digits, '.', '_', '-'",
			      list, HUB_NAME_MAX);
		if (hubs_find(hubs, name))
			fatal("hubs = %s: %.*s stands there twice", list,
			      SLICE_FMT(name));
		if (hubs->n == HUBS_MAX)
			fatal("hubs = %s: at most %d", list, HUBS_MAX);
		hubs->items[hubs->n].name = name_dup(name);
		list_init(&hubs->items[hubs->n].conns);
		hubs->n++;
	} while (rest.ptr);
}

void hubs_fini(struct hubs *hubs)
{
	for (size_t i = 0; i < hubs->n; i++) {
		assert(list_is_empty(&hubs->items[i].conns));
		mem_free(hubs->items[i].name);
	}
	mem_free(hubs->items);
	*hubs = (struct hubs){ NULL, 0 };
}

struct hub *hubs_find(const struct hubs *hubs, struct slice name)
{
	for (size_t i = 0; i < hubs->n; i++) {
		if (slice_equal_nocase(slice_from_str(hubs->items[i].name), name))
			return &hubs->items[i];
	}
	return NULL;
}
