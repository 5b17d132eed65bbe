/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sources set in scopes. It is applied when all other options are in place, since
 * the list that names the scopes and the options they inherit may come from any source.
 */
#include "proto/base/conf_setting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/conf_extra.h"
#include "proto/base/conf_scope.h"
#include "proto/base/conf_value.h"
#include "proto/base/mem.h"

#define ENV_PREFIX "HELIOGRAPH_"

/* ---- what waits */

void conf_settings_add(struct conf_settings *settings, const struct conf_place *place,
		       struct slice name, struct slice value)
{
	const size_t n = settings->n + 1;

	settings->items = mem_realloc(settings->items, n * sizeof(*settings->items));
	settings->items[settings->n++] =
		(struct conf_setting){ .place = *place, .name = name, .value = value };
}

void conf_settings_fini(struct conf_settings *settings)
{
	mem_free(settings->items);
	*settings = (struct conf_settings){ NULL, 0 };
}

/* ---- one setting */

/* Where the settings of one source go. */
struct target {
	const struct conf_table *table;
	struct conf_scoped *scoped; /* borrowed */
	unsigned *seen; /* owned; per scope and option the line that set it, or 0 */
	char *error;	/* borrowed */
};

static enum err option_set(const struct target *target, const struct conf_setting *from,
			   const struct conf_option *option, void *values)
{
	struct buf why = BUF_INIT;
	enum err rc = conf_value_set(option, values, from->value, &why);

	if (rc != OK)
		rc = conf_refuse(target->error, &from->place, "%.*s = %s: %.*s",
				 SLICE_FMT(from->name), conf_show(from->value).text,
				 SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	return rc;
}

static enum err refuse_name(const struct target *target, const struct conf_setting *from,
			    struct slice name, struct slice option)
{
	const struct conf_scope *scope = target->table->scope;
	size_t slip = conf_name_slip(name);
	const char *nearest = NULL;

	for (size_t i = 0; i < target->scoped->n; i++)
		conf_name_offer(name, target->scoped->items[i].name, &nearest, &slip);
	if (nearest == NULL)
		return conf_refuse(target->error, &from->place, "%s: %s is not in %s",
				   conf_show(from->name).text, conf_show(name).text,
				   scope->list);
	return conf_refuse(target->error, &from->place,
			   "%s: %s is not in %s; did you mean %s.%s.%s?",
			   conf_show(from->name).text, conf_show(name).text, scope->list,
			   scope->prefix, nearest, conf_show(option).text);
}

static enum err refuse_option(const struct target *target,
			      const struct conf_setting *from, struct slice name,
			      struct slice option)
{
	const struct conf_scope *scope = target->table->scope;
	size_t slip = conf_name_slip(option);
	const char *nearest = NULL;

	for (size_t i = 0; i < scope->n; i++)
		conf_name_offer(option, scope->options[i].name, &nearest, &slip);
	if (nearest == NULL)
		return conf_refuse(target->error, &from->place,
				   "unknown option %s; --help lists all",
				   conf_show(from->name).text);
	return conf_refuse(
		target->error, &from->place, "unknown option %s; did you mean %s.%s.%s?",
		conf_show(from->name).text, scope->prefix, conf_show(name).text, nearest);
}

/* One that is not in the scope's table. */
static enum err extra_apply(const struct target *target, const struct conf_setting *from,
			    struct conf_scoped_item *item, struct slice option)
{
	struct buf why = BUF_INIT;
	enum err rc = target->table->scope->check(slice_from_str(item->name), option,
						  from->value, &why);

	for (size_t i = 0; rc == OK && from->place.line > 0 && i < item->extras_n; i++) {
		if (slice_equal(slice_from_str(item->extras[i].name), option))
			rc = conf_refuse(target->error, &from->place,
					 "%.*s is already set in line %u",
					 SLICE_FMT(from->name), item->extras[i].line);
	}
	if (rc == OK)
		conf_extra_set(item, option, from->value, from->place.line);
	else if (rc == ERR_NOT_FOUND && why.len > 0)
		rc = conf_refuse(target->error, &from->place,
				 "unknown option %s; did you mean %s.%s.%.*s?",
				 conf_show(from->name).text, target->table->scope->prefix,
				 item->name, SLICE_FMT(buf_slice(&why)));
	else if (rc == ERR_NOT_FOUND)
		rc = refuse_option(target, from, slice_from_str(item->name), option);
	else if (why.len > 0)
		rc = conf_refuse(target->error, &from->place, "%.*s = %s: %.*s",
				 SLICE_FMT(from->name), conf_show(from->value).text,
				 SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	return rc;
}

static enum err setting_apply(const struct target *target,
			      const struct conf_setting *from)
{
	const struct conf_scope *scope = target->table->scope;
	struct slice name = slice_from(from->name, strlen(scope->prefix) + 1);
	struct slice option = name;
	unsigned *seen;
	size_t item;
	size_t i = 0;

	/* A name may have dots, an option has none. */
	while (slice_find(option, '.') >= 0)
		(void)slice_cut(&option, '.'); /* the last piece is what counts */
	if (option.len == 0 || name.len < option.len + 2)
		return conf_refuse(target->error, &from->place,
				   "%s: expected %s.<name>.<option>",
				   conf_show(from->name).text, scope->prefix);
	name.len -= option.len + 1;
	item = conf_scoped_index(target->scoped, name);
	if (item == target->scoped->n)
		return refuse_name(target, from, name, option);
	while (i < scope->n &&
	       !slice_equal(slice_from_str(scope->options[i].name), option))
		i++;
	if (i == scope->n && scope->check != NULL)
		return extra_apply(target, from, &target->scoped->items[item], option);
	if (i == scope->n)
		return refuse_option(target, from, name, option);
	seen = &target->seen[item * scope->n + i];
	if (from->place.line > 0 && *seen > 0)
		return conf_refuse(target->error, &from->place,
				   "%.*s is already set in line %u",
				   SLICE_FMT(from->name), *seen);
	*seen = from->place.line;
	return option_set(target, from, &scope->options[i],
			  target->scoped->items[item].values);
}

static enum err settings_apply(const struct target *target,
			       const struct conf_settings *settings)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < settings->n; i++)
		rc = setting_apply(target, &settings->items[i]);
	return rc;
}

