/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sessions, a dialer's and a listener's, against a model: random sends, batches,
 * acks, streams that break wherever they please, greetings that overlap with the stream
 * before, and restarts. Whatever happens: a record is handled at most once and in its
 * order, a ticket is called once and tells the truth, and when the trouble ends
 * everything that is not void gets there. TEST_SEED repeats a run.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"
#include "proto/link/link_limits.h"
#include "proto/link/session.h"

TestSuite(session_sim, .timeout = 120);

#define STEPS 30000u
#define RUNS 40u
#define RECORDS_MAX (STEPS * 2)
#define STREAMS_MAX 6u
#define FRAMES_MAX 32u
#define WINDOW 4000u

enum { DIALER, LISTENER };

/* What is known of one message, from its sender's append on. */
struct record {
	struct session_ticket ticket;
	uint32_t len;
	bool is_kept;
	bool is_tried; /* handed to a stream once */
	bool is_void;
	bool has_ticket;
	unsigned handled;
	unsigned called;
};

struct ids {
	uint32_t *items; /* owned */
	size_t n;
	size_t cap;
};

/* One numbering: what each side has in it, by sequence number. */
struct log {
	struct ids sent[2];
};

struct frame {
	uint64_t first_seq;
	uint64_t ack_seq;
	size_t n;
	struct buf bytes;
};

struct stream {
	bool is_open[2];
	bool is_up[2];
	unsigned stage; /* of the greeting: hello, answer, dialer up, listener up */
	bool is_cut;	/* the dialer's proof is lost */
	uint64_t told[2];
	uint64_t handled[2];
	struct frame frames[2][FRAMES_MAX]; /* towards each side */
	size_t frames_n[2];
};

struct side {
	struct session session;
	uint64_t number; /* as in struct link_peer; indexes logs */
	uint64_t log;	 /* the same, or one of its own before the first greeting */
	struct stream *stream;
};

static struct record *records;
static uint32_t records_n;
static struct log *logs;
static size_t logs_n;
static struct side sides[2];
static struct stream streams[STREAMS_MAX];
static size_t resets;
static size_t resumes;
static size_t tickets_ok;
static uint64_t rng;

static uint64_t random_below(uint64_t limit)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % limit;
}

static void ids_append(struct ids *ids, uint32_t id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap * 2 + 64;
		ids->items = mem_realloc(ids->items, ids->cap * sizeof(*ids->items));
	}
	ids->items[ids->n++] = id;
}

static uint64_t log_new(void)
{
	logs = mem_realloc(logs, (logs_n + 1) * sizeof(*logs));
	logs[logs_n] = (struct log){ 0 };
	return logs_n++;
}

static int index_of(const struct side *side)
{
	return side == &sides[DIALER] ? DIALER : LISTENER;
}

static struct ids *sent_by(const struct side *side)
{
	return &logs[side->log].sent[index_of(side)];
}

/* ---- sending */

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct record *record = CONTAINER_OF(ticket, struct record, ticket);

	cr_assert_eq(record->called, 0, "called twice");
	cr_assert_not(list_is_linked(&ticket->node));
	record->called++;
	tickets_ok += rc == OK;
	if (rc == OK)
		cr_assert_eq(record->handled, 1, "OK for what was never handled");
	else if (rc == ERR_CLOSED)
		cr_assert(record->is_void && !record->is_tried, "CLOSED, but sent");
	else
		cr_assert(rc == ERR_OUTCOME && record->is_tried, "OUTCOME, not sent");
}

static size_t waiting_bytes(const struct side *side)
{
	const struct ids *ids = sent_by(side);
	size_t len = 0;

	for (size_t i = (size_t)side->session.acked_seq; i < ids->n; i++)
		len += records[ids->items[i]].len;
	return len;
}

/* A record is its length, its id and padding. */
static void send_one(struct side *side, bool is_kept)
{
	char bytes[300] = { 0 };
	struct record *record = &records[records_n];
	const bool is_small = random_below(4) > 0;
	enum err rc;

	if (records_n == RECORDS_MAX)
		return;
	*record = (struct record){ .is_kept = is_kept };
	record->len = (uint32_t)(8 + random_below(is_small ? 20 : 290));
	memcpy(bytes, &record->len, 4);
	memcpy(bytes + 4, &records_n, 4);
	record->has_ticket = random_below(3) == 0;
	session_ticket_init(&record->ticket, on_ticket);
	const struct session *session = &side->session;
	const bool has_room =
		session->is_replaying ||
		waiting_bytes(side) + record->len <= WINDOW + session->replay_bytes;

	rc = session_append(&side->session, slice_make(bytes, record->len), is_kept,
			    record->has_ticket ? &record->ticket : NULL);
	cr_assert_eq(rc, has_room ? OK : ERR_LIMIT);
	if (rc == OK)
		ids_append(sent_by(side), records_n++);
}

