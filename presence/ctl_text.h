/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of strangers for a terminal. Ids and names come from clients and may hold what a
 * terminal obeys: escape sequences, characters that turn the direction of writing or have
 * no width. Such are written as \xNN or \u{NNNN}, and the backslash as two. Pure.
 */
#ifndef PRESENCE_CTL_TEXT_H
#define PRESENCE_CTL_TEXT_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

/* Appends it with everything escaped that a terminal would not show as it is. */
void ctl_text_escape(struct buf *out, struct slice text);

/* Would the above change anything? */
bool ctl_text_is_plain(struct slice text);

/* Appends JSON that says the same and is as harmless: \uNNNN in place of such
 * characters. Newlines and tabs stay. */
void ctl_text_escape_json(struct buf *out, struct slice json);

/* Columns that escaped text takes: two for wide characters, none for what is written over
 * the one before it. */
size_t ctl_text_width(struct slice text);

/* The longest beginning of escaped text that takes at most so many columns. */
struct slice ctl_text_cut(struct slice text, size_t width);

#endif
