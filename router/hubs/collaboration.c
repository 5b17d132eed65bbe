/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collaboration: documents that several people write in at the same time. Who is in one
 * is in the group "doc-<documentId>"; text, cursors and sections are state of the hub.
 */
#define COLLABORATION_METHODS
#include "router/hubs/hubs.h"
#include "router/hubs/participant.h"
#include "router/hubs/permission.h"
#include "router/hubs/section.h"
#include "router/hubs/submission.h"

#define LINES_MAX OT_UNITS_MAX
/* What OperationsSince answers with at most, but for one operation. */
#define LIST_BYTES_MAX ((size_t)256 << 10)
/* Others may be quicker that often. */
#define READS_MAX 8

/* ---- who may do what */

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static enum hub_rc check_id(struct hub_call *call, const char *what, struct slice id)
{
	bool is_fine = id.len > 0 && id.len <= COLLABORATION_ID_BYTES_MAX;

	for (size_t i = 0; i < id.len && is_fine; i++)
		is_fine = !is_control(id.ptr[i]);
	return is_fine ? HUB_OK
		       : hub_fail(call,
				  "%s: 1 to %d bytes without control characters are "
				  "wanted.",
				  what, COLLABORATION_ID_BYTES_MAX);
}

/* Who may write may read. */
static enum hub_rc check_access(struct hub_call *call, struct slice document_id,
				bool is_write)
{
	const struct slice read = SLICE("collaboration.read");
	const struct slice write = SLICE("collaboration.write");
	const enum hub_rc rc = check_id(call, "documentId", document_id);

	if (rc != HUB_OK || hub_option_int(call, COLLABORATION_ROLES_WANTED) == 0 ||
	    permission_has(call, write, document_id))
		return rc;
	return permission_check(call, is_write ? write : read, document_id);
}

static bool is_in(struct hub_call *call, struct slice document_id)
{
	const struct slice group = collaboration_group(call, document_id);

	for (size_t i = 0; i < hub_groups_n(call); i++) {
		if (slice_equal(hub_group_at(call, i), group))
			return true;
	}
	return false;
}

static enum hub_rc check_in(struct hub_call *call, struct slice document_id,
			    bool is_write)
{
	const enum hub_rc rc = check_access(call, document_id, is_write);

	if (rc != HUB_OK || is_in(call, document_id))
		return rc;
	return hub_fail(call, "Join the document first.");
}

/* ---- coming and going */

static struct collaboration_document_user document_user(struct hub_call *call,
							struct slice document_id)
{
	return (struct collaboration_document_user){
		.document_id = document_id,
		.user_id = hub_user_id(call),
		.user_name = hub_user_name(call),
		.color = participant_color(hub_user_id(call)),
	};
}

/* The epoch that this connection knows the document by, for clients that do not say it:
 * "epoch/<documentId>". */
static const char *epoch_item(struct hub_call *call, struct slice document_id)
{
	return hub_printf(call, "epoch/%.*s", SLICE_FMT(document_id)).ptr;
}

/* Where there is no room for one more the client has to say it. */
static void keep_epoch(struct hub_call *call, struct slice document_id,
		       struct slice epoch)
{
	const enum hub_rc rc = hub_item_set(call, epoch_item(call, document_id),
					    hub_string(call, epoch));

	if (rc != HUB_OK)
		hub_log(call, LOG_INFO, "epoch_not_kept", "rc=%d", rc);
}

static enum hub_rc await_content(struct hub_call *call, struct document *document,
				 struct slice *content)
{
	struct ot_text text;
	enum hub_rc rc = HUB_ECONFLICT;
	char *bytes;

	for (int i = 0; i < READS_MAX && rc == HUB_ECONFLICT; i++) {
		hub_scratch(call);
		rc = submission_await_whole(call, document);
		if (rc == HUB_OK)
			rc = document_await_text(call, document, 0, &text);
	}
	if (rc == HUB_ECONFLICT)
		return hub_fail(call, "The document changes too fast: try again.");
	if (rc != HUB_OK)
		return rc;
	bytes = hub_alloc(call, ot_text_bytes_max(&text) + 1);
	*content = slice_make(bytes, ot_text_write(&text, bytes));
	return HUB_OK;
}

