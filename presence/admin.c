/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: each one asks the store and writes what it answers, at once or in a later turn;
 * by then the client may have gone. The token is for /api/ only: what /metrics and the
 * probes tell is for those who can reach the listener.
 */
#include "presence/admin.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "presence/admin_json.h"
#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/arena.h"
#include "proto/base/crypto.h"
#include "proto/base/health.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

#define NO_STORE "Cache-Control: no-store\r\n"

struct admin {
	struct presence *presence; /* borrowed */
	struct health *health;	   /* owned; NULL: does not listen */
	struct buf token;	   /* empty: none is asked for */
	struct arena arena;	   /* of the request being handled */
	struct buf body;	   /* of the answer being written */
};

/* A request as its route sees it. */
struct admin_request {
	struct http_conn *conn;
	struct slice query;
	struct slice id; /* decoded, from the end of the path; or empty */
};

/* Appends the body for an answer with rc OK. */
typedef void admin_write_fn(const struct admin *admin, const struct store_answer *answer,
			    struct buf *body);

/* A question to the store, for a request. */
struct admin_ask {
	struct store_call call;
	struct admin *admin;	/* borrowed; valid while conn is */
	struct http_conn *conn; /* borrowed; NULL: the client has gone */
	admin_write_fn *write;
};

/* ---- answers */

static void respond(struct admin *admin, struct http_conn *conn, int status,
		    struct slice headers)
{
	const struct http_response response = {
		.status = status,
		.content_type =
			status == 200 ? "application/json" : "application/problem+json",
		.body = buf_slice(&admin->body),
		.headers = headers,
	};

	http_respond(conn, &response);
	buf_clear(&admin->body);
}

static void respond_problem(struct admin *admin, struct http_conn *conn, int status,
			    const char *detail)
{
	struct slice headers = SLICE(NO_STORE);

	if (status == 401)
		headers = SLICE(NO_STORE "WWW-Authenticate: Bearer\r\n");
	if (status == 405)
		headers = SLICE(NO_STORE "Allow: GET, HEAD\r\n");
	admin_json_problem(&admin->body, status, detail);
	respond(admin, conn, status, headers);
}

/* The one place where errors become what a client sees. */
static void respond_error(struct admin *admin, struct http_conn *conn, enum err rc)
{
	if (rc == ERR_NOT_FOUND)
		respond_problem(admin, conn, 404, "Not online.");
	else if (rc == ERR_ARGUMENT)
		respond_problem(admin, conn, 400, "The cursor is none of this API's.");
	else
		respond_problem(admin, conn, 503, "The store did not answer.");
}

/* ---- asking the store */

static void on_answer(struct store_call *call, const struct store_answer *answer)
{
	struct admin_ask *ask = CONTAINER_OF(call, struct admin_ask, call);
	struct http_conn *conn = ask->conn;

	if (conn != NULL) {
		http_conn_set_owner(conn, NULL);
		if (answer->rc == OK) {
			ask->write(ask->admin, answer, &ask->admin->body);
			respond(ask->admin, conn, 200, SLICE(NO_STORE));
		} else {
			respond_error(ask->admin, conn, answer->rc);
		}
	}
	mem_free(ask);
}

static void on_gone(struct http_conn *conn)
{
	struct admin_ask *ask = http_conn_owner(conn);

	ask->conn = NULL;
}

static struct store_call *ask_new(struct admin *admin, struct http_conn *conn,
				  admin_write_fn *write)
{
	struct admin_ask *ask = MEM_NEW(struct admin_ask);

	store_call_init(&ask->call, on_answer);
	ask->admin = admin;
	ask->conn = conn;
	ask->write = write;
	http_conn_set_owner(conn, ask);
	return &ask->call;
}

/* ---- routes */

