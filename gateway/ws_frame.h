/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames (RFC 6455) as a server sees them. Pure: bytes in, events out, no
 * memory and no socket of its own. Payload is unmasked where it lies and given out as it
 * comes, so nothing is ever kept of a message; what is strict here: masks, reserved bits,
 * opcodes, shortest lengths, control frames, fragments, UTF-8 of text across fragments,
 * close codes.
 */
#ifndef GATEWAY_WS_FRAME_H
#define GATEWAY_WS_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define WS_CONTROL_BYTES_MAX 125u
#define WS_FRAGMENTS_MAX 1024u

/* The most that ws_frame_next() can want to see at once: a masked control frame. */
#define WS_PENDING_BYTES_MAX (6u + WS_CONTROL_BYTES_MAX)

/* The numbers are the wire's. */
enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_NO_STATUS = 1005, /* never sent: a Close without a code came */
	WS_CLOSE_NOT_UTF8 = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_INTERNAL = 1011,
};

/* All zero at first. */
struct ws_parser {
	uint64_t left;	      /* payload of the data frame that is still to come */
	uint8_t mask[4];      /* in the order of the next byte */
	uint16_t fragments_n; /* of this message, this frame included; 0: between messages
			       */
	bool is_final;
	bool is_text;
	uint8_t utf8_state;
	uint16_t close_code; /* once failed: what to tell the client */
};

struct ws_event {
	enum ws_opcode
		opcode;	      /* of a data event: TEXT or BINARY, also in continuations */
	struct slice payload; /* unmasked, in the input; of a Close: the reason */
	uint16_t close_code;  /* of a Close */
	bool is_end;	      /* of a data event: the message is complete */
};

/*
 * Reads up to one frame at `ptr`, which is written to. Returns the bytes used (> 0) with
 * one event, whose payload may be a part of the frame's and may be empty; 0 when fewer
 * bytes than WS_PENDING_BYTES_MAX are there and more are needed: keep them and come again
 * with more behind them; ERR_MALFORMED or ERR_LIMIT (fragments), with parser->close_code
 * set.
 */
ssize_t ws_frame_next(struct ws_parser *parser, char *ptr, size_t len,
		      struct ws_event *event);

#define WS_HEADER_BYTES_MAX 10

/* A server's header of an unfragmented frame; returns its length. */
size_t ws_frame_header(char out[WS_HEADER_BYTES_MAX], enum ws_opcode opcode,
		       uint64_t len);

/* XORs with the mask, which is turned for the byte that follows. For tests and tools,
 * too. */
void ws_frame_mask(char *ptr, size_t len, uint8_t mask[4]);

#endif