static void flush_one(struct side *side)
{
	const int to = !index_of(side);
	struct stream *stream = side->stream;
	struct session *session = &side->session;
	struct slice run = SLICE_NONE;
	struct frame *frame;

	if (stream == NULL || stream->frames_n[to] == FRAMES_MAX || !stream->is_open[to])
		return;
	if (!session_has_unsent(session) && !session_owes_ack(session))
		return;
	frame = &stream->frames[to][stream->frames_n[to]++];
	*frame = (struct frame){ .ack_seq = session->handled_seq };
	frame->n = session_next(session, 1 + random_below(600), &frame->first_seq, &run);
	buf_append_slice(&frame->bytes, run);
	for (size_t i = 0; i < frame->n; i++)
		records[sent_by(side)->items[frame->first_seq - 1 + i]].is_tried = true;
}

/* ---- the ends of streams */

static void frames_drop(struct stream *stream, int to, size_t kept)
{
	while (stream->frames_n[to] > kept)
		buf_fini(&stream->frames[to][--stream->frames_n[to]].bytes);
}

/* One side closes; of what is under way to the other some may still arrive. */
static void stream_close(struct stream *stream, int side)
{
	if (!stream->is_open[side])
		return;
	stream->is_open[side] = false;
	frames_drop(stream, side, 0);
	frames_drop(stream, !side, random_below(stream->frames_n[!side] + 1));
	if (random_below(2) == 0)
		stream->is_cut = true;
	if (sides[side].stream == stream)
		sides[side].stream = NULL;
}

/* ---- receiving */

static void handle(struct side *side, const struct frame *frame, size_t seen)
{
	const struct ids *sent = &logs[side->number].sent[!index_of(side)];
	size_t at = 0;

	for (size_t i = 0; i < frame->n; i++) {
		uint32_t len;
		uint32_t id;

		memcpy(&len, frame->bytes.ptr + at, 4);
		memcpy(&id, frame->bytes.ptr + at + 4, 4);
		at += len;
		cr_assert_eq(id, sent->items[frame->first_seq - 1 + i], "other bytes");
		cr_assert_eq(records[id].handled, i < seen ? 1 : 0, "%s",
			     i < seen ? "skipped unhandled" : "handled twice");
		if (i < seen)
			continue;
		cr_assert_eq(frame->first_seq + i, side->session.handled_seq + 1);
		cr_assert_not(records[id].is_void);
		records[id].handled++;
		session_handled(&side->session);
	}
	cr_assert_eq(at, frame->bytes.len);
}

static void deliver_one(struct side *side)
{
	const int me = index_of(side);
	struct stream *stream = side->stream;
	struct frame frame;
	size_t seen;

	if (stream == NULL)
		return;
	if (stream->frames_n[me] == 0) {
		if (!stream->is_open[!me])
			stream_close(stream, me);
		return;
	}
	frame = stream->frames[me][0];
	stream->frames_n[me]--;
	memmove(stream->frames[me], stream->frames[me] + 1,
		stream->frames_n[me] * sizeof(frame));
	cr_assert_eq(session_on_ack(&side->session, frame.ack_seq), OK);
	cr_assert_eq(session_on_batch(&side->session, frame.first_seq, frame.n, &seen),
		     OK);
	handle(side, &frame, seen);
	buf_fini(&frame.bytes);
}

/* ---- greetings, as in link_stream.c */

static void side_renew(struct side *side, uint64_t number)
{
	const struct ids old = *sent_by(side);
	const uint64_t acked_seq = side->session.acked_seq;
	struct session_kept kept;
	size_t n = 0;

	resets++;
	for (size_t i = (size_t)acked_seq; i < old.n; i++) {
		struct record *record = &records[old.items[i]];

		if (!record->is_tried && !record->is_kept)
			record->is_void = true;
		n += !record->is_tried && record->is_kept;
	}
	session_reset(&side->session, LINK_VERSION, &kept);
	cr_assert_eq(kept.n, n);
	side->number = number;
	side->log = number;
	for (uint64_t replay = random_below(6); replay > 0; replay--)
		send_one(side, SESSION_DROP);
	session_restore(&side->session, &kept);
	for (size_t i = (size_t)acked_seq; i < old.n; i++) {
		if (!records[old.items[i]].is_tried && records[old.items[i]].is_kept)
			ids_append(sent_by(side), old.items[i]);
	}
	cr_assert_eq(sent_by(side)->n, side->session.last_seq);
}

static void side_up(struct side *side, struct stream *stream, uint64_t number)
{
	const int me = index_of(side);

	if (side->number != stream->told[me]) {
		stream_close(stream, me); /* overtaken */
		return;
	}
	if (side->stream != NULL)
		stream_close(side->stream, me);
	side->stream = stream;
	stream->is_up[me] = true;
	if (stream->told[me] != 0 && stream->told[me] == stream->told[!me]) {
		resumes++;
		cr_assert_eq(session_resume(&side->session, stream->handled[!me]), OK);
	} else {
		side_renew(side, number);
	}
}

static void hello(struct stream *stream, int side)
{
	stream->told[side] = sides[side].number;
	stream->handled[side] =
		sides[side].number != 0 ? sides[side].session.handled_seq : 0;
}

