/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that clients send up. They are there from the moment the invocation arrives,
 * for items follow at once, and end with their call. The gateway lets so many items
 * through and waits for credit, which goes back as the method takes them.
 */
#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/hub_steps.h"

/* Items of one stream that wait; gateways let fewer through. */
#define UPLOAD_ITEMS_MAX 1024

struct upload_item {
	struct list node;
	size_t len;
	char raw[];
};

struct hub_upload {
	struct list node;	 /* in conn->uploads */
	struct list credit_node; /* in the runtime's list, when there is credit */
	struct hub_call *call;
	struct slice id;
	struct list items;
	size_t items_n;
	uint32_t credit;    /* items gone, of which the gateway does not know */
	bool is_ended;	    /* no more items are taken in */
	struct slice error; /* why it ended; ptr NULL: in order */
	struct arena arena; /* of the item that was taken last */
};

size_t hub_method_streams(const struct hub_method *method)
{
	size_t n = 0;

	for (const char *at = method->arguments; *at != '\0'; at++)
		n += *at == '~';
	return n;
}

/* ---- life */

void hub_uploads_open(struct hub_call *call, const Link__Invoke *invoke)
{
	call->streams_sent = invoke->n_stream_ids;
	/* One that does not fit will be refused and takes no items. */
	if (call->method == NULL || invoke->n_stream_ids == 0 ||
	    invoke->n_stream_ids != hub_method_streams(call->method))
		return;
	call->uploads_n = invoke->n_stream_ids;
	call->uploads =
		arena_zalloc(&call->arena, call->uploads_n * sizeof(*call->uploads));
	for (size_t i = 0; i < call->uploads_n; i++) {
		struct hub_upload *upload = &call->uploads[i];

		upload->call = call;
		upload->id = arena_dup(&call->arena, link_slice(invoke->stream_ids[i]));
		list_init(&upload->node);
		list_init(&upload->credit_node);
		list_init(&upload->items);
		arena_init(&upload->arena);
		list_append(&call->conn->uploads, &upload->node);
	}
}

static void item_free(struct hub_upload *upload, struct upload_item *item)
{
	list_remove(&item->node);
	upload->items_n--;
	mem_free(item);
}

/* Of two with the same id the newer one counts. */
static struct hub_upload *upload_find(const struct conn *conn, struct slice id)
{
	for (struct list *node = conn->uploads.prev; node != &conn->uploads;
	     node = node->prev) {
		struct hub_upload *upload = CONTAINER_OF(node, struct hub_upload, node);

		if (slice_equal(upload->id, id))
			return upload;
	}
	return NULL;
}

/* ---- credit */

static void credit_send(const struct conn *conn, struct slice id, uint32_t items)
{
	Link__Credit credit = LINK__CREDIT__INIT;

	if (conn->gateway == NULL)
		return;
	credit.hub = link_bytes(hub_served_name(conn->hub));
	credit.connection = link_bytes(conn->id);
	credit.stream_id = link_bytes(id);
	credit.items = items;
	/* Without it the stream would stand still for ever. */
	if (link_send_credit(conn->gateway->peer, &credit, NULL) != OK)
		router_resync(conn->gateway);
}

static void credit_add(struct hub_upload *upload)
{
	struct hub_runtime *runtime = upload->call->runtime;

	upload->credit++;
	if (!list_is_linked(&upload->credit_node))
		list_append(&runtime->crediting, &upload->credit_node);
	loop_touch(runtime->router->loop, &runtime->flush);
}

void hub_credits_send(struct hub_runtime *runtime)
{
	struct list *node;

	while ((node = list_shift(&runtime->crediting)) != NULL) {
		struct hub_upload *upload =
			CONTAINER_OF(node, struct hub_upload, credit_node);
		const uint32_t items = upload->credit;

		upload->credit = 0;
		credit_send(upload->call->conn, upload->id, items);
	}
}

/* What was not taken is dropped. The Complete tells the gateway so, but one that waits
 * for its sends must not hold the client's other messages back. */
