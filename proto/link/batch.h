/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of link.proto that are on the hot path, written by hand so that a record is
 * encoded once, kept as it is, and sent behind a header of a few bytes. What stands on
 * the wire is exactly what protobuf would write; the tests hold both against each other.
 */
#ifndef PROTO_LINK_BATCH_H
#define PROTO_LINK_BATCH_H

#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

/* Tag and length of one record, `envelope_len` bytes long, in a Batch. */
void batch_append_record_head(struct buf *out, size_t envelope_len);

/* What goes before `records_len` bytes of records to make them one Frame. */
void batch_append_frame_head(struct buf *out, uint64_t first_seq, uint64_t ack_seq,
			     size_t records_len);

#endif
