/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The awaits of hub_state.h: one question each, or one a page.
 */
#include "router/hub_state.h"

#include <assert.h>

#include "router/hub_steps.h"
#include "router/hub_wait.h"
#include "router/state/state_owner.h"

/* Of the log's lives one page each may be read in vain. */
#define LIVES_MAX 8

/* ---- one question */

void hub_wait_take_state(struct hub_wait *wait, const struct state_answer *answer)
{
	struct arena *arena = hub_arena(wait->call);
	const size_t n = answer->entries_n;

	wait->state = *answer;
	wait->state.entries = arena_alloc(arena, n * sizeof(*wait->state.entries));
	for (size_t i = 0; i < n; i++) {
		const struct state_entry *from = &answer->entries[i];

		wait->state.entries[i] = (struct state_entry){
			.number = from->number,
			.name = arena_dup(arena, from->name),
			.bytes = arena_dup(arena, from->bytes),
		};
	}
}

static enum hub_rc ask_until(struct hub_call *call, struct state_question *question,
			     int64_t end_ms, const struct state_answer **answer)
{
	struct hub_wait *wait;
	enum hub_rc rc;
	size_t owners = 0;

	question->hub = hub_served_name(call->conn->hub);
	do {
		*answer = NULL;
		wait = hub_wait_new_until(call, end_ms);
		if (wait == NULL)
			return HUB_ECANCELED;
		state_ask(call->runtime->router, question, &wait->ask);
		rc = hub_wait_end(wait);
		*answer = &wait->state;
	} while (wait->rc == ERR_MOVED && ++owners < HUB_OWNERS_MAX);
	return rc;
}

/* `number` may be NULL. */
static enum hub_rc ask_number(struct hub_call *call, struct state_question *question,
			      uint64_t *number)
{
	const struct state_answer *answer;
	const enum hub_rc rc =
		ask_until(call, question, hub_wait_deadline(call), &answer);

	if (number != NULL)
		*number = answer != NULL ? answer->number : 0;
	return rc;
}

/* ---- logs */

enum hub_rc hub_await_log_append(struct hub_call *call, struct slice key,
				 struct slice bytes, const struct hub_bounds *bounds,
				 uint64_t expected, uint64_t *number)
{
	struct state_question question = {
		.op = STATE_APPEND,
		.key = key,
		.bytes = bytes,
		.entries_max = bounds->entries_max,
		.ttl_ms = bounds->ttl_ms,
		.expected = expected,
	};

	return ask_number(call, &question, number);
}

/* What has been read of a log, the newest page first. */
struct log_reading {
	struct hub_entry *entries; /* room for entries_max; those read are its end */
	uint32_t room;
	uint32_t left; /* entries that may still come: those in front */
	uint64_t life;
	uint64_t last;
	bool is_more;
};

static void reading_start(struct log_reading *reading)
{
	reading->left = reading->room;
	reading->life = 0;
	reading->last = 0;
}

/* False: it was another log's; all is to be read anew. */
static bool reading_take(struct log_reading *reading, const struct state_answer *page)
{
	if (reading->life != 0 && page->life != reading->life)
		return false;
	if (reading->life == 0) {
		reading->life = page->life;
		reading->last = page->last;
	}
	assert(page->entries_n <= reading->left);
	for (size_t i = page->entries_n; i > 0; i--)
		reading->entries[--reading->left] = (struct hub_entry){
			.number = page->entries[i - 1].number,
			.bytes = page->entries[i - 1].bytes,
		};
	reading->is_more = page->is_more && page->entries_n > 0 && reading->left > 0;
	return true;
}

static enum hub_rc read_pages(struct hub_call *call, struct state_question *question,
			      struct log_reading *reading)
{
	const int64_t end_ms = hub_wait_deadline(call);
	const uint64_t before = question->before;
	size_t lives = 0;

	do {
		const struct state_answer *page;
		enum hub_rc rc;

		question->entries_max = reading->left;
		rc = ask_until(call, question, end_ms, &page);
		if (rc != HUB_OK)
			return rc;
		if (page->entries_n > reading->left)
			return HUB_EUNAVAILABLE; /* that is no answer to it */
		if (reading_take(reading, page)) {
			question->before =
				reading->left < reading->room
					? reading->entries[reading->left].number
					: before;
			continue;
		}
		if (++lives == LIVES_MAX)
			return HUB_EUNAVAILABLE;
		reading_start(reading);
		reading->is_more = true;
		question->before = before;
	} while (reading->is_more);
	return HUB_OK;
}

/* NOLINTNEXTLINE(readability-function-size): as hub authors call it */
enum hub_rc hub_await_log_read(struct hub_call *call, struct slice key, uint64_t first,
			       uint64_t before, uint32_t entries_max,
			       const struct hub_entry **entries, size_t *n,
			       uint64_t *last)
{
	struct state_question question = { .op = STATE_READ,
					   .key = key,
					   .expected = HUB_ANY,
					   .first = first,
					   .before = before };
	struct log_reading reading = { .room = entries_max };
	enum hub_rc rc;

	*entries = NULL;
	*n = 0;
	if (last != NULL)
		*last = 0;
	if (entries_max > HUB_ENTRIES_MAX)
		return HUB_ELIMIT;
	reading.entries =
		arena_alloc(hub_arena(call), entries_max * sizeof(*reading.entries));
	reading_start(&reading);
	rc = read_pages(call, &question, &reading);
	if (rc != HUB_OK)
		return rc;
	*entries = reading.entries + reading.left;
	*n = reading.room - reading.left;
	if (last != NULL)
		*last = reading.last;
	return HUB_OK;
}

