/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module's rows become rows of the configuration's, by whose code their values are
 * read, so that "64KiB" means the same everywhere.
 */
#include "router/hub_option.h"

#include <assert.h>

#include "proto/base/conf_error.h"
#include "proto/base/conf_extra.h"
#include "proto/base/conf_value.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/conf.h"
#include "router/hub_steps.h"

static enum conf_type conf_type(enum hub_option_type type)
{
	switch (type) {
	case HUB_OPTION_INT:
		return CONF_INT;
	case HUB_OPTION_MS:
		return CONF_MS;
	case HUB_OPTION_BYTES:
		return CONF_BYTES;
	case HUB_OPTION_BOOL:
		return CONF_BOOL;
	case HUB_OPTION_TEXT:
		break;
	}
	return CONF_STRING;
}

static size_t conf_field(enum hub_option_type type)
{
	switch (type) {
	case HUB_OPTION_INT:
	case HUB_OPTION_MS:
	case HUB_OPTION_BYTES:
		return offsetof(struct hub_option_value, number);
	case HUB_OPTION_BOOL:
		return offsetof(struct hub_option_value, is_on);
	case HUB_OPTION_TEXT:
		break;
	}
	return offsetof(struct hub_option_value, text);
}

struct conf_option hub_option_row(const struct hub_option *option)
{
	return (struct conf_option){
		.name = option->name,
		.type = conf_type(option->type),
		.field = conf_field(option->type),
		.initial = option->initial,
		.min = option->min,
		.max = option->max,
		.help = option->help,
		.is_reloadable = true,
	};
}

static enum err text_set(const struct hub_option *option, struct hub_option_value *value,
			 struct slice text, struct buf *why)
{
	const struct conf_option row = hub_option_row(option);

	return conf_value_set(&row, value, text, why);
}

/* ---- is it sound? */

static const struct hub_option *option_find(const struct hub_module *module,
					    struct slice name)
{
	for (size_t i = 0; i < module->options_n; i++) {
		if (slice_equal(slice_from_str(module->options[i].name), name))
			return &module->options[i];
	}
	return NULL;
}

/* "": none is near. */
static const char *nearest_name(const struct hub_module *module, struct slice name)
{
	size_t slip = conf_name_slip(name);
	const char *nearest = NULL;

	for (size_t i = 0; i < module->options_n; i++)
		conf_name_offer(name, module->options[i].name, &nearest, &slip);
	return nearest != NULL ? nearest : "";
}

enum err hub_option_check(const struct hub_module *module, struct slice option,
			  struct slice value, struct buf *why)
{
	const struct hub_option *row = option_find(module, option);
	struct hub_option_value unused = { .text = NULL };
	enum err rc;

	if (row == NULL) {
		buf_append_str(why, nearest_name(module, option));
		return ERR_NOT_FOUND;
	}
	rc = text_set(row, &unused, value, why);
	mem_free(unused.text);
	return rc;
}

