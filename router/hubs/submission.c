/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubs/submission.h"

#include <assert.h>

/* Each try that fails is somebody else's operation that did not. */
#define TRIES_MAX 64

struct submission {
	struct hub_call *call;
	struct document *document;
	const struct collaboration_operation *asked;
	struct slice id;
	struct slice user;
	struct ot_op op; /* as it is behind version `at` */
	uint64_t at;
	int64_t parts;				     /* of it that are in the log */
	struct collaboration_applied_operation last; /* of these */
};

static enum hub_rc busy(struct hub_call *call)
{
	return hub_fail(call, "Too many are writing in the document: try again.");
}

static void tell(struct hub_call *call, const struct document *document, struct hub_to to,
		 const struct collaboration_applied_operation *made)
{
	const struct collaboration_document_operation event = {
		.document_id = document->id,
		.operation = *made,
		.user_id = made->user_id,
	};

	collaboration_receive_operation(call, to, &event);
}

/* ---- before it is transformed: is it an operation of that text? */

static enum hub_rc refuse(struct hub_call *call, const char *what)
{
	hub_count(call, COLLABORATION_REFUSED, 1);
	return hub_fail(call, "operation: %s", what);
}

static enum hub_rc read_insertion(struct submission *submission)
{
	const struct collaboration_operation *asked = submission->asked;
	struct hub_call *call = submission->call;
	size_t units;
	size_t pairs;

	if (ot_measure(asked->content, &units, &pairs) != OK)
		return refuse(call, "content is not UTF-8.");
	if (units == 0)
		return refuse(call, "content is wanted.");
	if ((int64_t)units > hub_option_int(call, COLLABORATION_INSERT_LENGTH_MAX))
		return refuse(call, "content is too long.");
	if (asked->has_length && asked->length != 0 && asked->length != (int64_t)units)
		return refuse(call,
			      "length is not that of content in UTF-16 code units.");
	submission->op = ot_insert(submission->user, (uint32_t)asked->position,
				   asked->content, (uint32_t)units);
	return HUB_OK;
}

static enum hub_rc read_asked(struct submission *submission)
{
	const struct collaboration_operation *asked = submission->asked;
	struct hub_call *call = submission->call;

	if (asked->base_version < 0)
		return refuse(call, "baseVersion is below 0.");
	if (asked->position < 0 || asked->position > OT_UNITS_MAX)
		return refuse(call, "position is not in the text.");
	if (asked->id.len > COLLABORATION_ID_BYTES_MAX)
		return refuse(call, "id is too long.");
	if (asked->type == COLLABORATION_TYPE_INSERT)
		return read_insertion(submission);
	if (!asked->has_length || asked->length < 0 || asked->length > OT_UNITS_MAX)
		return refuse(call, "length is wanted.");
	if (asked->type == COLLABORATION_TYPE_DELETE && asked->length == 0)
		return refuse(call, "length is 0.");
	submission->op = ot_delete(
		submission->user, (uint32_t)asked->position,
		asked->type == COLLABORATION_TYPE_DELETE ? (uint32_t)asked->length : 0);
	return HUB_OK;
}

/* Every text is empty at version 0, so that is of any epoch. */
static enum hub_rc check_base(const struct submission *submission,
			      const struct document_log *log, struct slice epoch)
{
	const struct collaboration_operation *asked = submission->asked;
	const int64_t end = asked->type == COLLABORATION_TYPE_INSERT ? 0 : asked->length;

	if (asked->base_version > 0 && epoch.len > 0 &&
	    !slice_equal(epoch, log->base_epoch))
		return hub_fail(submission->call,
				"Join again: the document has begun anew.");
	if (asked->position + end > log->base_length)
		return refuse(submission->call, "it is not within the text.");
	return HUB_OK;
}

/* ---- transforming */

static bool is_own(const struct submission *submission,
		   const struct collaboration_applied_operation *made)
{
	return slice_equal(made->id, submission->id) &&
	       slice_equal(made->user_id, submission->user);
}

