/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of lines of text, with the memory they are in.
 */
#ifndef ROUTER_HUBTEST_LINES_H
#define ROUTER_HUBTEST_LINES_H

#include "proto/base/arena.h"

struct lines {
	struct slice *items; /* owned */
	size_t n;
	size_t room;
	struct arena arena; /* of the texts */
};

void lines_init(struct lines *lines);
void lines_fini(struct lines *lines);

/* Forgets them all. */
void lines_clear(struct lines *lines);

/* A copy of it, last; line ends in it become blanks. */
void lines_add(struct lines *lines, struct slice line);

#endif
