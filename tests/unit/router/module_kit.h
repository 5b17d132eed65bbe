/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with hubs, built on the spot with the C compiler as an author of hubs would do.
 */
#ifndef TESTS_UNIT_ROUTER_MODULE_KIT_H
#define TESTS_UNIT_ROUTER_MODULE_KIT_H

#include <criterion/criterion.h>

/* A folder for them, and its end: of a suite. */
void module_setup(void);
void module_teardown(void);

/* "<folder>/<name>"; the text stays where it is until the fourth next call. */
const char *module_path(const char *name);

void module_write(const char *name, const char *text);

/* The path of <name>.so, built of this source; `flags` for the compiler, or NULL. */
const char *module_build(const char *name, const char *source, const char *flags);

/* ---- parts of a source */

#define MODULE_HEAD                                                                      \
	"#include \"router/hub.h\"\n"                                                    \
	"static enum hub_rc hi(struct hub_call *call)\n"                                 \
	"{\n"                                                                            \
	"	hub_return(call, hub_string(call, hub_arg_string(call, 0)));\n"                \
	"	return HUB_OK;\n"                                                              \
	"}\n"
#define MODULE_METHOD(name, letters)                                                     \
	"static const struct hub_method methods[] = {\n"                                 \
	"	{ .name = " name ", .fn = hi, .arguments = " letters " },\n"             \
	"};\n"
#define MODULE(variable, version, hub)                                                   \
	"static const struct hub_module " variable " = { .api_version = " version        \
	", .name = " hub ", .methods = methods, .methods_n = 1 };\n"

/* All but what it exports: `a` is a hub named "extra". */
#define MODULE_EXTRA                                                                     \
	MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"s\"")                                     \
		MODULE("a", "HUB_API_VERSION", "\"extra\"")

#endif
