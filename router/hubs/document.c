/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubs/document.h"

#include <assert.h>

#define DOCUMENT_KEY_PREFIX "doc/"
#define SNAPSHOT_FIELD "snapshot"
/* A snapshot is made, too, when so many units were inserted since the last one: whoever
 * reads the text reads them as well. */
#define TAIL_UNITS_MAX 32768u
/* Versions are numbers of JavaScript, too. */
#define VERSION_MAX (INT64_C(1) << 53)

struct document document_of(struct hub_call *call, struct slice id)
{
	return (struct document){
		.id = id,
		.key = hub_concat(call, SLICE(DOCUMENT_KEY_PREFIX), id),
	};
}

struct slice document_keep(struct hub_call *call, struct slice text)
{
	return text.ptr == NULL ? text : hub_keep(call, hub_string(call, text))->bytes;
}

void document_scratch(struct hub_call *call, struct document *document)
{
	struct document_meta *meta = &document->meta;

	meta->epoch = document_keep(call, meta->epoch);
	meta->id = document_keep(call, meta->id);
	meta->user = document_keep(call, meta->user);
	meta->rest.user = meta->user;
	hub_scratch(call);
}

struct ot_op document_op(const struct collaboration_applied_operation *operation)
{
	const bool is_deletion = operation->type == COLLABORATION_TYPE_DELETE;

	if (operation->type == COLLABORATION_TYPE_INSERT)
		return ot_insert(operation->user_id, (uint32_t)operation->position,
				 operation->content, (uint32_t)operation->length);
	return ot_delete(operation->user_id, (uint32_t)operation->position,
			 is_deletion ? (uint32_t)operation->length : 0);
}

static enum hub_rc corrupt(struct hub_call *call, const struct document *document,
			   const char *what)
{
	hub_log(call, LOG_ERROR, "state_corrupt", "document=%s what=%s",
		hub_quote(call, document->id), what);
	return hub_fail(call, "The document's state cannot be read.");
}

/* ---- entries of the log: an object with the operation and the numbers behind it */

static int64_t int_member(const struct value *map, const char *name, int64_t max)
{
	const struct value *value = value_find(map, slice_from_str(name));

	if (value == NULL || value->type != VALUE_INT || value->integer < 0 ||
	    value->integer > max)
		return -1;
	return value->integer;
}

/* [start, length, start, length, ...] */
static struct value *ranges_value(struct hub_call *call, const struct ot_op *op)
{
	struct value *ranges = hub_array(call);

	for (size_t i = 0; i < op->ranges_n; i++) {
		hub_add(ranges, hub_int(call, op->ranges[i].start));
		hub_add(ranges, hub_int(call, op->ranges[i].length));
	}
	return ranges;
}

static bool read_unit(const struct value *value, uint32_t *units)
{
	if (value == NULL || value->type != VALUE_INT || value->integer < 0 ||
	    value->integer > OT_UNITS_MAX)
		return false;
	*units = (uint32_t)value->integer;
	return true;
}

static bool read_ranges(const struct value *ranges, struct slice user, struct ot_op *op)
{
	const struct value *at = ranges == NULL ? NULL : ranges->first;

	*op = ot_delete(user, 0, 0);
	for (; at != NULL; at = at->next->next) {
		struct ot_range range;

		if (op->ranges_n == OT_RANGES_MAX || !read_unit(at, &range.start) ||
		    !read_unit(at->next, &range.length) || range.length == 0)
			return false;
		op->type = OT_DELETE;
		op->ranges[op->ranges_n++] = range;
	}
	return true;
}

static bool is_sound(const struct collaboration_applied_operation *operation)
{
	size_t units = 0;
	size_t pairs;

	if (operation->position < 0 || operation->position > OT_UNITS_MAX ||
	    operation->length < 0 || operation->length > OT_UNITS_MAX)
		return false;
	return operation->type != COLLABORATION_TYPE_INSERT ||
	       (ot_measure(operation->content, &units, &pairs) == OK && units > 0 &&
		units == (size_t)operation->length);
}

static struct slice write_entry(struct hub_call *call, const struct document_meta *meta,
				const struct collaboration_applied_operation *operation)
{
	struct value *entry = hub_map(call);

	hub_set(entry, "operation",
		collaboration_applied_operation_value(call, operation));
	hub_set(entry, "length", hub_int(call, meta->length));
	hub_set(entry, "pairs", hub_int(call, meta->has_pairs));
	hub_set(entry, "snapshot", hub_int(call, (int64_t)meta->snapshot));
	hub_set(entry, "snapshotAt", hub_int(call, meta->snapshot_ms));
	hub_set(entry, "tail", hub_int(call, meta->tail));
	if (meta->rest.ranges_n > 0)
		hub_set(entry, "rest", ranges_value(call, &meta->rest));
	return hub_encode(call, entry);
}

