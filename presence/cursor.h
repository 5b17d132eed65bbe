/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: where the next page begins, as text that any URL or JSON may carry. To those
 * who use one it means nothing. Pure.
 */
#ifndef PRESENCE_CURSOR_H
#define PRESENCE_CURSOR_H

#include "proto/base/buf.h"

enum cursor_kind {
	CURSOR_USERS = 'u',	  /* the key is the last user's id */
	CURSOR_CONNECTIONS = 'c', /* the key is the store's business */
};

void cursor_encode(struct buf *out, enum cursor_kind kind, struct slice key);

/* Appends the key. ERR_ARGUMENT: it is no cursor of this kind. */
MUST_CHECK enum err cursor_decode(struct buf *out, enum cursor_kind kind,
				  struct slice cursor);

#endif