static void write_stats(const struct admin *admin, const struct store_answer *answer,
			struct buf *body)
{
	const struct presence *presence = admin->presence;
	const struct leases *leases = &presence->processes.leases;
	const struct admin_stats stats = {
		.users = answer->users_n,
		.connections = answer->connections_n,
		.gateways = leases_count(leases, LINK__ROLE__ROLE_GATEWAY),
		.routers = leases_count(leases, LINK__ROLE__ROLE_ROUTER),
		.uptime_ms = loop_now_ms(presence->loop) - presence->started_ms,
		.is_settled = presence->topology.is_settled,
	};

	admin_json_stats(body, &stats);
}

static void on_stats(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;

	store->ops->count(store, ask_new(admin, request->conn, write_stats));
}

static void write_users(const struct admin *admin, const struct store_answer *answer,
			struct buf *body)
{
	(void)admin; /* the answer has it all */
	admin_json_users(body, answer);
}

/* Absent: the largest page. */
static enum err read_limit(struct admin *admin, struct slice query, int64_t *limit)
{
	const int64_t limit_max = admin->presence->conf->page_max;
	struct slice text;
	enum err rc = http_query_find(query, SLICE("limit"), &admin->arena, &text);

	if (rc == OK)
		rc = slice_to_int64(text, limit);
	else if (rc == ERR_NOT_FOUND)
		*limit = limit_max;
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	return *limit < 1 || *limit > limit_max ? ERR_LIMIT : OK;
}

static void on_users(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct slice cursor = SLICE_NONE;
	int64_t limit = 0;
	enum err rc;

	if (read_limit(admin, request->query, &limit) != OK) {
		respond_problem(admin, request->conn, 400,
				"limit is a number from 1 to page_max.");
		return;
	}
	rc = http_query_find(request->query, SLICE("cursor"), &admin->arena, &cursor);
	if (rc != OK && rc != ERR_NOT_FOUND) {
		respond_error(admin, request->conn, ERR_ARGUMENT);
		return;
	}
	store->ops->list(store, cursor, (size_t)limit,
			 ask_new(admin, request->conn, write_users));
}

static void write_user(const struct admin *admin, const struct store_answer *answer,
		       struct buf *body)
{
	(void)admin; /* the answer has it all */
	admin_json_user(body, answer);
}

static void on_user(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;

	store->ops->user(store, request->id, (size_t)admin->presence->conf->page_max,
			 ask_new(admin, request->conn, write_user));
}

static void write_connection(const struct admin *admin, const struct store_answer *answer,
			     struct buf *body)
{
	(void)admin; /* the answer has it all */
	admin_json_connection(body, answer);
}

static void on_connection(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;

	store->ops->connection(store, request->id,
			       ask_new(admin, request->conn, write_connection));
}

static void on_processes(struct admin *admin, const struct admin_request *request)
{
	const struct presence *presence = admin->presence;

	admin_json_processes(&admin->body, &presence->processes.leases,
			     loop_now_ms(presence->loop));
	respond(admin, request->conn, 200, SLICE(NO_STORE));
}

struct route {
	const char *path; /* with a '/' at its end an id follows */
	void (*fn)(struct admin *admin, const struct admin_request *request);
};

static const struct route routes[] = {
	{ "/api/v1/stats", on_stats },	       { "/api/v1/users", on_users },
	{ "/api/v1/users/", on_user },	       { "/api/v1/connections/", on_connection },
	{ "/api/v1/processes", on_processes },
};

/* `*id` is what stands behind the route's path, still encoded. */
static const struct route *route_find(struct slice path, struct slice *id)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct slice prefix = slice_from_str(routes[i].path);
		const bool has_id = prefix.ptr[prefix.len - 1] == '/';

		if (!slice_starts_with(path, prefix))
			continue;
		*id = slice_from(path, prefix.len);
		if (has_id ? id->len > 0 && slice_find(*id, '/') < 0 : id->len == 0)
			return &routes[i];
	}
	return NULL;
}

