/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client listener: its routes, and what it needs from its start to its end.
 */
#include "gateway/edge.h"

#include <string.h>

#include "gateway/certificate.h"
#include "gateway/claim.h"
#include "gateway/dev.h"
#include "gateway/edge_attach.h"
#include "gateway/edge_cors.h"
#include "gateway/edge_keys.h"
#include "gateway/edge_negotiate.h"
#include "gateway/gateway.h"
#include "gateway/memory.h"
#include "gateway/reply_http.h"
#include "gateway/transport_lp.h"
#include "gateway/transport_sse.h"
#include "gateway/transport_ws.h"
#include "gateway/visit.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* A client without a WebSocket has one for what it is sent and one for its POSTs. */
#define HTTP_SOCKETS_EACH 2

/* Sockets beyond those that may hold a request, an answer or a demo file. */
#define HTTP_SPARE 256

/* Who opens sockets without end does not take the last ones: links, presence, the admin
 * listener and files to be read again need some. */
#define SPARE_DESCRIPTORS 128

/* ---- routes */

static size_t count_slashes(struct slice path)
{
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++)
		n += path.ptr[i] == '/';
	return n;
}

/* "<path>[/]" and "<path>/negotiate[/]" of a hub, without regard to case. */
static bool route_hub(struct visit *visit)
{
	struct slice path;
	struct slice rest;
	struct slice tail;

	if (http_path_decode(visit->request->path, &visit->arena, &path))
		return false;
	/* An encoded slash is part of a segment, of which no hub has any. */
	if (count_slashes(path) != count_slashes(visit->request->path))
		return false;
	visit->hub = hubs_route(&visit->gateway->hubs, path, &rest);
	rest = slice_from(rest, 1);
	tail = slice_cut(&rest, '/');
	if (!visit->hub || rest.len > 0)
		return false;
	if (tail.len > 0 && !slice_equal_nocase(tail, SLICE("negotiate")))
		return false;
	if (!edge_cors(visit))
		return true;
	if (tail.len > 0)
		edge_negotiate(visit);
	else
		edge_attach(visit);
	return true;
}

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	struct gateway *gateway = http_server_owner(server);
	struct visit visit = {
		.gateway = gateway, .conn = conn, .request = request, .arena = ARENA_INIT
	};

	buf_init(&visit.headers);
	proxy_look(&visit.view, gateway->conf->trusted_proxies, http_conn_remote(conn),
		   http_conn_is_tls(conn), request, &visit.arena);
	if (!route_hub(&visit) &&
	    !(gateway->conf->is_dev && dev_respond(gateway, conn, request)) &&
	    !(gateway->demo && http_files_respond(gateway->demo, conn, request)))
		visit_respond_text(&visit, 404, "Not found\n");
	user_free(visit.user);
	buf_fini(&visit.headers);
	arena_fini(&visit.arena);
}

/* ---- life */

/* Of a start-up error. */
static const char *reason(enum err rc, const char *otherwise)
{
	return rc == ERR_IO ? err_errno_text() : otherwise;
}

static void demo_load(struct gateway *gateway)
{
	const char *folder = gateway->conf->demo_dir;
	enum err rc;

	if (folder[0] == '\0')
		return;
	rc = http_files_load(folder, &gateway->demo);
	if (rc)
		fatal("demo_dir = %s: %s", folder, reason(rc, err_text(rc)));
}

static void server_open(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	struct http_options options = {
		.connections_max = conf->connections_max * HTTP_SOCKETS_EACH + HTTP_SPARE,
		.spare_descriptors = SPARE_DESCRIPTORS,
		.body_bytes_max = conf->post_bytes_max,
		.head_timeout_ms = conf->head_timeout_ms,
		.body_timeout_ms = conf->body_timeout_ms,
		.write_timeout_ms = conf->answer_timeout_ms,
		.idle_timeout_ms = conf->idle_timeout_ms,
		.tls = certificate_load(gateway),
		.is_shared_port = conf->shared_port != 0,
		.on_request = on_request,
		.on_gone = reply_http_on_gone,
		.owner = gateway,
		.stats = &gateway->metrics.http,
	};
	struct buf address = BUF_INIT;
	struct slice host = SLICE_NONE;
	uint16_t port = 0;
	enum err rc = gateway_conf_address(conf->listen, &host, &port);

	gateway_conf_address_print(&address, host,
				   conf->shared_port != 0 ? conf->shared_port : port);
	options.address = address.ptr;
	if (!rc)
		rc = http_server_open(gateway->loop, &options, &gateway->server);
	if (rc)
		fatal("listen = %s: %s", conf->listen,
		      reason(rc, "expected an IP address and a port"));
	tls_unref(options.tls); /* the server has its own reference */
	buf_fini(&address);
}

void edge_open(struct gateway *gateway)
{
	const struct outlet_host outlets = {
		.loop = gateway->loop,
		.send_timeout_ms = gateway->conf->send_timeout_ms,
		.close_timeout_ms = gateway->conf->close_timeout_ms,
		.metrics = &gateway->metrics,
	};

	edge_keys_open(gateway);
	demo_load(gateway);
	gateway->ws = ws_host_new(&outlets);
	gateway->sse = sse_host_new(&outlets, gateway->conf->post_bytes_max);
	gateway->lp = lp_host_new(gateway->loop, gateway->conf, &gateway->metrics,
				  crypto_random_uint64());
	lp_host_set_on_gone(gateway->lp, gateway, claim_on_end);
	attaches_init(&gateway->attaches);
	guard_init(&gateway->guard, crypto_random_uint64(),
		   &gateway->metrics.rate_forgotten_total);
	spent_init(&gateway->spent, crypto_random_uint64());
	spent_init(&gateway->elsewhere, crypto_random_uint64());
	memory_open(gateway);
	server_open(gateway);
}

void edge_drain(struct gateway *gateway)
{
	http_server_drain(gateway->server);
}

void edge_close(struct gateway *gateway)
{
	http_server_close(gateway->server);
	memory_close(gateway);
	attaches_fini(gateway);
	guard_fini(&gateway->guard);
	spent_fini(&gateway->spent);
	spent_fini(&gateway->elsewhere);
	ws_host_free(gateway->ws);
	sse_host_free(gateway->sse);
	lp_host_free(gateway->lp);
	http_files_free(gateway->demo);
	edge_keys_close(gateway);
	gateway->server = NULL;
	gateway->ws = NULL;
	gateway->sse = NULL;
	gateway->lp = NULL;
	gateway->demo = NULL;
}
