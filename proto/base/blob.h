/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob is immutable bytes with a reference count: what is sent to many is encoded into
 * one blob and referenced by every receiver's queue. Counts are not atomic: blobs live on
 * the loop's thread.
 */
#ifndef PROTO_BASE_BLOB_H
#define PROTO_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"

struct blob {
	uint32_t refs;
	uint32_t len;
	char data[];
};

#define BLOB_BYTES_MAX (64u << 20)

/* One reference, owned by the caller, who may write data[] until the first ref is shared.
 */
struct blob *blob_new(size_t len);
struct blob *blob_from(struct slice bytes);

struct blob *blob_ref(struct blob *blob);

/* Frees with the last reference; NULL is legal. */
void blob_unref(struct blob *blob);

static inline struct slice blob_slice(const struct blob *blob)
{
	return slice_make(blob->data, blob->len);
}

#endif
