/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MessagePack hub protocol: one array per message, each behind its length as a VarInt
 * of one to five bytes. Elements have fixed places; what follows the known ones is left
 * for the future. Reading validates the whole message once and copies nothing but the
 * list of stream ids.
 */
#ifndef PROTO_WIRE_HUB_MSGPACK_H
#define PROTO_WIRE_HUB_MSGPACK_H

#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/wire/hub_message.h"
#include "proto/wire/msgpack.h"

/* The message is one level itself. */
#define HUB_MSGPACK_DEPTH_MAX MSGPACK_DEPTH_MAX

/* These are the codec's (hub_codec.h). The length's own bytes count for `frame_max` and
 * are not in `*message`. */
ssize_t hub_msgpack_cut(struct slice bytes, size_t frame_max, struct slice *message);
MUST_CHECK enum err hub_msgpack_decode(struct slice bytes, struct arena *arena,
				       struct hub_message *message, const char **reason);
void hub_msgpack_encode(struct buf *out, const struct hub_message *message);

#endif
