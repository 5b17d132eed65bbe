/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines in which something is not known beforehand: an id, a time. "<id>" stands for any
 * text the first time, and for that text ever after; "<*>" for any text each time. Pure.
 */
#ifndef ROUTER_HUBTEST_PATTERN_H
#define ROUTER_HUBTEST_PATTERN_H

#include <stdbool.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#define PATTERN_NAMES_MAX 64

struct pattern_name {
	struct slice name; /* both in the arena */
	struct slice text;
};

/* What names stand for. */
struct pattern_names {
	struct pattern_name items[PATTERN_NAMES_MAX];
	size_t n;
	struct arena arena;
};

void pattern_names_init(struct pattern_names *names);
void pattern_names_fini(struct pattern_names *names);

/* Does the line fit? If so its names stand for what they met. */
bool pattern_match(struct pattern_names *names, struct slice pattern, struct slice line);

/* Appends the line with what its names stand for; unknown ones stay as they are. */
void pattern_fill(const struct pattern_names *names, struct slice line, struct buf *out);

#endif
