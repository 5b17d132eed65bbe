/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of an interface file, one at a time, and the comments around them. All are
 * slices of the text.
 */
#ifndef ROUTER_HUBGEN_LEX_H
#define ROUTER_HUBGEN_LEX_H

#include "router/hubgen/model.h"

enum token_type {
	TOKEN_END,
	TOKEN_NAME,   /* a letter, then letters, digits, _ */
	TOKEN_STRING, /* without its quotes; on one line, without backslashes */
	TOKEN_SIGN,   /* one of { } ( ) [ ] ; : , ? | - =, or ... */
};

struct token {
	enum token_type type;
	struct slice text;
	unsigned line;
};

#define LEX_COMMENT_LINES_MAX 64

struct lex {
	struct slice rest; /* behind `token` */
	unsigned line;
	struct token token; /* the one that is looked at */
	/* Comment lines with no other line between them and the token. */
	struct slice before[LEX_COMMENT_LINES_MAX];
	size_t before_n;
	struct slice behind; /* on the line of the token before; ptr NULL: none */
	struct problem *problem;
};

/* `text` must be UTF-8 without controls but tabs and line ends; ERR_MALFORMED. */
MUST_CHECK enum err lex_init(struct lex *lex, struct slice text, struct problem *problem);

/* To the next token; behind the last it is TOKEN_END for ever. */
MUST_CHECK enum err lex_next(struct lex *lex);

bool lex_is(const struct lex *lex, const char *sign_or_name);

/* "'}'", "the end of the file": for errors. */
struct slice lex_show(const struct lex *lex, struct arena *arena);

#endif
