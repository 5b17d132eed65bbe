/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h), for the headers that heliograph-hubgen makes: a
 * shape tells how a struct of a hub's and a value on the wire look, and these functions
 * carry one into the other. Authors of hubs call what is made of their .hub file.
 *
 * What is read borrows the value that it is read from; the arrays and the structs that
 * pointers lead to are the call's. A part that is absent, or null, may only be optional:
 *
 *	string, bytes, any     ptr NULL, or a NULL pointer
 *	another struct         a NULL pointer
 *	an array               a NULL pointer; an empty one is not NULL
 *	bool, int, number      has_<part> is false
 *	one of some texts      has_<part> is false
 */
#ifndef ROUTER_HUB_TYPED_H
#define ROUTER_HUB_TYPED_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* Shapes in shapes. */
#define HUB_SHAPE_DEPTH_MAX 16

enum hub_part_type {
	HUB_PART_STRING, /* struct slice */
	HUB_PART_BOOL,	 /* bool */
	HUB_PART_INT,	 /* int64_t */
	HUB_PART_NUMBER, /* double */
	HUB_PART_BYTES,	 /* struct slice; base64 where the protocol has text only */
	HUB_PART_ANY,	 /* const struct value * */
	HUB_PART_CHOICE, /* an enum: the index in choices */
	HUB_PART_SHAPE,	 /* a struct, or a const pointer to one */
};

struct hub_shape;

struct hub_part {
	const char *name; /* on the wire */
	enum hub_part_type type;
	bool is_array;	  /* a const pointer to items */
	bool is_optional; /* may be absent or null */
	bool is_pointer;  /* a shape that is pointed to; optional ones are */
	size_t offset;
	/* Where the bool has_<part> is, or of arrays the size_t <part>_n. */
	size_t count_offset;
	const struct hub_shape *shape; /* of HUB_PART_SHAPE */
	const char *const *choices;    /* of HUB_PART_CHOICE */
	size_t choices_n;
};

/* An object, whose parts are its members, or a list, whose parts are its items. */
struct hub_shape {
	const char *name; /* what errors call it when it is the outermost */
	size_t size;
	const struct hub_part *parts;
	size_t parts_n;
	bool has_rest; /* the last part is an array of all items from there on */
};

/* Bytes of one item, or of what is no array. */
size_t hub_part_size(const struct hub_part *part);

/* ---- out */

/* The struct at `from` as an object, as a list, or its first part alone. */
struct value *hub_typed_object(struct hub_call *call, const struct hub_shape *shape,
			       const void *from);
struct value *hub_typed_list(struct hub_call *call, const struct hub_shape *shape,
			     const void *from);
struct value *hub_typed_one(struct hub_call *call, const struct hub_shape *shape,
			    const void *from);

/* ---- in: `into` is overwritten. What does not fit is told to the client by hub_fail():
 * "message.priority: one of low, normal, high is wanted." */

MUST_CHECK enum hub_rc hub_typed_read_object(struct hub_call *call,
					     const struct hub_shape *shape,
					     const struct value *value, void *into);
/* The call's arguments, as a list. */
MUST_CHECK enum hub_rc hub_typed_read_arguments(struct hub_call *call,
						const struct hub_shape *shape,
						void *into);
MUST_CHECK enum hub_rc hub_typed_read_one(struct hub_call *call,
					  const struct hub_shape *shape,
					  const struct value *value, void *into);

#endif
