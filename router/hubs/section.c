/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubs/section.h"

#include "router/hubs/iso_time.h"
#include "router/hubs/participant.h"

#define SECTIONS_KEY_PREFIX "sections/"
#define SECTIONS_FIELD "sections"
#define TRIES_MAX 16

struct section {
	struct collaboration_section shown;
	struct slice connection_id;
	int64_t expires_ms;
};

struct section_list {
	struct hub_call *call;
	struct slice document_id;
	struct section *items; /* room for one more */
	size_t n;
	uint64_t version;
	struct slice *released; /* room for all */
	size_t released_n;
};

static struct slice sections_key(struct hub_call *call, struct slice document_id)
{
	return hub_concat(call, SLICE(SECTIONS_KEY_PREFIX), document_id);
}

static struct slice time_text(struct hub_call *call, int64_t unix_ms)
{
	char text[ISO_TIME_BYTES];

	iso_time_write(unix_ms, text);
	return hub_printf(call, "%s", text);
}

/* ---- the list as it is kept */

static void release(struct section_list *list, size_t i)
{
	list->released[list->released_n++] = list->items[i].shown.lock_id;
	list->n--;
	memmove(&list->items[i], &list->items[i + 1],
		(list->n - i) * sizeof(*list->items));
}

static bool read_section(struct hub_call *call, const struct value *value,
			 struct section *section)
{
	const struct value *connection = value_find(value, SLICE("connectionId"));

	if (connection == NULL || connection->type != VALUE_STRING ||
	    collaboration_section_read(call, value, &section->shown) != HUB_OK)
		return false;
	section->connection_id = connection->bytes;
	return iso_time_read(section->shown.expires_at, &section->expires_ms);
}

/* Those that can be read; the others are as good as expired. */
static void take_sections(struct section_list *list, const struct value *all)
{
	const size_t n = all != NULL && all->type == VALUE_ARRAY ? all->count : 0;
	const int64_t now_ms = hub_unix_ms(list->call);

	list->items = hub_alloc(list->call, (n + 1) * sizeof(*list->items));
	list->released = hub_alloc(list->call, (n + 1) * sizeof(*list->released));
	for (const struct value *at = n > 0 ? all->first : NULL; at != NULL;
	     at = at->next) {
		if (read_section(list->call, at, &list->items[list->n]))
			list->n++;
	}
	for (size_t i = list->n; i-- > 0;) {
		if (list->items[i].expires_ms <= now_ms)
			release(list, i);
	}
}

static enum hub_rc await_read(struct hub_call *call, struct slice document_id,
			      struct section_list *list)
{
	struct hub_field field = { .version = 0 };
	const enum hub_rc rc = hub_await_field_get(call, sections_key(call, document_id),
						   SLICE(SECTIONS_FIELD), &field);

	if (rc != HUB_OK && rc != HUB_ENOTFOUND)
		return rc;
	*list = (struct section_list){ .call = call, .document_id = document_id };
	list->version = rc == HUB_OK ? field.version : 0;
	take_sections(list, rc == HUB_OK ? hub_decode(call, field.bytes) : NULL);
	return HUB_OK;
}

static enum hub_rc too_many(struct hub_call *call)
{
	return hub_fail(call, "The document has too many sections.");
}

static enum hub_rc await_write(struct section_list *list)
{
	const struct hub_bounds bounds = {
		.entries_max = 1,
		.ttl_ms = hub_option_int(list->call, COLLABORATION_SECTION_TTL),
	};
	struct value *all = hub_array(list->call);
	struct slice bytes;

	for (size_t i = 0; i < list->n; i++) {
		struct value *section =
			collaboration_section_value(list->call, &list->items[i].shown);

		hub_set(section, "connectionId",
			hub_string(list->call, list->items[i].connection_id));
		hub_add(all, section);
	}
	bytes = hub_encode(list->call, all);
	if (bytes.len > HUB_ENTRY_BYTES_MAX) /* of long names */
		return too_many(list->call);
	return hub_await_field_put(
		list->call, sections_key(list->call, list->document_id),
		SLICE(SECTIONS_FIELD), bytes, &bounds, list->version, NULL);
}

enum hub_rc section_await_list(struct hub_call *call, struct slice document_id,
			       const struct collaboration_section **sections, size_t *n)
{
	struct collaboration_section *shown;
	struct section_list list;
	const enum hub_rc rc = await_read(call, document_id, &list);

	if (rc != HUB_OK)
		return rc;
	shown = hub_alloc(call, (list.n + 1) * sizeof(*shown));
	for (size_t i = 0; i < list.n; i++)
		shown[i] = list.items[i].shown;
	*sections = shown;
	*n = list.n;
	return HUB_OK;
}

/* ---- changes, each tried again when somebody else's came first */

typedef enum hub_rc change_fn(struct section_list *list, const void *argument,
			      struct section_change *change);

