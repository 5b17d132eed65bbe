/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two requests at most, one after the other, through the worker's pool. What must last
 * from one to the next is copied into the arena of the negotiation.
 */
#include "bench/negotiation.h"

#include <assert.h>

#include "proto/base/arena.h"
#include "proto/base/mem.h"
#include "proto/wire/json.h"

#define ANSWER_DEPTH_MAX 8

struct negotiation {
	struct http_ask ask;
	struct client *client; /* borrowed */
	negotiation_fn *fn;
	const struct carrier_site *site; /* borrowed */
	const char *transport;		 /* NULL: no negotiation */
	struct slice bearer;		 /* in the arena */
	struct arena arena;
	struct loop_defer defer;
	bool is_token_due;
};

/* What a JSON answer may hold; slices of it or of the arena. */
struct answer {
	struct slice connection_id;
	struct slice connection_token;
	struct slice access_token;
	struct slice token; /* of /dev/token */
	struct slice url;
	struct slice error;
	bool is_offered; /* our transport */
};

static void on_answer(struct http_ask *ask, int status, struct slice body);

/* ---- asking */

static struct slice origin_path(struct slice path)
{
	struct slice rest = path;

	return slice_cut(&rest, '?');
}

static void ask_token(struct negotiation *negotiation, struct slice user)
{
	struct buf *out = &negotiation->ask.request;

	buf_appendf(out,
		    "POST /dev/token HTTP/1.1\r\nHost: %.*s\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
		    "{\"userId\":\"%.*s\"}",
		    SLICE_FMT(negotiation->site->host),
		    user.len + sizeof("{\"userId\":\"\"}") - 1, SLICE_FMT(user));
	negotiation->is_token_due = true;
	http_pool_ask(negotiation->site->pool, &negotiation->ask);
}

static void ask_negotiate(struct negotiation *negotiation)
{
	const struct slice path = negotiation->site->path;
	const struct slice plain = origin_path(path);
	struct buf *out = &negotiation->ask.request;

	buf_appendf(out, "POST %.*s/negotiate", SLICE_FMT(plain));
	if (plain.len < path.len)
		buf_appendf(out, "%.*s&", SLICE_FMT(slice_from(path, plain.len)));
	else
		buf_append_byte(out, '?');
	buf_appendf(out,
		    "negotiateVersion=1 HTTP/1.1\r\nHost: %.*s\r\n"
		    "Content-Length: 0\r\nX-Requested-With: XMLHttpRequest\r\n",
		    SLICE_FMT(negotiation->site->host));
	if (negotiation->bearer.len > 0)
		buf_appendf(out, "Authorization: Bearer %.*s\r\n",
			    SLICE_FMT(negotiation->bearer));
	buf_append_str(out, "\r\n");
	http_pool_ask(negotiation->site->pool, &negotiation->ask);
}

struct negotiation *negotiation_start(struct client *client,
				      const struct negotiation_plan *plan,
				      negotiation_fn *fn)
{
	struct negotiation *negotiation = MEM_NEW(struct negotiation);

	assert(plan->user.len > 0 || plan->transport != NULL);
	negotiation->client = client;
	negotiation->fn = fn;
	negotiation->site = plan->site;
	negotiation->transport = plan->transport;
	arena_init(&negotiation->arena);
	http_ask_init(&negotiation->ask, on_answer);
	if (plan->bearer.len > 0)
		negotiation->bearer = arena_dup(&negotiation->arena, plan->bearer);
	if (plan->user.len > 0)
		ask_token(negotiation, plan->user);
	else
		ask_negotiate(negotiation);
	return negotiation;
}

static void negotiation_free(struct loop_defer *defer)
{
	struct negotiation *negotiation = CONTAINER_OF(defer, struct negotiation, defer);

	arena_fini(&negotiation->arena);
	mem_free(negotiation);
}

void negotiation_cancel(struct negotiation *negotiation)
{
	if (negotiation == NULL)
		return;
	http_ask_fini(&negotiation->ask);
	loop_defer_free(negotiation->site->intake->loop, &negotiation->defer,
			negotiation_free);
}

/* The owner forgets us before he does anything else. */
static void negotiation_done(struct negotiation *negotiation,
			     const struct negotiation_result *result)
{
	negotiation->fn(negotiation->client, result);
	negotiation_cancel(negotiation);
}

static void negotiation_fail(struct negotiation *negotiation, const char *why,
			     struct slice detail)
{
	const struct negotiation_result result = { .why = why, .detail = detail };

	negotiation_done(negotiation, &result);
}

/* ---- reading */

static enum err read_transport(struct json_cursor *cursor, struct arena *arena,
			       struct slice wanted, struct answer *answer)
{
	bool is_first = true;
	enum err rc = json_open(cursor, '{');

