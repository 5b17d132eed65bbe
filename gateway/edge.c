/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of the client listener. Negotiate stores nothing: all that is known of a
 * connection before its first transport request is in its signed token. Every request
 * that names a hub is authenticated by itself.
 */
#include "gateway/edge.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "gateway/auth.h"
#include "gateway/dev.h"
#include "gateway/gateway.h"
#include "gateway/token.h"
#include "gateway/transport_ws.h"
#include "gateway/ws_opening.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/negotiate.h"

#define BODY_BYTES_MAX 16384
#define USER_AGENT_BYTES_MAX 256

/* Sockets beyond connections_max that may hold a request, an answer or a demo file. */
#define HTTP_SPARE 256

/* One request on its way through the routes. */
struct visit {
	struct gateway *gateway;
	struct http_conn *conn;
	const struct http_request *request;
	struct hub *hub;
	struct arena arena;
};

/* ---- answers */

static void respond_empty(struct visit *visit, int status, struct slice headers)
{
	const struct http_response response = { .status = status, .headers = headers };

	http_respond(visit->conn, &response);
}

static void respond_busy(struct visit *visit)
{
	visit->gateway->metrics.connections_refused_total++;
	respond_empty(visit, 503, SLICE("Retry-After: 5\r\n"));
}

static void respond_json(struct visit *visit, struct slice body)
{
	const struct http_response response = {
		.status = 200,
		.content_type = "application/json",
		.body = body,
		.headers = SLICE("Cache-Control: no-store\r\n"),
	};

	http_respond(visit->conn, &response);
}

/* ---- who it is */

/* The Authorization header wins over the query; other schemes than Bearer are not for us.
 */
static enum err access_token(struct visit *visit, struct slice *token)
{
	struct slice header = http_header_find(visit->request, SLICE("Authorization"));
	enum err rc;

	*token = SLICE_NONE;
	if (header.len > 7 &&
	    slice_equal_nocase(slice_make(header.ptr, 7), SLICE("Bearer "))) {
		*token = slice_trim(slice_from(header, 7));
		return OK;
	}
	rc = http_query_find(visit->request->query, SLICE("access_token"), &visit->arena,
			     token);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* NULL: a token was there and bad; answered. */
static struct user *authenticate(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	struct user *user = NULL;
	struct slice token;
	enum err rc = access_token(visit, &token);

	if (!rc && token.len == 0)
		return user_anonymous();
	if (!rc)
		rc = auth_check(gateway->auth, token, loop_unix_ms(gateway->loop) / 1000,
				&user);
	if (!rc)
		return user;
	gateway->metrics.auth_failed_total++;
	log_debug("edge.unauthorized", "remote=%s reason=%s",
		  http_conn_remote(visit->conn), err_name(rc));
	respond_empty(visit, 401,
		      SLICE("WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"));
	return NULL;
}

static bool refuses_new(const struct gateway *gateway)
{
	return (int64_t)gateway->conns.count >= gateway->conf->connections_max ||
	       gateway->metrics.ws_sockets >= gateway->conf->connections_max ||
	       proc_is_draining(gateway->proc) || !gateway_is_known(gateway);
}

/* ---- negotiate */

static void negotiate_answer(struct visit *visit, int version)
{
	struct gateway *gateway = visit->gateway;
	struct negotiate_answer answer = { .version = version,
					   .transports = TRANSPORT_WEBSOCKETS };
	uint8_t random[TOKEN_RANDOM_BYTES];
	struct buf body = BUF_INIT;
	struct token token = {
		.gateway = token_gateway(slice_from_str(gateway->conf->proc.name)),
		.issued_s = (uint32_t)(loop_unix_ms(gateway->loop) / 1000),
	};

	crypto_random(random, sizeof(random));
	token_make(&token, gateway->token_key, slice_from_str(visit->hub->name), random);
	answer.id = slice_make(token.id, sizeof(token.id));
	answer.token = slice_make(token.text, sizeof(token.text));
	/* Version 0 has one id for both uses: it must be the one that can be checked. */
	if (version == 0)
		answer.id = answer.token;
	negotiate_encode(&body, &answer);
	respond_json(visit, buf_slice(&body));
	buf_fini(&body);
}

static void on_negotiate(struct visit *visit)
{
	struct user *user;
	struct slice error;
	int version;

	if (!slice_equal(visit->request->method, SLICE("POST"))) {
		respond_empty(visit, 405, SLICE("Allow: POST\r\n"));
		return;
	}
	visit->gateway->metrics.negotiate_total++;
	user = authenticate(visit);
	if (!user)
		return;
	user_free(user);
	if (refuses_new(visit->gateway)) {
		respond_busy(visit);
		return;
	}
	if (negotiate_version(visit->request->query, 0, &visit->arena, &version,
			      &error)) {
		struct buf body = BUF_INIT;

		visit->gateway->metrics.negotiate_refused_total++;
		negotiate_encode_error(&body, error);
		respond_json(visit, buf_slice(&body));
		buf_fini(&body);
		return;
	}
	negotiate_answer(visit, version);
}

/* ---- the token of a connection */

/* OK: `id` is that of a good token, or none was given and *is_there is false. Else
 * answered. */
static enum err find_id(struct visit *visit, bool *is_there, char id[CONN_ID_LEN])
{
	struct gateway *gateway = visit->gateway;
	int64_t age_max_s = (gateway->conf->disconnect_timeout_ms + 999) / 1000;
	struct token token;
	struct slice text;
	enum err rc;