/* One more part of it is in the log. */
static void take_part(struct submission *submission,
		      const struct collaboration_applied_operation *made)
{
	struct hub_call *call = submission->call;

	submission->parts++;
	submission->last = *made;
	submission->last.user_id = submission->user;
	submission->last.id = submission->id;
	submission->last.content = document_keep(call, made->content);
	submission->last.epoch = document_keep(call, made->epoch);
}

static enum hub_rc catch_up(struct submission *submission, const struct document_log *log)
{
	for (size_t i = 0; i < log->n; i++) {
		const struct collaboration_applied_operation *made = &log->operations[i];
		const struct ot_op op = document_op(made);

		assert(made->version == (int64_t)submission->at + 1);
		submission->at++;
		if (is_own(submission, made)) {
			take_part(submission, made);
		} else if (ot_transform(&submission->op, &op, true) != OK) {
			return hub_fail(submission->call,
					"Join again: too many have typed into what is "
					"deleted.");
		}
	}
	return HUB_OK;
}

/* ---- appending */

static enum hub_rc check_step(struct hub_call *call, const struct document *document,
			      const struct document_step *step)
{
	const int64_t length = (int64_t)document->meta.length + ot_growth(&step->op) +
			       ot_growth(&step->rest);

	if (ot_growth(&step->op) > 0 &&
	    length > hub_option_int(call, COLLABORATION_DOCUMENT_LENGTH_MAX))
		return refuse(call, "the document would be too long.");
	return HUB_OK;
}

/* With the text: does the step cut no character in two? */
static enum hub_rc try_step(struct hub_call *call, struct ot_text *text,
			    struct document_step *step)
{
	if (ot_text_apply(text, &step->op) != OK ||
	    ot_text_apply(text, &step->rest) != OK)
		return refuse(call, "it begins or ends inside a character.");
	step->has_pairs = ot_text_has_pairs(text);
	return HUB_OK;
}

/* The document is in memory only when it has to be: for a snapshot of it, or when there
 * are characters that might be cut. */
static enum hub_rc await_step(struct hub_call *call, struct document *document,
			      struct document_step *step,
			      struct collaboration_applied_operation *made)
{
	const bool wants_snapshot = document_wants_snapshot(call, document);
	struct ot_text text;
	enum hub_rc rc = check_step(call, document, step);

	if (rc == HUB_OK && (wants_snapshot || document->meta.has_pairs)) {
		rc = document_await_text(call, document, step->op.length, &text);
		if (rc == HUB_OK && wants_snapshot)
			rc = document_await_snapshot(call, document, &text);
		if (rc == HUB_OK)
			rc = try_step(call, &text, step);
	}
	if (rc == HUB_OK)
		rc = document_await_append(call, document, step, made);
	if (rc == HUB_ECONFLICT)
		hub_count(call, COLLABORATION_CONFLICTS, 1);
	return rc;
}

/* The rest of the newest entry, one range of it. */
static enum hub_rc await_rest(struct hub_call *call, struct document *document,
			      struct collaboration_applied_operation *made)
{
	const struct document_meta *meta = &document->meta;
	struct document_step step = {
		.op = meta->rest,
		.rest = ot_delete(meta->user, 0, 0),
		.has_pairs = meta->has_pairs,
		.id = meta->id,
		.base_version = meta->base_version,
	};
	struct ot_op first;

	if (ot_cut(&step.op, &first)) {
		step.rest = step.op;
		step.op = first;
	}
	return await_step(call, document, &step, made);
}

static enum hub_rc await_own(struct submission *submission,
			     struct collaboration_applied_operation *made)
{
	struct document_step step = {
		.op = submission->op,
		.rest = ot_delete(submission->user, 0, 0),
		.has_pairs = submission->document->meta.has_pairs,
		.id = submission->id,
		.base_version = submission->asked->base_version,
	};
	struct ot_op first;
	size_t units;
	size_t pairs = 0;

