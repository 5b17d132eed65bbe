/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets come from files, never from options or the environment.
 */
#ifndef PROTO_BASE_SECRET_H
#define PROTO_BASE_SECRET_H

#include "proto/base/buf.h"

#define SECRET_BYTES_MIN 32
#define SECRET_BYTES_MAX 4096

/*
 * Appends the file's bytes, without the newline they may end in, to `key`. Ends the
 * program with a message that names `option` when the file cannot be read, is open to
 * others, or is shorter than SECRET_BYTES_MIN. At start-up only.
 */
void secret_read(const char *option, const char *path, struct buf *key);

/* Overwrites and frees. */
void secret_fini(struct buf *key);

#endif
