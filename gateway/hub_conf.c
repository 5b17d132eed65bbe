/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a hub's options, and what it takes for them to fit each other and those of
 * the other hubs.
 */
#include "gateway/hub_conf.h"

#include <assert.h>

#include "gateway/conf.h"
#include "gateway/cors.h"
#include "proto/wire/negotiate.h"

#define FIELD(name) offsetof(struct hub_conf, name)
#define KiB 1024
#define HOUR_MS 3600000
#define PATH_BYTES_MAX 255
#define LIST_BYTES_MAX 4096

const char *const hub_auth_names[] = { "anonymous", "required", NULL };

/* In the order of the TRANSPORT_ bits. */
static const char *const transports[] = { "websockets|WebSockets", "sse|ServerSentEvents",
					  "longpolling|LongPolling", NULL };

_Static_assert(TRANSPORT_WEBSOCKETS == 1u << 0, "the first transport");
_Static_assert(TRANSPORT_SSE == 1u << 1, "the second transport");
_Static_assert(TRANSPORT_LONG_POLLING == 1u << 2, "the third transport");

static const struct conf_option options[] = {
	{ "path", CONF_STRING, FIELD(path), "/hubs/<name>", 2, PATH_BYTES_MAX, NULL,
	  "Where it is served; case does not matter.", true },
	{ "transports", CONF_SET, FIELD(transports), "websockets, sse, longpolling", 0, 0,
	  transports, "What its clients may use.", true },
	{ "auth", CONF_ENUM, FIELD(auth), CONF_INHERIT("auth"), 0, 0, hub_auth_names,
	  "Whether a client needs a good token.", true },
	{ "roles", CONF_STRING, FIELD(roles), "", 0, LIST_BYTES_MAX, NULL,
	  "A client needs one of these roles, and so a token. Empty: none is needed.",
	  true },
	{ "cors_origins", CONF_STRING, FIELD(cors_origins), CONF_INHERIT("cors_origins"),
	  0, HUB_CORS_BYTES_MAX, NULL,
	  "Pages of these origins may connect too, beside the gateway's own.", true },
	{ "keepalive_interval", CONF_MS, FIELD(keepalive_interval_ms),
	  CONF_INHERIT("keepalive_interval"), 50, HOUR_MS, NULL,
	  "A client that was sent nothing for this long is sent a Ping.", true },
	{ "client_timeout", CONF_MS, FIELD(client_timeout_ms),
	  CONF_INHERIT("client_timeout"), 50, HOUR_MS, NULL,
	  "A client that pings is gone after this much silence.", true },
	{ "handshake_timeout", CONF_MS, FIELD(handshake_timeout_ms),
	  CONF_INHERIT("handshake_timeout"), 50, HOUR_MS, NULL,
	  "From the opening of a connection to its hub handshake.", true },
	{ "message_bytes_max", CONF_BYTES, FIELD(message_bytes_max),
	  CONF_INHERIT("message_bytes_max"), KiB, GATEWAY_MESSAGE_BYTES_MAX, NULL,
	  "One hub message of a client; a longer one closes it.", true },
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed),
	  CONF_INHERIT("detailed_errors"), 0, 0, NULL,
	  "Tell clients the reason of an error, not only that there was one.", true },
	{ "stateful_reconnect", CONF_BOOL, FIELD(is_stateful),
	  CONF_INHERIT("stateful_reconnect"), 0, 0, NULL,
	  "Let clients that ask for it come back without a loss.", true },
	{ "stateful_buffer_bytes_max", CONF_BYTES, FIELD(stateful_buffer_bytes_max),
	  CONF_INHERIT("stateful_buffer_bytes_max"), HUB_STATEFUL_BUFFER_BYTES_MIN,
	  HUB_STATEFUL_BUFFER_BYTES_MAX, NULL,
	  "What is sent to a client that may come back before it acknowledges some, "
	  "which official ones do once a second; the rest waits.",
	  true },
	{ "stream_capacity", CONF_INT, FIELD(stream_capacity),
	  CONF_INHERIT("stream_capacity"), 1, HUB_STREAM_CAPACITY_MAX, NULL,
	  "Items of a client's stream that may wait for its hub.", true },
	{ "close_on_auth_expiration", CONF_BOOL, FIELD(is_closing_expired),
	  CONF_INHERIT("close_on_auth_expiration"), 0, 0, NULL,
	  "Close a client when its token expires.", true },
	{ "request_headers", CONF_STRING, FIELD(request_headers), "", 0, LIST_BYTES_MAX,
	  NULL,
	  "Headers of the connecting request that the hub may read, never authorization.",
	  true },
	{ "request_query", CONF_BOOL, FIELD(is_query_shown), "off", 0, 0, NULL,
	  "Whether the hub may read that request's query, without access_token and id.",
	  true },
	{ "negotiate_version_min", CONF_INT, FIELD(negotiate_version_min), "0", 0, 1,
	  NULL, "Clients that negotiate with less are refused.", true },
	{ "redirect_url", CONF_STRING, FIELD(redirect_url), "", 0, LIST_BYTES_MAX, NULL,
	  "Where clients that negotiate here are sent instead, as http://host/path. "
	  "Empty: "
	  "nowhere.",
	  true },
	{ "redirect_token", CONF_BOOL, FIELD(is_redirect_signed), "off", 0, 0, NULL,
	  "Whether they are given a token for there, signed with the HS256 "
	  "auth_key_file.",
	  true },
};

