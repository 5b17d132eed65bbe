/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything has a tick, one more than what was before it. "Before" is what clients can
 * know: an answer that came before a call was made.
 */
#include "tests/sim/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define SESSIONS_MAX 4096u
#define MESSAGES_MAX 65536u
#define CHANGES_MAX 65536u
#define RECEIPTS_MAX (1u << 20)

struct session {
	unsigned client;
	unsigned user;
	bool is_stateful;
	unsigned opened;
	unsigned ended; /* 0: alive */
	unsigned sent[TO_KINDS][HISTORY_GROUPS];
};

/* From one join to the next. */
struct membership {
	unsigned session;
	unsigned group;
	unsigned joins;	 /* when it was asked for */
	unsigned joined; /* 0: not confirmed */
	unsigned leaves; /* 0: not asked for */
	unsigned left;	 /* 0: not confirmed */
};

struct message {
	unsigned session;
	struct history_target target;
	unsigned number; /* of the session's to this target */
	unsigned sent;
	unsigned answered; /* 0: not */
	enum history_outcome outcome;
	unsigned ran;
	bool is_probe;
};

struct receipt {
	unsigned session;
	unsigned message;
	unsigned tick;
};

static struct {
	unsigned tick;
	struct session sessions[SESSIONS_MAX];
	unsigned sessions_n;
	struct membership changes[CHANGES_MAX];
	unsigned changes_n;
	struct message messages[MESSAGES_MAX];
	unsigned messages_n;
	struct receipt receipts[RECEIPTS_MAX];
	unsigned receipts_n;
	struct history_figures figures;
} history;

static const char *const kind_names[] = { "group", "user", "all", "caller" };

/* ---- writing it */

unsigned history_opened(unsigned client, unsigned user, bool is_stateful)
{
	struct session *session = &history.sessions[history.sessions_n];

	assert(history.sessions_n < SESSIONS_MAX);
	session->client = client;
	session->user = user;
	session->is_stateful = is_stateful;
	session->opened = ++history.tick;
	sim_trace("session %u opens client=%u user=%u", history.sessions_n, client, user);
	return history.sessions_n++;
}

void history_ended(unsigned session)
{
	history.sessions[session].ended = ++history.tick;
	sim_trace("session %u ends", session);
}

bool history_is_alive(unsigned session)
{
	return history.sessions[session].ended == 0;
}

/* The last one; NULL: never. */
static struct membership *membership_last(unsigned session, unsigned group)
{
	for (unsigned i = history.changes_n; i > 0; i--) {
		struct membership *change = &history.changes[i - 1];

		if (change->session == session && change->group == group)
			return change;
	}
	return NULL;
}

void history_joins(unsigned session, unsigned group)
{
	struct membership *change = &history.changes[history.changes_n++];

	assert(history.changes_n <= CHANGES_MAX);
	change->session = session;
	change->group = group;
	change->joins = ++history.tick;
	sim_trace("session %u joins %u", session, group);
}

void history_leaves(unsigned session, unsigned group)
{
	struct membership *change = membership_last(session, group);

	assert(change != NULL && change->leaves == 0);
	change->leaves = ++history.tick;
	sim_trace("session %u leaves %u", session, group);
}

void history_changed(unsigned session, unsigned group, enum history_outcome outcome)
{
	struct membership *change = membership_last(session, group);

	assert(change != NULL);
	history.tick++;
	sim_trace("session %u group %u outcome %u", session, group, outcome);
	if (outcome != OUTCOME_OK)
		return;
	if (change->leaves != 0)
		change->left = history.tick;
	else
		change->joined = history.tick;
}

