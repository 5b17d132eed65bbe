/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence numbers start at 1. Marks divide the records: acked <= sent <= tried <= last.
 * A new stream rewinds `sent` but not `tried`: the peer may yet handle, and acknowledge
 * on the new stream, what reached it on the old one. Bytes below `bytes_start` are acked
 * and given back when they are the larger half of the buffer.
 */
#include "proto/link/session.h"

#include <assert.h>

#include "proto/base/mem.h"

#define SESSION_RECORDS_MIN 64
/* A buffer that grew larger in a jam gives its memory back when it is empty. */
#define SESSION_KEEP_BYTES (256u << 10)

void session_init(struct session *session, size_t bytes_max)
{
	*session = (struct session){ .bytes_max = bytes_max };
	session->records_cap = SESSION_RECORDS_MIN;
	session->records = mem_alloc(session->records_cap * sizeof(*session->records));
	buf_init(&session->bytes);
	list_init(&session->tickets);
}

void session_fini(struct session *session)
{
	struct list tickets;

	list_init(&tickets);
	list_splice(&tickets, &session->tickets);
	buf_fini(&session->bytes);
	mem_free(session->records);
	session->records = NULL;
	session->bytes_start = 0;
	session->bytes_max = 0;
	session->replay_bytes = 0;
	session->is_replaying = false;
	session_tickets_lose(&tickets, session->tried_seq);
}

static struct session_record *record_at(const struct session *session, uint64_t seq)
{
	return &session->records[seq & (session->records_cap - 1)];
}

static void records_grow(struct session *session)
{
	const size_t cap = session->records_cap * 2;
	struct session_record *records = mem_alloc(cap * sizeof(*records));

	for (uint64_t seq = session->acked_seq + 1; seq <= session->last_seq; seq++)
		records[seq & (cap - 1)] = *record_at(session, seq);
	mem_free(session->records);
	session->records = records;
	session->records_cap = cap;
}

/* Appends without the limit: for session_append and for what was kept over a reset. */
static void record_append(struct session *session, struct slice record,
			  uint32_t kept_from)
{
	assert(record.len > 0 && record.len <= UINT32_MAX);
	if (session->last_seq - session->acked_seq == session->records_cap)
		records_grow(session);
	session->last_seq++;
	*record_at(session, session->last_seq) = (struct session_record){
		.len = (uint32_t)record.len,
		.kept_from = kept_from,
	};
	buf_append_slice(&session->bytes, record);
}

size_t session_waiting_bytes(const struct session *session)
{
	return session->bytes.len - session->bytes_start;
}

enum err session_append(struct session *session, struct slice record, uint32_t kept_from,
			struct session_ticket *ticket)
{
	if (!session->is_replaying && session_waiting_bytes(session) + record.len >
					      session->bytes_max + session->replay_bytes)
		return ERR_LIMIT;
	record_append(session, record, kept_from);
	if (ticket != NULL) {
		assert(!list_is_linked(&ticket->node));
		ticket->seq = session->last_seq;
		list_append(&session->tickets, &ticket->node);
	}
	return OK;
}

size_t session_next(struct session *session, size_t bytes_limit, uint64_t *first_seq,
		    struct slice *run)
{
	const size_t start = session->bytes_start + session->sent_bytes;
	size_t len = 0;
	size_t n = 0;

	*first_seq = session->sent_seq + 1;
	while (session->sent_seq < session->last_seq) {
		const struct session_record *record =
			record_at(session, session->sent_seq + 1);

		if (n > 0 && len + record->len > bytes_limit)
			break;
		len += record->len;
		session->sent_seq++;
		n++;
	}
	session->sent_bytes += len;
	if (session->tried_seq < session->sent_seq)
		session->tried_seq = session->sent_seq;
	session->told_seq = session->handled_seq;
	*run = n > 0 ? slice_make(session->bytes.ptr + start, len) : SLICE_NONE;
	assert(session->sent_bytes <= session_waiting_bytes(session));
	return n;
}

bool session_has_unsent(const struct session *session)
{
	return session->sent_seq < session->last_seq;
}

bool session_owes_ack(const struct session *session)
{
	return session->told_seq < session->handled_seq;
}

static void bytes_release(struct session *session)
{
	/* What a replay took beyond the window comes back as it is handled. */
	if (session->replay_bytes > session_waiting_bytes(session))
		session->replay_bytes = session_waiting_bytes(session);
	if (session->bytes_start == session->bytes.len) {
		if (session->bytes.cap > SESSION_KEEP_BYTES)
			buf_fini(&session->bytes);
		buf_clear(&session->bytes);
		session->bytes_start = 0;
	} else if (session->bytes_start > session->bytes.len / 2) {
		buf_consume(&session->bytes, session->bytes_start);
		session->bytes_start = 0;
	}
}

