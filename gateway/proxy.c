/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each proxy appends the address it was called from to X-Forwarded-For, so the list is
 * read from its end: as long as the one who said it is trusted, the next one is believed.
 * Of X-Forwarded-Proto and -Host the last word is taken, which is the nearest proxy's.
 */
#include "gateway/proxy.h"

#include <assert.h>

/* A chain of more proxies than this is believed no further. */
#define HOPS_MAX 32

/* Cuts `*list` at its last comma: returns what stood behind it. */
static struct slice cut_last(struct slice *list)
{
	size_t at = list->len;
	struct slice last;

	while (at > 0 && list->ptr[at - 1] != ',')
		at--;
	last = slice_from(*list, at);
	list->len = at > 0 ? at - 1 : 0;
	return slice_trim(last);
}

/* The last word of the last header of that name; empty: none. */
static struct slice last_word(const struct http_request *request, struct slice name)
{
	for (size_t i = request->headers_n; i > 0; i--) {
		struct slice value = request->headers[i - 1].value;

		if (slice_equal_nocase(request->headers[i - 1].name, name))
			return cut_last(&value);
	}
	return SLICE_NONE;
}

struct walk {
	struct proxy_view *view;
	const char *trusted;
	struct arena *arena;
	size_t hops;
};

/* One header, from its end; false: who comes before is not to be believed. */
static bool walk_header(struct walk *walk, struct slice value)
{
	while (value.len > 0) {
		const struct slice hop = cut_last(&value);
		struct address address;

		if (!address_list_has(walk->trusted, &walk->view->address) ||
		    address_parse(hop, &address) != OK || walk->hops++ == HOPS_MAX)
			return false;
		walk->view->address = address;
		walk->view->remote = arena_dup(walk->arena, hop).ptr;
	}
	return true;
}

static void find_client(struct walk *walk, const struct http_request *request)
{
	for (size_t i = request->headers_n; i > 0; i--) {
		const struct http_header *header = &request->headers[i - 1];

		if (slice_equal_nocase(header->name, SLICE("X-Forwarded-For")) &&
		    !walk_header(walk, header->value))
			return;
	}
}

void proxy_look(struct proxy_view *view, const char *trusted, const char *peer,
		bool is_tls, const struct http_request *request, struct arena *arena)
{
	struct walk walk = { .view = view, .trusted = trusted, .arena = arena };
	struct slice word;

	*view = (struct proxy_view){ .remote = peer, .is_https = is_tls };
	view->host = http_header_find(request, SLICE("Host"));
	if (address_parse(slice_from_str(peer), &view->address) != OK)
		return;
	if (!address_list_has(trusted, &view->address))
		return;
	word = last_word(request, SLICE("X-Forwarded-Proto"));
	if (word.len > 0)
		view->is_https = slice_equal_nocase(word, SLICE("https"));
	word = last_word(request, SLICE("X-Forwarded-Host"));
	if (word.len > 0)
		view->host = word;
	find_client(&walk, request);
}
