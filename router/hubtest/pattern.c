/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is literal pieces with gaps between them. Each piece is looked for where the
 * one before it ends, the last one at the end of the line: if there is a way to fit, this
 * finds one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "router/hubtest/pattern.h"

#include <string.h>

#define PIECES_MAX 64

/* A gap, or a text; known names are texts. */
struct piece {
	bool is_gap;
	struct slice name; /* of a gap: empty for "<*>" */
	struct slice text; /* of a gap: what it met */
};

void pattern_names_init(struct pattern_names *names)
{
	names->n = 0;
	arena_init(&names->arena);
}

void pattern_names_fini(struct pattern_names *names)
{
	arena_fini(&names->arena);
}

static const struct pattern_name *names_find(const struct pattern_names *names,
					     struct slice name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (slice_equal(names->items[i].name, name))
			return &names->items[i];
	}
	return NULL;
}

static void names_add(struct pattern_names *names, struct slice name, struct slice text)
{
	if (names->n == PATTERN_NAMES_MAX)
		return; /* it stands for any text each time, then */
	names->items[names->n++] = (struct pattern_name){
		.name = arena_dup(&names->arena, name),
		.text = arena_dup(&names->arena, text),
	};
}

/* ---- reading */

/* The length of "<name>" at the front, 0: it is none. Names are lower case, or "*". */
static size_t gap_len(struct slice rest, struct slice *name)
{
	size_t i = 1;

	if (rest.len < 3 || rest.ptr[0] != '<')
		return 0;
	*name = SLICE("");
	if (rest.ptr[1] == '*')
		return rest.ptr[2] == '>' ? 3 : 0;
	while (i < rest.len &&
	       ((rest.ptr[i] >= 'a' && rest.ptr[i] <= 'z') || rest.ptr[i] == '_' ||
		(i > 1 && rest.ptr[i] >= '0' && rest.ptr[i] <= '9')))
		i++;
	if (i == 1 || i == rest.len || rest.ptr[i] != '>')
		return 0;
	*name = slice_make(rest.ptr + 1, i - 1);
	return i + 1;
}

/* The text up to the next gap. */
static size_t literal_len(struct slice rest)
{
	struct slice name;
	size_t i = 1;

	while (i < rest.len && gap_len(slice_from(rest, i), &name) == 0)
		i++;
	return i;
}

/* The next piece, cut off `*rest`. */
static struct piece piece_next(const struct pattern_names *names, struct slice *rest)
{
	const struct pattern_name *known;
	struct piece piece = { .is_gap = false };
	size_t len = gap_len(*rest, &piece.name);

	if (len == 0) {
		len = literal_len(*rest);
		piece.text = slice_make(rest->ptr, len);
	} else {
		known = names_find(names, piece.name);
		piece.is_gap = known == NULL;
		piece.text = known == NULL ? SLICE_NONE : known->text;
	}
	*rest = slice_from(*rest, len);
	return piece;
}

static struct slice join_texts(struct arena *arena, struct slice a, struct slice b)
{
	return arena_printf(arena, "%.*s%.*s", SLICE_FMT(a), SLICE_FMT(b));
}

/* 0: there are too many. Between two texts there is always a gap. */
static size_t pieces_read(const struct pattern_names *names, struct slice pattern,
			  struct arena *arena, struct piece pieces[PIECES_MAX])
{
	size_t n = 0;

	while (pattern.len > 0) {
		const struct piece piece = piece_next(names, &pattern);

		if (!piece.is_gap && n > 0 && !pieces[n - 1].is_gap)
			pieces[n - 1].text =
				join_texts(arena, pieces[n - 1].text, piece.text);
		else if (n == PIECES_MAX)
			return 0;
		else
			pieces[n++] = piece;
	}
	return n;
}

/* ---- matching */

/* Where in the line the piece behind a gap is, from `at` on; -1: nowhere. */
static ptrdiff_t find_behind(struct slice line, size_t at, const struct piece *piece,
			     bool is_last)
{
	const struct slice rest = slice_from(line, at);
	const char *found;

	if (piece->text.len > rest.len)
		return -1;
	if (is_last)
		found = rest.ptr + rest.len - piece->text.len;
	else
		found = memmem(rest.ptr, rest.len, piece->text.ptr, piece->text.len);
	if (found == NULL || memcmp(found, piece->text.ptr, piece->text.len) != 0)
		return -1;
	return found - line.ptr;
}

/* Fills in what the gaps meet. */
static bool pieces_fit(struct piece *pieces, size_t n, struct slice line)
{
	struct piece *gap = NULL;
	size_t at = 0; /* where the gap begins, or the next piece */

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t found = (ptrdiff_t)at;

		if (pieces[i].is_gap) {
			if (gap != NULL)
				gap->text = SLICE("");
			gap = &pieces[i];
			continue;
		}
		if (gap != NULL)
			found = find_behind(line, at, &pieces[i], i + 1 == n);
		else if (!slice_starts_with(slice_from(line, at), pieces[i].text))
			found = -1;
		if (found < 0)
			return false;
		if (gap != NULL)
			gap->text = slice_make(line.ptr + at, (size_t)found - at);
		gap = NULL;
		at = (size_t)found + pieces[i].text.len;
	}
	if (gap == NULL)
		return at == line.len;
	gap->text = slice_from(line, at);
	return true;
}

/* A name that is new and twice in the line must have met the same. */
static bool are_one(const struct piece *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!pieces[i].is_gap || pieces[i].name.len == 0)
			continue;
		for (size_t j = i + 1; j < n; j++) {
			if (pieces[j].is_gap &&
			    slice_equal(pieces[i].name, pieces[j].name) &&
			    !slice_equal(pieces[i].text, pieces[j].text))
				return false;
		}
	}
	return true;
}

static void learn(struct pattern_names *names, const struct piece *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].is_gap && pieces[i].name.len > 0 &&
		    names_find(names, pieces[i].name) == NULL)
			names_add(names, pieces[i].name, pieces[i].text);
	}
}

bool pattern_match(struct pattern_names *names, struct slice pattern, struct slice line)
{
	struct arena arena = ARENA_INIT;
	struct piece pieces[PIECES_MAX];
	const size_t n = pieces_read(names, pattern, &arena, pieces);
	bool is_fit = pattern.len == 0 && line.len == 0;

	if (n > 0) {
		is_fit = pieces_fit(pieces, n, line) && are_one(pieces, n);
		if (is_fit)
			learn(names, pieces, n);
	}
	arena_fini(&arena);
	return is_fit;
}

void pattern_fill(const struct pattern_names *names, struct slice line, struct buf *out)
{
	while (line.len > 0) {
		const char *begin = line.ptr;
		const struct piece piece = piece_next(names, &line);

		if (piece.is_gap)
			buf_append(out, begin, (size_t)(line.ptr - begin));
		else
			buf_append_slice(out, piece.text);
	}
}
