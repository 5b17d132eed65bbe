/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): making values and texts. They live until the call
 * ends, or up to the next hub_scratch().
 */
#ifndef ROUTER_HUB_VALUE_H
#define ROUTER_HUB_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* From here on what the call makes, and is given by awaits, lives only until the next
 * hub_scratch(), which frees it: for the loops of methods that stream without end. */
void hub_scratch(struct hub_call *call);

/* Zeroed memory that lives as long as what else is made; aligned for anything. */
void *hub_alloc(struct hub_call *call, size_t size);

/* ---- values: strings are borrowed, not copied */

struct value *hub_null(struct hub_call *call);
struct value *hub_bool(struct hub_call *call, bool boolean);
struct value *hub_int(struct hub_call *call, int64_t integer);
struct value *hub_double(struct hub_call *call, double real);
struct value *hub_string(struct hub_call *call, struct slice text);
struct value *hub_bytes(struct hub_call *call, struct slice bytes); /* JSON: base64 */
struct value *hub_raw(struct hub_call *call, struct slice json);    /* goes out unread */
struct value *hub_array(struct hub_call *call);
struct value *hub_map(struct hub_call *call);
void hub_add(struct value *array, struct value *item);
void hub_set(struct value *map, const char *key, struct value *item);

/* A value that was given, as an item of something new. */
struct value *hub_copy(struct hub_call *call, const struct value *value);

/* A copy of all of it that lives until the call ends. */
const struct value *hub_keep(struct hub_call *call, const struct value *value);

/* The value as JSON text, and back; NULL for text that is no JSON. */
struct slice hub_encode(struct hub_call *call, const struct value *value);
struct value *hub_decode(struct hub_call *call, struct slice json);

/* ---- texts */

struct slice hub_printf(struct hub_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For names: unlike hub_printf() it does not stop at a NUL, which clients may send. */
struct slice hub_concat(struct hub_call *call, struct slice first, struct slice second);

/* "2026-11-21T21:30:00.123Z", and the same in milliseconds since 1970; it is read once a
 * turn. For what clients and other routers see: timers are not to be made of it. */
struct slice hub_timestamp(struct hub_call *call);
int64_t hub_unix_ms(const struct hub_call *call);

/* 22 random URL-safe characters. */
struct slice hub_new_id(struct hub_call *call);

#endif
