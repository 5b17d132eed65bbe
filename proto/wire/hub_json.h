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

/*
 * Finds the first whole frame in `bytes`. Returns its length including the end byte; 0
 * when the end is not there yet; ERR_LIMIT when the frame is, or can only become, longer
 * than `frame_max` (the end byte counts).
 */
ssize_t hub_json_cut(struct slice bytes, size_t frame_max);

/*
 * Reads one message; `text` is a frame without its end byte. An unknown type is OK with
 * HUB_MESSAGE_NONE. ERR_MALFORMED, with `*reason` a constant sentence for detailed
 * errors.
 */
MUST_CHECK enum err hub_json_decode(struct slice text, struct arena *arena,
				    struct hub_message *message, const char **reason);

/* `arguments` is a raw JSON array; an empty invocation id means none. */
void hub_json_encode_invocation(struct buf *out, struct slice invocation_id,
				struct slice target, struct slice arguments);

/* `result` is raw JSON; ptr NULL: a void completion, without the member. */
void hub_json_encode_result(struct buf *out, struct slice invocation_id,
			    struct slice result);
void hub_json_encode_error(struct buf *out, struct slice invocation_id,
			   struct slice error);
void hub_json_encode_ping(struct buf *out);

/* `error` ptr NULL: none. allowReconnect is written only when true. */
void hub_json_encode_close(struct buf *out, struct slice error, bool allow_reconnect);

#endif