/* False: it is no entry. `meta` may be NULL. */
static bool read_entry(struct hub_call *call, const struct hub_entry *from,
		       struct collaboration_applied_operation *operation,
		       struct document_meta *meta)
{
	const struct value *entry = hub_decode(call, from->bytes);
	const struct value *made;

	if (entry == NULL || entry->type != VALUE_MAP)
		return false;
	made = value_find(entry, SLICE("operation"));
	if (made == NULL ||
	    collaboration_applied_operation_read(call, made, operation) != HUB_OK ||
	    !is_sound(operation))
		return false;
	operation->version = (int64_t)from->number;
	if (meta == NULL)
		return true;
	*meta = (struct document_meta){
		.epoch = operation->epoch,
		.version = from->number,
		.length = (uint32_t)int_member(entry, "length", OT_UNITS_MAX),
		.has_pairs = int_member(entry, "pairs", 1) != 0,
		.snapshot = (uint64_t)int_member(entry, "snapshot", VERSION_MAX),
		.snapshot_ms = int_member(entry, "snapshotAt", INT64_MAX),
		.tail = (uint32_t)int_member(entry, "tail", OT_UNITS_MAX),
		.id = operation->id,
		.user = operation->user_id,
		.base_version = operation->base_version,
	};
	return meta->length <= OT_UNITS_MAX && meta->snapshot <= VERSION_MAX &&
	       meta->snapshot_ms >= 0 && meta->tail <= OT_UNITS_MAX &&
	       read_ranges(value_find(entry, SLICE("rest")), meta->user, &meta->rest);
}

/* ---- the log */

struct entries {
	const struct hub_entry *items;
	size_t n;
	uint64_t last; /* of the log */
};

static enum hub_rc await_entries(struct hub_call *call, const struct document *document,
				 uint64_t first, uint64_t before, struct entries *entries)
{
	const uint32_t max = (uint32_t)hub_option_int(call, COLLABORATION_OPERATIONS_MAX);

	return hub_await_log_read(call, document->key, first, before, max,
				  &entries->items, &entries->n, &entries->last);
}

/* Of the entries, the first of which is that of version `after` unless this is 0. */
static enum hub_rc take_entries(struct hub_call *call, struct document *document,
				const struct entries *entries, struct document_log *log)
{
	const size_t n = entries->n;
	struct collaboration_applied_operation *operations =
		hub_alloc(call, n * sizeof(*operations));

	for (size_t i = 0; i < n; i++) {
		struct document_meta *meta =
			i == 0 || i == n - 1 ? &document->meta : NULL;

		if (!read_entry(call, &entries->items[i], &operations[i], meta))
			return corrupt(call, document, "entry");
		if (i == 0) {
			log->base_epoch = document->meta.epoch;
			log->base_length = document->meta.length;
		}
	}
	log->operations = operations;
	log->n = n;
	return HUB_OK;
}

enum hub_rc document_await_log(struct hub_call *call, struct document *document,
			       uint64_t after, struct document_log *log)
{
	const uint64_t first = after > 0 ? after : 1;
	struct entries entries = { .n = 0 };
	const enum hub_rc rc = await_entries(call, document, first, 0, &entries);

	*log = (struct document_log){ .n = 0 };
	if (rc != HUB_OK)
		return rc;
	if (entries.last < after)
		return hub_fail(call, "Join again: there is no version %ju, but %ju.",
				(uintmax_t)after, (uintmax_t)entries.last);
	document->meta = (struct document_meta){ .version = 0 };
	if (entries.last == 0)
		return HUB_OK;
	if (entries.n == 0 || entries.items[0].number != first)
		return hub_fail(call,
				"Join again: of version %ju it is not known any more "
				"how it became %ju.",
				(uintmax_t)after, (uintmax_t)entries.last);
	if (take_entries(call, document, &entries, log) != HUB_OK)
		return HUB_FAILED;
	if (after == 0) {
		log->base_length = 0;
		return HUB_OK;
	}
	log->operations++;
	log->n--;
	return HUB_OK;
}

