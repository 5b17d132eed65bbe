/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spaces and comments go by; what a comment says is kept until the next token, since it
 * may belong to what is declared there.
 */
#include "router/hubgen/lex.h"

#include <assert.h>

#include "proto/base/text.h"

#define SIGNS "{}()[];:,?|-="

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static void skip(struct lex *lex, size_t n)
{
	lex->rest = slice_from(lex->rest, n);
}

static bool at(const struct lex *lex, struct slice text)
{
	return slice_starts_with(lex->rest, text);
}

/* ---- the text */

static enum err check_text(struct slice text, struct problem *problem)
{
	const char *end = text.ptr + text.len;
	unsigned line = 1;

	for (const char *c = text.ptr; c < end;) {
		size_t len = 1;

		if (*c == '\n')
			line++;
		else if ((unsigned char)*c >= 0x80)
			len = text_utf8_len(c, end);
		else if ((*c < ' ' && *c != '\t' && *c != '\r') || *c == 0x7f)
			len = 0;
		if (len == 0)
			return problem_set(problem, line,
					   "a byte that is no text: 0x%02x",
					   (unsigned char)*c);
		c += len;
	}
	return OK;
}

enum err lex_init(struct lex *lex, struct slice text, struct problem *problem)
{
	*lex = (struct lex){ .rest = text, .line = 1, .problem = problem };
	if (text.len > MODEL_FILE_BYTES_MAX)
		return problem_set(problem, 0, "the file has more than %u bytes",
				   MODEL_FILE_BYTES_MAX);
	if (check_text(text, problem) != OK)
		return ERR_MALFORMED;
	return lex_next(lex);
}

/* ---- between tokens */

/* The text of a comment, which ends with its line. */
static struct slice take_comment(struct lex *lex)
{
	const ptrdiff_t end = slice_find(lex->rest, '\n');
	struct slice text = lex->rest;

	if (end >= 0)
		text.len = (size_t)end;
	skip(lex, text.len);
	text = slice_from(text, 2);
	if (text.len > 0 && text.ptr[text.len - 1] == '\r')
		text.len--;
	/* One space is the usual distance; more is the author's. */
	if (slice_starts_with(text, SLICE(" ")))
		text = slice_from(text, 1);
	while (text.len > 0 &&
	       (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static enum err keep_comment(struct lex *lex, struct slice text, bool is_behind)
{
	if (is_behind) {
		lex->behind = text;
		return OK;
	}
	if (lex->before_n == LEX_COMMENT_LINES_MAX)
		return problem_set(lex->problem, lex->line,
				   "a comment of more than %d lines",
				   LEX_COMMENT_LINES_MAX);
	lex->before[lex->before_n++] = text;
	return OK;
}

static enum err skip_space(struct lex *lex)
{
	/* Of the first line it is the rest behind a token. */
	bool is_behind = lex->token.text.ptr != NULL;
	bool is_empty = false; /* nothing on this line yet */

	lex->before_n = 0;
	lex->behind = SLICE_NONE;
	while (lex->rest.len > 0) {
		if (at(lex, SLICE("//"))) {
			if (keep_comment(lex, take_comment(lex), is_behind) != OK)
				return ERR_MALFORMED;
			is_empty = false;
		} else if (*lex->rest.ptr == '\n') {
			if (is_empty)
				lex->before_n = 0; /* it belongs to nothing */
			is_empty = true;
			is_behind = false;
			lex->line++;
			skip(lex, 1);
		} else if (strchr(" \t\r", *lex->rest.ptr) != NULL) {
			skip(lex, 1);
		} else {
			break;
		}
	}
	return OK;
}

/* ---- tokens */

static void take(struct lex *lex, enum token_type type, size_t len)
{
	lex->token.type = type;
	lex->token.text = slice_make(lex->rest.ptr, len);
	skip(lex, len);
}

static enum err take_name(struct lex *lex)
{
	size_t len = 1;

	while (len < lex->rest.len && is_name_byte(lex->rest.ptr[len]))
		len++;
	if (len > MODEL_NAME_BYTES_MAX)
		return problem_set(lex->problem, lex->line,
				   "a name of more than %d characters",
				   MODEL_NAME_BYTES_MAX);
	if (lex->rest.ptr[len - 1] == '_')
		return problem_set(lex->problem, lex->line, "a name that ends with _");
	take(lex, TOKEN_NAME, len);
	return OK;
}

static enum err take_string(struct lex *lex)
{
	size_t len = 0;

	skip(lex, 1);
	while (len < lex->rest.len && strchr("\"\\\n\r", lex->rest.ptr[len]) == NULL)
		len++;
	if (len == lex->rest.len || lex->rest.ptr[len] != '"')
		return problem_set(lex->problem, lex->line,
				   "a text without its closing '\"' on the same line, or "
				   "with a backslash in it");
	take(lex, TOKEN_STRING, len);
	skip(lex, 1);
	return OK;
}

enum err lex_next(struct lex *lex)
{
	if (skip_space(lex) != OK)
		return ERR_MALFORMED;
	lex->token.line = lex->line;
	if (lex->rest.len == 0) {
		take(lex, TOKEN_END, 0);
		return OK;
	}
	if (is_letter(*lex->rest.ptr))
		return take_name(lex);
	if (*lex->rest.ptr == '"')
		return take_string(lex);
	if (at(lex, SLICE("..."))) {
		take(lex, TOKEN_SIGN, 3);
		return OK;
	}
	if (strchr(SIGNS, *lex->rest.ptr) != NULL) {
		take(lex, TOKEN_SIGN, 1);
		return OK;
	}
	if (at(lex, SLICE("/*")))
		return problem_set(lex->problem, lex->line, "comments begin with //");
	return problem_set(lex->problem, lex->line,
			   "a character that means nothing here: %.*s",
			   (unsigned char)*lex->rest.ptr < 0x80
				   ? 1
				   : (int)text_utf8_len(lex->rest.ptr,
							lex->rest.ptr + lex->rest.len),
			   lex->rest.ptr);
}

bool lex_is(const struct lex *lex, const char *sign_or_name)
{
	return (lex->token.type == TOKEN_SIGN || lex->token.type == TOKEN_NAME) &&
	       slice_equal(lex->token.text, slice_from_str(sign_or_name));
}

struct slice lex_show(const struct lex *lex, struct arena *arena)
{
	switch (lex->token.type) {
	case TOKEN_END:
		return SLICE("the end of the file");
	case TOKEN_STRING:
		return arena_printf(arena, "\"%.*s\"", SLICE_FMT(lex->token.text));
	case TOKEN_NAME:
	case TOKEN_SIGN:
		break;
	}
	return arena_printf(arena, "'%.*s'", SLICE_FMT(lex->token.text));
}
