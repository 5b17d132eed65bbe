/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only appends: what stands in `out` before an object's bracket is not looked at but for
 * its last byte.
 */
#include "presence/json_put.h"

#include <math.h>
#include <time.h>

#include "proto/base/json_write.h"

#define UNIX_MS_MAX 253402300799999 /* the end of the year 9999 */

static void put_comma(struct buf *out)
{
	const char last = out->len > 0 ? out->ptr[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		buf_append_byte(out, ',');
}

void json_put_key(struct buf *out, const char *key)
{
	put_comma(out);
	json_write_string(out, slice_from_str(key));
	buf_append_byte(out, ':');
}

void json_put_text(struct buf *out, const char *key, struct slice text)
{
	json_put_key(out, key);
	json_write_string(out, text);
}

void json_put_number(struct buf *out, const char *key, int64_t number)
{
	json_put_key(out, key);
	buf_append_int64(out, number);
}

void json_put_count(struct buf *out, const char *key, uint64_t n)
{
	json_put_number(out, key, n < INT64_MAX ? (int64_t)n : INT64_MAX);
}

void json_put_bool(struct buf *out, const char *key, bool is_true)
{
	json_put_key(out, key);
	buf_append_str(out, is_true ? "true" : "false");
}

void json_put_real(struct buf *out, const char *key, double number)
{
	json_put_key(out, key);
	if (isfinite(number))
		buf_appendf(out, "%.3f", number);
	else
		buf_append_str(out, "null");
}

void json_put_time(struct buf *out, const char *key, int64_t unix_ms)
{
	struct tm tm = { .tm_mday = 1 };
	time_t seconds;

	if (unix_ms < 0)
		unix_ms = 0;
	if (unix_ms > UNIX_MS_MAX)
		unix_ms = UNIX_MS_MAX;
	seconds = (time_t)(unix_ms / 1000);
	(void)gmtime_r(&seconds, &tm); /* in range by now */
	json_put_key(out, key);
	buf_appendf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (int)(unix_ms % 1000));
}

void json_put_open(struct buf *out, const char *key, char bracket)
{
	if (key != NULL)
		json_put_key(out, key);
	else
		put_comma(out);
	buf_append_byte(out, bracket);
}
