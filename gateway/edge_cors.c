/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from a request's origin. A browser keeps a foreign page from reading our
 * answers to HTTP requests by itself, and without our token in the negotiate answer the
 * page has no connection. Nobody keeps it from a WebSocket but us.
 */
#include "gateway/edge_cors.h"

#include "gateway/cors.h"
#include "gateway/gateway.h"
#include "gateway/ws_opening.h"
#include "proto/base/log.h"

static void refuse(struct visit *visit)
{
	const struct slice origin = http_header_find(visit->request, SLICE("Origin"));

	visit->gateway->metrics.origin_refused_total++;
	log_info("edge.origin_refused", "remote=%s hub=%s origin=%s", visit->view.remote,
		 visit->hub->name, log_quote(origin).text);
	visit_respond_text(visit, 403, "Origin not allowed\n");
}

bool edge_cors(struct visit *visit)
{
	const char *origins = visit->hub->conf->cors_origins;
	const struct cors_site site = { .is_https = visit->view.is_https,
					.host = visit->view.host };
	const struct http_request *request = visit->request;
	struct slice origin;
	const enum cors_verdict verdict = cors_judge(origins, &site, request, &origin);

	/* A cache must not give one origin's answer to another. */
	if (origins[0] != '\0')
		buf_append_str(&visit->headers, "Vary: Origin\r\n");
	if (verdict == CORS_LISTED)
		cors_allow(&visit->headers, origin);
	if (verdict == CORS_FOREIGN &&
	    (ws_opening_is_meant(request) || cors_is_preflight(request))) {
		refuse(visit);
		return false;
	}
	if (verdict == CORS_FOREIGN)
		visit->gateway->metrics.origin_foreign_total++;
	if (verdict != CORS_LISTED || !cors_is_preflight(request))
		return true;
	cors_allow_more(&visit->headers, request);
	visit_respond_empty(visit, 204, SLICE_NONE);
	return false;
}
