/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There are few streams in a connection, so they are searched as a list.
 */
#include "gateway/upload.h"

#include "gateway/conn_in.h"
#include "gateway/conn_work.h"
#include "proto/base/mem.h"

struct upload {
	struct list node; /* in work->uploads */
	uint64_t call;
	struct gateway_router *router; /* borrowed; where the call is */
	uint64_t waiting;	       /* items that the method has not taken */
	struct slice id;	       /* into bytes */
	char bytes[];
};

static struct upload *upload_find(const struct conn *conn, struct slice id)
{
	if (conn->uploads_n == 0)
		return NULL;
	LIST_EACH (node, &conn->work->uploads) {
		struct upload *upload = CONTAINER_OF(node, struct upload, node);

		if (slice_equal(upload->id, id))
			return upload;
	}
	return NULL;
}

static void upload_free(struct conn *conn, struct upload *upload)
{
	list_remove(&upload->node);
	mem_free(upload);
	conn->uploads_n--;
	conn->gateway->metrics.uploads--;
}

/* Reads on when no stream is full any more. */
static void upload_settle(struct conn *conn)
{
	const uint64_t capacity = (uint64_t)conn->hub->conf->stream_capacity;

	LIST_EACH (node, &conn->work->uploads) {
		if (CONTAINER_OF(node, struct upload, node)->waiting > capacity)
			return;
	}
	conn_unpause(conn, CONN_PAUSE_UPLOADS);
}

/* ---- life */

static void upload_open(struct conn *conn, uint64_t call, struct gateway_router *router,
			struct slice id)
{
	struct upload *upload = mem_zalloc(sizeof(*upload) + id.len);

	upload->call = call;
	upload->router = router;
	if (id.len > 0)
		memcpy(upload->bytes, id.ptr, id.len);
	upload->id = slice_make(upload->bytes, id.len);
	list_init(&upload->node);
	list_append(&conn_work_need(conn)->uploads, &upload->node);
	conn->uploads_n++;
	conn->gateway->metrics.uploads++;
}

enum err uploads_open(struct conn *conn, uint64_t call, struct gateway_router *router,
		      const struct hub_message *message)
{
	const size_t streams_max = (size_t)conn->gateway->conf->streams_max;

	if (conn->uploads_n + message->stream_ids_n > streams_max)
		return ERR_LIMIT;
	for (size_t i = 0; i < message->stream_ids_n; i++) {
		if (upload_find(conn, message->stream_ids[i]) != NULL) {
			uploads_close(conn, call);
			return ERR_EXISTS;
		}
		upload_open(conn, call, router, message->stream_ids[i]);
	}
	return OK;
}

void uploads_close(struct conn *conn, uint64_t call)
{
	if (conn->uploads_n == 0)
		return;
	LIST_EACH (node, &conn->work->uploads) {
		struct upload *upload = CONTAINER_OF(node, struct upload, node);

		if (upload->call == call)
			upload_free(conn, upload);
	}
	upload_settle(conn);
}

void uploads_forget(struct conn *conn)
{
	if (conn->uploads_n == 0)
		return;
	LIST_EACH (node, &conn->work->uploads)
		upload_free(conn, CONTAINER_OF(node, struct upload, node));
}

bool upload_is_open(const struct conn *conn, struct slice id)
{
	return upload_find(conn, id) != NULL;
}

/* ---- going over */

/* Of a stream whose other gateway has not said yet how many items wait: what methods take
 * meanwhile is counted down from here. */
#define WAITING_UNKNOWN (UINT64_C(1) << 62)

void uploads_tell(const struct conn *conn, struct arena *arena,
		  Link__HandoverUpload ***uploads, size_t *n)
{
	*n = 0;
	*uploads = arena_alloc(arena, conn->uploads_n * sizeof(**uploads));
	if (conn->uploads_n == 0)
		return;
	LIST_EACH (node, &conn->work->uploads) {
		const struct upload *upload = CONTAINER_OF(node, struct upload, node);
		Link__HandoverUpload *to = ARENA_NEW(arena, Link__HandoverUpload);

		link__handover_upload__init(to);
		to->stream_id = link_bytes(upload->id);
		to->call = upload->call;
		to->waiting = upload->waiting;
		(*uploads)[(*n)++] = to;
	}
}

