/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short list for each named thing: of one option at most what the file says and what
 * the command line says. The environment is asked when somebody wants to know.
 */
#include "proto/base/conf_extra.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/conf_setting.h"
#include "proto/base/mem.h"

static struct conf_extra *extra_find(const struct conf_scoped_item *item,
				     struct slice option, bool is_flag)
{
	for (size_t i = 0; i < item->extras_n; i++) {
		struct conf_extra *extra = &item->extras[i];

		if (slice_equal(slice_from_str(extra->name), option) &&
		    (extra->line == 0) == is_flag)
			return extra;
	}
	return NULL;
}

void conf_extra_set(struct conf_scoped_item *item, struct slice option,
		    struct slice value, unsigned line)
{
	struct conf_extra *extra = extra_find(item, option, line == 0);

	if (extra == NULL) {
		const size_t n = item->extras_n + 1;

		item->extras = mem_realloc(item->extras, n * sizeof(*item->extras));
		extra = &item->extras[item->extras_n++];
		extra->name = mem_dup(option.ptr, option.len);
	} else {
		mem_free(extra->value);
	}
	extra->value = mem_dup(value.ptr, value.len);
	extra->line = line;
}

const char *conf_scoped_extra(const struct conf_table *table,
			      const struct conf_scoped_item *item, struct slice option)
{
	const struct conf_extra *extra = extra_find(item, option, true);
	struct buf name = BUF_INIT;
	struct buf variable = BUF_INIT;
	const char *value;

	if (extra != NULL)
		return extra->value;
	buf_appendf(&name, "%s.%s.%.*s", table->scope->prefix, item->name,
		    SLICE_FMT(option));
	conf_env_name(&variable, buf_slice(&name));
	/* Nothing in our processes changes the environment. */
	value = getenv(variable.ptr); /* NOLINT(concurrency-mt-unsafe) */
	buf_fini(&name);
	buf_fini(&variable);
	if (value != NULL)
		return value;
	extra = extra_find(item, option, false);
	return extra != NULL ? extra->value : NULL;
}

void conf_extras_free(struct conf_scoped_item *item)
{
	for (size_t i = 0; i < item->extras_n; i++) {
		mem_free(item->extras[i].name);
		mem_free(item->extras[i].value);
	}
	mem_free(item->extras);
	item->extras = NULL;
	item->extras_n = 0;
}

void conf_extras_move(struct conf_scoped_item *item, struct conf_scoped_item *fresh)
{
	conf_extras_free(item);
	item->extras = fresh->extras;
	item->extras_n = fresh->extras_n;
	fresh->extras = NULL;
	fresh->extras_n = 0;
}