	while (rc == OK) {
		struct slice key;
		struct slice value;
		bool more;

		rc = json_next_member(cursor, arena, &is_first, &key, &more);
		if (rc != OK || !more)
			break;
		if (slice_equal(key, SLICE("transport")) && json_peek(cursor) == '"') {
			rc = json_text(cursor, arena, &value);
			if (rc == OK && slice_equal(value, wanted))
				answer->is_offered = true;
		} else {
			rc = json_skip(cursor, &value);
		}
	}
	return rc;
}

static enum err read_transports(struct json_cursor *cursor, struct arena *arena,
				struct slice wanted, struct answer *answer)
{
	bool is_first = true;
	enum err rc = json_open(cursor, '[');

	while (rc == OK) {
		bool more;

		rc = json_next_element(cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		rc = read_transport(cursor, arena, wanted, answer);
	}
	return rc;
}

static enum err read_member(struct json_cursor *cursor, struct arena *arena,
			    struct slice key, struct answer *answer)
{
	const struct {
		struct slice key;
		struct slice *value;
	} texts[] = {
		{ SLICE("connectionId"), &answer->connection_id },
		{ SLICE("connectionToken"), &answer->connection_token },
		{ SLICE("accessToken"), &answer->access_token },
		{ SLICE("token"), &answer->token },
		{ SLICE("url"), &answer->url },
		{ SLICE("error"), &answer->error },
	};
	struct slice skipped;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (slice_equal(key, texts[i].key) && json_peek(cursor) == '"')
			return json_text(cursor, arena, texts[i].value);
	return json_skip(cursor, &skipped);
}

static enum err read_answer(struct negotiation *negotiation, struct slice body,
			    struct answer *answer)
{
	struct json_cursor cursor = { .depth_max = ANSWER_DEPTH_MAX };
	struct arena *arena = &negotiation->arena;
	bool is_first = true;
	enum err rc;

	*answer = (struct answer){ .is_offered = false };
	if (body.len == 0)
		return ERR_MALFORMED;
	cursor.at = body.ptr;
	cursor.end = body.ptr + body.len;
	rc = json_open(&cursor, '{');
	while (rc == OK) {
		struct slice key;
		bool more;

		rc = json_next_member(&cursor, arena, &is_first, &key, &more);
		if (rc != OK || !more)
			break;
		if (slice_equal(key, SLICE("availableTransports")))
			rc = read_transports(&cursor, arena,
					     slice_from_str(negotiation->transport),
					     answer);
		else
			rc = read_member(&cursor, arena, key, answer);
	}
	return rc;
}

static void on_token(struct negotiation *negotiation, const struct answer *answer)
{
	struct negotiation_result result = { .bearer = answer->token };

	if (answer->token.len == 0) {
		negotiation_fail(negotiation, "/dev/token answered without a token",
				 SLICE_NONE);
		return;
	}
	if (negotiation->transport == NULL) {
		negotiation_done(negotiation, &result);
		return;
	}
	negotiation->bearer = arena_dup(&negotiation->arena, answer->token);
	negotiation->is_token_due = false;
	ask_negotiate(negotiation);
}

static void on_negotiated(struct negotiation *negotiation, const struct answer *answer)
{
	struct negotiation_result result = { .bearer = negotiation->bearer };

	result.connection_id = answer->connection_id;
	result.id = answer->connection_token;
	if (result.id.len == 0)
		result.id = answer->connection_id;
	if (answer->error.len > 0)
		negotiation_fail(negotiation, "negotiate answered with an error",
				 answer->error);
	else if (answer->url.len > 0)
		negotiation_fail(negotiation, "negotiate redirects: give that URL",
				 answer->url);
	else if (result.id.len == 0)
		negotiation_fail(negotiation, "negotiate answered without an id",
				 SLICE_NONE);
	else if (!answer->is_offered)
		negotiation_fail(negotiation, "the server does not offer the transport",
				 slice_from_str(negotiation->transport));
	else
		negotiation_done(negotiation, &result);
}

static void on_answer(struct http_ask *ask, int status, struct slice body)
{
	struct negotiation *negotiation = CONTAINER_OF(ask, struct negotiation, ask);
	struct answer answer;

	if (status == 0)
		negotiation_fail(negotiation, "negotiate got no answer", body);
	else if (status != 200)
		negotiation_fail(negotiation, "negotiate was refused",
				 arena_printf(&negotiation->arena, "%d", status));
	else if (read_answer(negotiation, body, &answer) != OK)
		negotiation_fail(negotiation, "negotiate answered with no JSON",
				 SLICE_NONE);
	else if (negotiation->is_token_due)
		on_token(negotiation, &answer);
	else
		on_negotiated(negotiation, &answer);
}
