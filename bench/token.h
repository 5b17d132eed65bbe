/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens made here: JSON Web Tokens signed with a shared key (HS256). Pure.
 */
#ifndef BENCH_TOKEN_H
#define BENCH_TOKEN_H

#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

#define TOKEN_LIFE_S 86400

/* Appends a token for `user`, a name that JSON needs not escape, good from `now_s` on. */
void token_mint(struct buf *out, struct slice key, struct slice user, int64_t now_s);

#endif
