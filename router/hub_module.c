/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in hubs, then those of each file; names are unique among all.
 */
#include "router/hub_module.h"

#include <assert.h>
#include <stdio.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/hub_file.h"
#include "router/hub_option.h"
#include "router/hubs/hubs.h"

#define FILES_MAX 64
#define PATH_BYTES_MAX 4096

static const struct hub_module *const builtin[] = {
	&relay_hub, &chat_hub, &collaboration_hub, &livedata_hub, &notifications_hub,
};

struct hub_modules {
	struct hub_file files[FILES_MAX];
	size_t files_n;
	const struct hub_module **items; /* owned array of borrowed modules */
	size_t n;
};

/* ---- is it sound? */

/* It is a part of paths, of label values, and, before a ':', of Redis keys. */
static bool is_hub_name(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

static bool are_letters(const char *letters)
{
	if (letters == NULL)
		return false;
	for (const char *at = letters; *at != '\0'; at++) {
		if (strchr("sinbyamv~", *at) == NULL && (*at != '*' || at[1] != '\0'))
			return false;
	}
	return true;
}

/* False, always: that is what is wrong with the thing of that name. */
static bool flaw(struct buf *why, const char *before, const char *name,
		 const char *behind)
{
	buf_appendf(why, "%s %s%s", before, log_quote(slice_from_str(name)).text, behind);
	return false;
}

static bool plain_flaw(struct buf *why, const char *text)
{
	buf_append_str(why, text);
	return false;
}

static bool is_method(const struct hub_module *module, size_t index, struct buf *why)
{
	const struct hub_method *method = &module->methods[index];

	if (method->name == NULL || method->name[0] == '\0')
		return plain_flaw(why, "a method without name");
	if (method->fn == NULL)
		return flaw(why, "a method", method->name, " without function");
	if (!are_letters(method->arguments))
		return flaw(why, "a method", method->name,
			    " whose letters for arguments are wrong");
	for (size_t i = 0; i < index; i++) {
		if (slice_equal_nocase(slice_from_str(module->methods[i].name),
				       slice_from_str(method->name)))
			return flaw(why, "two methods named", method->name, "");
	}
	return true;
}

static bool are_methods(const struct hub_module *module, struct buf *why)
{
	if (module->methods == NULL && module->methods_n > 0)
		return plain_flaw(why, "a hub without methods");
	for (size_t i = 0; i < module->methods_n; i++) {
		if (!is_method(module, i, why))
			return false;
	}
	return true;
}

static bool are_filters(const struct hub_module *module, struct buf *why)
{
	if (module->filters_n > HUB_FILTERS_MAX)
		return plain_flaw(why, "more filters than there may be");
	for (size_t i = 0; i < module->filters_n; i++) {
		if (module->filters == NULL || module->filters[i] == NULL)
			return plain_flaw(why, "a filter that is no function");
	}
	return true;
}

/* It becomes a label's value. */
static bool is_counter_name(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static bool are_counters(const struct hub_module *module, struct buf *why)
{
	if (module->counters_n > HUB_COUNTERS_MAX)
		return plain_flaw(why, "more counters than there may be");
	for (size_t i = 0; i < module->counters_n; i++) {
		if (module->counters == NULL || module->counters[i] == NULL)
			return plain_flaw(why, "a counter without name");
		if (!is_counter_name(module->counters[i]))
			return flaw(why, "a counter named", module->counters[i],
				    ": lower case, digits and _ are wanted");
		for (size_t j = 0; j < i; j++) {
			if (strcmp(module->counters[i], module->counters[j]) == 0)
				return flaw(why, "two counters named",
					    module->counters[i], "");
		}
	}
	return true;
}

static bool are_scripts(const struct hub_module *module, struct buf *why)
{
	if (module->scripts == NULL && module->scripts_n > 0)
		return plain_flaw(why, "a script without name or text");
	for (size_t i = 0; i < module->scripts_n; i++) {
		if (module->scripts[i].name == NULL || module->scripts[i].text == NULL)
			return plain_flaw(why, "a script without name or text");
	}
	return true;
}

bool hub_module_is_sound(const struct hub_module *module, struct buf *why)
{
	if (module->name == NULL)
		return plain_flaw(why, "a hub without name");
	if (!is_hub_name(module->name))
		return flaw(why, "a hub named", module->name,
			    ": a-z, 0-9, _ and - are wanted");
	return are_methods(module, why) && are_filters(module, why) &&
	       are_counters(module, why) && are_scripts(module, why) &&
	       hub_options_are_sound(module, why);
}

const struct hub_module *hub_module_builtin_at(size_t i)
{
	return i < sizeof(builtin) / sizeof(builtin[0]) ? builtin[i] : NULL;
}

const struct hub_module *hub_module_builtin(struct slice name)
{
	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++) {
		if (slice_equal_nocase(slice_from_str(builtin[i]->name), name))
			return builtin[i];
	}
	return NULL;
}

/* ---- life */

static void modules_add(struct hub_modules *modules, const struct hub_module *module)
{
	modules->items = mem_realloc(modules->items,
				     (modules->n + 1) * sizeof(struct hub_module *));
	modules->items[modules->n++] = module;
}

static void take_module(struct hub_modules *modules, const char *path,
			const struct hub_module *module)
{
	struct buf why = BUF_INIT;

	if (module->api_version != HUB_API_VERSION)
		fatal("hub_module = %s: made for version %d of the hub API, this router "
		      "has %d",
		      path, module->api_version, HUB_API_VERSION);
	if (!hub_module_is_sound(module, &why))
		fatal("hub_module = %s: it has %.*s", path, SLICE_FMT(buf_slice(&why)));
	if (hub_modules_find(modules, slice_from_str(module->name)) != NULL)
		fatal("hub_module = %s: there is a hub named '%s' already", path,
		      module->name);
	modules_add(modules, module);
}

static void take_file(struct hub_modules *modules, const char *path)
{
	struct hub_file *file = &modules->files[modules->files_n];
	struct buf why = BUF_INIT;

	if (modules->files_n == FILES_MAX)
		fatal("hub_module: more than %d files", FILES_MAX);
	if (!hub_file_open(file, path, &why))
		fatal("hub_module = %s: %.*s", path, SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	modules->files_n++;
	for (size_t i = 0; i < file->modules_n; i++)
		take_module(modules, path, file->modules[i]);
}

struct hub_modules *hub_modules_new(const char *paths)
{
	struct hub_modules *modules = MEM_NEW(struct hub_modules);
	struct slice rest = slice_from_str(paths);
	char path[PATH_BYTES_MAX];

	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		modules_add(modules, builtin[i]);
	while (rest.len > 0) {
		const struct slice next = slice_trim(slice_cut(&rest, ','));

		if (next.len >= sizeof(path))
			fatal("hub_module: a path longer than %d bytes",
			      PATH_BYTES_MAX - 1);
		(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(next)); /* it fits */
		take_file(modules, path);
	}
	return modules;
}

void hub_modules_free(struct hub_modules *modules)
{
	if (modules == NULL)
		return;
	for (size_t i = 0; i < modules->files_n; i++)
		hub_file_close(&modules->files[i]);
	mem_free(modules->items);
	mem_free(modules);
}

const struct hub_module *hub_modules_find(const struct hub_modules *modules,
					  struct slice name)
{
	for (size_t i = 0; i < modules->n; i++) {
		if (slice_equal_nocase(slice_from_str(modules->items[i]->name), name))
			return modules->items[i];
	}
	return NULL;
}

const struct hub_module *hub_modules_loaded_at(const struct hub_modules *modules,
					       size_t i)
{
	const size_t builtin_n = sizeof(builtin) / sizeof(builtin[0]);

	return i < modules->n - builtin_n ? modules->items[builtin_n + i] : NULL;
}
