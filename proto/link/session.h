/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of the conversation with one peer, over however many streams it takes: numbers
 * what we send, keeps it until the peer has handled it, sends it again on the next
 * stream, and drops what arrives twice. Pure: bytes and numbers, no sockets, no clock.
 *
 * Records are kept encoded as they stand in a Batch, back to back, so that a batch is a
 * header and one run of bytes. What a new incarnation of the peer must still get is
 * decided per record: SESSION_KEEP survives when it was never sent; everything else is
 * void, because its owner replays its state (a membership) or has lost it for good (a
 * delivery).
 */
#ifndef PROTO_LINK_SESSION_H
#define PROTO_LINK_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/slice.h"
#include "proto/link/session_ticket.h"

struct session_record {
	uint32_t len;
	uint32_t kept_from; /* the oldest version that it survives for; or SESSION_DROP */
};

struct session {
	struct buf bytes; /* owned: records back to back, from bytes_start */
	size_t bytes_start;
	struct session_record *records; /* owned ring; index = seq & (records_cap - 1) */
	size_t records_cap;
	struct list tickets; /* by seq */
	uint64_t acked_seq;  /* the peer has handled up to here */
	uint64_t sent_seq;   /* on the current stream */
	uint64_t tried_seq;  /* on any stream: what may have been handled */
	uint64_t last_seq;   /* newest record */
	size_t sent_bytes;   /* of the records acked_seq+1 .. sent_seq */
	size_t bytes_max;
	size_t replay_bytes;  /* what a replay still takes beyond bytes_max */
	bool is_replaying;    /* between reset and restore: no limit */
	uint64_t handled_seq; /* of theirs */
	uint64_t told_seq;    /* the ack they were last sent */
};

/* What a new incarnation still gets, between session_reset() and session_restore(). */
struct session_kept {
	struct buf bytes;
	uint32_t *lens;	     /* owned */
	uint32_t *kept_from; /* owned */
	size_t n;
	struct list tickets; /* seq counts from 1 in this list of records */
	struct list lost;    /* tickets to be called once the rest is in place */
	uint64_t tried_seq;  /* lost ones up to here had been sent */
};

#define SESSION_DROP 0u
#define SESSION_KEEP 1u /* by every version */

void session_init(struct session *session, size_t bytes_max);

/* Calls the tickets that are left: nobody will acknowledge any more. Whoever sends from
 * there, or later, is refused. */
void session_fini(struct session *session);

/* ---- sending */

/* Appends one encoded record. `ticket` may be NULL; it must not be in use. ERR_LIMIT when
 * more than bytes_max would wait for the peer. */
MUST_CHECK enum err session_append(struct session *session, struct slice record,
				   uint32_t kept_from, struct session_ticket *ticket);

/*
 * The next run of unsent records, whole ones, at most `bytes_limit` long but at least
 * one. Marks them sent and returns their number; 0: nothing to send. `*run` dies with the
 * next append.
 */
size_t session_next(struct session *session, size_t bytes_limit, uint64_t *first_seq,
		    struct slice *run);

bool session_has_unsent(const struct session *session);
size_t session_waiting_bytes(const struct session *session); /* not acknowledged */

/* The peer should be told what we have handled. */
bool session_owes_ack(const struct session *session);

/* ---- receiving */

/* The peer has handled up to `seq`, on whatever stream. ERR_MALFORMED: never sent. */
MUST_CHECK enum err session_on_ack(struct session *session, uint64_t seq);

/* A batch of `n` records from `first_seq` on arrived. Tells how many of them, from the
 * front, were handled before. ERR_MALFORMED when some are missing between. */
MUST_CHECK enum err session_on_batch(const struct session *session, uint64_t first_seq,
				     size_t n, size_t *seen);

/* One more of theirs was handled. */
void session_handled(struct session *session);

/* ---- streams */

/* A new stream to the same incarnation, which has handled up to `seq` of ours: the rest
 * is sent again. ERR_MALFORMED for a number that cannot be. */
MUST_CHECK enum err session_resume(struct session *session, uint64_t seq);

/*
 * The peer has nothing of this session: numbering starts again on both sides. What is
 * kept for who speaks `version` goes to `*kept`; the owner appends its replay, then
 * restores, which puts the kept records behind the replay, whatever the limit, and calls
 * the lost records' tickets.
 */
void session_reset(struct session *session, uint32_t version, struct session_kept *kept);
void session_restore(struct session *session, struct session_kept *kept);

/* What is appended between on and off is a replay within a session: no limit. */
void session_replay(struct session *session, bool is_on);

#endif
