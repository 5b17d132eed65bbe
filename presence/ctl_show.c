/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_show.h"

#include <assert.h>
#include <inttypes.h>

/* ---- values */

static const struct value *member(const struct value *object, const char *path)
{
	struct slice left = slice_from_str(path);

	/* Without a path it is the thing itself. */
	while (object != NULL && left.ptr != NULL && left.len > 0)
		object = value_find(object, slice_cut(&left, '.'));
	return object;
}

static double number_of(const struct value *value)
{
	return value->type == VALUE_INT ? (double)value->integer : value->real;
}

static bool is_number(const struct value *value)
{
	return value->type == VALUE_INT || value->type == VALUE_DOUBLE;
}

static void show_plain(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		buf_append_slice(out, value->bytes);
		break;
	case VALUE_INT:
		buf_append_int64(out, value->integer);
		break;
	case VALUE_DOUBLE:
		buf_appendf(out, "%.2f", value->real);
		break;
	case VALUE_BOOL:
		buf_append_str(out, value->boolean ? "yes" : "no");
		break;
	case VALUE_NIL:
	case VALUE_BINARY:
	case VALUE_RAW:
	case VALUE_ARRAY:
	case VALUE_MAP:
		buf_append_byte(out, '-');
		break;
	}
}

static void show_text(struct buf *out, const struct value *value)
{
	if (value->type != VALUE_ARRAY) {
		show_plain(out, value);
		return;
	}
	if (value->count == 0)
		buf_append_byte(out, '-');
	for (const struct value *item = value->first; item != NULL; item = item->next) {
		show_plain(out, item);
		if (item->next != NULL)
			buf_append_str(out, ", ");
	}
}

/* The two largest units that are not 0. */
static void show_span(struct buf *out, double ms)
{
	const int64_t s = (int64_t)(ms / 1000);

	if (ms < 10000)
		buf_appendf(out, "%.1fs", ms / 1000);
	else if (s < 60)
		buf_appendf(out, "%" PRId64 "s", s);
	else if (s < 3600)
		buf_appendf(out, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		buf_appendf(out, "%" PRId64 "h %" PRId64 "m", s / 3600, s % 3600 / 60);
	else
		buf_appendf(out, "%" PRId64 "d %" PRId64 "h", s / 86400,
			    s % 86400 / 3600);
}

static void show_bytes(struct buf *out, double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (bytes >= 1024 && i + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		i++;
	}
	buf_appendf(out, i == 0 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
}

static void show_links(struct buf *out, const struct value *links)
{
	size_t up = 0;

	for (const struct value *link = links->first; link != NULL; link = link->next) {
		const struct value *is_up = value_find(link, SLICE("isUp"));

		if (is_up != NULL && is_up->type == VALUE_BOOL && is_up->boolean)
			up++;
	}
	buf_appendf(out, "%zu/%zu", up, links->count);
}

static void show_number(struct buf *out, double number, enum ctl_kind kind)
{
	switch (kind) {
	case CTL_RATE:
		buf_appendf(out, number < 100 ? "%.1f/s" : "%.0f/s", number);
		break;
	case CTL_MS:
		buf_appendf(out, "%.2f ms", number);
		break;
	case CTL_SPAN:
		show_span(out, number);
		break;
	case CTL_BYTES:
		show_bytes(out, number);
		break;
	case CTL_SHARE:
		buf_appendf(out, "%.1f %%", number * 100);
		break;
	case CTL_TEXT:
	case CTL_NAME:
	case CTL_NUMBER:
	case CTL_UP:
		assert(0);
	}
}

bool ctl_show(struct buf *out, const struct value *object, const char *path,
	      enum ctl_kind kind)
{
	const struct value *value = member(object, path);

	if (value == NULL || value->type == VALUE_NIL)
		return false;
	if (kind == CTL_UP && value->type == VALUE_ARRAY)
		show_links(out, value);
	else if (kind == CTL_TEXT || kind == CTL_NAME || kind == CTL_NUMBER ||
		 kind == CTL_UP || !is_number(value))
		show_text(out, value);
	else
		show_number(out, number_of(value), kind);
	return true;
}

/* ---- lists */

static bool is_to_the_right(enum ctl_kind kind)
{
	return kind != CTL_TEXT && kind != CTL_NAME;
}

void ctl_list_init(struct ctl_list *list, struct ctl *ctl,
		   const struct ctl_column *columns, size_t n)
{
	assert(n <= CTL_COLUMNS_MAX);
	list->ctl = ctl;
	list->columns = columns;
	list->left = ctl->line.limit;
	for (size_t i = 0; i < n; i++)
		list->titles[i] = (struct ctl_table_column){
			.title = columns[i].title,
			.is_number = is_to_the_right(columns[i].kind),
			.may_cut = columns[i].kind == CTL_NAME,
		};
	ctl_table_init(&list->table, list->titles, n);
	list->table.width = ctl->columns;
	list->table.is_bold = ctl->is_bold;
}

void ctl_list_fini(struct ctl_list *list)
{
	ctl_table_fini(&list->table);
}

static void add_row(struct ctl_list *list, const struct value *object)
{
	struct buf cell = BUF_INIT;

	for (size_t i = 0; i < list->table.columns_n; i++) {
		buf_clear(&cell);
		if (!ctl_show(&cell, object, list->columns[i].path,
			      list->columns[i].kind))
			buf_append_byte(&cell, '-');
		ctl_table_cell(&list->table, buf_slice(&cell));
	}
	buf_fini(&cell);
}

void ctl_list_add(struct ctl_list *list, const struct value *array)
{
	const struct value *object = NULL;

	if (array != NULL && array->type == VALUE_ARRAY)
		object = array->first;
	for (; object != NULL && list->left > 0; object = object->next) {
		add_row(list, object);
		list->left--;
	}
	ctl_table_print(&list->table, &list->ctl->out);
}

void ctl_show_list(struct ctl *ctl, const struct value *answer, struct slice key,
		   const struct ctl_column *columns, size_t n)
{
	const struct value *array = value_find(answer, key);
	struct ctl_list list = { .ctl = ctl };

	if (array == NULL || array->type != VALUE_ARRAY || array->count == 0)
		return;
	buf_append_byte(&ctl->out, '\n');
	ctl_list_init(&list, ctl, columns, n);
	list.left = INT64_MAX;
	ctl_list_add(&list, array);
	ctl_list_fini(&list);
}

/* ---- cards */

void ctl_card(struct ctl *ctl, const struct ctl_column *columns, size_t n,
	      const struct value *object)
{
	static const struct ctl_table_column both[] = { { "", false, false },
							{ "", false, false } };
	struct ctl_table table;
	struct buf cell = BUF_INIT;

	ctl_table_init(&table, both, 2);
	table.is_headed = true;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&cell);
		if (!ctl_show(&cell, object, columns[i].path, columns[i].kind))
			continue;
		ctl_table_cell(&table, slice_from_str(columns[i].title));
		ctl_table_cell(&table, buf_slice(&cell));
	}
	ctl_table_print(&table, &ctl->out);
	ctl_table_fini(&table);
	buf_fini(&cell);
}
