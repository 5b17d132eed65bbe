/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document: the log of its operations, whose numbers are its versions, and now and then
 * a snapshot of its text. Both are in the state of the hub and nothing is here, so any
 * router may append: if the newest version is the one it has read.
 *
 * An entry of the log is an operation of one range, and what the next one has to know
 * without the text: how long that is, and where the newest snapshot is. Of a deletion in
 * several ranges it has the others, too, which are to be appended before anything else:
 * so an operation is done as a whole, even if its router dies.
 *
 * A snapshot is made before the entry that would be too far behind the last one, and is
 * kept longer than the log. The epoch is the document's from its first entry on: nothing
 * of one that expired, or was evicted in part, is taken for a part of the next.
 */
#ifndef ROUTER_HUBS_DOCUMENT_H
#define ROUTER_HUBS_DOCUMENT_H

#include "router/hubs/collaboration.h"
#include "router/hubs/ot.h"

/* What its entry says of the document behind a version. */
struct document_meta {
	struct slice epoch; /* empty: there is no operation yet */
	uint64_t version;
	uint32_t length;
	bool has_pairs;	   /* perhaps: characters of two units */
	uint64_t snapshot; /* version of the newest; 0: none is needed */
	int64_t snapshot_ms;
	uint32_t tail;	 /* units that were inserted since */
	struct slice id; /* the entry's operation's */
	struct slice user;
	int64_t base_version;
	struct ot_op rest; /* of that operation; to be appended next */
};

struct document {
	struct slice id;
	struct slice key;
	struct document_meta meta; /* of the newest entry read */
	uint64_t snapshot_field;   /* the field's version; 0: there is none */
};

/* What was read of its log. */
struct document_log {
	const struct collaboration_applied_operation *operations;
	size_t n;
	struct slice base_epoch; /* of the text before the first */
	uint32_t base_length;
};

/* What is to be appended: `op` now, and `rest` right behind it. */
struct document_step {
	struct ot_op op;
	struct ot_op rest;
	bool has_pairs; /* behind both */
	struct slice id;
	int64_t base_version;
};

struct document document_of(struct hub_call *call, struct slice id);

/*
 * The operations behind version `after`, and the document as it is. Fails, with a text
 * that begins with "Join again", when there is no such version or not all of them are
 * left.
 */
enum hub_rc document_await_log(struct hub_call *call, struct document *document,
			       uint64_t after, struct document_log *log);

/* The document as it is, without any of its operations. */
enum hub_rc document_await_meta(struct hub_call *call, struct document *document);

/* The text at document->meta.version, with room for `room` more units. HUB_ECONFLICT: the
 * document has gone on: read it again. */
enum hub_rc document_await_text(struct hub_call *call, struct document *document,
				uint32_t room, struct ot_text *text);

/* Is one to be made before the next entry? */
bool document_wants_snapshot(struct hub_call *call, const struct document *document);

/* Makes one of that text; HUB_ECONFLICT as above. */
enum hub_rc document_await_snapshot(struct hub_call *call, struct document *document,
				    const struct ot_text *text);

/* The step becomes version document->meta.version + 1, which the document then is at.
 * HUB_ECONFLICT: there is such a version already. `made` tells it to clients. */
enum hub_rc document_await_append(struct hub_call *call, struct document *document,
				  const struct document_step *step,
				  struct collaboration_applied_operation *made);

/* What was read of the document is freed by hub_scratch(), but for its meta. */
void document_scratch(struct hub_call *call, struct document *document);

/* A copy that hub_scratch() leaves alone. */
struct slice document_keep(struct hub_call *call, struct slice text);

/* As it is transformed. */
struct ot_op document_op(const struct collaboration_applied_operation *operation);

#endif
