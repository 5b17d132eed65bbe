/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake: JSON and HUB_JSON_END on every transport, before any hub message.
 */
#ifndef PROTO_WIRE_HANDSHAKE_H
#define PROTO_WIRE_HANDSHAKE_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/wire/hub_message.h"

/* From this one on the client can count messages, for stateful reconnect. */
#define HANDSHAKE_VERSION_STATEFUL 2

struct handshake {
	enum hub_protocol protocol;
	int64_t version; /* below 2: the client does not know of stateful reconnect */
};

/*
 * Reads the request (a frame without its end byte). On an error `*error` is the text for
 * the client: ERR_UNSUPPORTED (protocol or version, the text names it, in the arena) or
 * ERR_MALFORMED (with the detail in `*detail`, for detailed errors).
 */
MUST_CHECK enum err handshake_decode(struct slice text, struct arena *arena,
				     struct handshake *handshake, struct slice *error,
				     const char **detail);

/* `error` ptr NULL: success. Appends the frame, end byte included. */
void handshake_encode_response(struct buf *out, struct slice error);

#endif
