/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that many have the same of, each kept once and counted: what a million clients
 * call themselves is a handful of strings.
 */
#ifndef PROTO_BASE_INTERN_H
#define PROTO_BASE_INTERN_H

#include "proto/base/map.h"
#include "proto/base/slice.h"

struct interns {
	struct map texts;
};

struct intern;

void interns_init(struct interns *interns, uint64_t seed);

/* All must have been given back. */
void interns_fini(struct interns *interns);

/* A reference to the one with this text; NULL for an empty text. */
struct intern *intern_take(struct interns *interns, struct slice text);

/* Gives it back. NULL is legal. */
void intern_drop(struct interns *interns, struct intern *intern);

/* Empty for NULL; lives as long as the reference. */
struct slice intern_text(const struct intern *intern);

#endif
