/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The project's only hash functions (xxHash underneath). hash_bytes() with a seed of this
 * process guards tables against chosen keys; hash_stable() is the same in every process
 * and release, because the ring places keys by it.
 */
#ifndef PROTO_BASE_HASH_H
#define PROTO_BASE_HASH_H

#include <stdint.h>

#include "proto/base/slice.h"

uint64_t hash_bytes(struct slice bytes, uint64_t seed);

/* Of the parts with their lengths, so that ("ab","c") and ("a","bc") differ. */
uint64_t hash_stable(const struct slice *parts, size_t n);

#endif
