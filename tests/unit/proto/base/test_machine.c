/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory there is.
 */
#include "proto/base/machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/heliograph-test-XXXXXX";

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(machine, .init = setup, .fini = teardown);

/* Makes the folders on its way. */
static void put(const char *path, const char *text)
{
	char file[256];
	FILE *out;

	(void)snprintf(file, sizeof(file), "%s%s", root, path);
	for (char *at = file + sizeof(root); (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(file, 0700); /* it may be there; fopen() tells */
		*at = '/';
	}
	out = fopen(file, "we");
	cr_assert(out != NULL);
	(void)fputs(text, out);
	cr_assert(fclose(out) == 0);
}

Test(machine, without_groups_it_is_all_there_is)
{
	cr_expect_gt(machine_memory_bytes(root), 1 << 20);
	cr_expect_geq(machine_memory_bytes(root), machine_memory_bytes(""));
}

Test(machine, the_least_limit_on_the_way_up_counts)
{
	put("/proc/self/cgroup", "0::/pod/app\n");
	put("/sys/fs/cgroup/pod/app/memory.max", "max\n");
	put("/sys/fs/cgroup/pod/memory.max", "3000000\n");
	cr_expect_eq(machine_memory_bytes(root), 3000000);
	put("/sys/fs/cgroup/pod/app/memory.max", "2000000\n");
	cr_expect_eq(machine_memory_bytes(root), 2000000);
	put("/sys/fs/cgroup/memory.max", "1000000\n");
	cr_expect_eq(machine_memory_bytes(root), 1000000);
}

Test(machine, groups_of_version_1_count_too)
{
	put("/proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n0::/\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000\n");
	cr_expect_eq(machine_memory_bytes(root), 3000000);
	put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "2000000\n");
	cr_expect_eq(machine_memory_bytes(root), 2000000);
}

Test(machine, what_is_no_limit_is_none)
{
	const int64_t all = machine_memory_bytes(root);

	put("/proc/self/cgroup", "nonsense\n0::/\n");
	put("/sys/fs/cgroup/memory.max", "0\n");
	cr_expect_eq(machine_memory_bytes(root), all);
	put("/sys/fs/cgroup/memory.max", "9223372036854771712\n");
	cr_expect_eq(machine_memory_bytes(root), all);
	put("/sys/fs/cgroup/memory.max", "12x\n");
	cr_expect_eq(machine_memory_bytes(root), all);
}
