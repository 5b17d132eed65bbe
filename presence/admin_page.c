/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pure. A cursor that somebody made up is as good as its decoding: whoever keeps the list
 * checks what is in it.
 */
#include "presence/admin_page.h"

#include "presence/json_put.h"
#include "proto/base/crypto.h"
#include "proto/base/http_parse.h"

static enum err read_limit(struct slice query, size_t limit_max, struct arena *arena,
			   size_t *limit)
{
	int64_t number = (int64_t)limit_max;
	struct slice text;
	enum err rc = http_query_find(query, SLICE("limit"), arena, &text);

	if (rc == OK)
		rc = slice_to_int64(text, &number);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return ERR_LIMIT;
	if (number < 1 || number > (int64_t)limit_max)
		return ERR_LIMIT;
	*limit = (size_t)number;
	return OK;
}

static enum err read_cursor(struct slice query, enum admin_list list, struct arena *arena,
			    struct slice *cursor)
{
	struct buf bytes = BUF_INIT;
	struct slice text;
	enum err rc = http_query_find(query, SLICE("cursor"), arena, &text);

	*cursor = SLICE_NONE;
	if (rc == ERR_NOT_FOUND || (rc == OK && text.len == 0))
		return OK;
	if (rc == OK)
		rc = crypto_base64url_decode(&bytes, text);
	if (rc == OK && (bytes.len < 2 || bytes.ptr[0] != (char)list))
		rc = ERR_ARGUMENT;
	if (rc == OK)
		*cursor = arena_dup(arena, slice_from(buf_slice(&bytes), 1));
	buf_fini(&bytes);
	return rc == OK ? OK : ERR_ARGUMENT;
}

enum err admin_page_read(struct slice query, enum admin_list list, size_t limit_max,
			 struct arena *arena, struct admin_page *page)
{
	enum err rc = read_limit(query, limit_max, arena, &page->limit);

	if (rc == OK)
		rc = read_cursor(query, list, arena, &page->cursor);
	return rc;
}

void admin_page_next(struct buf *out, enum admin_list list, struct slice next)
{
	struct buf bytes = BUF_INIT;

	if (next.len == 0)
		return;
	buf_append_byte(&bytes, (char)list);
	buf_append_slice(&bytes, next);
	json_put_key(out, "next");
	buf_append_byte(out, '"');
	crypto_base64url_encode(out, buf_slice(&bytes));
	buf_append_byte(out, '"');
	buf_fini(&bytes);
}