enum hub_rc document_await_meta(struct hub_call *call, struct document *document)
{
	struct collaboration_applied_operation operation;
	const struct hub_entry *entries;
	size_t n;
	const enum hub_rc rc =
		hub_await_log_read(call, document->key, 1, 0, 1, &entries, &n, NULL);

	if (rc != HUB_OK)
		return rc;
	document->meta = (struct document_meta){ .version = 0 };
	if (n == 0)
		return HUB_OK;
	return read_entry(call, &entries[0], &operation, &document->meta)
		       ? HUB_OK
		       : corrupt(call, document, "entry");
}

static void describe(struct collaboration_applied_operation *made,
		     const struct document *document, const struct document_step *step)
{
	*made = (struct collaboration_applied_operation){
		.type = COLLABORATION_TYPE_RETAIN,
		.base_version = step->base_version,
		.user_id = step->op.user,
		.id = step->id,
		.epoch = document->meta.epoch,
		.version = (int64_t)document->meta.version,
	};
	switch (step->op.type) {
	case OT_RETAIN:
		break;
	case OT_INSERT:
		made->type = COLLABORATION_TYPE_INSERT;
		made->position = step->op.position;
		made->content = step->op.content;
		made->length = step->op.length;
		break;
	case OT_DELETE:
		assert(step->op.ranges_n == 1);
		made->type = COLLABORATION_TYPE_DELETE;
		made->position = step->op.ranges[0].start;
		made->length = step->op.ranges[0].length;
		break;
	}
}

enum hub_rc document_await_append(struct hub_call *call, struct document *document,
				  const struct document_step *step,
				  struct collaboration_applied_operation *made)
{
	const struct hub_bounds bounds = {
		.entries_max =
			(uint32_t)hub_option_int(call, COLLABORATION_OPERATIONS_MAX),
		.ttl_ms = hub_option_int(call, COLLABORATION_DOCUMENT_TTL),
	};
	const struct document_meta before = document->meta;
	struct document_meta *meta = &document->meta;
	enum hub_rc rc;

	if (before.version == 0) {
		meta->epoch = hub_new_id(call);
		meta->snapshot_ms = hub_unix_ms(call);
	}
	meta->version++;
	meta->length = (uint32_t)((int64_t)meta->length + ot_growth(&step->op));
	meta->has_pairs = step->has_pairs;
	meta->tail += step->op.length;
	meta->id = step->id;
	meta->user = step->op.user;
	meta->base_version = step->base_version;
	meta->rest = step->rest;
	describe(made, document, step);
	rc = hub_await_log_append(call, document->key, write_entry(call, meta, made),
				  &bounds, meta->version, NULL);
	if (rc != HUB_OK)
		*meta = before;
	return rc;
}

/* ---- snapshots: a field that begins with a line "epoch version" */

/* False: it is none. */
static bool read_snapshot(struct slice bytes, struct slice *epoch, uint64_t *version,
			  struct slice *content)
{
	struct slice head = slice_cut(&bytes, '\n');
	int64_t number;

	*content = bytes;
	*epoch = slice_cut(&head, ' ');
	if (slice_to_int64(head, &number) != OK || number <= 0 || number > VERSION_MAX)
		return false;
	*version = (uint64_t)number;
	return true;
}

/* What there is of the document: no content and version 0 when there is none of it. */
static enum hub_rc await_snapshot(struct hub_call *call, struct document *document,
				  uint64_t *version, struct slice *content)
{
	struct hub_field field;
	struct slice epoch;
	enum hub_rc rc;

	*version = 0;
	*content = SLICE("");
	document->snapshot_field = 0;
	rc = hub_await_field_get(call, document->key, SLICE(SNAPSHOT_FIELD), &field);
	if (rc == HUB_ENOTFOUND)
		return HUB_OK;
	if (rc != HUB_OK)
		return rc;
	document->snapshot_field = field.version;
	if (read_snapshot(field.bytes, &epoch, version, content) &&
	    slice_equal(epoch, document->meta.epoch))
		return HUB_OK;
	*version = 0; /* of a document that is no more */
	*content = SLICE("");
	return HUB_OK;
}

/*
 * The log and the snapshot do not fit each other: HUB_ECONFLICT when others have gone on
 * meanwhile. Else the store has lost a part of the document, and what is left would be in
 * the way for ever.
 */
static enum hub_rc misfit(struct hub_call *call, struct document *document)
{
	const struct document_meta before = document->meta;
	enum hub_rc rc = document_await_meta(call, document);

