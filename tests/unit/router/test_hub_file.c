/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a router is told to load and that do not fit it: each is refused with words
 * that say why.
 */
#include "router/hub_file.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "router/router.h"
#include "tests/unit/router/module_kit.h"

/* The file finds the API in this program, of which the router's life pulls in all. */
static void setup(void)
{
	cr_assert_not_null(router_proc_ops.start);
	module_setup();
}

TestSuite(hub_file, .init = setup, .fini = module_teardown);

/* What stands here is what a source of another version would have. */
#define AS_VERSION(version)                                                              \
	"#undef HUB_API_VERSION\n"                                                       \
	"#define HUB_API_VERSION " version "\n"
#define EXPORT "HUB_EXPORT(&a);\n"
#define WANTS(function)                                                                  \
	"void " function "(void);\n"                                                     \
	"void dance(void);\n"                                                            \
	"void dance(void) { " function "(); }\n"

#define STRINGIFY(value) #value
#define TEXT_OF(value) STRINGIFY(value)
#define OURS TEXT_OF(HUB_API_VERSION)

/* It is refused, and this is all that is said; "*" at the end stands for anything. */
static void expect_refused(const char *path, const char *text)
{
	struct hub_file file;
	struct buf why = BUF_INIT;
	size_t len = strlen(text);

	cr_assert_not(hub_file_open(&file, path, &why));
	cr_expect_null(file.handle);
	buf_append_byte(&why, '\0');
	if (text[len - 1] == '*')
		cr_expect_eq(strncmp(why.ptr, text, len - 1), 0, "%s", why.ptr);
	else
		cr_expect_str_eq(why.ptr, text);
	buf_fini(&why);
}

static void expect_text(const char *path, const char *part)
{
	struct hub_file file;
	struct buf why = BUF_INIT;

	cr_assert_not(hub_file_open(&file, path, &why));
	buf_append_byte(&why, '\0');
	cr_expect_not_null(strstr(why.ptr, part), "%s", why.ptr);
	buf_fini(&why);
}

Test(hub_file, that_fits_is_opened)
{
	const char *path =
		module_build("m",
			     MODULE_EXTRA MODULE("b", "HUB_API_VERSION",
						 "\"b\"") "HUB_EXPORT(&a, &b);",
			     NULL);
	struct hub_file file;
	struct buf why = BUF_INIT;

	cr_assert(hub_file_open(&file, path, &why));
	cr_expect_eq(file.modules_n, 2);
	cr_expect_str_eq(file.modules[0]->name, "extra");
	cr_expect_str_eq(file.modules[1]->name, "b");
	cr_expect_eq(why.len, 0);
	hub_file_close(&file);
	hub_file_close(&file);
}

Test(hub_file, that_hides_its_symbols_is_opened)
{
	const char *path =
		module_build("m", MODULE_EXTRA EXPORT, "-fvisibility=hidden -Wl,-z,now");
	struct hub_file file;
	struct buf why = BUF_INIT;

	cr_assert(hub_file_open(&file, path, &why), "%.*s", SLICE_FMT(buf_slice(&why)));
	hub_file_close(&file);
}

/* ---- versions */

Test(hub_file, of_an_older_version)
{
	expect_refused(module_build("m", MODULE_EXTRA AS_VERSION("2") EXPORT, NULL),
		       "made for version 2 of the hub API, this program has " OURS
		       ": build it again");
}

Test(hub_file, of_a_newer_version)
{
	expect_refused(module_build("m", MODULE_EXTRA AS_VERSION("1000") EXPORT, NULL),
		       "made for version 1000 of the hub API, this program has " OURS
		       ": build it again");
}

Test(hub_file, of_an_older_version_that_had_a_function_more)
{
	expect_refused(module_build("m",
				    WANTS("hub_gone") MODULE_EXTRA AS_VERSION("2") EXPORT,
				    NULL),
		       "made for version 2 of the hub API, this program has " OURS
		       ": build it again");
}

/* As such files were before they said it themselves: in each module. */
Test(hub_file, of_a_version_without_hub_abi)
{
	expect_refused(
		module_build("m",
			     WANTS("hub_gone") MODULE_EXTRA MODULE(
				     "old", "2",
				     "\"old\"") "const struct hub_module *const "
						"hub_modules[] = { &old, NULL };\n",
			     NULL),
		"made for version 2 of the hub API, this program has " OURS
		": build it again");
}

Test(hub_file, of_our_version_without_hub_abi)
{
	expect_refused(module_build("m",
				    MODULE_EXTRA "const struct hub_module *const "
						 "hub_modules[] = { &a, NULL };\n",
				    NULL),
		       "it does not export hub_abi: HUB_EXPORT() does");
}

