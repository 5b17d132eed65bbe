/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener, and what every request goes through: who asks, which route, is the body
 * what the route wants. The token is for /api/ only: what /metrics and the probes tell is
 * for those who can reach the listener.
 */
#include "presence/admin.h"

#include <assert.h>
#include <inttypes.h>

#include "presence/admin_events.h"
#include "presence/admin_task.h"
#include "presence/dashboard.h"
#include "presence/online.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define DAY_S 86400

/* ---- requests */

static bool is_json(const struct http_request *http)
{
	struct slice type = http_header_find(http, SLICE("content-type"));

	return http_header_count(http, SLICE("content-type")) == 1 &&
	       slice_equal_nocase(slice_trim(slice_cut(&type, ';')),
				  SLICE("application/json"));
}

/* NULL when the body is what the route wants. */
static const char *body_problem(const struct admin_request *request,
				enum admin_problem *problem)
{
	const struct http_request *http = request->http;

	*problem = ADMIN_BAD_BODY;
	if (http->body.len == 0)
		return request->route->body == ADMIN_BODY_NEEDED ? "A body is needed."
								 : NULL;
	if (request->route->body == ADMIN_BODY_NONE) {
		*problem = ADMIN_BAD_REQUEST;
		return "No body is taken here.";
	}
	*problem = ADMIN_MEDIA_TYPE;
	return is_json(http) ? NULL : "Content-Type has to be application/json.";
}

/* OK; or refused. */
static enum err request_check(struct admin *admin, struct admin_request *request)
{
	const struct http_request *http = request->http;
	struct slice params[ADMIN_PARAMS_MAX];
	const char *detail = NULL;
	enum admin_problem problem;
	enum err rc = admin_route_find(http->method, http->path, &request->route, params);
	const bool is_public = rc == OK && request->route->is_public;

	/* Nothing is told of paths to who may not know. */
	if (!is_public && admin_auth_check(&admin->auth, request->conn, http,
					   &request->actor, &problem, &detail) != OK) {
		admin->presence->metrics.admin_denied_total++;
		admin_refuse(admin, request, problem, detail);
		return ERR_DENIED;
	}
	if (rc == ERR_UNSUPPORTED)
		admin_refuse_method(admin, request);
	else if (rc != OK)
		admin_refuse(admin, request, ADMIN_NO_PATH, NULL);
	for (size_t i = 0; i < ADMIN_PARAMS_MAX && rc == OK; i++) {
		rc = http_path_decode(params[i], &admin->arena, &request->params[i]);
		if (rc != OK)
			admin_refuse(admin, request, ADMIN_BAD_REQUEST,
				     "The path is not well percent-encoded.");
	}
	if (rc != OK)
		return rc;
	detail = body_problem(request, &problem);
	if (detail == NULL)
		return OK;
	admin_refuse(admin, request, problem, detail);
	return ERR_ARGUMENT;
}

static void on_request(void *owner, struct http_conn *conn,
		       const struct http_request *http)
{
	struct admin *admin = owner;
	struct admin_request request = { .conn = conn, .http = http };

	admin->presence->metrics.admin_total++;
	if (slice_starts_with(http->path, SLICE("/api/"))) {
		if (request_check(admin, &request) == OK)
			request.route->fn(admin, &request);
	} else if (!dashboard_respond(conn, http)) {
		admin_refuse(admin, &request, ADMIN_NO_PATH, NULL);
	}
	assert(admin->body.len == 0);
	arena_reset(&admin->arena);
}

/* ---- health */

static void on_count(void *owner)
{
	struct presence *presence = ((struct admin *)owner)->presence;
	const struct leases *leases = &presence->processes.leases;
	struct presence_metrics *metrics = &presence->metrics;

	metrics->gateways = (int64_t)leases_count(leases, LINK__ROLE__ROLE_GATEWAY);
	metrics->routers = (int64_t)leases_count(leases, LINK__ROLE__ROLE_ROUTER);
	metrics->shards_epoch = (int64_t)presence->resharding.map.epoch;
	metrics->shards_phase = (int64_t)presence->resharding.map.phase;
	metrics->shards_leader = resharding_is_leader(&presence->resharding) ? 1 : 0;
	metrics->settled = presence_is_settled(presence) ? 1 : 0;
	online_count(presence);
	presence->metrics.redis.password_fingerprint =
		link_fingerprint(presence->link, &presence->redis_secrets.password);
}