/* ---- lists */

static bool list_has(const char *list, struct slice item,
		     bool (*is_equal)(struct slice, struct slice))
{
	struct slice rest = slice_from_str(list);

	while (rest.len > 0) {
		if (is_equal(slice_trim(slice_cut(&rest, ',')), item))
			return true;
	}
	return false;
}

bool hub_conf_needs_user(const struct hub_conf *conf)
{
	return conf->auth == HUB_AUTH_REQUIRED || conf->roles[0] != '\0';
}

bool hub_conf_has_role(const struct hub_conf *conf, struct slice role)
{
	return list_has(conf->roles, role, slice_equal);
}

bool hub_conf_has_header(const struct hub_conf *conf, struct slice name)
{
	return list_has(conf->request_headers, name, slice_equal_nocase);
}

/* ---- problems */

static bool is_made_of(struct slice text, const char *marks)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];
		const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				      (c >= '0' && c <= '9');

		if (c == '\0' || (!is_plain && strchr(marks, c) == NULL))
			return false;
	}
	return true;
}

static const char *path_problem(const struct conf_scoped *all, size_t i)
{
	const struct slice negotiate = SLICE("/negotiate");
	const struct hub_conf *conf = all->items[i].values;
	const struct slice path = slice_from_str(conf->path);

	if (path.ptr[0] != '/' || path.ptr[path.len - 1] == '/' ||
	    strstr(path.ptr, "//") != NULL)
		return "path: must begin with a slash, not end with one, nor have two in "
		       "a row";
	if (!is_made_of(path, "/-._~!$&'()*+,;=:@"))
		return "path: a path of a URL, without a query and without %";
	if (path.len >= negotiate.len &&
	    slice_equal_nocase(slice_from(path, path.len - negotiate.len), negotiate))
		return "path: ends in /negotiate, which is where clients negotiate";
	for (size_t j = 0; j < i; j++) {
		const struct hub_conf *other = all->items[j].values;

		if (slice_equal_nocase(slice_from_str(other->path), path))
			return "path: another hub has the same";
	}
	return "";
}

static const char *redirect_problem(const struct hub_conf *conf)
{
	const struct slice url = slice_from_str(conf->redirect_url);

	if (url.len > 0 && !slice_starts_with(url, SLICE("http://")) &&
	    !slice_starts_with(url, SLICE("https://")))
		return "redirect_url: must begin with http:// or https://";
	if (conf->is_redirect_signed && url.len == 0)
		return "redirect_token: there is no redirect_url";
	return "";
}

static const char *roles_problem(const struct hub_conf *conf)
{
	struct slice rest = slice_from_str(conf->roles);

	while (rest.ptr != NULL && conf->roles[0] != '\0') {
		if (slice_trim(slice_cut(&rest, ',')).len == 0)
			return "roles: one of them is empty";
	}
	return "";
}

static const char *headers_problem(const struct hub_conf *conf)
{
	struct slice rest = slice_from_str(conf->request_headers);
	size_t n = 0;

	while (rest.ptr != NULL && conf->request_headers[0] != '\0') {
		const struct slice name = slice_trim(slice_cut(&rest, ','));

		if (name.len == 0 || !is_made_of(name, "!#$%&'*+-.^_`|~"))
			return "request_headers: one of them is no name of a header";
		if (slice_equal_nocase(name, SLICE("authorization")) ||
		    slice_equal_nocase(name, SLICE("proxy-authorization")))
			return "request_headers: authorization is for the gateway alone";
		if (++n > HUB_REQUEST_HEADERS_MAX)
			return "request_headers: at most 32 names";
	}
	return "";
}

static const char *problem(const struct conf_scoped *all, size_t i)
{
	const struct hub_conf *conf = all->items[i].values;
	const char *text = path_problem(all, i);

	_Static_assert(HUB_REQUEST_HEADERS_MAX == 32, "the text says so");
	if (text[0] == '\0')
		text = roles_problem(conf);
	if (text[0] == '\0')
		text = headers_problem(conf);
	if (text[0] == '\0')
		text = redirect_problem(conf);
	if (text[0] == '\0' && !cors_is_list(conf->cors_origins))
		text = "cors_origins: expected scheme://host[:port] without a path, null "
		       "or *";
	if (text[0] == '\0' && conf->keepalive_interval_ms >= conf->client_timeout_ms)
		text = "client_timeout: must be longer than keepalive_interval";
	return text;
}

/* Hubs that come with the router and are for users alone. */
static const struct conf_preset presets[] = {
	{ "notifications", "auth", "required" },
	{ "notifications", "transports", "websockets, sse" },
	{ "notifications", "close_on_auth_expiration", "on" },
};

const struct conf_scope hub_conf_scope = {
	.prefix = "hub",
	.list = "hubs",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.bytes = sizeof(struct hub_conf),
	.field = offsetof(struct gateway_conf, hub_confs),
	.presets = presets,
	.presets_n = sizeof(presets) / sizeof(presets[0]),
	.problem = problem,
};
