/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with hubs: built here with the C compiler, as an author of hubs would, and loaded
 * by a router.
 */
#include "router/hub_module.h"

#include <stdio.h>

#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"
#include "tests/unit/router/module_kit.h"

TestSuite(hub_module, .init = module_setup, .fini = module_teardown);

#define EXPORT(list) "HUB_EXPORT(" list ");\n"
#define GOOD MODULE_EXTRA EXPORT("&a")

/* Ends the program unless the module is sound. */
static void load(const char *source)
{
	hub_modules_free(hub_modules_new(module_build("m", source, NULL)));
}

Test(hub_module, its_hubs_are_served_beside_the_built_in_ones)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hubs = (char[]){ "chat,Extra" };
	conf.hub_module = (char *)(uintptr_t)module_build("good", GOOD, NULL);
	conf.rebuild_wait_ms = 0;
	kit = kit_new_conf(NULL, &conf);
	kit->hub = "extra";
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", "a", "hi", "[\"there\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"a\",\"result\":"
		   "\"there\"}");
	kit_free(kit);
}

Test(hub_module, one_that_is_not_served_is_told_of)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	kit_open_log();
	conf.hubs = (char[]){ "chat,B" };
	conf.hub_module = (char *)(uintptr_t)module_build(
		"m",
		MODULE_EXTRA MODULE("b", "HUB_API_VERSION", "\"b\"") EXPORT("&a, &b"),
		NULL);
	kit = kit_new_conf(NULL, &conf);
	cr_expect_not_null(strstr(kit_logged(kit),
				  "level=warn event=hub.not_served node=r1 hub=extra "
				  "hint=\"add it to hubs\"\n"),
			   "%s", kit_logged(kit));
	cr_expect_null(strstr(kit_logged(kit), "hub=b"));
	cr_expect_null(strstr(kit_logged(kit), "hub=relay"));
	kit_free(kit);
}

Test(hub_module, several_files_with_several_hubs)
{
	const char *first = "";
	struct hub_modules *modules;
	char paths[160];

	(void)snprintf(paths, sizeof(paths), " %s , %s",
		       module_build("one",
				    MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"s\"")
					    MODULE("a", "HUB_API_VERSION", "\"a\"")
						    MODULE("b", "HUB_API_VERSION",
							   "\"b\"") EXPORT("&a, &b"),
				    NULL),
		       module_build("two", GOOD, NULL));
	modules = hub_modules_new(paths);
	cr_expect_not_null(hub_modules_find(modules, SLICE("A")));
	cr_expect_not_null(hub_modules_find(modules, SLICE("b")));
	cr_expect_not_null(hub_modules_find(modules, SLICE("extra")));
	cr_expect_not_null(hub_modules_find(modules, SLICE("relay")));
	cr_expect_null(hub_modules_find(modules, slice_from_str(first)));
	hub_modules_free(modules);
}

Test(hub_module, a_sound_one_does_not_end_the_program)
{
	load(GOOD);
}

/* A file that wants each function that is listed can be loaded. */
Test(hub_module, everything_that_is_exported_is_there)
{
	FILE *list = fopen("router/hub.exports", "r");
	struct buf source = BUF_INIT;
	struct buf names = BUF_INIT;
	char name[64];

	cr_assert_not_null(list);
	buf_append_str(&source, GOOD);
	while (fscanf(list, " %63[a-z0-9_{}];", name) == 1) {
		if (name[0] != '{' && name[0] != '}')
			buf_appendf(&names, "\t(void *)%s,\n", name);
	}
	(void)fclose(list);
	cr_assert_gt(names.len, 0);
	buf_appendf(&source, "void *const all[] = {\n%.*s};\n",
		    SLICE_FMT(buf_slice(&names)));
	buf_append_byte(&source, '\0');
	load(source.ptr);
	buf_fini(&source);
	buf_fini(&names);
}

Test(hub_module, free_of_nothing)
{
	hub_modules_free(NULL);
}

Test(hub_module, with_the_name_of_a_built_in_one_ends_the_program, .exit_code = 1)
{
	load(MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"s\"")
		     MODULE("a", "HUB_API_VERSION", "\"chat\"") EXPORT("&a"));
}

Test(hub_module, twice_of_one_name_ends_the_program, .exit_code = 1)
{
	load(MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"s\"")
		     MODULE("a", "HUB_API_VERSION", "\"extra\"") EXPORT("&a, &a"));
}

Test(hub_module, of_a_name_in_upper_case_ends_the_program, .exit_code = 1)
{
	load(MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"s\"")
		     MODULE("a", "HUB_API_VERSION", "\"Extra\"") EXPORT("&a"));
}

Test(hub_module, with_an_unknown_letter_ends_the_program, .exit_code = 1)
{
	load(MODULE_HEAD MODULE_METHOD("\"Hi\"", "\"sx\"")
		     MODULE("a", "HUB_API_VERSION", "\"extra\"") EXPORT("&a"));
}

Test(hub_module, that_is_not_there_ends_the_program, .exit_code = 1)
{
	hub_modules_free(hub_modules_new("/nowhere/hub.so"));
}

Test(hub_module, without_a_slash_ends_the_program, .exit_code = 1)
{
	hub_modules_free(hub_modules_new("libm.so.6"));
}