static bool is_option_name(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* False, always: that is what is wrong with it. */
static bool flaw(struct buf *why, const char *before, const struct hub_option *option,
		 const char *behind)
{
	buf_appendf(why, "%s %s%s", before, log_quote(slice_from_str(option->name)).text,
		    behind);
	return false;
}

static bool is_option(const struct hub_module *module, const struct hub_option *option,
		      struct buf *why)
{
	const struct slice name = slice_from_str(option->name);
	struct buf unused = BUF_INIT;
	bool is_in_range;

	if (!is_option_name(option->name))
		return flaw(why, "an option named", option,
			    ": lower case, digits and _ are wanted");
	if (option->initial == NULL || option->help == NULL)
		return flaw(why, "an option", option, " without default or help");
	if (option_find(module, name) != option)
		return flaw(why, "two options named", option, "");
	if (hub_conf_has(name))
		return flaw(why, "an option named", option, ", which all hubs have");
	is_in_range = hub_option_check(module, name, slice_from_str(option->initial),
				       &unused) == OK;
	buf_fini(&unused);
	return is_in_range ||
	       flaw(why, "an option", option, " whose default is out of its range");
}

bool hub_options_are_sound(const struct hub_module *module, struct buf *why)
{
	const struct hub_option *options = module->options;
	const char *problem = NULL;

	if (module->options_n == 0)
		return true;
	if (module->options_n > HUB_OPTIONS_MAX)
		problem = "more options than there may be";
	else if (options == NULL)
		problem = "no table of options";
	for (size_t i = 0; problem == NULL && i < module->options_n; i++) {
		if (options[i].name == NULL)
			problem = "an option without name";
		else if (!is_option(module, &options[i], why))
			return false;
	}
	if (problem != NULL)
		buf_append_str(why, problem);
	return problem == NULL;
}

/* ---- what is set */

static const struct conf_scoped_item *item_of(const struct router_conf *conf,
					      const struct hub_served *hub)
{
	const size_t i = conf_scoped_index(&conf->hub_confs, hub_served_name(hub));

	assert(i < conf->hub_confs.n);
	return &conf->hub_confs.items[i];
}

/* ERR_MALFORMED: it stays as it was. */
static enum err option_read(struct hub_served *hub, size_t i,
			    const struct conf_scoped_item *item, struct buf *why)
{
	const struct hub_option *option = &hub->module->options[i];
	const char *set =
		conf_scoped_extra(&router_conf_table, item, slice_from_str(option->name));

	return text_set(option, &hub->options[i],
			slice_from_str(set != NULL ? set : option->initial), why);
}

void hub_options_init(struct hub_served *hub, const struct router_conf *conf)
{
	const struct hub_module *module = hub->module;
	const struct conf_scoped_item *item = item_of(conf, hub);
	struct buf why = BUF_INIT;

	hub->options = mem_zalloc(module->options_n * sizeof(*hub->options));
	for (size_t i = 0; i < item->extras_n; i++) {
		if (option_find(module, slice_from_str(item->extras[i].name)) == NULL)
			fatal("hub.%s.%s: this hub has no such option", module->name,
			      item->extras[i].name);
	}
	for (size_t i = 0; i < module->options_n; i++) {
		if (option_read(hub, i, item, &why) != OK)
			fatal("hub.%s.%s: %.*s", module->name, module->options[i].name,
			      SLICE_FMT(buf_slice(&why)));
	}
	buf_fini(&why);
}

void hub_options_reload(struct hub_served *hub, const struct router_conf *conf)
{
	const struct hub_module *module = hub->module;
	const struct conf_scoped_item *item = item_of(conf, hub);

	for (size_t i = 0; i < module->options_n; i++) {
		struct buf why = BUF_INIT;

		if (option_read(hub, i, item, &why) != OK)
			log_error("hub.option_refused", "option=hub.%s.%s reason=%s",
				  module->name, module->options[i].name,
				  log_quote(buf_slice(&why)).text);
		buf_fini(&why);
	}
}

void hub_options_fini(struct hub_served *hub)
{
	for (size_t i = 0; i < hub->module->options_n; i++)
		mem_free(hub->options[i].text);
	mem_free(hub->options);
}

/* ---- by the method */

/* NULL: there is none of that type. */
static const struct hub_option_value *option_of(struct hub_call *call, size_t index,
						bool is_text)
{
	const struct hub_served *hub = call->conn->hub;

	if (index >= hub->module->options_n ||
	    (hub->module->options[index].type == HUB_OPTION_TEXT) != is_text) {
		hub_misuse(call, is_text ? "hub_option_text()" : "hub_option_int()");
		return NULL;
	}
	return &hub->options[index];
}

int64_t hub_option_int(struct hub_call *call, size_t option)
{
	const struct hub_option_value *value = option_of(call, option, false);

	if (value == NULL)
		return 0;
	if (call->conn->hub->module->options[option].type == HUB_OPTION_BOOL)
		return value->is_on;
	return value->number;
}

struct slice hub_option_text(struct hub_call *call, size_t option)
{
	const struct hub_option_value *value = option_of(call, option, true);

	/* A copy: a reload may come while the method awaits. */
	return value != NULL ? arena_dup(hub_arena(call), slice_from_str(value->text))
			     : SLICE_NONE;
}
