/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of hubs this gateway serves. It is short, so it is searched as it stands.
 */
#include "gateway/hub.h"

#include <assert.h>

#include "proto/base/mem.h"

void hubs_init(struct hubs *hubs, const struct conf_scoped *confs)
{
	assert(confs->n > 0);
	*hubs = (struct hubs){ .items = mem_zalloc(confs->n * sizeof(struct hub)),
			       .n = confs->n };
	for (size_t i = 0; i < confs->n; i++) {
		hubs->items[i].name = confs->items[i].name;
		hubs->items[i].conf = confs->items[i].values;
		list_init(&hubs->items[i].conns);
	}
}

void hubs_fini(struct hubs *hubs)
{
	for (size_t i = 0; i < hubs->n; i++)
		assert(list_is_empty(&hubs->items[i].conns));
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

/* Is the request for the hub at `own`, or for something below it? */
static bool is_under(struct slice path, struct slice own)
{
	return path.len >= own.len && (path.len == own.len || path.ptr[own.len] == '/') &&
	       slice_equal_nocase(slice_make(path.ptr, own.len), own);
}

struct hub *hubs_route(const struct hubs *hubs, struct slice path, struct slice *rest)
{
	struct hub *found = NULL;
	size_t len = 0;

	for (size_t i = 0; i < hubs->n; i++) {
		const struct slice own = slice_from_str(hubs->items[i].conf->path);

		if (own.len > len && is_under(path, own)) {
			found = &hubs->items[i];
			len = own.len;
		}
	}
	*rest = slice_from(path, len);
	return found;
}