/* ---- what is wrong, in words */

static enum hub_rc nothing(struct hub_call *call)
{
	(void)call;
	return HUB_OK;
}

static void expect_flaw(const struct hub_module *module, const char *problem)
{
	struct buf why = BUF_INIT;

	if (hub_module_is_sound(module, &why))
		buf_append_str(&why, "none");
	buf_append_byte(&why, '\0');
	cr_expect_str_eq(why.ptr, problem);
	buf_fini(&why);
}

static void expect_problem(const struct hub_method *methods, size_t n,
			   const char *problem)
{
	const struct hub_module module = { .api_version = HUB_API_VERSION,
					   .name = "m",
					   .methods = methods,
					   .methods_n = n };

	expect_flaw(&module, problem);
}

static enum hub_rc go_on(struct hub_call *call)
{
	return hub_next(call);
}

Test(hub_module, so_are_those_of_filters_counters_and_options)
{
	static hub_method_fn *const filters[HUB_FILTERS_MAX + 1] = { go_on, NULL };
	static const char *const names[HUB_COUNTERS_MAX + 1] = { "a_1", "a_1", "B" };
	static const struct hub_option option = { "a", HUB_OPTION_INT, "0", 1, 2, "H" };
	const struct hub_module good = { .name = "m",
					 .filters = filters,
					 .filters_n = 1,
					 .counters = names,
					 .counters_n = 1 };
	struct hub_module bad = good;

	expect_flaw(&good, "none");
	bad.filters_n = 2;
	expect_flaw(&bad, "a filter that is no function");
	bad.filters_n = HUB_FILTERS_MAX + 1;
	expect_flaw(&bad, "more filters than there may be");
	bad = good;
	bad.filters = NULL;
	expect_flaw(&bad, "a filter that is no function");
	bad = good;
	bad.counters_n = 2;
	expect_flaw(&bad, "two counters named \"a_1\"");
	bad.counters = names + 2;
	bad.counters_n = 1;
	expect_flaw(&bad, "a counter named \"B\": lower case, digits and _ are wanted");
	bad.counters = NULL;
	expect_flaw(&bad, "a counter without name");
	bad.counters_n = HUB_COUNTERS_MAX + 1;
	expect_flaw(&bad, "more counters than there may be");
	bad = good;
	bad.options = &option;
	bad.options_n = 1;
	expect_flaw(&bad, "an option \"a\" whose default is out of its range");
}

Test(hub_module, scripts_have_names_and_texts)
{
	static const struct hub_script scripts[] = { { "s", "return 1" }, { "t", NULL } };
	struct hub_module module = { .name = "m", .scripts = scripts, .scripts_n = 1 };

	expect_flaw(&module, "none");
	module.scripts_n = 2;
	expect_flaw(&module, "a script without name or text");
	module.scripts = NULL;
	expect_flaw(&module, "a script without name or text");
}

static void expect_bad_name(const struct hub_module *module)
{
	struct buf why = BUF_INIT;

	cr_expect_not(hub_module_is_sound(module, &why), "%s", module->name);
	cr_expect(slice_starts_with(buf_slice(&why), SLICE("a hub named \"")));
	buf_fini(&why);
}

Test(hub_module, a_hubs_name_has_no_other_characters)
{
	static const char others[] = "A:\"{}\\/,. \n\x7f\xc3";
	char name[] = "a-b_9?";
	struct hub_module module = { .name = name };

	name[5] = 'z';
	expect_flaw(&module, "none");
	for (size_t i = 0; i < sizeof(others) - 1; i++) {
		name[5] = others[i];
		expect_bad_name(&module);
	}
	module.name = "";
	expect_bad_name(&module);
	module.name = "Big Chess";
	expect_flaw(&module, "a hub named \"Big Chess\": a-z, 0-9, _ and - are wanted");
}

Test(hub_module, problems_are_named)
{
	const struct hub_method nameless = { .fn = nothing, .arguments = "" };
	const struct hub_method empty = { .name = "M", .arguments = "" };
	const struct hub_method letterless = { .name = "M", .fn = nothing };
	const struct hub_method star = { .name = "M", .fn = nothing, .arguments = "*s" };
	const struct hub_method twice[] = {
		{ .name = "M", .fn = nothing, .arguments = "sinbamv~*" },
		{ .name = "m", .fn = nothing, .arguments = "" },
	};
	const struct hub_module sound = { .api_version = HUB_API_VERSION,
					  .name = "m",
					  .methods = twice,
					  .methods_n = 1 };
	const struct hub_module bare = { .api_version = HUB_API_VERSION, .methods_n = 0 };

	expect_flaw(&sound, "none");
	expect_flaw(&bare, "a hub without name");
	expect_problem(NULL, 1, "a hub without methods");
	expect_problem(&nameless, 1, "a method without name");
	expect_problem(&empty, 1, "a method \"M\" without function");
	expect_problem(&letterless, 1,
		       "a method \"M\" whose letters for arguments are wrong");
	expect_problem(&star, 1, "a method \"M\" whose letters for arguments are wrong");
	expect_problem(twice, 2, "two methods named \"m\"");
}