static enum hub_rc await_change(struct hub_call *call, struct slice document_id,
				change_fn *fn, const void *argument,
				struct section_change *change)
{
	struct section_list list = { .n = 0 };
	enum hub_rc rc = HUB_ECONFLICT;

	for (int i = 0; i < TRIES_MAX && rc == HUB_ECONFLICT; i++) {
		*change = (struct section_change){ .released_n = 0 };
		rc = await_read(call, document_id, &list);
		if (rc == HUB_OK)
			rc = fn(&list, argument, change);
		if (rc == HUB_OK && (list.released_n > 0 || change->made.lock_id.len > 0))
			rc = await_write(&list);
	}
	change->released = list.released;
	change->released_n = rc == HUB_OK ? list.released_n : 0;
	return rc == HUB_ECONFLICT
		       ? hub_fail(call, "Too many are locking sections: try again.")
		       : rc;
}

struct lines {
	int64_t start;
	int64_t end;
};

static bool is_own(const struct section_list *list, const struct section *section)
{
	return slice_equal(section->connection_id, hub_connection_id(list->call));
}

/* Removes from what is in the way of the lines those whose connections are gone. */
static enum hub_rc await_conflict(struct section_list *list, const struct lines *lines,
				  struct section_change *change)
{
	bool is_there;

	for (size_t i = list->n; i-- > 0;) {
		const struct section *section = &list->items[i];
		enum hub_rc rc;

		if (section->shown.start_line > lines->end ||
		    section->shown.end_line < lines->start ||
		    slice_equal(section->shown.user_id, hub_user_id(list->call)))
			continue;
		rc = participant_await_has_connection(list->call, list->document_id,
						      section->connection_id, &is_there);
		if (rc != HUB_OK)
			return rc;
		if (is_there) {
			change->conflicting_user = section->shown.user_id;
			return HUB_OK;
		}
		release(list, i);
	}
	return HUB_OK;
}

static struct section *find_own(struct section_list *list, const struct lines *lines)
{
	for (size_t i = 0; i < list->n; i++) {
		struct section *section = &list->items[i];

		if (is_own(list, section) && section->shown.start_line == lines->start &&
		    section->shown.end_line == lines->end)
			return section;
	}
	return NULL;
}

static enum hub_rc lock(struct section_list *list, const void *argument,
			struct section_change *change)
{
	struct hub_call *call = list->call;
	const struct lines *lines = argument;
	struct section *section;
	const enum hub_rc rc = await_conflict(list, lines, change);

	if (rc != HUB_OK || change->conflicting_user.len > 0)
		return rc;
	section = find_own(list, lines);
	if (section == NULL) {
		if ((int64_t)list->n >= hub_option_int(call, COLLABORATION_SECTIONS_MAX))
			return too_many(call);
		section = &list->items[list->n++];
		*section = (struct section){
			.shown = { .document_id = list->document_id,
				   .lock_id = hub_new_id(call),
				   .user_id = hub_user_id(call),
				   .start_line = lines->start,
				   .end_line = lines->end },
			.connection_id = hub_connection_id(call),
		};
	}
	section->expires_ms =
		hub_unix_ms(call) + hub_option_int(call, COLLABORATION_SECTION_TTL);
	section->shown.expires_at = time_text(call, section->expires_ms);
	change->made = section->shown;
	return HUB_OK;
}

enum hub_rc section_await_lock(struct hub_call *call, struct slice document_id,
			       int64_t start_line, int64_t end_line,
			       struct section_change *change)
{
	const struct lines lines = { start_line, end_line };

	return await_change(call, document_id, lock, &lines, change);
}

static enum hub_rc unlock(struct section_list *list, const void *argument,
			  struct section_change *change)
{
	const struct slice *id = argument;

	(void)change;
	for (size_t i = 0; i < list->n; i++) {
		if (!slice_equal(list->items[i].shown.lock_id, *id))
			continue;
		if (!slice_equal(list->items[i].shown.user_id, hub_user_id(list->call)))
			return hub_fail(list->call, "The section is another user's.");
		release(list, i);
		break;
	}
	return HUB_OK;
}

enum hub_rc section_await_unlock(struct hub_call *call, struct slice document_id,
				 struct slice lock_id, struct section_change *change)
{
	return await_change(call, document_id, unlock, &lock_id, change);
}

static enum hub_rc leave(struct section_list *list, const void *argument,
			 struct section_change *change)
{
	(void)argument;
	(void)change;
	for (size_t i = list->n; i-- > 0;) {
		if (is_own(list, &list->items[i]))
			release(list, i);
	}
	return HUB_OK;
}

enum hub_rc section_await_leave(struct hub_call *call, struct slice document_id,
				struct section_change *change)
{
	return await_change(call, document_id, leave, NULL, change);
}
