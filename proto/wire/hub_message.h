/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub protocol message as the envelope scan leaves it: the members that route it
 * decoded, everything that is the application's (arguments, result, item) still a raw
 * slice of the sender's encoding. All slices borrow from the input or the arena that was
 * passed.
 */
#ifndef PROTO_WIRE_HUB_MESSAGE_H
#define PROTO_WIRE_HUB_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/slice.h"

/* The numbers are the wire's. */
enum hub_message_type {
	HUB_MESSAGE_NONE = 0, /* a type we do not know: to be ignored */
	HUB_MESSAGE_INVOCATION = 1,
	HUB_MESSAGE_STREAM_ITEM = 2,
	HUB_MESSAGE_COMPLETION = 3,
	HUB_MESSAGE_STREAM_INVOCATION = 4,
	HUB_MESSAGE_CANCEL_INVOCATION = 5,
	HUB_MESSAGE_PING = 6,
	HUB_MESSAGE_CLOSE = 7,
	HUB_MESSAGE_ACK = 8,
	HUB_MESSAGE_SEQUENCE = 9,
};

/* The numbers travel in our links: never change them. */
enum hub_protocol {
	HUB_PROTOCOL_JSON = 1,
	HUB_PROTOCOL_MSGPACK = 2,
};

/* Of arrays by protocol. */
#define HUB_PROTOCOLS (HUB_PROTOCOL_MSGPACK + 1)

/* An invocation that brings more streams is malformed. */
#define HUB_STREAM_IDS_MAX 64

struct hub_message {
	enum hub_message_type type;
	bool has_invocation_id; /* absent: no answer is wanted */
	bool has_result;
	bool has_error;
	bool allow_reconnect;
	struct slice invocation_id; /* decoded text */
	struct slice target;	    /* decoded text */
	struct slice arguments;	    /* raw: the array, brackets included */
	struct slice headers;	    /* raw object, or empty */
	struct slice payload;	    /* raw: a completion's result or a stream item */
	struct slice error;	    /* decoded text */
	uint64_t sequence_id;
	const struct slice *stream_ids; /* decoded texts */
	size_t stream_ids_n;
};

#endif
