/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control group's limit holds for those below it, so all on the way up are asked. In a
 * container the path may be the host's, of which only the top is to be seen.
 */
#include "proto/base/machine.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/slice.h"

#define LINE_BYTES 1024

/* The number in a file; INT64_MAX: none, or no such file. */
static int64_t read_limit(const char *root, const char *mount, const char *path,
			  const char *name)
{
	char text[LINE_BYTES];
	char file[PATH_MAX];
	int64_t limit = INT64_MAX;
	FILE *in;

	if (snprintf(file, sizeof(file), "%s%s%s/%s", root, mount, path, name) >=
	    (int)sizeof(file))
		return INT64_MAX;
	in = fopen(file, "re");
	if (in == NULL)
		return INT64_MAX;
	if (fgets(text, sizeof(text), in) == NULL ||
	    slice_to_int64(slice_make(text, strcspn(text, "\n")), &limit) != OK ||
	    limit <= 0)
		limit = INT64_MAX;
	(void)fclose(in); /* only read */
	return limit;
}

/* Of the group at `path` and of all above it; cuts `path` off. */
static int64_t read_limits(const char *root, const char *mount, char *path,
			   const char *name)
{
	int64_t least = INT64_MAX;

	for (;;) {
		const int64_t limit = read_limit(root, mount, path, name);
		char *slash = strrchr(path, '/');

		least = limit < least ? limit : least;
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

/* "0::/path" of version 2, "4:memory:/path" of version 1; others do not matter. */
static int64_t group_limit(const char *root, char *line)
{
	char *path = strrchr(line, ':');

	if (path == NULL)
		return INT64_MAX;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (strcmp(line, "0:") == 0)
		return read_limits(root, "/sys/fs/cgroup", path, "memory.max");
	if (strstr(line, ":memory") != NULL)
		return read_limits(root, "/sys/fs/cgroup/memory", path,
				   "memory.limit_in_bytes");
	return INT64_MAX;
}

int64_t machine_memory_bytes(const char *root)
{
	int64_t least = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	char line[LINE_BYTES];
	char file[PATH_MAX];
	FILE *in;

	(void)snprintf(file, sizeof(file), "%s/proc/self/cgroup", root);
	in = fopen(file, "re");
	if (in == NULL)
		return least;
	while (fgets(line, sizeof(line), in) != NULL) {
		const int64_t limit = group_limit(root, line);

		least = limit < least ? limit : least;
	}
	(void)fclose(in); /* only read */
	return least;
}