void hub_uploads_close(struct hub_call *call)
{
	for (size_t i = 0; i < call->uploads_n; i++) {
		struct hub_upload *upload = &call->uploads[i];
		const size_t dropped = upload->items_n + upload->credit;

		LIST_EACH (node, &upload->items)
			item_free(upload, CONTAINER_OF(node, struct upload_item, node));
		list_remove(&upload->node);
		list_remove(&upload->credit_node);
		arena_fini(&upload->arena);
		if (dropped > 0 && call->sends_left > 0)
			credit_send(call->conn, upload->id, (uint32_t)dropped);
	}
	call->uploads_n = 0;
}

/* ---- from the client */

static void upload_wake(struct hub_upload *upload)
{
	if (upload->call->fiber != NULL)
		hub_call_wake(upload->call);
}

static void upload_end(struct hub_upload *upload, struct slice error)
{
	if (upload->is_ended)
		return;
	upload->is_ended = true;
	upload->error = error;
	upload_wake(upload);
}

void hub_stream_item(struct conn *conn, const Link__StreamItem *message)
{
	const struct slice id = link_slice(message->stream_id);
	struct hub_upload *upload = upload_find(conn, id);
	struct upload_item *item;

	conn->router->metrics.upload_item_total++;
	if (upload == NULL) {
		credit_send(conn, id, 1);
		return;
	}
	if (upload->items_n >= UPLOAD_ITEMS_MAX) {
		conn->router->metrics.upload_refused_total++;
		upload_end(upload, SLICE("Over a limit."));
	}
	if (upload->is_ended) {
		credit_add(upload);
		return;
	}
	item = mem_alloc(sizeof(*item) + message->item.len);
	list_init(&item->node);
	item->len = message->item.len;
	memcpy(item->raw, message->item.data, item->len);
	list_append(&upload->items, &item->node);
	upload->items_n++;
	upload_wake(upload);
}

bool hub_upload_completed(struct conn *conn, const Link__ClientCompletion *message)
{
	struct hub_upload *upload = upload_find(conn, link_slice(message->id));

	if (upload == NULL)
		return false;
	upload_end(upload, message->has_error ? arena_dup(&upload->call->arena,
							  link_slice(message->error))
					      : SLICE_NONE);
	return true;
}

/* ---- to the method */

/* The first one; NULL: it cannot be read. */
static const struct value *upload_take(struct hub_upload *upload)
{
	struct upload_item *item =
		CONTAINER_OF(upload->items.next, struct upload_item, node);
	const struct hub_codec *codec = upload->call->conn->codec;
	struct slice raw;
	struct value *value;

	arena_reset(&upload->arena);
	raw = arena_dup(&upload->arena, slice_make(item->raw, item->len));
	item_free(upload, item);
	credit_add(upload);
	return codec->decode_value(raw, &upload->arena, &value) == OK ? value : NULL;
}

/* The rest is not wanted any more. */
static void upload_spoil(struct hub_upload *upload)
{
	upload->is_ended = true;
	upload->error = SLICE("Failed to bind Stream message.");
	LIST_EACH (node, &upload->items) {
		item_free(upload, CONTAINER_OF(node, struct upload_item, node));
		credit_add(upload);
	}
}

enum hub_rc hub_await_next(struct hub_call *call, size_t index, const struct value **item)
{
	struct hub_upload *upload;

	*item = NULL;
	if (index >= call->uploads_n) {
		hub_misuse(call, "hub_await_next(): no such stream");
		return HUB_FAILED;
	}
	upload = &call->uploads[index];
	while (list_is_empty(&upload->items) && !upload->is_ended &&
	       !hub_is_canceled(call))
		hub_call_pause(call);
	if (hub_is_canceled(call))
		return HUB_ECANCELED;
	if (!list_is_empty(&upload->items)) {
		*item = upload_take(upload);
		if (*item != NULL)
			return HUB_OK;
		upload_spoil(upload);
	}
	if (upload->error.ptr == NULL)
		return HUB_END;
	call->passed = arena_printf(hub_arena(call), " HubException: %.*s",
				    SLICE_FMT(upload->error));
	return HUB_FAILED;
}
