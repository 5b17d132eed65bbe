/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a command line: what stands between blanks, but for blanks within quotes,
 * brackets and braces, so that a JSON value is one word. Pure.
 */
#ifndef ROUTER_HUBTEST_WORDS_H
#define ROUTER_HUBTEST_WORDS_H

#include "proto/base/buf.h"

#define WORDS_MAX 64

struct words {
	struct slice items[WORDS_MAX]; /* they borrow from the line */
	size_t n;
};

/* ERR_MALFORMED: something is not closed; ERR_LIMIT: too many. */
MUST_CHECK enum err words_split(struct slice line, struct words *words);

/* Appends it as a word: as it is when nothing in it needs quotes, else as JSON. */
void words_write(struct buf *out, struct slice text);

#endif
