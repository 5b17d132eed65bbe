/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests at a hub's own URL: what each is, whose, and for which connection. Every one
 * is authenticated by itself.
 */
#include "gateway/edge_attach.h"

#include "gateway/attach.h"
#include "gateway/gateway.h"
#include "gateway/request.h"
#include "gateway/ws_opening.h"
#include "proto/wire/negotiate.h"

static Link__RequestKind kind_of(const struct http_request *request)
{
	if (ws_opening_is_meant(request))
		return LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET;
	if (slice_equal(request->method, SLICE("POST")))
		return LINK__REQUEST_KIND__REQUEST_KIND_POST;
	if (slice_equal(request->method, SLICE("DELETE")))
		return LINK__REQUEST_KIND__REQUEST_KIND_DELETE;
	if (!slice_equal(request->method, SLICE("GET")))
		return LINK__REQUEST_KIND__REQUEST_KIND_NONE;
	return http_header_has_token(request, SLICE("Accept"), SLICE("text/event-stream"))
		       ? LINK__REQUEST_KIND__REQUEST_KIND_EVENTS
		       : LINK__REQUEST_KIND__REQUEST_KIND_POLL;
}

/* Has the hub the transport of this GET? Else answered. */
static bool is_carried(struct visit *visit, Link__RequestKind kind)
{
	const unsigned transports = visit_transports(visit);

	if (kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET &&
	    (transports & TRANSPORT_WEBSOCKETS) == 0)
		visit_respond_text(
			visit, 404,
			"WebSockets transport not supported by this end point type");
	else if (kind == LINK__REQUEST_KIND__REQUEST_KIND_EVENTS &&
		 (transports & TRANSPORT_SSE) == 0)
		visit_respond_text(visit, 404,
				   "ServerSentEvents transport not supported by this end "
				   "point type");
	else if (kind == LINK__REQUEST_KIND__REQUEST_KIND_POLL &&
		 (transports & TRANSPORT_LONG_POLLING) == 0)
		visit_respond_text(
			visit, 404,
			"LongPolling transport not supported by this end point type");
	else
		return true;
	return false;
}

static void upgrade_refuse(struct visit *visit, int status)
{
	visit->gateway->metrics.upgrade_refused_total++;
	if (status == 426)
		visit_respond_empty(visit, 426, SLICE("Sec-WebSocket-Version: 13\r\n"));
	else
		visit_respond_text(visit, status, "Not a WebSocket opening\n");
}

/* The request is well-formed and its user known. */
static void on_connection(struct visit *visit, Link__RequestKind kind,
			  struct slice ws_key)
{
	const bool is_websocket = kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET;
	struct visit_id visit_id;
	struct slice id;

	if (visit_find_id(visit, &visit_id) != OK)
		return;
	if (!visit_id.is_there && !is_websocket) {
		visit_respond_text(visit, 400, "Connection ID required");
		return;
	}
	if (!is_carried(visit, kind))
		return;
	id = slice_make(visit_id.token.id, CONN_ID_LEN);
	if (visit_id.is_there && !is_websocket &&
	    request_is_here(visit->gateway, visit->hub, id))
		request_handle(visit->gateway, visit->hub, id, kind, visit->request->body,
			       visit_reply(visit, kind));
	else
		attach_start(visit, &visit_id, kind, ws_key);
}

void edge_attach(struct visit *visit)
{
	const Link__RequestKind kind = kind_of(visit->request);
	struct slice ws_key = SLICE_NONE;
	int status = 0;

	if (kind == LINK__REQUEST_KIND__REQUEST_KIND_NONE) {
		visit_respond_empty(visit, 405, SLICE("Allow: GET, POST, DELETE\r\n"));
		return;
	}
	if (kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET)
		status = ws_opening_check(visit->request, &ws_key);
	if (status != 0) {
		upgrade_refuse(visit, status);
		return;
	}
	visit->user = visit_authenticate(visit);
	if (visit->user != NULL)
		on_connection(visit, kind, ws_key);
}
