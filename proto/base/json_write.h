/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the one part of JSON that is easy to get wrong; brackets, commas and numbers are
 * plain appends. Reading is proto/wire/json.h.
 */
#ifndef PROTO_BASE_JSON_WRITE_H
#define PROTO_BASE_JSON_WRITE_H

#include "proto/base/buf.h"
#include "proto/base/slice.h"

/* Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become
 * U+FFFD. */
void json_write_string(struct buf *out, struct slice text);

#endif