static bool is_allowed(const struct admin *admin, const struct http_request *request)
{
	struct slice credentials = http_header_find(request, SLICE("authorization"));
	struct slice scheme;

	if (admin->token.len == 0)
		return true;
	scheme = slice_cut(&credentials, ' ');
	return slice_equal_nocase(scheme, SLICE("bearer")) &&
	       crypto_equal(slice_trim(credentials), buf_slice(&admin->token));
}

static void on_request(void *owner, struct http_conn *conn,
		       const struct http_request *request)
{
	struct admin *admin = owner;
	struct admin_request seen = { .conn = conn, .query = request->query };
	const struct route *route;
	struct slice id;

	admin->presence->metrics.admin_total++;
	if (slice_starts_with(request->path, SLICE("/api/")) &&
	    !is_allowed(admin, request)) {
		admin->presence->metrics.admin_denied_total++;
		respond_problem(admin, conn, 401,
				"The bearer token is missing or wrong.");
		return;
	}
	route = route_find(request->path, &id);
	if (route == NULL)
		respond_problem(admin, conn, 404, "No such path.");
	else if (!slice_equal(request->method, SLICE("GET")) &&
		 !slice_equal(request->method, SLICE("HEAD")))
		respond_problem(admin, conn, 405, "The API can only be read.");
	else if (http_path_decode(id, &admin->arena, &seen.id) != OK)
		respond_problem(admin, conn, 400, "The id is not well percent-encoded.");
	else
		route->fn(admin, &seen);
	arena_reset(&admin->arena);
}

/* ---- life */

static void on_count(void *owner)
{
	struct presence *presence = ((struct admin *)owner)->presence;
	const struct leases *leases = &presence->processes.leases;
	struct presence_metrics *metrics = &presence->metrics;

	metrics->gateways = (int64_t)leases_count(leases, LINK__ROLE__ROLE_GATEWAY);
	metrics->routers = (int64_t)leases_count(leases, LINK__ROLE__ROLE_ROUTER);
	metrics->settled = presence->topology.is_settled ? 1 : 0;
	online_count(presence);
}

static const char *why_not_ready(void *owner)
{
	const struct admin *admin = owner;

	return proc_is_draining(admin->presence->proc) ? "draining\n" : NULL;
}

bool admin_is_loopback(const char *address)
{
	const char *colon = strrchr(address, ':');
	const size_t len = colon != NULL ? (size_t)(colon - address) : 0;
	char host[INET_ADDRSTRLEN];
	struct in_addr in;

	if (slice_equal(slice_make(address, len), SLICE("localhost")) ||
	    slice_equal(slice_make(address, len), SLICE("[::1]")))
		return true;
	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return inet_pton(AF_INET, host, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}

struct admin *admin_open(struct presence *presence)
{
	const struct presence_conf *conf = presence->conf;
	struct admin *admin = MEM_NEW(struct admin);
	const struct health_options options = {
		.address = conf->admin_listen,
		.metrics = &presence_metrics_table,
		.values = &presence->metrics,
		.count = on_count,
		.why_not_ready = why_not_ready,
		.on_request = on_request,
		.on_gone = on_gone,
		.owner = admin,
	};

	admin->presence = presence;
	arena_init(&admin->arena);
	if (conf->admin_token_file[0] != '\0')
		secret_read("admin_token_file", conf->admin_token_file, &admin->token);
	else if (conf->admin_listen[0] != '\0' && !admin_is_loopback(conf->admin_listen))
		fatal("admin_listen = %s: beyond loopback admin_token_file is needed",
		      conf->admin_listen);
	admin->health = health_open(presence->loop, &options);
	return admin;
}

void admin_close(struct admin *admin)
{
	if (admin == NULL)
		return;
	health_close(admin->health);
	secret_fini(&admin->token);
	arena_fini(&admin->arena);
	buf_fini(&admin->body);
	mem_free(admin);
}

const char *admin_address(const struct admin *admin)
{
	return health_address(admin->health);
}
