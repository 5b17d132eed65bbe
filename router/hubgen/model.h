/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an interface file says, as the parser leaves it and the check completes it. All of
 * it is in one arena, texts included; lists are in the order of the file.
 */
#ifndef ROUTER_HUBGEN_MODEL_H
#define ROUTER_HUBGEN_MODEL_H

#include "proto/base/arena.h"
#include "router/hub_typed.h"

#define MODEL_FILE_BYTES_MAX (1024u * 1024)
#define MODEL_NAME_BYTES_MAX 64
#define MODEL_CHOICES_MAX 64  /* of one part */
#define MODEL_PARTS_MAX 64    /* of one type or method */
#define MODEL_METHODS_MAX 256 /* of a side; so many types, too */

/* The lines of comment before a declaration, or behind it; NULL, 0: none. */
struct model_comment {
	const struct slice *lines;
	size_t n;
};

/* "low" | "normal" | "high" */
struct model_choices {
	struct model_choices *next; /* in the model's list, once checked */
	const struct slice *items;
	size_t n;
	const char *c_name; /* chat_priority; set by the check */
	unsigned line;
};

/* What a member, an argument, an item or a result is. */
struct model_spec {
	enum hub_part_type type;
	bool is_array;
	struct slice type_name; /* of a declared type; ptr NULL: it is none */
	unsigned line;
	struct model_choices *choices; /* of HUB_PART_CHOICE */
	struct model_type *shape;      /* of HUB_PART_SHAPE; set by the check */
};

struct model_part {
	struct slice name;
	const char *c_name;
	struct model_spec spec;
	bool is_optional;
	bool is_rest;	/* all arguments from here on */
	bool is_stream; /* that the client sends */
	unsigned line;
	struct model_comment comment;
};

struct model_parts {
	struct model_part items[MODEL_PARTS_MAX];
	size_t n;
};

struct model_type {
	struct model_type *next;
	struct slice name;
	const char *c_name;	       /* chat_message */
	struct model_choices *choices; /* NULL: it is a struct */
	struct model_parts parts;
	size_t depth; /* of the shapes in it; 0: not known yet */
	unsigned line;
	struct model_comment comment;
};

struct model_method {
	struct model_method *next;
	struct slice name;
	const char *c_name; /* chat_send_message */
	struct model_parts parts;
	bool has_result;
	bool is_stream; /* the result */
	struct model_spec result;
	struct slice roles; /* ptr NULL: anybody */
	unsigned line;
	struct model_comment comment;
};

struct model {
	struct arena arena;
	struct slice name;  /* of the hub */
	const char *prefix; /* chat */
	const char *camel;  /* Chat */
	struct model_comment comment;
	struct model_type *types; /* once checked: those it is made of before each */
	size_t types_n;
	struct model_choices *choices; /* each once; set by the check */
	struct model_method *client;
	struct model_method *server;
};

/* Why there is no output. */
struct problem {
	unsigned line; /* 0: none in particular */
	char text[512];
};

/* Sets it, unless there is one already: the first counts. Always ERR_MALFORMED. */
enum err problem_set(struct problem *problem, unsigned line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
