/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A letter for the kind, then the key in base64url.
 */
#include "presence/cursor.h"

#include "proto/base/crypto.h"

void cursor_encode(struct buf *out, enum cursor_kind kind, struct slice key)
{
	buf_append_byte(out, (char)kind);
	crypto_base64url_encode(out, key);
}

enum err cursor_decode(struct buf *out, enum cursor_kind kind, struct slice cursor)
{
	const size_t len = out->len;

	if (cursor.len < 2 || cursor.ptr[0] != (char)kind)
		return ERR_ARGUMENT;
	if (crypto_base64url_decode(out, slice_from(cursor, 1)) == OK)
		return OK;
	out->len = len;
	return ERR_ARGUMENT;
}