/* ---- the environment */

void conf_env_name(struct buf *out, struct slice name)
{
	buf_append_str(out, ENV_PREFIX);
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.ptr[i];

		if (c >= 'a' && c <= 'z')
			buf_append_byte(out, (char)(c - 'a' + 'A'));
		else
			buf_append_byte(out, c == '.' || c == '-' ? '_' : c);
	}
	buf_append_byte(out, '\0');
}

static void full_name(const struct target *target, size_t item, size_t i, struct buf *out)
{
	const struct conf_scope *scope = target->table->scope;

	buf_clear(out);
	buf_appendf(out, "%s.%s.%s", scope->prefix, target->scoped->items[item].name,
		    scope->options[i].name);
}

/* Is `variable` what `name` is called in the environment, too? */
static bool is_variable_of(const char *variable, struct slice name)
{
	struct buf other = BUF_INIT;
	bool is_same;

	conf_env_name(&other, name);
	is_same = strcmp(variable, other.ptr) == 0;
	buf_fini(&other);
	return is_same;
}

/* Appends the name of another option that the variable fits as well, or nothing. */
static void rival_find(const struct target *target, const char *variable,
		       struct slice name, struct buf *rival)
{
	const struct conf_table *table = target->table;

	for (size_t i = 0; i < target->scoped->n * table->scope->n; i++) {
		full_name(target, i / table->scope->n, i % table->scope->n, rival);
		if (!slice_equal(name, buf_slice(rival)) &&
		    is_variable_of(variable, buf_slice(rival)))
			return;
	}
	buf_clear(rival);
	for (size_t i = 0; i < table->n; i++) {
		if (is_variable_of(variable, slice_from_str(table->options[i].name))) {
			buf_append_str(rival, table->options[i].name);
			return;
		}
	}
}

static enum err variable_apply(const struct target *target, const char *variable,
			       const char *value, struct slice name)
{
	const struct conf_setting setting = { .place = { "environment", 0 },
					      .name = name,
					      .value = slice_from_str(value) };
	struct buf rival = BUF_INIT;
	enum err rc;

	rival_find(target, variable, name, &rival);
	if (rival.len > 0)
		rc = conf_refuse(target->error, &setting.place,
				 "%s is both %.*s and %.*s: set them elsewhere", variable,
				 SLICE_FMT(name), SLICE_FMT(buf_slice(&rival)));
	else
		rc = setting_apply(target, &setting);
	buf_fini(&rival);
	return rc;
}

static enum err environment_apply(const struct target *target)
{
	const size_t n = target->table->scope->n;
	struct buf variable = BUF_INIT;
	struct buf name = BUF_INIT;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < target->scoped->n * n; i++) {
		const char *value;

		full_name(target, i / n, i % n, &name);
		buf_clear(&variable);
		conf_env_name(&variable, buf_slice(&name));
		/* Nothing in our processes changes the environment. */
		value = getenv(variable.ptr); /* NOLINT(concurrency-mt-unsafe) */
		if (value != NULL)
			rc = variable_apply(target, variable.ptr, value,
					    buf_slice(&name));
	}
	buf_fini(&variable);
	buf_fini(&name);
	return rc;
}

/* ---- all of it */

enum err conf_settings_read(const struct conf_table *table, void *values,
			    const struct conf_settings *file,
			    const struct conf_settings *flags, char error[CONF_ERROR_MAX])
{
	struct target target = { .table = table };
	enum err rc;

	if (table->scope == NULL)
		return OK;
	target.error = error;
	conf_scoped_init(table, values);
	target.scoped = conf_scoped_of(table, values);
	target.seen =
		mem_zalloc(target.scoped->n * table->scope->n * sizeof(*target.seen));
	rc = settings_apply(&target, file);
	if (rc == OK)
		rc = environment_apply(&target);
	if (rc == OK)
		rc = settings_apply(&target, flags);
	mem_free(target.seen);
	return rc;
}
