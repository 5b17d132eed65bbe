/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames (RFC 6455) as a client sees them: what it sends is masked, what comes
 * is not. A frame is read when it is whole. Pure; nothing is kept between calls.
 */
#ifndef BENCH_WS_CLIENT_H
#define BENCH_WS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define WS_CLIENT_HEADER_BYTES_MAX 14
#define WS_CLIENT_CONTROL_BYTES_MAX 125

/* The numbers are the wire's. */
enum ws_client_opcode {
	WS_CLIENT_CONTINUATION = 0,
	WS_CLIENT_TEXT = 1,
	WS_CLIENT_BINARY = 2,
	WS_CLIENT_CLOSE = 8,
	WS_CLIENT_PING = 9,
	WS_CLIENT_PONG = 10,
};

struct ws_client_frame {
	enum ws_client_opcode opcode;
	bool is_final;
	struct slice payload; /* of the input */
};

/*
 * Reads the first frame of `bytes`, whole. Returns its length; 0: its end is not there
 * yet; ERR_LIMIT: its payload is longer than `payload_max`; ERR_MALFORMED: no frame that
 * a server may send: masked, reserved bits, an unknown opcode, a length that is not the
 * shortest, a control frame in parts or too long.
 */
ssize_t ws_client_next(struct slice bytes, size_t payload_max,
		       struct ws_client_frame *frame);

/* Appends one unfragmented frame, masked with `mask`. */
void ws_client_write(struct buf *out, enum ws_client_opcode opcode, struct slice payload,
		     uint32_t mask);

#define WS_CLIENT_KEY_BYTES 24
#define WS_CLIENT_ACCEPT_BYTES 28

/* Sec-WebSocket-Key from 16 bytes that nobody can guess, and the answer to it; neither
 * is NUL-terminated. */
void ws_client_key(const uint8_t nonce[16], char key[WS_CLIENT_KEY_BYTES]);
void ws_client_accept(const char key[WS_CLIENT_KEY_BYTES],
		      char accept[WS_CLIENT_ACCEPT_BYTES]);

#endif