static enum hub_rc await_state(struct hub_call *call, struct document *document,
			       struct collaboration_document *state)
{
	enum hub_rc rc = await_content(call, document, &state->content);

	if (rc == HUB_OK)
		rc = participant_await_list(call, document->id, &state->active_users,
					    &state->active_users_n);
	if (rc == HUB_OK)
		rc = section_await_list(call, document->id, &state->sections,
					&state->sections_n);
	state->version = (int64_t)document->meta.version;
	state->epoch = document->meta.epoch;
	state->user_id = hub_user_id(call);
	return rc;
}

/* Who could not be told of is not to be there: it would hear of all that is done. */
static void take_back_join(struct hub_call *call, struct slice document_id)
{
	const enum hub_rc rc =
		hub_await_leave(call, collaboration_group(call, document_id));

	if (rc != HUB_OK)
		hub_log(call, LOG_WARN, "join_not_taken_back", "document=%s rc=%d",
			hub_quote(call, document_id), rc);
}

/* What is sent to the group from the join on reaches the caller, and what came before
 * is in the state. */
static enum hub_rc collaboration_on_join_document(struct hub_call *call,
						  struct slice document_id)
{
	struct collaboration_document_user user;
	struct collaboration_document state = { .document_id = document_id };
	const bool was_in = is_in(call, document_id);
	struct document document;
	enum hub_rc rc = check_access(call, document_id, false);

	if (rc != HUB_OK)
		return rc;
	document = document_of(call, document_id);
	rc = hub_await_join(call, collaboration_group(call, document_id));
	if (rc == HUB_ELIMIT)
		return hub_fail(call, "There are too many documents.");
	if (rc != HUB_OK)
		return rc;
	rc = await_state(call, &document, &state);
	if (rc != HUB_OK && !was_in)
		take_back_join(call, document_id);
	if (rc != HUB_OK)
		return rc;
	keep_epoch(call, document_id, state.epoch);
	collaboration_document_state(call, hub_to_caller(), &state);
	user = document_user(call, document_id);
	collaboration_user_joined_document(
		call, hub_to_others_in_group(collaboration_group(call, document_id)),
		&user);
	return HUB_OK;
}

static void tell_released(struct hub_call *call, struct slice document_id,
			  const struct section_change *change)
{
	const struct slice group = collaboration_group(call, document_id);

	for (size_t i = 0; i < change->released_n; i++) {
		const struct collaboration_section_release release = {
			.document_id = document_id,
			.lock_id = change->released[i],
		};

		collaboration_section_unlocked(call, hub_to_group(group), &release);
	}
}

/* What the caller leaves behind in the document, and the news that it has left. */
static enum hub_rc await_clear(struct hub_call *call, struct slice document_id)
{
	const struct slice group = collaboration_group(call, document_id);
	const struct collaboration_document_user user = document_user(call, document_id);
	struct section_change change;
	bool has_others;
	enum hub_rc rc = participant_await_remove(call, document_id);

	if (rc == HUB_OK)
		rc = section_await_leave(call, document_id, &change);
	if (rc != HUB_OK)
		return rc;
	tell_released(call, document_id, &change);
	rc = participant_await_has_others(call, document_id, &has_others);
	if (rc == HUB_OK && !has_others)
		collaboration_user_left_document(call, hub_to_others_in_group(group),
						 &user);
	return rc;
}

static enum hub_rc collaboration_on_leave_document(struct hub_call *call,
						   struct slice document_id)
{
	enum hub_rc rc = check_id(call, "documentId", document_id);