static const char *why_not_ready(void *owner)
{
	const struct admin *admin = owner;

	return proc_is_draining(admin->presence->proc) ? "draining\n" : NULL;
}

bool admin_is_loopback(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon != NULL && admin_auth_is_loopback(slice_from_str(address)) &&
	       slice_find(slice_make(address, (size_t)(colon - address)), ':') <
		       (address[0] == '[' ? 5 : 0);
}

/* ---- the certificate */

static enum err tls_load(const struct presence_conf *conf, struct tls **tls,
			 char error[TLS_ERROR_BYTES])
{
	enum err rc;

	*tls = NULL;
	if (conf->admin_tls_cert[0] == '\0')
		return OK;
	rc = tls_new(conf->admin_tls_cert, conf->admin_tls_key, tls, error);
	if (rc == OK && conf->admin_tls_client_ca[0] != '\0')
		rc = tls_verify_clients(*tls, conf->admin_tls_client_ca, error);
	if (rc != OK) {
		tls_unref(*tls);
		*tls = NULL;
	}
	return rc;
}

static void note_end(struct admin *admin, const struct tls *tls)
{
	struct presence *presence = admin->presence;
	const int64_t left_s = tls_not_after_s(tls) - loop_unix_ms(presence->loop) / 1000;

	presence->metrics.admin_tls_not_after_seconds = tls_not_after_s(tls);
	if (left_s < 7 * DAY_S)
		log_warn("tls.ends_soon", "days=%" PRId64,
			 left_s < 0 ? -1 : left_s / DAY_S);
}

/* ---- life */

struct admin *admin_open(struct presence *presence)
{
	const struct presence_conf *conf = presence->conf;
	struct admin *admin = MEM_NEW(struct admin);
	char error[TLS_ERROR_BYTES];
	struct health_options options = {
		.address = conf->admin_listen,
		.metrics = &presence_metrics_table,
		.values = &presence->metrics,
		.count = on_count,
		.why_not_ready = why_not_ready,
		.on_request = on_request,
		.on_gone = admin_on_gone,
		.on_refuse = admin_on_refuse,
		.body_bytes_max = conf->admin_body_max,
		.stats = &presence->metrics.admin_http,
		.owner = admin,
	};

	admin->presence = presence;
	admin->seed = crypto_random_uint64();
	arena_init(&admin->arena);
	list_init(&admin->tasks);
	list_init(&admin->watchers);
	admin_auth_init(&admin->auth, conf);
	presence->metrics.admin_token_fingerprint =
		secrets_fingerprint(&admin->auth.tokens);
	if (tls_load(conf, &options.tls, error) != OK)
		fatal("admin_tls_cert, admin_tls_key, admin_tls_client_ca: %s", error);
	if (options.tls != NULL)
		note_end(admin, options.tls);
	admin->health = health_open(presence->loop, &options);
	tls_unref(options.tls); /* the listener has its own reference */
	return admin;
}

bool admin_reload(struct admin *admin)
{
	const struct presence_conf *conf = admin->presence->conf;
	struct presence_metrics *metrics = &admin->presence->metrics;
	char error[TLS_ERROR_BYTES];
	const char *problem = NULL;
	bool is_good = true;
	struct tls *tls;

	if (admin_auth_reload(&admin->auth, conf, &problem) != OK) {
		log_error("admin.reload_failed", "option=admin_token_file reason=%s",
			  log_quote(slice_from_str(problem)).text);
		metrics->reload.secret_failed_total++;
		is_good = false;
	}
	metrics->admin_token_fingerprint = secrets_fingerprint(&admin->auth.tokens);
	if (tls_load(conf, &tls, error) != OK) {
		log_error("admin.reload_failed", "option=admin_tls reason=%s",
			  log_quote(slice_from_str(error)).text);
		metrics->reload.secret_failed_total++;
		is_good = false;
	} else if (tls != NULL) {
		health_set_tls(admin->health, tls);
		note_end(admin, tls);
		tls_unref(tls); /* the listener has its own reference */
	}
	return is_good;
}

void admin_close(struct admin *admin)
{
	if (admin == NULL)
		return;
	admin_events_close(admin);
	health_close(admin->health);
	admin_tasks_close(admin);
	admin_auth_fini(&admin->auth);
	arena_fini(&admin->arena);
	buf_fini(&admin->body);
	mem_free(admin);
}

const char *admin_address(const struct admin *admin)
{
	return health_address(admin->health);
}
