/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model that has passed the check, as text. `source` is the interface file's name
 * without its folder, for the first line.
 */
#ifndef ROUTER_HUBGEN_EMIT_H
#define ROUTER_HUBGEN_EMIT_H

#include "router/hubgen/model.h"

/* The header for the hub's C. */
void emit_c(struct buf *out, const struct model *model, struct slice source);

/* The module for clients in TypeScript. */
void emit_ts(struct buf *out, const struct model *model, struct slice source);

/* As a comment on lines of its own, each behind `indent`; nothing when there is none. */
void emit_comment(struct buf *out, const struct model_comment *comment,
		  const char *opening, const char *indent);

/* C with its long lines broken. */
void emit_wrapped(struct buf *out, struct slice text);

#endif