	if (ot_cut(&step.op, &first)) {
		step.rest = step.op;
		step.op = first;
	}
	if (step.op.type == OT_INSERT &&
	    ot_measure(step.op.content, &units, &pairs) == OK && pairs > 0)
		step.has_pairs = true;
	return await_step(submission->call, submission->document, &step, made);
}

/* One operation becomes the document's newest: the rest of somebody's first. */
static enum hub_rc await_next(struct submission *submission)
{
	struct document *document = submission->document;
	struct hub_call *call = submission->call;
	const struct slice group = collaboration_group(call, document->id);
	struct collaboration_applied_operation made;
	enum hub_rc rc;
	struct ot_op op;

	if (document->meta.rest.ranges_n > 0)
		rc = await_rest(call, document, &made);
	else
		rc = await_own(submission, &made);
	if (rc != HUB_OK)
		return rc;
	submission->at++;
	if (is_own(submission, &made)) {
		take_part(submission, &made);
		tell(call, document, hub_to_others_in_group(group), &made);
		return HUB_OK;
	}
	tell(call, document, hub_to_group(group), &made);
	op = document_op(&made);
	return ot_transform(&submission->op, &op, true) == OK ? HUB_OK : busy(call);
}

static bool is_done(const struct submission *submission)
{
	return submission->parts > 0 && submission->document->meta.rest.ranges_n == 0;
}

/* The log, the text and a snapshot are no longer in memory when the next try begins,
 * which may read them, too. */
static enum hub_rc await_try(struct submission *submission)
{
	struct document_log log;
	enum hub_rc rc;

	document_scratch(submission->call, submission->document);
	rc = await_next(submission);
	if (rc != HUB_ECONFLICT)
		return rc;
	rc = document_await_log(submission->call, submission->document, submission->at,
				&log);
	return rc == HUB_OK ? catch_up(submission, &log) : rc;
}

enum hub_rc submission_await(struct hub_call *call, struct document *document,
			     const struct collaboration_operation *asked,
			     struct slice epoch,
			     struct collaboration_applied_operation *result)
{
	struct submission submission = {
		.call = call,
		.document = document,
		.asked = asked,
		.id = asked->id.len > 0 ? asked->id : hub_new_id(call),
		.user = hub_user_id(call),
	};
	struct document_log log;
	enum hub_rc rc = read_asked(&submission);

	if (rc != HUB_OK)
		return rc;
	hub_scratch(call);
	submission.at = (uint64_t)asked->base_version;
	rc = document_await_log(call, document, submission.at, &log);
	if (rc == HUB_OK)
		rc = check_base(&submission, &log, epoch);
	if (rc == HUB_OK)
		rc = catch_up(&submission, &log);
	for (int i = 0; rc == HUB_OK && !is_done(&submission); i++) {
		if (i == TRIES_MAX)
			return busy(call);
		rc = await_try(&submission);
	}
	if (rc != HUB_OK)
		return rc;
	hub_count(call, COLLABORATION_OPERATIONS, 1);
	*result = submission.last;
	result->has_parts = submission.parts > 1;
	result->parts = submission.parts;
	return HUB_OK;
}

enum hub_rc submission_await_whole(struct hub_call *call, struct document *document)
{
	struct collaboration_applied_operation made;
	enum hub_rc rc = document_await_meta(call, document);

	for (int i = 0; rc == HUB_OK && document->meta.rest.ranges_n > 0; i++) {
		if (i == TRIES_MAX)
			return busy(call);
		document_scratch(call, document);
		rc = await_rest(call, document, &made);
		if (rc == HUB_OK)
			tell(call, document,
			     hub_to_group(collaboration_group(call, document->id)),
			     &made);
		else if (rc == HUB_ECONFLICT)
			rc = document_await_meta(call, document);
	}
	return rc;
}
