/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/store_event_id.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define START_DIGITS 14
#define START_MAX 99999999999999
#define NUMBER_MAX 9999999999

struct event_id_text event_id_text(struct event_id id)
{
	struct event_id_text text;
	int n;

	assert(id.start >= 0 && id.start <= START_MAX);
	assert(id.number >= 0 && id.number <= NUMBER_MAX);
	n = snprintf(text.bytes, sizeof(text.bytes), "%014" PRId64 "-%010" PRId64,
		     id.start, id.number);
	assert(n == EVENT_ID_BYTES);
	return text;
}

enum err event_id_decode(struct slice text, struct event_id *id)
{
	struct slice rest = text;
	const struct slice start = slice_cut(&rest, '-');

	if (slice_to_int64(start, &id->start) != OK ||
	    slice_to_int64(rest, &id->number) != OK)
		return ERR_MALFORMED;
	if (id->start < 0 || id->start > START_MAX || id->number < 0 ||
	    id->number > NUMBER_MAX)
		return ERR_MALFORMED;
	return OK;
}

enum err event_id_parse(struct slice text, struct event_id *id)
{
	if (text.len != EVENT_ID_BYTES || text.ptr[START_DIGITS] != '-' ||
	    event_id_decode(text, id) != OK)
		return ERR_ARGUMENT;
	return OK;
}

bool event_id_is_next(struct event_id id, struct event_id next)
{
	return next.start == id.start && next.number == id.number + 1;
}
