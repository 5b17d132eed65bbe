/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub protocols behind one table: who handles messages picks a codec by the protocol
 * of the handshake and never asks again which one it is. Pure.
 */
#ifndef PROTO_WIRE_HUB_CODEC_H
#define PROTO_WIRE_HUB_CODEC_H

#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/wire/hub_message.h"
#include "proto/wire/value.h"

struct hub_codec {
	enum hub_protocol protocol;
	const char *name; /* in the handshake: "json", "messagepack" */
	bool is_text;	  /* the transfer format */

	/*
	 * Finds the first whole frame in `bytes`. Returns its length with all its
	 * framing and sets `*message` to what is inside; 0 when its end is not there yet;
	 * ERR_LIMIT when it is, or can only become, longer than `frame_max` with its
	 * framing; ERR_MALFORMED when the framing itself is broken.
	 */
	ssize_t (*cut)(struct slice bytes, size_t frame_max, struct slice *message);

	/*
	 * Reads what cut() found. An unknown type is OK with HUB_MESSAGE_NONE.
	 * ERR_MALFORMED, with `*reason` a constant sentence for detailed errors.
	 */
	enum err (*decode)(struct slice message, struct arena *arena,
			   struct hub_message *out, const char **reason);

	/*
	 * Appends one whole frame. What is raw in `message` is in this protocol; an
	 * absent invocation id, error, result or headers is left out as the protocol
	 * does.
	 */
	void (*encode)(struct buf *out, const struct hub_message *message);

	/* An application value, as in arguments, results and items, from and to its raw
	 * form. Errors and limits as value_decode_json(). */
	enum err (*decode_value)(struct slice raw, struct arena *arena,
				 struct value **value);
	void (*encode_value)(struct buf *out, const struct value *value);
};

/* NULL: no such protocol. */
const struct hub_codec *hub_codec(enum hub_protocol protocol);

/* By the name in a handshake; NULL: none. */
const struct hub_codec *hub_codec_named(struct slice name);

/* ---- one whole frame each */

void hub_encode_ping(const struct hub_codec *codec, struct buf *out);

/* `error` ptr NULL: none. */
void hub_encode_close(const struct hub_codec *codec, struct buf *out, struct slice error,
		      bool allow_reconnect);

/* Ends an invocation. `result` is raw; ptr NULL: a void completion. */
void hub_encode_result(const struct hub_codec *codec, struct buf *out,
		       struct slice invocation_id, struct slice result);
void hub_encode_error(const struct hub_codec *codec, struct buf *out,
		      struct slice invocation_id, struct slice error);

/* `arguments` is a raw array; an empty invocation id means none. */
void hub_encode_invocation(const struct hub_codec *codec, struct buf *out,
			   struct slice invocation_id, struct slice target,
			   struct slice arguments);
void hub_encode_item(const struct hub_codec *codec, struct buf *out,
		     struct slice invocation_id, struct slice item);

/* Ack and Sequence. */
void hub_encode_sequence(const struct hub_codec *codec, struct buf *out,
			 enum hub_message_type type, uint64_t sequence_id);

/*
 * The same message in another protocol: `frame` is one whole frame in `from`. Appends it
 * in `to`. ERR_MALFORMED when it is none, ERR_LIMIT past the limits of values.
 */
MUST_CHECK enum err hub_transcode(const struct hub_codec *from, struct slice frame,
				  const struct hub_codec *to, struct arena *arena,
				  struct buf *out);

#endif
