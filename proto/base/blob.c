/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared immutable bytes: header and data in one allocation, freed with the last
 * reference.
 */
#include "proto/base/blob.h"

#include <assert.h>

#include "proto/base/mem.h"

struct blob *blob_new(size_t len)
{
	assert(len <= BLOB_BYTES_MAX);

	struct blob *blob = mem_alloc(sizeof(*blob) + len);

	blob->refs = 1;
	blob->len = (uint32_t)len;
	return blob;
}

struct blob *blob_from(struct slice bytes)
{
	struct blob *blob = blob_new(bytes.len);

	if (bytes.len)
		memcpy(blob->data, bytes.ptr, bytes.len);
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	assert(blob->refs > 0);
	assert(blob->refs < UINT32_MAX);
	blob->refs++;
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (!blob)
		return;
	assert(blob->refs > 0);
	if (--blob->refs == 0)
		mem_free(blob);
}