unsigned history_sends(unsigned session, struct history_target target, bool is_probe)
{
	struct message *message = &history.messages[history.messages_n];

	assert(history.messages_n < MESSAGES_MAX);
	message->session = session;
	message->target = target;
	message->number = history.sessions[session].sent[target.kind][target.index]++;
	message->sent = ++history.tick;
	message->is_probe = is_probe;
	sim_trace("message %u session=%u %s=%u number=%u%s", history.messages_n, session,
		  kind_names[target.kind], target.index, message->number,
		  is_probe ? " probe" : "");
	return history.messages_n++;
}

void history_completed(unsigned id, enum history_outcome outcome)
{
	struct message *message = &history.messages[id];

	assert(id < history.messages_n);
	sim_trace("message %u outcome %u", id, outcome);
	sim_expect(message->answered == 0, "message %u was completed twice", id);
	message->answered = ++history.tick;
	message->outcome = outcome;
	sim_expect(outcome != OUTCOME_OK || message->ran == 1,
		   "message %u was completed without error and its method ran %u times",
		   id, message->ran);
}

void history_ran(unsigned id)
{
	sim_trace("message %u runs", id);
	sim_expect(id < history.messages_n, "a method ran for message %u of nobody", id);
	history.messages[id].ran++;
	sim_expect(history.messages[id].ran == 1, "the method of message %u ran twice",
		   id);
}

void history_received(unsigned session, unsigned id)
{
	struct receipt *receipt = &history.receipts[history.receipts_n++];

	assert(history.receipts_n <= RECEIPTS_MAX);
	sim_trace("session %u receives %u", session, id);
	sim_expect(id < history.messages_n, "session %u got message %u of nobody",
		   session, id);
	*receipt = (struct receipt){ session, id, ++history.tick };
}

/* ---- who had to get it, and who must not */

static bool is_target_user(const struct session *session, const struct message *message)
{
	return session->user == message->target.index;
}

/* A member before it was sent, and still when it was answered. */
static bool is_sure_member(unsigned session, const struct message *message)
{
	for (unsigned i = 0; i < history.changes_n; i++) {
		const struct membership *change = &history.changes[i];

		if (change->session != session || change->group != message->target.index)
			continue;
		if (change->joined != 0 && change->joined < message->sent &&
		    (change->leaves == 0 || change->leaves > message->answered))
			return true;
	}
	return false;
}

/* Could be a member at some moment between the send and the receipt. */
static bool may_be_member(unsigned session, const struct message *message,
			  unsigned received)
{
	for (unsigned i = 0; i < history.changes_n; i++) {
		const struct membership *change = &history.changes[i];

		if (change->session != session || change->group != message->target.index)
			continue;
		if (change->joins < received &&
		    (change->left == 0 || change->left > message->sent))
			return true;
	}
	return false;
}

/* Was it owed to the session, if that did not end too early? `from`: what else of the
 * sender's to that target came, the first of it; UINT32_MAX: nothing. */
static bool is_owed(unsigned id, const struct message *message, unsigned from)
{
	const struct session *session = &history.sessions[id];

	if (session->opened > message->sent)
		return false;
	switch (message->target.kind) {
	case TO_GROUP:
		return is_sure_member(id, message);
	case TO_USER:
		return is_target_user(session, message) &&
		       (message->is_probe || from <= message->number);
	case TO_ALL:
		return message->is_probe || from <= message->number;
	case TO_CALLER:
		return id == message->session;
	case TO_KINDS:
		break;
	}
	return false;
}

static bool may_get(const struct receipt *receipt)
{
	const struct message *message = &history.messages[receipt->message];
	const struct session *session = &history.sessions[receipt->session];

	switch (message->target.kind) {
	case TO_GROUP:
		return may_be_member(receipt->session, message, receipt->tick);
	case TO_USER:
		return is_target_user(session, message);
	case TO_CALLER:
		return receipt->session == message->session;
	case TO_ALL:
	case TO_KINDS:
		break;
	}
	return true;
}

/* ---- one receiver */

struct stream {
	unsigned first; /* number of the first that came; UINT32_MAX: none */
	unsigned last;
};

