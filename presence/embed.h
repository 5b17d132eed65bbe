/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of presence/ that the build puts into the program, so that it needs none of them
 * where it runs: what `embedded` names in presence/embed.mk.
 */
#ifndef PRESENCE_EMBED_H
#define PRESENCE_EMBED_H

#include <stddef.h>

#include "proto/base/slice.h"

struct embed_file {
	const char *path; /* below presence/: "openapi.json" */
	const char *ptr;  /* a NUL stands behind its bytes */
	size_t len;
};

/* All of them, sorted by path; deploy/embed.sh makes the table. */
extern const struct embed_file embed_files[];
extern const size_t embed_files_n;

/* NULL: there is no such file. */
const struct embed_file *embed_find(struct slice path);

/* As above, of a file that the program cannot do without. */
struct slice embed_text(const char *path);

#endif
