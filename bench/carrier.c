/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/carrier.h"

#include <string.h>

static const struct carrier_ops *const carriers[] = {
	&carrier_websockets,
	&carrier_sse,
	&carrier_long_polling,
	&carrier_tcp,
};

const struct carrier_ops *carrier_named(const char *name)
{
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (strcmp(carriers[i]->name, name) == 0)
			return carriers[i];
	return NULL;
}

void carrier_request(struct buf *out, const char *method,
		     const struct carrier_target *target, bool is_in_query)
{
	const struct slice path = target->site->path;
	char mark = slice_find(path, '?') >= 0 ? '&' : '?';

	buf_append_str(out, method);
	buf_append_byte(out, ' ');
	buf_append_slice(out, path);
	if (target->id.len > 0) {
		buf_appendf(out, "%cid=%.*s", mark, SLICE_FMT(target->id));
		mark = '&';
	}
	if (target->bearer.len > 0 && is_in_query)
		buf_appendf(out, "%caccess_token=%.*s", mark, SLICE_FMT(target->bearer));
	buf_appendf(out, " HTTP/1.1\r\nHost: %.*s\r\n", SLICE_FMT(target->site->host));
	if (target->bearer.len > 0 && !is_in_query)
		buf_appendf(out, "Authorization: Bearer %.*s\r\n",
			    SLICE_FMT(target->bearer));
}
