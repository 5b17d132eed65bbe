/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule for names: see link_name.h.
 */
#include "proto/link/link_name.h"

bool link_name_is_valid(struct slice name)
{
	if (name.len == 0 || name.len > LINK_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.ptr[i];

		if (c <= ' ' || c > '~' || c == ',' || c == '=' || c == '"' ||
		    c == '\'' || c == '\\')
			return false;
	}
	return true;
}