static void dial(void)
{
	struct stream *stream = &streams[random_below(STREAMS_MAX)];

	/* The dialer has one stream at a time; the listener keeps old ones. */
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		if (streams[i].is_open[DIALER])
			return;
	}
	if (stream->is_open[LISTENER])
		return;
	frames_drop(stream, DIALER, 0);
	frames_drop(stream, LISTENER, 0);
	*stream = (struct stream){ .is_open = { true, true } };
	hello(stream, DIALER);
}

/* The number of the session that a greeting begins, if it does: both must use one. */
static uint64_t numbers[STREAMS_MAX];

static void greet(struct stream *stream)
{
	uint64_t *number = &numbers[stream - streams];

	if (stream->stage == 0 && stream->is_open[LISTENER]) {
		if (stream->is_cut) {
			stream_close(stream, LISTENER);
			return;
		}
		hello(stream, LISTENER);
		*number = log_new();
		stream->stage = 1;
	} else if (stream->stage == 1 && stream->is_open[DIALER]) {
		if (!stream->is_open[LISTENER] && stream->is_cut) {
			stream_close(stream, DIALER);
			return;
		}
		side_up(&sides[DIALER], stream, *number);
		stream->stage = 2;
	} else if (stream->stage == 2 && stream->is_open[LISTENER]) {
		if (!stream->is_open[DIALER] && stream->is_cut) {
			stream_close(stream, LISTENER);
			return;
		}
		side_up(&sides[LISTENER], stream, *number);
		stream->stage = 3;
	} else if (stream->stage < 2) {
		/* The other side hung up on the greeting. */
		stream_close(stream, DIALER);
		stream_close(stream, LISTENER);
	}
}

/* ---- the end of a process */

static void side_fini(struct side *side)
{
	const struct ids *ids = sent_by(side);

	for (size_t i = 0; i < STREAMS_MAX; i++)
		stream_close(&streams[i], index_of(side));
	for (size_t i = (size_t)side->session.acked_seq; i < ids->n; i++)
		records[ids->items[i]].is_void |= !records[ids->items[i]].is_tried;
	session_fini(&side->session);
}

static void side_init(struct side *side)
{
	session_init(&side->session, WINDOW);
	side->number = 0;
	side->log = log_new();
	side->stream = NULL;
}

/* ---- a run */

/* Without trouble streams do not break and nothing new is sent. */
static void step(bool has_trouble)
{
	struct side *side = &sides[random_below(2)];
	const uint64_t what = random_below(1000);

	if (what < 250) {
		if (has_trouble)
			send_one(side, random_below(2) == 0);
	} else if (what < 500) {
		flush_one(side);
	} else if (what < 800) {
		deliver_one(side);
	} else if (what < 880) {
		dial();
	} else if (what < 980) {
		greet(&streams[random_below(STREAMS_MAX)]);
	} else if (what < 996) {
		if (has_trouble)
			stream_close(&streams[random_below(STREAMS_MAX)],
				     (int)(what % 2));
	} else if (what < 998 && has_trouble) {
		side_fini(side);
		side_init(side);
	}
}

static bool side_is_settled(const struct side *side)
{
	return side->session.acked_seq == side->session.last_seq &&
	       side->session.last_seq == sent_by(side)->n;
}

static void check_end(void)
{
	for (int i = 0; i < 2; i++) {
		const struct ids *ids = sent_by(&sides[i]);

		for (size_t at = 0; at < ids->n; at++)
			cr_assert_eq(records[ids->items[at]].handled, 1, "never came");
	}
	for (uint32_t i = 0; i < records_n; i++) {
		cr_assert_eq(records[i].called, records[i].has_ticket ? 1 : 0,
			     "a ticket was forgotten");
		cr_assert(!records[i].is_void || records[i].handled == 0);
	}
}

static void run(uint64_t seed)
{
	unsigned settling = 0;

	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", seed);
	rng = seed * 2 + 1;
	records_n = 0;
	logs_n = 0;
	resets = resumes = tickets_ok = 0;
	(void)log_new(); /* number 0 means none */
	side_init(&sides[DIALER]);
	side_init(&sides[LISTENER]);
	for (unsigned i = 0; i < STEPS; i++)
		step(true);
	while (!side_is_settled(&sides[DIALER]) || !side_is_settled(&sides[LISTENER])) {
		step(false);
		cr_assert_lt(++settling, 200000, "does not settle");
	}
	check_end();
	/* Else the run has shown little. */
	cr_assert(resets > 20 && resumes > 10 && tickets_ok > 500);
	side_fini(&sides[DIALER]);
	side_fini(&sides[LISTENER]);
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		frames_drop(&streams[i], DIALER, 0);
		frames_drop(&streams[i], LISTENER, 0);
	}
	for (size_t i = 0; i < logs_n; i++) {
		mem_free(logs[i].sent[DIALER].items);
		mem_free(logs[i].sent[LISTENER].items);
	}
}

Test(session_sim, every_record_is_handled_once_and_in_order_whatever_breaks)
{
	const char *seed = getenv("TEST_SEED");
	const uint64_t first =
		seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);

	records = mem_alloc(RECORDS_MAX * sizeof(*records));
	for (unsigned i = 0; i < (seed != NULL ? 1 : RUNS); i++)
		run(first + i);
	mem_free(records);
	mem_free(logs);
}
