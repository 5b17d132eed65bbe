/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks files up in the table that the build made.
 */
#include "presence/embed.h"

#include <assert.h>

const struct embed_file *embed_find(struct slice path)
{
	for (size_t i = 0; i < embed_files_n; i++) {
		if (slice_equal(slice_from_str(embed_files[i].path), path))
			return &embed_files[i];
	}
	return NULL;
}

struct slice embed_text(const char *path)
{
	const struct embed_file *file = embed_find(slice_from_str(path));

	assert(file != NULL);
	return slice_make(file->ptr, file->len);
}