enum err session_on_ack(struct session *session, uint64_t seq)
{
	if (seq > session->tried_seq)
		return ERR_MALFORMED;
	while (session->acked_seq < seq) {
		const uint32_t len = record_at(session, session->acked_seq + 1)->len;

		session->acked_seq++;
		session->bytes_start += len;
		if (session->sent_seq < session->acked_seq) {
			/* Handled off the old stream: need not be sent again. */
			assert(session->sent_bytes == 0);
			session->sent_seq = session->acked_seq;
		} else {
			assert(session->sent_bytes >= len);
			session->sent_bytes -= len;
		}
	}
	bytes_release(session);
	while (!list_is_empty(&session->tickets)) {
		struct session_ticket *ticket =
			CONTAINER_OF(session->tickets.next, struct session_ticket, node);

		if (ticket->seq > seq)
			break;
		list_remove(&ticket->node);
		ticket->fn(ticket, OK);
	}
	return OK;
}

enum err session_on_batch(const struct session *session, uint64_t first_seq, size_t n,
			  size_t *seen)
{
	const uint64_t next = session->handled_seq + 1;

	if (n == 0) {
		*seen = 0;
		return OK;
	}
	if (first_seq == 0 || first_seq > next)
		return ERR_MALFORMED;
	*seen = next - first_seq < n ? (size_t)(next - first_seq) : n;
	return OK;
}

void session_handled(struct session *session)
{
	session->handled_seq++;
}

enum err session_resume(struct session *session, uint64_t seq)
{
	/* The old stream may have brought the ack of more than the new one's hello told.
	 */
	if (seq < session->acked_seq)
		seq = session->acked_seq;
	const enum err rc = session_on_ack(session, seq);

	if (rc != OK)
		return rc;
	session->sent_seq = session->acked_seq;
	session->sent_bytes = 0;
	/* Our hello told what was handled by then; the old stream may have brought more.
	 */
	session->told_seq = 0;
	return OK;
}

/*
 * Copies the records that were never sent, and that `version` knows, to `kept`. Tickets
 * are ordered by seq as records are, so one walk over both finds the tickets that go
 * along; the others are lost.
 */
static void kept_collect(struct session *session, uint32_t version,
			 struct session_kept *kept)
{
	const size_t waiting = (size_t)(session->last_seq - session->acked_seq);
	size_t at = session->bytes_start;
	uint64_t seq = session->acked_seq;

	kept->lens = mem_alloc(waiting * sizeof(*kept->lens));
	kept->kept_from = mem_alloc(waiting * sizeof(*kept->kept_from));
	while (seq < session->last_seq) {
		const struct session_record *record = record_at(session, ++seq);
		const bool is_kept = record->kept_from != SESSION_DROP &&
				     record->kept_from <= version &&
				     seq > session->tried_seq;

		if (is_kept) {
			buf_append(&kept->bytes, session->bytes.ptr + at, record->len);
			kept->kept_from[kept->n] = record->kept_from;
			kept->lens[kept->n++] = record->len;
		}
		at += record->len;
		while (!list_is_empty(&session->tickets)) {
			struct session_ticket *ticket = CONTAINER_OF(
				session->tickets.next, struct session_ticket, node);

			if (ticket->seq > seq)
				break;
			list_remove(&ticket->node);
			if (is_kept)
				ticket->seq = kept->n;
			list_append(is_kept ? &kept->tickets : &kept->lost,
				    &ticket->node);
		}
	}
	assert(list_is_empty(&session->tickets));
}

void session_reset(struct session *session, uint32_t version, struct session_kept *kept)
{
	*kept = (struct session_kept){ .tried_seq = session->tried_seq };
	buf_init(&kept->bytes);
	list_init(&kept->tickets);
	list_init(&kept->lost);
	kept_collect(session, version, kept);
	session->is_replaying = true;
	session->replay_bytes = 0;
	buf_clear(&session->bytes);
	session->bytes_start = 0;
	session->sent_bytes = 0;
	session->acked_seq = 0;
	session->sent_seq = 0;
	session->tried_seq = 0;
	session->last_seq = 0;
	session->handled_seq = 0;
	session->told_seq = 0;
}

void session_restore(struct session *session, struct session_kept *kept)
{
	const uint64_t base = session->last_seq;
	struct list *node;
	size_t at = 0;

	session_replay(session, false);
	for (size_t i = 0; i < kept->n; i++) {
		record_append(session, slice_make(kept->bytes.ptr + at, kept->lens[i]),
			      kept->kept_from[i]);
		at += kept->lens[i];
	}
	while ((node = list_shift(&kept->tickets)) != NULL) {
		CONTAINER_OF(node, struct session_ticket, node)->seq += base;
		list_append(&session->tickets, node);
	}
	buf_fini(&kept->bytes);
	mem_free(kept->lens);
	mem_free(kept->kept_from);
	kept->lens = NULL;
	kept->kept_from = NULL;
	kept->n = 0;
	session_tickets_lose(&kept->lost, kept->tried_seq);
}

/* What follows has the window to itself. */
void session_replay(struct session *session, bool is_on)
{
	assert(session->is_replaying != is_on);
	session->is_replaying = is_on;
	if (!is_on)
		session->replay_bytes = session_waiting_bytes(session);
}