/* ---- fields */

static struct hub_field field_of(const struct state_entry *entry)
{
	return (struct hub_field){ .name = entry->name,
				   .bytes = entry->bytes,
				   .version = entry->number };
}

/* NOLINTNEXTLINE(readability-function-size): as hub authors call it */
enum hub_rc hub_await_field_put(struct hub_call *call, struct slice key,
				struct slice name, struct slice bytes,
				const struct hub_bounds *bounds, uint64_t expected,
				uint64_t *version)
{
	struct state_question question = {
		.op = STATE_PUT,
		.key = key,
		.name = name,
		.bytes = bytes,
		.entries_max = bounds->entries_max,
		.ttl_ms = bounds->ttl_ms,
		.expected = expected,
	};

	return ask_number(call, &question, version);
}

enum hub_rc hub_await_field_get(struct hub_call *call, struct slice key,
				struct slice name, struct hub_field *field)
{
	struct state_question question = {
		.op = STATE_GET, .key = key, .name = name, .expected = HUB_ANY
	};
	const struct state_answer *answer;
	const enum hub_rc rc =
		ask_until(call, &question, hub_wait_deadline(call), &answer);

	*field = (struct hub_field){ .name = name };
	if (rc != HUB_OK)
		return rc;
	if (answer->entries_n != 1)
		return HUB_EUNAVAILABLE; /* that is no answer to it */
	field->bytes = answer->entries[0].bytes;
	field->version = answer->entries[0].number;
	return HUB_OK;
}

/* What has been listed, by version. */
struct field_list {
	struct hub_field *fields;
	size_t n;
	size_t room;
	uint64_t last; /* of the key, when the last page was read */
};

/* Something has changed since the last page: what was put anew is in this one, too. */
static void drop_changed(struct field_list *list, const struct state_answer *page)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		bool is_again = false;

		for (size_t j = 0; j < page->entries_n && !is_again; j++)
			is_again =
				slice_equal(list->fields[i].name, page->entries[j].name);
		if (!is_again)
			list->fields[kept++] = list->fields[i];
	}
	list->n = kept;
}

/* Makes room for `n` more: there never were more at a time than there is room for. */
static void drop_oldest(struct field_list *list, size_t n)
{
	const size_t excess = list->n + n > list->room ? list->n + n - list->room : 0;

	list->n -= excess;
	memmove(list->fields, list->fields + excess, list->n * sizeof(*list->fields));
}

static enum hub_rc list_take(struct field_list *list, struct arena *arena,
			     const struct state_answer *page)
{
	if (list->n > 0 && page->last != list->last)
		drop_changed(list, page);
	list->last = page->last;
	if (list->fields == NULL)
		list->room = page->is_more ? HUB_ENTRIES_MAX : page->entries_n;
	if (page->entries_n > list->room)
		return HUB_EUNAVAILABLE; /* that is no answer to it */
	if (list->fields == NULL)
		list->fields = arena_alloc(arena, list->room * sizeof(*list->fields));
	drop_oldest(list, page->entries_n);
	for (size_t i = 0; i < page->entries_n; i++)
		list->fields[list->n++] = field_of(&page->entries[i]);
	return HUB_OK;
}

enum hub_rc hub_await_fields(struct hub_call *call, struct slice key,
			     const struct hub_field **fields, size_t *n)
{
	const int64_t end_ms = hub_wait_deadline(call);
	struct state_question question = { .op = STATE_LIST,
					   .key = key,
					   .expected = HUB_ANY };
	struct field_list list = { .n = 0 };
	const struct state_answer *page;
	enum hub_rc rc;

	*fields = NULL;
	*n = 0;
	do {
		rc = ask_until(call, &question, end_ms, &page);
		if (rc == HUB_OK)
			rc = list_take(&list, hub_arena(call), page);
		if (rc != HUB_OK)
			return rc;
		if (page->entries_n > 0)
			question.first = page->entries[page->entries_n - 1].number + 1;
	} while (page->is_more && page->entries_n > 0);
	*fields = list.fields;
	*n = list.n;
	return HUB_OK;
}

enum hub_rc hub_await_field_remove(struct hub_call *call, struct slice key,
				   struct slice name, uint64_t expected)
{
	struct state_question question = {
		.op = STATE_REMOVE, .key = key, .name = name, .expected = expected
	};

	return ask_number(call, &question, NULL);
}

/* ---- both */

enum hub_rc hub_await_forget(struct hub_call *call, struct slice key)
{
	struct state_question question = { .op = STATE_FORGET,
					   .key = key,
					   .expected = HUB_ANY };

	return ask_number(call, &question, NULL);
}