	if (rc != HUB_OK || !is_in(call, document_id))
		return rc;
	rc = hub_await_leave(call, collaboration_group(call, document_id));
	if (rc != HUB_OK)
		return rc;
	rc = hub_item_set(call, epoch_item(call, document_id), NULL);
	return rc == HUB_OK ? await_clear(call, document_id) : rc;
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	const struct slice prefix = SLICE(COLLABORATION_GROUP_PREFIX);
	enum hub_rc rc = HUB_OK;

	for (size_t i = 0; i < hub_groups_n(call); i++) {
		const struct slice group = hub_group_at(call, i);

		if (slice_starts_with(group, prefix)) {
			const enum hub_rc one =
				await_clear(call, slice_from(group, prefix.len));

			rc = rc == HUB_OK ? one : rc;
		}
	}
	return rc;
}

/* ---- writing */

/* Of the document that the client's version belongs to; empty: it knows none yet. */
static enum hub_rc find_epoch(struct hub_call *call, struct slice document_id,
			      const struct collaboration_operation *operation,
			      struct slice *epoch)
{
	const struct value *kept = hub_item(call, epoch_item(call, document_id));

	*epoch = operation->epoch;
	if (epoch->len > 0 || operation->base_version == 0)
		return HUB_OK;
	if (kept == NULL) /* the router that knew it is no more */
		return hub_fail(call, "Join again: which document is it a version of?");
	*epoch = kept->bytes;
	return HUB_OK;
}

static enum hub_rc
collaboration_on_send_operation(struct hub_call *call, struct slice document_id,
				const struct collaboration_operation *operation,
				struct collaboration_applied_operation *result)
{
	struct document document;
	struct slice epoch = SLICE_NONE;
	enum hub_rc rc = check_in(call, document_id, true);

	if (rc == HUB_OK)
		rc = find_epoch(call, document_id, operation, &epoch);
	if (rc != HUB_OK)
		return rc;
	document = document_of(call, document_id);
	rc = submission_await(call, &document, operation, epoch, result);
	if (rc == HUB_OK && operation->base_version == 0)
		keep_epoch(call, document_id, result->epoch);
	return rc;
}

static enum hub_rc
collaboration_on_operations_since(struct hub_call *call, struct slice document_id,
				  int64_t version,
				  struct collaboration_operation_list *result)
{
	struct document document;
	struct document_log log;
	size_t bytes = 0;
	size_t n = 0;
	enum hub_rc rc = check_in(call, document_id, false);

	if (rc != HUB_OK)
		return rc;
	if (version < 0)
		return hub_fail(call, "version: it is below 0.");
	document = document_of(call, document_id);
	rc = document_await_log(call, &document, (uint64_t)version, &log);
	if (rc != HUB_OK)
		return rc;
	while (n < log.n && bytes < LIST_BYTES_MAX)
		bytes += log.operations[n++].content.len;
	*result = (struct collaboration_operation_list){
		.document_id = document_id,
		.epoch = document.meta.epoch,
		.version = (int64_t)document.meta.version,
		.operations = log.operations,
		.operations_n = n,
	};
	return HUB_OK;
}

static enum hub_rc
collaboration_on_update_cursor(struct hub_call *call, struct slice document_id,
			       const struct collaboration_position *position)
{
	const struct collaboration_document_cursor cursor = {
		.document_id = document_id,
		.user_id = hub_user_id(call),
		.position = *position,
		.color = participant_color(hub_user_id(call)),
	};
	enum hub_rc rc = check_in(call, document_id, false);

	if (rc != HUB_OK)
		return rc;
	if (position->line < 0 || position->line > LINES_MAX || position->column < 0 ||
	    position->column > OT_UNITS_MAX)
		return hub_fail(call, "position: it is in no document.");
	rc = participant_await_put(call, document_id, position);
	if (rc == HUB_OK)
		collaboration_cursor_updated(
			call,
			hub_to_others_in_group(collaboration_group(call, document_id)),
			&cursor);
	return rc;
}

/* ---- sections */

