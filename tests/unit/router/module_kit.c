/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/module_kit.h"

#include <stdio.h>
#include <stdlib.h>

#define PATHS 4
#define PATH_BYTES 128

static char folder[] = "/tmp/heliograph-module.XXXXXX";

void module_setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

void module_teardown(void)
{
	char command[PATH_BYTES];

	(void)snprintf(command, sizeof(command), "rm -r %s", folder); /* it fits */
	cr_assert_eq(system(command), 0);
}

const char *module_path(const char *name)
{
	static char paths[PATHS][PATH_BYTES];
	static size_t next;
	char *path = paths[next++ % PATHS];
	const int len = snprintf(path, PATH_BYTES, "%s/%s", folder, name);

	cr_assert(len > 0 && len < PATH_BYTES);
	return path;
}

void module_write(const char *name, const char *text)
{
	FILE *file = fopen(module_path(name), "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

const char *module_build(const char *name, const char *source, const char *flags)
{
	char file[PATH_BYTES];
	char command[512];

	(void)snprintf(file, sizeof(file), "%s.c", name); /* these fit */
	module_write(file, source);
	(void)snprintf(command, sizeof(command),
		       "cc -std=gnu11 -shared -fPIC -I. %s -o %s/%s.so %s/%s.c",
		       flags == NULL ? "" : flags, folder, name, folder, name);
	cr_assert_eq(system(command), 0);
	(void)snprintf(file, sizeof(file), "%s.so", name);
	return module_path(file);
}