	rc = http_query_find(visit->request->query, SLICE("id"), &visit->arena, &text);
	*is_there = rc != ERR_NOT_FOUND;
	if (!*is_there)
		return OK;
	if (!rc)
		rc = token_check(&token, gateway->token_key,
				 slice_from_str(visit->hub->name), text,
				 loop_unix_ms(gateway->loop) / 1000, age_max_s);
	/* Once attached, a connection's token is good for as long as the connection. */
	if (rc == ERR_TIMEOUT &&
	    gateway_conn_find(gateway, slice_make(token.id, CONN_ID_LEN)))
		rc = OK;
	if (!rc) {
		memcpy(id, token.id, CONN_ID_LEN);
		return OK;
	}
	if (rc == ERR_TIMEOUT)
		gateway->metrics.id_expired_total++;
	else
		gateway->metrics.id_unknown_total++;
	http_respond_text(visit->conn, 404, "No Connection with that ID");
	return rc;
}

/* ---- WebSockets */

static void conn_start(struct visit *visit, struct slice key, const char id[CONN_ID_LEN],
		       struct user *user)
{
	struct gateway *gateway = visit->gateway;
	const char *remote = http_conn_remote(visit->conn);
	struct slice agent =
		http_header_find(visit->request, SLICE("X-SignalR-User-Agent"));
	struct buf rest = BUF_INIT;
	struct transport *transport;
	struct conn *conn;
	char *remote_copy = mem_dup(remote, strlen(remote));
	char *agent_copy;
	char key_copy[32];
	int fd;

	if (agent.len == 0)
		agent = http_header_find(visit->request, SLICE("User-Agent"));
	if (agent.len > USER_AGENT_BYTES_MAX)
		agent.len = USER_AGENT_BYTES_MAX;
	agent_copy = mem_dup(agent.ptr ? agent.ptr : "", agent.len);
	assert(key.len <= sizeof(key_copy));
	memcpy(key_copy, key.ptr, key.len);
	/* The request dies with the next line. */
	fd = http_take_over(visit->conn, &rest);
	transport =
		transport_ws_new(gateway->ws, fd, &rest, slice_make(key_copy, key.len));
	conn = conn_new(gateway, visit->hub, id, user, transport);
	conn->remote = remote_copy;
	conn->user_agent = agent_copy;
	transport_ws_start(transport);
}

static void upgrade_refuse(struct visit *visit, int status)
{
	visit->gateway->metrics.upgrade_refused_total++;
	if (status == 426)
		respond_empty(visit, 426, SLICE("Sec-WebSocket-Version: 13\r\n"));
	else
		http_respond_text(visit->conn, status, "Not a WebSocket opening\n");
}

static void on_websocket(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	char id[CONN_ID_LEN];
	struct user *user;
	struct slice key;
	struct conn *old;
	bool is_there;
	int status = ws_opening_check(visit->request, &key);

	if (status != 0) {
		upgrade_refuse(visit, status);
		return;
	}
	if (find_id(visit, &is_there, id))
		return;
	old = is_there ? gateway_conn_find(gateway, slice_make(id, CONN_ID_LEN)) : NULL;
	if (old && old->state == CONN_CLOSED) {
		http_respond_text(visit->conn, 404, "No Connection with that ID");
		return;
	}
	if (old) {
		gateway->metrics.id_taken_total++;
		respond_empty(visit, 409, SLICE_NONE);
		return;
	}
	if (refuses_new(gateway)) {
		respond_busy(visit);
		return;
	}
	user = authenticate(visit);
	if (!user)
		return;
	if (!is_there) {
		uint8_t random[16];

		crypto_random(random, sizeof(random));
		token_id(id, random);
	}
	conn_start(visit, key, id, user);
}

/* ---- the other transports' requests, which this gateway does not carry */

static void on_other(struct visit *visit)
{
	bool is_get = slice_equal(visit->request->method, SLICE("GET"));
	bool is_post = slice_equal(visit->request->method, SLICE("POST"));
	bool is_delete = slice_equal(visit->request->method, SLICE("DELETE"));
	char id[CONN_ID_LEN];
	bool is_there;

	if (!is_get && !is_post && !is_delete) {
		respond_empty(visit, 405, SLICE("Allow: GET, POST, DELETE\r\n"));
		return;
	}
	if (find_id(visit, &is_there, id))
		return;
	if (!is_there)
		http_respond_text(visit->conn, 400, "Connection ID required");
	else if (is_post &&
		 gateway_conn_find(visit->gateway, slice_make(id, CONN_ID_LEN)))
		http_respond_text(
			visit->conn, 405,
			"POST requests are not allowed for WebSocket connections.");
	else if (is_delete &&
		 gateway_conn_find(visit->gateway, slice_make(id, CONN_ID_LEN)))
		http_respond_text(
			visit->conn, 400,
			"Cannot terminate this connection using the DELETE endpoint.");
	else if (is_get && gateway_conn_find(visit->gateway, slice_make(id, CONN_ID_LEN)))
		http_respond_text(visit->conn, 400,
				  "Cannot change transports mid-connection");
	else if (is_get && http_header_has_token(visit->request, SLICE("Accept"),
						 SLICE("text/event-stream")))
		http_respond_text(visit->conn, 404,
				  "ServerSentEvents transport not supported by this end "
				  "point type");
	else
		http_respond_text(
			visit->conn, 404,
			"LongPolling transport not supported by this end point type");
}

/* ---- routes */

/* "/hubs/<name>[/]" and "/hubs/<name>/negotiate[/]", without regard to case. */
static bool route_hub(struct visit *visit)
{
	static const struct slice prefix = { "/hubs/", 6 };
	struct slice rest = visit->request->path;
	struct slice name;
	struct slice tail;

	if (rest.len < prefix.len ||
	    !slice_equal_nocase(slice_make(rest.ptr, prefix.len), prefix))
		return false;
	rest = slice_from(rest, prefix.len);
	if (http_path_decode(slice_cut(&rest, '/'), &visit->arena, &name))
		return false;
	visit->hub = hubs_find(&visit->gateway->hubs, name);
	tail = slice_cut(&rest, '/');
	if (!visit->hub || rest.len > 0)
		return false;
	if (slice_equal_nocase(tail, SLICE("negotiate")))
		on_negotiate(visit);
	else if (tail.len > 0)
		return false;
	else if (ws_opening_is_meant(visit->request))
		on_websocket(visit);
	else
		on_other(visit);
	return true;
}

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	struct gateway *gateway = http_server_owner(server);
	struct visit visit = {
		.gateway = gateway, .conn = conn, .request = request, .arena = ARENA_INIT
	};

