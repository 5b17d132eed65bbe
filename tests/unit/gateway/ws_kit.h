/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the suites of ws_frame share: a client's frames, and what a stream of them comes
 * to when it is fed whole, byte by byte, and cut at each of its bytes.
 */
#ifndef TESTS_UNIT_GATEWAY_WS_KIT_H
#define TESTS_UNIT_GATEWAY_WS_KIT_H

#include "gateway/ws_frame.h"
#include "proto/base/buf.h"

#define FIN 0x80

/* What every frame is masked with. */
extern const uint8_t ws_mask[4];

/* What a stream came to. */
struct outcome {
	struct buf data; /* of TEXT and BINARY */
	struct buf
		log; /* "T5 " a text message of 5 bytes, "B", "P3 O3 C1000/3 " controls */
	size_t message_len;
	int close_code; /* of the failure */
	enum err rc;
};

/* In pieces of `piece` bytes, the first of `first`. */
struct outcome ws_parse(struct slice stream, size_t first, size_t piece);
void ws_outcome_fini(struct outcome *outcome);

/* Append a client's frame, or its header alone. `first` is FIN and opcode. */
void ws_frame_add(struct buf *out, unsigned first, const void *payload, size_t len);
void ws_frame_head(struct buf *out, unsigned first, size_t len);

/* However it is cut, the stream gives this log and this code (0: none). Frees the stream.
 */
void ws_expect(struct buf *stream, const char *log, int close_code);
void ws_expect_one(unsigned first, const void *payload, size_t len, const char *log,
		   int close_code);
void ws_expect_bytes(const void *bytes, size_t len, const char *log, int close_code);

#endif
