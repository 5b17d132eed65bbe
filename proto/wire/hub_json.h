/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON hub protocol: one object per message, each ended by HUB_JSON_END. Reading is a
 * hand-written scan that validates the whole text (RFC 8259, UTF-8, depth) once and
 * copies nothing but escaped strings; writing appends complete frames, end byte included.
 */
#ifndef PROTO_WIRE_HUB_JSON_H
#define PROTO_WIRE_HUB_JSON_H

#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/wire/hub_message.h"

#define HUB_JSON_END '\x1e'
#define HUB_JSON_DEPTH_MAX 64

/* These are the codec's (hub_codec.h). The end byte counts for `frame_max` and is not in
 * `*message`. */
ssize_t hub_json_cut(struct slice bytes, size_t frame_max, struct slice *message);
MUST_CHECK enum err hub_json_decode(struct slice text, struct arena *arena,
				    struct hub_message *message, const char **reason);
void hub_json_encode(struct buf *out, const struct hub_message *message);

#endif
