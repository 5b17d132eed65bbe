/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of link.proto that are on the hot path, written and read by hand so that a
 * record is encoded once, kept as it is, sent behind a header of a few bytes, and read
 * where it lies. What stands on the wire is exactly what protobuf would write; the tests
 * hold both against each other.
 */
#ifndef PROTO_LINK_BATCH_H
#define PROTO_LINK_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/link/link.pb-c.h"

#define BATCH_HEAD_BYTES_MAX 48u

/* One record of a Batch, an Envelope with that body, somewhere in `scratch`, whatever was
 * in it. ERR_LIMIT when the Envelope is longer than `bytes_max`: of the record there is
 * only a length then, about. */
MUST_CHECK enum err batch_record(struct buf *scratch, Link__Envelope__BodyCase body_case,
				 const ProtobufCMessage *body, size_t bytes_max,
				 struct slice *record);

/* What goes before `records_len` bytes of records to make them one Frame; returns its
 * length. (Protobuf itself would write at_ms behind them.) */
size_t batch_frame_head(char head[BATCH_HEAD_BYTES_MAX], uint64_t first_seq,
			uint64_t ack_seq, uint64_t at_ms, size_t records_len);

/* Whether a Frame's body is a Batch. */
bool batch_is(struct slice frame);

/* A Frame with a Batch as its body; false when malformed. What it points to is in the
 * arena and in `frame`. */
MUST_CHECK bool batch_decode(struct arena *arena, struct slice frame, Link__Batch *batch);

#endif