	if (!route_hub(&visit) &&
	    !(gateway->conf->is_dev && dev_respond(gateway, conn, request)) &&
	    !(gateway->demo && http_files_respond(gateway->demo, conn, request)))
		http_respond_text(conn, 404, "Not found\n");
	arena_fini(&visit.arena);
}

/* ---- life */

/* `spare` stands in for a file that is not configured; ptr NULL: nothing does. */
static void secret_or_spare(struct buf *key, const char *option, const char *path,
			    struct slice spare)
{
	if (path[0] != '\0')
		secret_read(option, path, key);
	else
		buf_append_slice(key, spare);
}

static void keys_read(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	struct slice token_spare = slice_make(conf->spare_keys[0], SECRET_BYTES_MIN);
	struct slice auth_spare = slice_make(conf->spare_keys[1], SECRET_BYTES_MIN);
	struct buf key = BUF_INIT;

	secret_or_spare(&key, "token_key_file", conf->token_key_file, token_spare);
	gateway->token_key = MEM_NEW(struct token_key);
	token_key_init(gateway->token_key, buf_slice(&key));
	secret_fini(&key);
	buf_init(&key);
	secret_or_spare(&key, "auth_key_file", conf->auth_key_file,
			conf->is_dev ? auth_spare : SLICE_NONE);
	if (key.len == 0)
		log_warn("auth.no_key", "effect=\"every token is refused\"");
	gateway->auth = auth_new(buf_slice(&key));
	secret_fini(&key);
}

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
		.connections_max = conf->connections_max + HTTP_SPARE,
		.body_bytes_max = BODY_BYTES_MAX,
		.head_timeout_ms = conf->head_timeout_ms,
		.body_timeout_ms = conf->body_timeout_ms,
		.idle_timeout_ms = conf->idle_timeout_ms,
		.is_shared_port = conf->shared_port != 0,
		.on_request = on_request,
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
	buf_fini(&address);
}

void edge_open(struct gateway *gateway)
{
	const struct ws_host_options options = {
		.send_timeout_ms = gateway->conf->send_timeout_ms,
		.close_timeout_ms = gateway->conf->close_timeout_ms,
		.metrics = &gateway->metrics,
	};

	keys_read(gateway);
	demo_load(gateway);
	gateway->ws = ws_host_new(gateway->loop, &options);
	server_open(gateway);
}

void edge_drain(struct gateway *gateway)
{
	http_server_drain(gateway->server);
}

void edge_close(struct gateway *gateway)
{
	http_server_close(gateway->server);
	ws_host_free(gateway->ws);
	http_files_free(gateway->demo);
	auth_free(gateway->auth);
	if (gateway->token_key)
		explicit_bzero(gateway->token_key, sizeof(*gateway->token_key));
	mem_free(gateway->token_key);
	gateway->server = NULL;
	gateway->ws = NULL;
	gateway->demo = NULL;
	gateway->auth = NULL;
	gateway->token_key = NULL;
}
