/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is alike in all of C's side: structs with the tables that describe them, and the
 * same parts as parameters.
 */
#ifndef ROUTER_HUBGEN_EMIT_SHAPE_H
#define ROUTER_HUBGEN_EMIT_SHAPE_H

#include "router/hubgen/model.h"

/* How a shape that is no array lies in the struct. */
enum emit_hold {
	EMIT_VALUE,   /* as itself; optional ones are pointed to */
	EMIT_POINTER, /* always pointed to: arguments */
};

/* struct c_name with c_name_parts and c_name_shape; streams are no part of it. `name` is
 * what errors call it. */
void emit_shape(struct buf *out, const char *c_name, struct slice name,
		const struct model_parts *parts, enum emit_hold hold);

/* The same of one part alone. */
void emit_shape_of_one(struct buf *out, const char *c_name, const struct model_part *part,
		       enum emit_hold hold);

/* ", struct slice room_id, const struct chat_user *users, size_t users_n" */
void emit_parameters(struct buf *out, const struct model_parts *parts);
void emit_parameter(struct buf *out, const struct model_part *part);

/* ", struct chat_message *result": where the one part of a shape is to be put. */
void emit_out_parameter(struct buf *out, const struct model_part *part);

/* ".room_id = room_id, .users = users, .users_n = users_n" */
void emit_initializer(struct buf *out, const struct model_part *part);

/* ", in.room_id, in.users, in.users_n" */
void emit_arguments(struct buf *out, const struct model_part *part);

/* How many parts are no streams. */
size_t emit_parts_n(const struct model_parts *parts);

#endif
