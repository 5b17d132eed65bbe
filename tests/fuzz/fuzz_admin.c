/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers send to the admin API, before anything is done with it: paths, queries,
 * bodies, token files, hosts. Input: one byte chooses, the rest is the text.
 */
#include "presence/admin_auth.h"
#include "presence/admin_body.h"
#include "presence/admin_page.h"
#include "presence/admin_route.h"
#include "proto/base/http_parse.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

static void check_route(struct slice path, struct arena *arena)
{
	static const char *const methods[] = { "GET", "HEAD", "PUT", "POST", "DELETE" };
	struct buf allow = BUF_INIT;
	bool is_path = false;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const struct admin_route *route = NULL;
		struct slice params[ADMIN_PARAMS_MAX];
		const enum err rc = admin_route_find(slice_from_str(methods[i]), path,
						     &route, params);

		assert(rc == OK || rc == ERR_NOT_FOUND || rc == ERR_UNSUPPORTED);
		is_path = is_path || rc != ERR_NOT_FOUND;
		for (size_t j = 0; rc == OK && j < ADMIN_PARAMS_MAX; j++) {
			struct slice decoded;

			assert((admin_route_param(route, j).len > 0) ==
			       (params[j].len > 0));
			assert(slice_find(params[j], '/') < 0);
			if (http_path_decode(params[j], arena, &decoded) == OK)
				assert(decoded.len <= params[j].len);
		}
	}
	admin_route_allow(path, &allow);
	assert(is_path == (allow.len > 0));
	buf_fini(&allow);
}

/* A cursor that was taken is written as it was read. */
static void check_page(struct slice query, struct arena *arena)
{
	struct buf out = BUF_INIT;
	struct admin_page page;
	struct admin_page again;
	const enum err rc =
		admin_page_read(query, ADMIN_LIST_MEMBERS, 1000, arena, &page);

	assert(rc == OK || rc == ERR_LIMIT || rc == ERR_ARGUMENT);
	if (rc == OK) {
		assert(page.limit >= 1 && page.limit <= 1000);
		buf_append_str(&out, "cursor=");
		admin_page_next(&out, ADMIN_LIST_MEMBERS, page.cursor);
	}
	if (rc == OK && page.cursor.len > 0) {
		/* cursor=,"next":"..." */
		const struct slice text = slice_make(out.ptr + 16, out.len - 17);
		const struct slice same =
			arena_printf(arena, "cursor=%.*s", SLICE_FMT(text));
		const enum err rc_again =
			admin_page_read(same, ADMIN_LIST_MEMBERS, 1, arena, &again);

		assert(rc_again == OK && slice_equal(again.cursor, page.cursor));
	}
	buf_fini(&out);
}

/* What is taken is JSON for another reader, too, and within its limits. */
static void check_send(struct slice body, struct arena *arena)
{
	const char *problem = NULL;
	struct admin_send send;
	const enum err rc = admin_body_send(body, arena, &send, &problem);
	json_t *root;

	assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_ARGUMENT);
	assert((rc == ERR_ARGUMENT) == (problem != NULL));
	if (rc != OK)
		return;
	assert(send.target.len >= 1 && send.target.len <= ADMIN_TARGET_BYTES_MAX);
	assert(send.excluded_n <= ADMIN_EXCLUDED_MAX);
	assert(send.arguments.ptr[0] == '[');
	assert(send.arguments.ptr[send.arguments.len - 1] == ']');
	if (json_oracle(body, &root) != JSON_GOOD)
		return; /* a NUL in a key, a number too large: jansson's own limits */
	assert(slice_equal(json_oracle_text(root, "target"), send.target));
	json_decref(root);
}

static void check_reason(struct slice body, struct arena *arena)
{
	const char *problem = NULL;
	struct admin_reason reason;
	const enum err rc = admin_body_reason(body, arena, &reason, &problem);

	assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_ARGUMENT);
	assert((rc == ERR_ARGUMENT) == (problem != NULL));
	assert(rc != OK || reason.reason.len <= ADMIN_REASON_BYTES_MAX);
}

static void check_tokens(struct slice text)
{
	struct secrets tokens = SECRETS_INIT;
	const char *problem = NULL;
	struct slice kept;
	enum err rc;

	buf_append_slice(&tokens.text, text);
	kept = buf_slice(&tokens.text);
	rc = admin_tokens_parse(&tokens, &problem);
	assert((rc == OK) == (problem == NULL));
	for (size_t i = 0; rc == OK && i < tokens.n; i++)
		assert(tokens.items[i].len >= 32 && tokens.items[i].ptr >= kept.ptr &&
		       tokens.items[i].ptr + tokens.items[i].len <= kept.ptr + kept.len);
	secrets_fini(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const uint8_t choice = fuzz_byte(&input);
	struct arena arena = ARENA_INIT;

	switch (choice % 6) {
	case 0:
		check_route(input, &arena);
		break;
	case 1:
		check_page(input, &arena);
		break;
	case 2:
		check_send(input, &arena);
		break;
	case 3:
		check_reason(input, &arena);
		break;
	case 4:
		check_tokens(input);
		break;
	default:
		(void)admin_auth_is_loopback(input); /* any answer will do */
	}
	arena_fini(&arena);
	return 0;
}
