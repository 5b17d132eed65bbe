/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scopes of a table: which there are, what they start from, what becomes of them.
 * What sources set in them is conf_setting.c's business.
 */
#include "proto/base/conf_scope.h"

#include <assert.h>
#include <string.h>

#include "proto/base/conf_extra.h"
#include "proto/base/conf_value.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define NAME_HOLE "<name>"

/* ---- names */

bool conf_scope_is_meant(const struct conf_table *table, struct slice name)
{
	const struct slice prefix =
		slice_from_str(table->scope != NULL ? table->scope->prefix : NULL);

	return prefix.len > 0 && name.len > prefix.len && name.ptr[prefix.len] == '.' &&
	       slice_starts_with(name, prefix);
}

bool conf_scope_is_list(const struct conf_table *table, const struct conf_option *option)
{
	return table->scope != NULL && strcmp(table->scope->list, option->name) == 0;
}

static bool is_name(struct slice name)
{
	static const char accepted[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (name.len == 0 || name.len > CONF_SCOPE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (memchr(accepted, name.ptr[i], sizeof(accepted) - 1) == NULL)
			return false;
	}
	return true;
}

/* Does the name, a piece of the list, stand there before? */
static bool is_repeated(struct slice list, struct slice name)
{
	for (;;) {
		const struct slice other = slice_trim(slice_cut(&list, ','));

		if (other.ptr == name.ptr)
			return false;
		if (slice_equal_nocase(other, name))
			return true;
	}
}

enum err conf_scope_check_list(struct slice list, struct buf *why)
{
	struct slice rest = list;
	size_t n = 0;

	do {
		const struct slice name = slice_trim(slice_cut(&rest, ','));

		if (!is_name(name)) {
			buf_appendf(why, "a name is 1..%d letters, digits, '.', '_', '-'",
				    CONF_SCOPE_NAME_MAX);
			return ERR_MALFORMED;
		}
		if (is_repeated(list, name)) {
			buf_appendf(why, "%.*s stands there twice", SLICE_FMT(name));
			return ERR_MALFORMED;
		}
		if (++n > CONF_SCOPES_MAX) {
			buf_appendf(why, "at most %d names", CONF_SCOPES_MAX);
			return ERR_MALFORMED;
		}
	} while (rest.ptr != NULL);
	return OK;
}

size_t conf_scoped_index(const struct conf_scoped *scoped, struct slice name)
{
	size_t i = 0;

	while (i < scoped->n &&
	       !slice_equal_nocase(slice_from_str(scoped->items[i].name), name))
		i++;
	return i;
}

void *conf_scoped_find(const struct conf_scoped *scoped, struct slice name)
{
	const size_t i = conf_scoped_index(scoped, name);

	return i < scoped->n ? scoped->items[i].values : NULL;
}

/* ---- the program's side; the offsets come from offsetof, so they are aligned */

struct conf_scoped *conf_scoped_of(const struct conf_table *table, void *values)
{
	return (void *)((char *)values + table->scope->field);
}

static const struct conf_option *program_option(const struct conf_table *table,
						struct slice name)
{
	for (size_t i = 0; i < table->n; i++) {
		if (slice_equal(slice_from_str(table->options[i].name), name))
			return &table->options[i];
	}
	return NULL;
}

static const struct conf_option *list_option(const struct conf_table *table)
{
	const struct conf_option *list =
		program_option(table, slice_from_str(table->scope->list));

	/* A contradiction in the table, as are those below. */
	assert(list != NULL);
	assert(list->type == CONF_STRING);
	return list;
}

const struct conf_option *conf_scope_inherited(const struct conf_table *table,
					       const struct conf_option *option)
{
	const struct conf_option *from;

	if (option->initial[0] != '=')
		return NULL;
	from = program_option(table, slice_from_str(option->initial + 1));
	assert(from != NULL);
	assert(from->type == option->type && from->choices == option->choices);
	assert(from->min >= option->min && from->max <= option->max);
	return from;
}

/* ---- defaults */

/* In lower case, for a name may be part of a key or a path. */
static char *name_dup(struct slice name)
{
	char *copy = mem_dup(name.ptr, name.len);

	for (char *at = copy; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	return copy;
}

static void initial_set(const struct conf_option *option, const char *initial,
			struct conf_scoped_item *item)
{
	const char *hole = strstr(initial, NAME_HOLE);
	struct buf text = BUF_INIT;
	struct buf why = BUF_INIT;
	enum err rc;

	if (hole == NULL) {
		buf_append_str(&text, initial);
	} else {
		buf_append(&text, initial, (size_t)(hole - initial));
		buf_append_str(&text, item->name);
		buf_append_str(&text, hole + sizeof(NAME_HOLE) - 1);
	}
	rc = conf_value_set(option, item->values, buf_slice(&text), &why);
	assert(rc == OK);
	buf_fini(&text);
	buf_fini(&why);
}

/* NULL: there is none. */
static const char *preset_of(const struct conf_scope *scope, const char *name,
			     const struct conf_option *option)
{
	for (size_t i = 0; i < scope->presets_n; i++) {
		const struct conf_preset *preset = &scope->presets[i];

		if (strcmp(preset->name, name) == 0 &&
		    strcmp(preset->option, option->name) == 0)
			return preset->initial;
	}
	return NULL;
}

static void item_init(const struct conf_table *table, struct conf_scoped_item *item,
		      struct slice name, const void *values)
{
	item->name = name_dup(name);
	item->values = mem_zalloc(table->scope->bytes);
	for (size_t i = 0; i < table->scope->n; i++) {
		const struct conf_option *option = &table->scope->options[i];
		const struct conf_option *from = conf_scope_inherited(table, option);
		const char *preset = preset_of(table->scope, item->name, option);

		if (preset != NULL)
			initial_set(option, preset, item);
		else if (from != NULL)
			conf_value_copy(option, item->values, from, values);
		else
			initial_set(option, option->initial, item);
	}
}

void conf_scoped_init(const struct conf_table *table, void *values)
{
	struct conf_scoped *scoped;
	struct slice rest;

	if (table->scope == NULL)
		return;
	scoped = conf_scoped_of(table, values);
	rest = slice_from_str(
		*(char **)(void *)((char *)values + list_option(table)->field));
	assert(scoped->items == NULL);
	scoped->items = mem_zalloc(CONF_SCOPES_MAX * sizeof(*scoped->items));
	do {
		const struct slice name = slice_trim(slice_cut(&rest, ','));

		assert(scoped->n < CONF_SCOPES_MAX);
		item_init(table, &scoped->items[scoped->n++], name, values);
	} while (rest.ptr != NULL);
}

void conf_scoped_fini(const struct conf_table *table, void *values)
{
	struct conf_scoped *scoped;

	if (table->scope == NULL)
		return;
	scoped = conf_scoped_of(table, values);
	for (size_t i = 0; i < scoped->n; i++) {
		conf_values_clear(table->scope->options, table->scope->n,
				  scoped->items[i].values);
		conf_extras_free(&scoped->items[i]);
		mem_free(scoped->items[i].values);
		mem_free(scoped->items[i].name);
	}
	mem_free(scoped->items);
	*scoped = (struct conf_scoped){ NULL, 0 };
}

/* ---- when all is in place */

enum err conf_scoped_check(const struct conf_table *table, const void *values,
			   char error[CONF_ERROR_MAX])
{
	const struct conf_scope *scope = table->scope;
	const struct conf_scoped *scoped;

	if (scope == NULL || scope->problem == NULL)
		return OK;
	scoped = (const void *)((const char *)values + scope->field);
	for (size_t i = 0; i < scoped->n; i++) {
		const char *text = scope->problem(scoped, i);

		if (text[0] == '\0')
			continue;
		/* A sentence and a name: far shorter. */
		(void)snprintf(error, CONF_ERROR_MAX, "%s.%s.%s", scope->prefix,
			       scoped->items[i].name, text);
		return ERR_MALFORMED;
	}
	return OK;
}

void conf_scoped_reload(const struct conf_table *table, void *values, void *fresh)
{
	const struct conf_scope *scope = table->scope;
	struct conf_scoped *scoped;

	if (scope == NULL)
		return;
	scoped = conf_scoped_of(table, values);
	for (size_t i = 0; i < scoped->n; i++) {
		const char *name = scoped->items[i].name;
		struct conf_scoped *from = conf_scoped_of(table, fresh);
		const size_t at = conf_scoped_index(from, slice_from_str(name));

		if (at == from->n)
			continue;
		conf_extras_move(&scoped->items[i], &from->items[at]);
		for (size_t j = 0; j < scope->n; j++) {
			if (conf_value_reload(&scope->options[j], scoped->items[i].values,
					      from->items[at].values))
				log_warn("conf.needs_restart", "option=%s.%s.%s",
					 scope->prefix, name, scope->options[j].name);
		}
	}
}
