/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JSON object that is being appended to. A comma is put where one is needed,
 * which the last byte tells: the caller writes the brackets.
 */
#ifndef PRESENCE_JSON_PUT_H
#define PRESENCE_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

/* `"key":`; the value is the caller's. */
void json_put_key(struct buf *out, const char *key);

void json_put_text(struct buf *out, const char *key, struct slice text);
void json_put_number(struct buf *out, const char *key, int64_t number);
void json_put_count(struct buf *out, const char *key, uint64_t n); /* cut at INT64_MAX */
void json_put_bool(struct buf *out, const char *key, bool is_true);

/* With three digits behind the point; what is not finite is null. */
void json_put_real(struct buf *out, const char *key, double number);

/* RFC 3339, in UTC, of Unix time; what is out of its range is taken to the nearer end. */
void json_put_time(struct buf *out, const char *key, int64_t unix_ms);

/* An array's '[' or an object's '{' as a member, or, without a key, as an element. */
void json_put_open(struct buf *out, const char *key, char bracket);

#endif
