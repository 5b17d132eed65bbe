/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One allocation: the structs, then their text.
 */
#include "gateway/headers.h"

#include <assert.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

#define USER_AGENT_BYTES_MAX 256

struct headers {
	struct slice query;
	size_t n;
	struct http_header items[]; /* the text is behind them */
};

/* As those who look for them read it. */
static bool is_secret(struct slice name, struct arena *arena)
{
	return http_query_is_key(name, SLICE("access_token"), arena) ||
	       http_query_is_key(name, SLICE("id"), arena);
}

/* Without the parts that let somebody in. */
static void strip_query(struct buf *out, struct slice query)
{
	struct arena arena = ARENA_INIT;

	while (query.len > 0) {
		struct slice pair = slice_cut(&query, '&');
		struct slice value = pair;

		if (is_secret(slice_cut(&value, '='), &arena) || pair.len == 0)
			continue;
		if (out->len > 0)
			buf_append_byte(out, '&');
		buf_append_slice(out, pair);
	}
	arena_fini(&arena);
}

struct headers *headers_take(const struct http_request *request,
			     const struct hub_conf *conf)
{
	struct headers *headers;
	struct buf query = BUF_INIT;
	size_t bytes = 0;
	size_t n = 0;
	char *at;

	if (conf->is_query_shown)
		strip_query(&query, request->query);
	for (size_t i = 0; i < request->headers_n; i++) {
		if (!hub_conf_has_header(conf, request->headers[i].name))
			continue;
		bytes += request->headers[i].name.len + request->headers[i].value.len;
		n++;
	}
	if (n == 0 && query.len == 0) {
		buf_fini(&query);
		return NULL;
	}
	headers = mem_zalloc(sizeof(*headers) + n * sizeof(headers->items[0]) + bytes +
			     query.len);
	at = (char *)&headers->items[n];
	for (size_t i = 0; i < request->headers_n; i++) {
		if (!hub_conf_has_header(conf, request->headers[i].name))
			continue;
		headers->items[headers->n].name =
			link_take(&at, link_bytes(request->headers[i].name));
		headers->items[headers->n++].value =
			link_take(&at, link_bytes(request->headers[i].value));
	}
	headers->query = link_take(&at, link_bytes(buf_slice(&query)));
	assert(headers->n == n);
	buf_fini(&query);
	return headers;
}

struct headers *headers_from(const Link__Handover *handover)
{
	struct headers *headers;
	size_t bytes = handover->query.len;
	char *at;

	if (handover->n_headers == 0 && bytes == 0)
		return NULL;
	for (size_t i = 0; i < handover->n_headers; i++)
		bytes += handover->headers[i]->name.len + handover->headers[i]->value.len;
	headers = mem_zalloc(sizeof(*headers) +
			     handover->n_headers * sizeof(headers->items[0]) + bytes);
	headers->n = handover->n_headers;
	at = (char *)&headers->items[headers->n];
	for (size_t i = 0; i < headers->n; i++) {
		headers->items[i].name = link_take(&at, handover->headers[i]->name);
		headers->items[i].value = link_take(&at, handover->headers[i]->value);
	}
	headers->query = link_take(&at, handover->query);
	return headers;
}

void headers_free(struct headers *headers)
{
	mem_free(headers);
}

void headers_tell(const struct headers *headers, struct arena *arena,
		  Link__Connected *connected)
{
	Link__Header *rows;

	if (headers == NULL)
		return;
	rows = arena_alloc(arena, headers->n * sizeof(*rows));
	connected->headers = arena_alloc(arena, headers->n * sizeof(*connected->headers));
	for (size_t i = 0; i < headers->n; i++) {
		link__header__init(&rows[i]);
		rows[i].name = link_bytes(headers->items[i].name);
		rows[i].value = link_bytes(headers->items[i].value);
		connected->headers[connected->n_headers++] = &rows[i];
	}
	connected->query = link_bytes(headers->query);
}

struct slice headers_agent(const struct http_request *request)
{
	struct slice agent = http_header_find(request, SLICE("X-SignalR-User-Agent"));

	if (agent.len == 0)
		agent = http_header_find(request, SLICE("User-Agent"));
	if (agent.len > USER_AGENT_BYTES_MAX)
		agent.len = USER_AGENT_BYTES_MAX;
	return agent;
}