	if (rc != HUB_OK)
		return rc;
	if (!slice_equal(before.epoch, document->meta.epoch) ||
	    before.version != document->meta.version)
		return HUB_ECONFLICT;
	hub_log(call, LOG_ERROR, "document_lost", "document=%s version=%ju",
		hub_quote(call, document->id), (uintmax_t)before.version);
	rc = hub_await_forget(call, document->key);
	return rc == HUB_OK ? hub_fail(call, "Join again: the document's text is lost.")
			    : rc;
}

static enum hub_rc apply_entries(struct hub_call *call, const struct document *document,
				 const struct entries *entries, uint32_t room,
				 struct ot_text *text)
{
	const size_t n = entries->n;
	struct collaboration_applied_operation *operations =
		hub_alloc(call, (n + 1) * sizeof(*operations));
	struct ot_text all = { .room = text->n + room };

	for (size_t i = 0; i < n; i++) {
		if (!read_entry(call, &entries->items[i], &operations[i], NULL))
			return corrupt(call, document, "entry");
		if (operations[i].type == COLLABORATION_TYPE_INSERT)
			all.room += (size_t)operations[i].length;
	}
	all.units = hub_alloc(call, all.room * sizeof(*all.units));
	memcpy(all.units, text->units, text->n * sizeof(*all.units));
	all.n = text->n;
	for (size_t i = 0; i < n; i++) {
		const struct ot_op op = document_op(&operations[i]);

		if (ot_text_apply(&all, &op) != OK)
			return corrupt(call, document, "operation");
	}
	*text = all;
	return all.n == document->meta.length ? HUB_OK
					      : corrupt(call, document, "length");
}

enum hub_rc document_await_text(struct hub_call *call, struct document *document,
				uint32_t room, struct ot_text *text)
{
	const uint64_t version = document->meta.version;
	struct entries entries = { .n = 0 };
	struct slice content;
	uint64_t snapshot;
	enum hub_rc rc;

	*text = (struct ot_text){ .n = 0 };
	rc = await_snapshot(call, document, &snapshot, &content);
	if (rc != HUB_OK)
		return rc;
	if (snapshot > version)
		return misfit(call, document);
	text->room = content.len; /* a unit is a byte at least */
	text->units = hub_alloc(call, text->room * sizeof(*text->units));
	if (ot_text_append(text, content) != OK)
		return corrupt(call, document, "snapshot");
	if (snapshot < version)
		rc = await_entries(call, document, snapshot + 1, version + 1, &entries);
	if (rc != HUB_OK)
		return rc;
	if (entries.n != version - snapshot)
		return misfit(call, document);
	return apply_entries(call, document, &entries, room, text);
}

bool document_wants_snapshot(struct hub_call *call, const struct document *document)
{
	const struct document_meta *meta = &document->meta;
	const int64_t age_ms = hub_unix_ms(call) - meta->snapshot_ms;

	if (meta->version == 0)
		return false;
	return meta->version - meta->snapshot >=
		       (uint64_t)hub_option_int(call,
						COLLABORATION_SNAPSHOT_OPERATIONS) ||
	       meta->tail > TAIL_UNITS_MAX ||
	       age_ms > hub_option_int(call, COLLABORATION_DOCUMENT_TTL) / 2;
}

enum hub_rc document_await_snapshot(struct hub_call *call, struct document *document,
				    const struct ot_text *text)
{
	/* It is at most half a log's time old when the last entry is made, and so is
	 * there for as long as the log is. */
	const struct hub_bounds bounds = {
		.entries_max = 1,
		.ttl_ms = 2 * hub_option_int(call, COLLABORATION_DOCUMENT_TTL),
	};
	const struct document_meta *meta = &document->meta;
	const struct slice head = hub_printf(call, "%.*s %ju\n", SLICE_FMT(meta->epoch),
					     (uintmax_t)meta->version);
	char *bytes = hub_alloc(call, head.len + ot_text_bytes_max(text));
	enum hub_rc rc;
	size_t len;

	memcpy(bytes, head.ptr, head.len);
	len = head.len + ot_text_write(text, bytes + head.len);
	rc = hub_await_field_put(call, document->key, SLICE(SNAPSHOT_FIELD),
				 slice_make(bytes, len), &bounds,
				 document->snapshot_field, &document->snapshot_field);
	if (rc != HUB_OK)
		return rc;
	document->meta.snapshot = meta->version;
	document->meta.snapshot_ms = hub_unix_ms(call);
	document->meta.tail = 0;
	hub_count(call, COLLABORATION_SNAPSHOTS, 1);
	return HUB_OK;
}