Test(hub_file, that_wants_what_there_is_not)
{
	const char *path =
		module_build("m", WANTS("router_init") MODULE_EXTRA EXPORT, NULL);

	expect_refused(path,
		       "it wants what version " OURS
		       " of the hub API does not have: undefined symbol: router_init");
}

/* Nobody can ask it which version it is of. */
Test(hub_file, that_wants_it_at_once)
{
	const char *path = module_build(
		"m", WANTS("hub_gone") MODULE_EXTRA AS_VERSION("2") EXPORT, "-Wl,-z,now");

	expect_refused(path, "it wants what version " OURS
			     " of the hub API does not have: undefined symbol: hub_gone");
}

/* ---- of our version, by its number */

Test(hub_file, with_a_struct_of_another_size)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		       "built with other headers than this program: struct slice has "
		       "%zu bytes there and %zu here: build it again",
		       2 * sizeof(struct slice), sizeof(struct slice));
	expect_refused(module_build("m",
				    MODULE_EXTRA
				    "#undef HUB_ABI_BYTES\n"
				    "#define HUB_ABI_BYTES(name) 2 * sizeof(struct "
				    "name),\n" EXPORT,
				    NULL),
		       text);
}

Test(hub_file, with_a_struct_more)
{
	expect_refused(module_build("m",
				    MODULE_EXTRA "#undef HUB_ABI_ONE\n"
						 "#define HUB_ABI_ONE(name) +2u\n" EXPORT,
				    NULL),
		       "built with other headers than this program: build it again");
}

/* ---- what they export */

Test(hub_file, that_exports_no_hub)
{
	expect_refused(module_build("m", MODULE_HEAD "HUB_EXPORT(NULL);\n", NULL),
		       "it does not export hub_modules, or nothing in it: "
		       "HUB_EXPORT() does");
}

Test(hub_file, that_exports_something_else)
{
	expect_refused(module_build("m", "int hub_other;\n", NULL),
		       "it does not export hub_modules, or nothing in it: "
		       "HUB_EXPORT() does");
}

#define EIGHT "&a, &a, &a, &a, &a, &a, &a, &a, "
#define SIXTY_FOUR EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

Test(hub_file, with_as_many_hubs_as_may_be)
{
	struct hub_file file;
	struct buf why = BUF_INIT;

	cr_assert(hub_file_open(
		&file,
		module_build("m", MODULE_EXTRA "HUB_EXPORT(" SIXTY_FOUR "NULL);\n", NULL),
		&why));
	cr_expect_eq(file.modules_n, HUB_FILE_MODULES_MAX);
	hub_file_close(&file);
}

Test(hub_file, with_one_more)
{
	expect_refused(
		module_build("m", MODULE_EXTRA "HUB_EXPORT(" SIXTY_FOUR "&a);\n", NULL),
		"more than 64 hubs, or no NULL behind the last");
}

/* ---- what is no module at all */

Test(hub_file, that_is_text)
{
	module_write("m.so", "not a shared object, but longer than its head would be: "
			     "sixty-four bytes\n");
	expect_text(module_path("m.so"), "invalid ELF header");
}

Test(hub_file, that_is_empty)
{
	module_write("m.so", "");
	expect_text(module_path("m.so"), "file too short");
}

/* Wherever it was cut, there are words for it, until only its sections are missing. */
Test(hub_file, that_is_still_being_copied)
{
	const char *path = module_build("m", MODULE_EXTRA EXPORT, NULL);
	struct hub_file file;
	struct buf why = BUF_INIT;
	struct stat info;
	bool is_open = false;
	int refused = 0;

	cr_assert_eq(stat(path, &info), 0);
	for (off_t len = info.st_size - 1; len >= 0; len -= 37) {
		cr_assert_eq(truncate(path, len), 0);
		buf_clear(&why);
		is_open = hub_file_open(&file, path, &why);
		cr_assert_neq(is_open, why.len > 0);
		refused += !is_open;
		hub_file_close(&file);
	}
	cr_expect_not(is_open);
	cr_expect_gt(refused, 100);
	buf_fini(&why);
}

Test(hub_file, that_was_cut)
{
	const char *path = module_build("m", MODULE_EXTRA EXPORT, NULL);

	cr_assert_eq(truncate(path, 5000), 0);
	expect_refused(path, "it is not whole: 5000 of at least *");
}

Test(hub_file, that_is_a_folder)
{
	expect_text(module_path(""), "cannot read file data: Is a directory");
}

Test(hub_file, that_is_not_there)
{
	expect_refused("/nowhere/hub.so",
		       "cannot open shared object file: No such file or directory");
}

Test(hub_file, without_a_slash)
{
	expect_refused("libm.so.6", "a path with a slash is wanted");
}