static enum hub_rc collaboration_on_lock_section(struct hub_call *call,
						 struct slice document_id,
						 int64_t start_line, int64_t end_line)
{
	struct collaboration_lock_refusal refusal = { .document_id = document_id };
	struct section_change change;
	enum hub_rc rc = check_in(call, document_id, true);

	if (rc != HUB_OK)
		return rc;
	if (start_line < 0 || end_line < start_line || end_line > LINES_MAX)
		return hub_fail(call, "0 <= startLine <= endLine is wanted.");
	rc = section_await_lock(call, document_id, start_line, end_line, &change);
	if (rc != HUB_OK)
		return rc;
	tell_released(call, document_id, &change);
	if (change.conflicting_user.len == 0) {
		collaboration_section_locked(
			call, hub_to_group(collaboration_group(call, document_id)),
			&change.made);
		return HUB_OK;
	}
	refusal.reason = SLICE("Some of these lines are locked.");
	refusal.conflicting_user = change.conflicting_user;
	collaboration_lock_failed(call, hub_to_caller(), &refusal);
	return HUB_OK;
}

static enum hub_rc collaboration_on_unlock_section(struct hub_call *call,
						   struct slice document_id,
						   struct slice lock_id)
{
	struct section_change change;
	enum hub_rc rc = check_in(call, document_id, true);

	if (rc == HUB_OK)
		rc = check_id(call, "lockId", lock_id);
	if (rc == HUB_OK)
		rc = section_await_unlock(call, document_id, lock_id, &change);
	if (rc == HUB_OK)
		tell_released(call, document_id, &change);
	return rc;
}

/* ---- the module */

/* By enum collaboration_option. That of OPERATIONS_MAX is more than that of
 * SNAPSHOT_OPERATIONS, so the log reaches back to the newest snapshot. */
static const struct hub_option options[] = {
	[COLLABORATION_DOCUMENT_LENGTH_MAX] = { "document_length_max", HUB_OPTION_INT,
						"65536", 1, 131072,
						"UTF-16 code units of a document." },
	[COLLABORATION_INSERT_LENGTH_MAX] = { "insert_length_max", HUB_OPTION_INT, "8192",
					      4096, 16384,
					      "UTF-16 code units of one insertion." },
	[COLLABORATION_OPERATIONS_MAX] = { "operations_max", HUB_OPTION_INT, "250", 200,
					   1000,
					   "Operations of a document that are kept: a "
					   "client that is farther behind joins again." },
	[COLLABORATION_SNAPSHOT_OPERATIONS] = { "snapshot_operations", HUB_OPTION_INT,
						"50", 1, 100,
						"Operations from one snapshot of a "
						"document to the next." },
	[COLLABORATION_DOCUMENT_TTL] = { "document_ttl", HUB_OPTION_MS, "30d", 1000,
					 INT64_C(31536000000),
					 "How long a document is kept that nobody "
					 "changes." },
	[COLLABORATION_SECTIONS_MAX] = { "sections_max", HUB_OPTION_INT, "100", 1, 1000,
					 "Locked sections of a document." },
	[COLLABORATION_SECTION_TTL] = { "section_ttl", HUB_OPTION_MS, "5m", 100,
					INT64_C(86400000),
					"How long a section stays locked." },
	[COLLABORATION_ROLES_WANTED] = { "roles_wanted", HUB_OPTION_BOOL, "off", 0, 0,
					 "Documents are for those whose roles name "
					 "them: collaboration.read:PATTERN, "
					 "collaboration.write:PATTERN." },
};

static const char *const counters[] = {
	[COLLABORATION_OPERATIONS] = "operations",
	[COLLABORATION_CONFLICTS] = "conflicts",
	[COLLABORATION_REFUSED] = "refused",
	[COLLABORATION_SNAPSHOTS] = "snapshots",
};

const struct hub_module collaboration_hub = {
	.api_version = HUB_API_VERSION,
	.name = "collaboration",
	.methods = collaboration_methods,
	.methods_n = sizeof(collaboration_methods) / sizeof(collaboration_methods[0]),
	.on_disconnected = on_disconnected,
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
	.counters = counters,
	.counters_n = sizeof(counters) / sizeof(counters[0]),
};
