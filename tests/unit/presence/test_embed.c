/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the build put into the program.
 */
#include "presence/embed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(embed, a_file_is_as_it_is_in_the_tree)
{
	static char text[1 << 20];
	FILE *file = fopen("presence/openapi.json", "r");
	const struct slice found = embed_text("openapi.json");
	size_t n;

	cr_assert_not_null(file);
	n = fread(text, 1, sizeof(text), file);
	cr_assert_eq(fclose(file), 0);
	cr_expect(slice_equal(found, slice_make(text, n)));
	cr_expect_eq(found.ptr[found.len], '\0');
}

Test(embed, what_is_not_there_is_not_found)
{
	cr_expect_null(embed_find(SLICE("openapi")));
	cr_expect_null(embed_find(SLICE_NONE));
}

Test(embed, the_table_is_sorted)
{
	for (size_t i = 1; i < embed_files_n; i++)
		cr_expect_lt(strcmp(embed_files[i - 1].path, embed_files[i].path), 0);
}