void upload_arrive(struct conn *conn, struct gateway_router *router,
		   const Link__HandoverUpload *from)
{
	const struct slice id = link_slice(from->stream_id);

	if (upload_find(conn, id) != NULL)
		return;
	upload_open(conn, from->call, router, id);
	upload_find(conn, id)->waiting = WAITING_UNKNOWN;
}

static const Link__HandoverUpload *rest_find(const Link__HandoverRest *rest,
					     struct slice id)
{
	for (size_t i = 0; i < rest->n_uploads; i++) {
		if (slice_equal(link_slice(rest->uploads[i]->stream_id), id))
			return rest->uploads[i];
	}
	return NULL;
}

void uploads_arrived(struct conn *conn, const Link__HandoverRest *rest)
{
	const uint64_t capacity = (uint64_t)conn->hub->conf->stream_capacity;

	if (conn->uploads_n == 0)
		return;
	LIST_EACH (node, &conn->work->uploads) {
		struct upload *upload = CONTAINER_OF(node, struct upload, node);
		const Link__HandoverUpload *from = rest_find(rest, upload->id);
		const uint64_t taken = WAITING_UNKNOWN - upload->waiting;

		if (from == NULL) {
			upload_free(conn, upload);
			continue;
		}
		upload->waiting = from->waiting > taken ? from->waiting - taken : 0;
		if (upload->waiting > capacity)
			conn_pause(conn, CONN_PAUSE_UPLOADS);
	}
	conn_work_free_when_idle(conn);
}

/* ---- from the client */

/* An item or an end that does not reach its method cannot be left out. */
static void upload_sent(struct conn *conn, enum err rc)
{
	if (rc == OK)
		return;
	conn->gateway->metrics.upload_refused_total++;
	conn_close(conn, CONN_CLOSE_BUSY, NULL);
}

void upload_on_item(struct conn *conn, const struct hub_message *message)
{
	struct upload *upload = upload_find(conn, message->invocation_id);
	Link__StreamItem item = LINK__STREAM_ITEM__INIT;

	if (upload == NULL) {
		/* Its invocation is over. */
		conn->gateway->metrics.upload_late_total++;
		return;
	}
	conn->gateway->metrics.upload_items_total++;
	upload->waiting++;
	item.hub = link_bytes(slice_from_str(conn->hub->name));
	item.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	item.stream_id = link_bytes(upload->id);
	item.protocol = conn->codec->protocol;
	item.item = link_bytes(message->payload);
	if (upload->waiting > (uint64_t)conn->hub->conf->stream_capacity)
		conn_pause(conn, CONN_PAUSE_UPLOADS);
	upload_sent(conn, link_send_stream_item(upload->router->peer, &item, NULL));
}

void upload_on_completion(struct conn *conn, const struct hub_message *message)
{
	struct upload *upload = upload_find(conn, message->invocation_id);
	Link__ClientCompletion end = LINK__CLIENT_COMPLETION__INIT;
	struct gateway_router *routers[2];
	size_t n = 1;
	enum err rc = OK;

	if (message->invocation_id.len >
	    (size_t)conn->gateway->conf->invocation_id_bytes_max)
		return;
	/* The answer to a question is for whoever asked: both may have, while it moves,
	 * and no id is of two questions. */
	if (upload != NULL)
		routers[0] = upload->router;
	else
		n = gateway_conn_owners(conn, routers);
	if (upload != NULL) {
		upload_free(conn, upload);
		upload_settle(conn);
		conn_work_free_when_idle(conn);
	}
	end.hub = link_bytes(slice_from_str(conn->hub->name));
	end.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	end.id = link_bytes(message->invocation_id);
	end.protocol = conn->codec->protocol;
	end.has_result = message->has_result;
	end.result = link_bytes(message->payload);
	end.has_error = message->has_error;
	end.error = link_bytes(message->error);
	for (size_t i = 0; i < n && rc == OK; i++) {
		rc = link_send_client_completion(routers[i]->peer, &end, NULL);
		if (i == 1)
			rc = router_told(rc);
	}
	upload_sent(conn, rc);
}

/* ---- from the router */

void upload_on_credit(struct gateway *gateway, const Link__Credit *credit)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(credit->connection));
	struct upload *upload;

	if (conn == NULL || conn->state != CONN_OPEN)
		return;
	upload = upload_find(conn, link_slice(credit->stream_id));
	if (upload == NULL)
		return;
	upload->waiting -=
		credit->items < upload->waiting ? credit->items : upload->waiting;
	upload_settle(conn);
}