struct receiver {
	unsigned id;
	bool *has; /* by message */
	struct stream *streams;
};

static size_t stream_of(const struct message *message)
{
	return ((size_t)message->session * TO_KINDS + message->target.kind) *
		       HISTORY_GROUPS +
	       message->target.index;
}

#define STREAMS_MAX ((size_t)SESSIONS_MAX * TO_KINDS * HISTORY_GROUPS)

static void check_receipt(struct receiver *receiver, const struct receipt *receipt)
{
	const struct message *message = &history.messages[receipt->message];
	struct stream *stream = &receiver->streams[stream_of(message)];

	sim_expect(!receiver->has[receipt->message], "session %u got message %u twice",
		   receiver->id, receipt->message);
	receiver->has[receipt->message] = true;
	sim_expect(may_get(receipt), "session %u got message %u to %s %u, not for it",
		   receiver->id, receipt->message, kind_names[message->target.kind],
		   message->target.index);
	/* What was not accepted may have waited where it had no owner any more. */
	if (message->outcome != OUTCOME_OK)
		return;
	if (stream->first == UINT32_MAX)
		stream->first = message->number;
	else
		sim_expect(message->number > stream->last,
			   "session %u got message %u, number %u of its sender to that "
			   "target, behind number %u",
			   receiver->id, receipt->message, message->number, stream->last);
	stream->last = message->number;
}

/* Alive, it must have all that it was owed; ended, all before the last that it got. */
static void check_owed(struct receiver *receiver, unsigned id)
{
	const struct message *message = &history.messages[id];
	const struct stream *stream = &receiver->streams[stream_of(message)];
	const bool is_alive = history_is_alive(receiver->id);

	if (message->outcome != OUTCOME_OK ||
	    !is_owed(receiver->id, message, stream->first))
		return;
	if (!is_alive && (stream->first == UINT32_MAX || message->number > stream->last))
		return;
	history.figures.owed++;
	sim_expect(receiver->has[id],
		   "session %u did not get message %u to %s %u, which was accepted%s",
		   receiver->id, id, kind_names[message->target.kind],
		   message->target.index,
		   message->is_probe ? " when all was well again" : "");
}

static void check_receiver(struct receiver *receiver)
{
	memset(receiver->has, 0, history.messages_n * sizeof(*receiver->has));
	for (size_t i = 0; i < (size_t)history.sessions_n * TO_KINDS * HISTORY_GROUPS;
	     i++)
		receiver->streams[i] = (struct stream){ UINT32_MAX, 0 };
	for (unsigned i = 0; i < history.receipts_n; i++) {
		if (history.receipts[i].session == receiver->id)
			check_receipt(receiver, &history.receipts[i]);
	}
	for (unsigned i = 0; i < history.messages_n; i++)
		check_owed(receiver, i);
}

void history_check(void)
{
	struct receiver receiver = {
		.has = calloc(MESSAGES_MAX, sizeof(bool)),
		.streams = calloc(STREAMS_MAX, sizeof(struct stream)),
	};

	assert(receiver.has != NULL && receiver.streams != NULL);
	for (receiver.id = 0; receiver.id < history.sessions_n; receiver.id++)
		check_receiver(&receiver);
	for (unsigned i = 0; i < history.messages_n; i++) {
		const struct message *message = &history.messages[i];

		sim_expect(message->answered != 0 || !history_is_alive(message->session),
			   "message %u of session %u has no answer", i, message->session);
		history.figures.accepted += message->outcome == OUTCOME_OK;
		history.figures.refused += message->outcome == OUTCOME_ERROR;
		history.figures.open += message->outcome == OUTCOME_NONE;
	}
	history.figures.sessions = history.sessions_n;
	history.figures.sent = history.messages_n;
	history.figures.received = history.receipts_n;
	free(receiver.has);
	free(receiver.streams);
}

struct history_figures history_figures(void)
{
	return history.figures;
}
