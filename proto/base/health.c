/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four fixed paths, and whatever the program adds.
 */
#include "proto/base/health.h"

#include <string.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"

#define HEALTH_CONNECTIONS_MAX 256
#define HEALTH_BODY_BYTES_MAX 65536
#define HEALTH_TIMEOUT_MS 10000
#define HEALTH_IDLE_MS 60000

struct health {
	struct health_options options;
	struct http_server *server; /* owned */
	struct buf address;	    /* NUL-terminated */
};

static void respond_metrics(const struct health *health, struct http_conn *conn)
{
	struct buf text = BUF_INIT;

	if (health->options.count != NULL)
		health->options.count(health->options.owner);
	metrics_render(health->options.metrics, health->options.values, &text);
	const struct http_response response = {
		.status = 200,
		.content_type = "text/plain; version=0.0.4; charset=utf-8",
		.body = buf_slice(&text),
	};
	http_respond(conn, &response);
	buf_fini(&text);
}

static void respond_ready(const struct health *health, struct http_conn *conn)
{
	const char *why_not = health->options.why_not_ready(health->options.owner);

	if (why_not == NULL)
		http_respond_text(conn, 200, "ready\n");
	else
		http_respond_text(conn, 503, why_not);
}

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	const struct health *health = http_server_owner(server);
	const struct slice path = request->path;
	const bool is_read = slice_equal(request->method, SLICE("GET")) ||
			     slice_equal(request->method, SLICE("HEAD"));

	if (is_read &&
	    (slice_equal(path, SLICE("/healthz")) || slice_equal(path, SLICE("/livez"))))
		http_respond_text(conn, 200, "alive\n");
	else if (is_read && slice_equal(path, SLICE("/readyz")))
		respond_ready(health, conn);
	else if (is_read && slice_equal(path, SLICE("/metrics")))
		respond_metrics(health, conn);
	else if (health->options.on_request != NULL)
		health->options.on_request(health->options.owner, conn, request);
	else
		http_respond_text(conn, 404, "no such path\n");
}

struct health *health_open(struct loop *loop, const struct health_options *options)
{
	struct health *health;
	enum err rc;
	struct http_options http = {
		.address = options->address,
		.connections_max = HEALTH_CONNECTIONS_MAX,
		.body_bytes_max = options->body_bytes_max != 0 ? options->body_bytes_max
							       : HEALTH_BODY_BYTES_MAX,
		.head_timeout_ms = HEALTH_TIMEOUT_MS,
		.body_timeout_ms = HEALTH_TIMEOUT_MS,
		.write_timeout_ms = HEALTH_TIMEOUT_MS,
		.idle_timeout_ms = HEALTH_IDLE_MS,
		.on_request = on_request,
		.on_gone = options->on_gone,
		.on_refuse = options->on_refuse,
		.tls = options->tls,
		.stats = options->stats,
	};
	const char *colon = strrchr(options->address, ':');

	if (options->address[0] == '\0')
		return NULL;
	health = MEM_NEW(struct health);
	health->options = *options;
	health->options.tls = NULL; /* the server has its own reference */
	http.owner = health;
	rc = http_server_open(loop, &http, &health->server);
	if (rc != OK)
		fatal("admin_listen = %s: cannot listen: %s", options->address,
		      rc == ERR_IO ? err_errno_text() : err_text(rc));
	if (colon != NULL)
		buf_append(&health->address, options->address,
			   (size_t)(colon - options->address));
	buf_appendf(&health->address, ":%u", (unsigned)http_server_port(health->server));
	buf_append_byte(&health->address, '\0');
	return health;
}

void health_close(struct health *health)
{
	if (health == NULL)
		return;
	http_server_close(health->server);
	buf_fini(&health->address);
	mem_free(health);
}

void *health_owner(const struct http_conn *conn)
{
	const struct health *health = http_server_owner(http_conn_server(conn));

	return health->options.owner;
}

void health_set_tls(struct health *health, struct tls *tls)
{
	if (health != NULL)
		http_server_set_tls(health->server, tls);
}

const char *health_address(const struct health *health)
{
	return health != NULL ? health->address.ptr : "-";
}
