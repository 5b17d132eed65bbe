/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/server.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/mem.h"

#define LINE_BYTES 1024
#define PATH_BYTES 256
#define INODES_MAX 256
#define THREADS_MAX 4096
#define LABEL_DEFAULT "server"
/* A server listens before it has clients: with one of its first descriptors. Whoever has
 * thousands would make us look long. */
#define DESCRIPTOR_MAX 1024
/* In /proc/net/tcp. */
#define STATE_LISTEN 0x0a

/* A list of processes while it is put together. */
struct pids {
	pid_t list[SERVER_PIDS_MAX];
	size_t n;
};

static enum err refuse(char error[SERVER_ERROR_MAX], enum err rc, const char *format, ...)
	PRINTF_LIKE(3, 4);

static enum err refuse(char error[SERVER_ERROR_MAX], enum err rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, SERVER_ERROR_MAX, format, args); /* cut when too long */
	va_end(args);
	return rc;
}

/* ---- formats */

enum err server_stat_read(const char *text, struct server_stat *out)
{
	const char *at = strrchr(text, ')');
	long long user = 0;
	long long system = 0;
	int parent = 0;

	if (at == NULL)
		return ERR_MALFORMED;
	/* The kernel's numbers are in range. */
	if (sscanf(at + 1, /* NOLINT(cert-err34-c) */
		   " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &parent,
		   &user, &system) != 3)
		return ERR_MALFORMED;
	out->parent = parent;
	out->ticks = user + system;
	return OK;
}

uint64_t server_listener_inode(const char *line, uint16_t port)
{
	unsigned local = 0;
	unsigned state = 0;
	unsigned long long inode = 0;

	/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0
	 * 12345 ..." */
	if (sscanf(line, /* NOLINT(cert-err34-c): the kernel's */
		   " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*d "
		   "%*d "
		   "%llu",
		   &local, &state, &inode) != 3)
		return 0;
	return local == port && state == STATE_LISTEN ? inode : 0;
}

/* ---- files */

static bool read_file(const char *path, char text[LINE_BYTES])
{
	FILE *in = fopen(path, "re");
	size_t n;

	if (in == NULL)
		return false;
	n = fread(text, 1, LINE_BYTES - 1, in);
	text[n] = '\0';
	(void)fclose(in); /* only read */
	return n > 0;
}

static bool read_stat(const char *root, pid_t pid, struct server_stat *out)
{
	char path[PATH_BYTES];
	char text[LINE_BYTES];

	(void)snprintf(path, sizeof(path), "%s/proc/%d/stat", root, (int)pid);
	return read_file(path, text) && server_stat_read(text, out) == OK;
}

/* False: no more of them. */
typedef bool number_fn(int number, void *arg);

/* Calls `fn` for the numeric names in a folder, which /proc has in order. */
static void each_number(const char *path, number_fn *fn, void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		return;
	/* Nobody else reads this DIR. */
	while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !fn((int)strtol(entry->d_name, NULL, 10), arg))
			break;
	}
	(void)closedir(dir); /* only read */
}

/* ---- who */

static bool pids_have(const struct pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->n; i++) {
		if (pids->list[i] == pid)
			return true;
	}
	return false;
}

static void pids_add(struct pids *pids, pid_t pid)
{
	if (pids->n < SERVER_PIDS_MAX && !pids_have(pids, pid))
		pids->list[pids->n++] = pid;
}

struct family {
	struct pids *pids;
	const char *root;
};

static bool add_child(int number, void *arg)
{
	struct family *family = arg;
	struct server_stat stat = { 0 };

	if (read_stat(family->root, number, &stat) &&
	    pids_have(family->pids, stat.parent))
		pids_add(family->pids, number);
	return true;
}

/* A child may have a lower number than its parent: until nobody new turns up. */
static void add_descendants(struct pids *pids, const char *root)
{
	struct family family = { .pids = pids, .root = root };
	char path[PATH_BYTES];
	size_t before;

	(void)snprintf(path, sizeof(path), "%s/proc", root);
	do {
		before = pids->n;
		each_number(path, add_child, &family);
	} while (pids->n > before);
}

struct owners {
	const char *root;
	struct pids *pids;
	pid_t pid;
	uint64_t inodes[INODES_MAX];
	size_t n;
};

static bool check_descriptor(int number, void *arg)
{
	struct owners *owners = arg;
	char path[PATH_BYTES];
	char target[PATH_BYTES];
	unsigned long long inode = 0;
	ssize_t len;

	if (number >= DESCRIPTOR_MAX || owners->n == 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/proc/%d/fd/%d", owners->root,
		       (int)owners->pid, number);
	len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return true;
	target[len] = '\0';
	if (sscanf(target, "socket:[%llu]", &inode) != 1) /* NOLINT(cert-err34-c) */
		return true;
	for (size_t i = 0; i < owners->n; i++) {
		if (owners->inodes[i] != inode)
			continue;
		/* Who else has it got it from this one, and is found as its child. */
		pids_add(owners->pids, owners->pid);
		owners->inodes[i] = owners->inodes[--owners->n];
		break;
	}
	return true;
}

static bool check_process(int number, void *arg)
{
	struct owners *owners = arg;
	char path[PATH_BYTES];

	if (owners->n == 0)
		return false;
	owners->pid = number;
	(void)snprintf(path, sizeof(path), "%s/proc/%d/fd", owners->root, number);
	each_number(path, check_descriptor, owners);
	return true;
}

static void find_inodes(struct owners *owners, const char *name, uint16_t port)
{
	char path[PATH_BYTES];
	char line[LINE_BYTES];
	FILE *in;

	(void)snprintf(path, sizeof(path), "%s/proc/net/%s", owners->root, name);
	in = fopen(path, "re");
	if (in == NULL)
		return;
	while (fgets(line, sizeof(line), in) != NULL && owners->n < INODES_MAX) {
		uint64_t inode = server_listener_inode(line, port);

		if (inode != 0)
			owners->inodes[owners->n++] = inode;
	}
	(void)fclose(in); /* only read */
}

static void find_listeners(struct pids *pids, uint16_t port, const char *root)
{
	struct owners owners = { .root = root, .pids = pids };
	char path[PATH_BYTES];

	find_inodes(&owners, "tcp", port);
	find_inodes(&owners, "tcp6", port);
	if (owners.n == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/proc", root);
	each_number(path, check_process, &owners);
}

/* ---- the list of groups */

static void group_add(struct server *server, struct slice label, struct pids *pids)
{
	struct server_group *group = &server->groups[server->n++];

	assert(label.len < sizeof(group->label));
	memcpy(group->label, label.ptr, label.len);
	group->label[label.len] = '\0';
	group->n = pids->n;
	group->pids = mem_alloc(pids->n * sizeof(*pids->list));
	memcpy(group->pids, pids->list, pids->n * sizeof(*pids->list));
}

static bool is_label(struct slice label)
{
	/* The tool's own figures are called so. */
	if (label.len == 0 || label.len >= SERVER_LABEL_MAX ||
	    slice_equal(label, SLICE("tool")))
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!islower((unsigned char)c) && !isdigit((unsigned char)c) && c != '_')
			return false;
	}
	return true;
}

static enum err read_pids(struct slice text, const char *root, struct pids *pids,
			  char error[SERVER_ERROR_MAX])
{
	while (text.len > 0) {
		struct slice item = slice_trim(slice_cut(&text, ','));
		struct server_stat stat = { 0 };
		int64_t pid = 0;

		if (slice_to_int64(item, &pid) != OK || pid < 1 || pid > INT_MAX)
			return refuse(error, ERR_MALFORMED,
				      "server_pids: %.*s is no process number",
				      SLICE_FMT(item));
		if (!read_stat(root, (pid_t)pid, &stat))
			return refuse(error, ERR_NOT_FOUND,
				      "server_pids: there is no process %" PRId64, pid);
		if (pids->n == SERVER_PIDS_MAX)
			return refuse(error, ERR_LIMIT,
				      "server_pids: more than %d processes",
				      SERVER_PIDS_MAX);
		pids_add(pids, (pid_t)pid);
	}
	if (pids->n == 0)
		return refuse(error, ERR_MALFORMED,
			      "server_pids: a group without processes");
	return OK;
}

static enum err read_group(struct server *server, struct slice text, const char *root,
			   char error[SERVER_ERROR_MAX])
{
	struct pids *pids = MEM_NEW(struct pids);
	struct slice label = SLICE(LABEL_DEFAULT);
	enum err rc = OK;

	if (slice_find(text, ':') >= 0)
		label = slice_trim(slice_cut(&text, ':'));
	if (!is_label(label))
		rc = refuse(error, ERR_MALFORMED,
			    "server_pids: %.*s is no label: a-z, 0-9 and _, at most %d, "
			    "and not tool",
			    SLICE_FMT(label), SERVER_LABEL_MAX - 1);
	if (rc == OK && server->n == SERVER_GROUPS_MAX)
		rc = refuse(error, ERR_LIMIT, "server_pids: more than %d groups",
			    SERVER_GROUPS_MAX);
	if (rc == OK)
		rc = read_pids(text, root, pids, error);
	if (rc == OK) {
		add_descendants(pids, root);
		group_add(server, label, pids);
	}
	mem_free(pids);
	return rc;
}

static void find_by_port(struct server *server, uint16_t port, const char *root)
{
	struct pids *pids = MEM_NEW(struct pids);

	find_listeners(pids, port, root);
	add_descendants(pids, root);
	if (pids->n > 0)
		group_add(server, SLICE(LABEL_DEFAULT), pids);
	mem_free(pids);
}

enum err server_find(struct server *server, const char *pids, uint16_t port,
		     const char *root, char error[SERVER_ERROR_MAX])
{
	struct slice rest = slice_from_str(pids);
	enum err rc = OK;

	memset(server, 0, sizeof(*server));
	if (slice_equal(rest, SLICE("none")))
		return OK;
	if (rest.len == 0 && port != 0)
		find_by_port(server, port, root);
	while (rest.len > 0 && rc == OK)
		rc = read_group(server, slice_cut(&rest, ';'), root, error);
	if (rc != OK)
		server_fini(server);
	return rc;
}

void server_fini(struct server *server)
{
	for (size_t i = 0; i < server->n; i++)
		mem_free(server->groups[i].pids);
	server->n = 0;
}

/* ---- what they cost */

static bool cpu_us_of(pid_t pid, const char *root, int64_t *cpu_us)
{
	struct server_stat stat = { 0 };
	struct timespec time;
	clockid_t clock;

	if (root[0] == '\0' && clock_getcpuclockid(pid, &clock) == 0 &&
	    clock_gettime(clock, &time) == 0) {
		*cpu_us = (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
		return true;
	}
	if (!read_stat(root, pid, &stat))
		return false;
	*cpu_us = stat.ticks * 1000000 / sysconf(_SC_CLK_TCK);
	return true;
}

static int64_t rss_bytes_of(pid_t pid, const char *root)
{
	char path[PATH_BYTES];
	char text[LINE_BYTES];
	long long pages = 0;

	(void)snprintf(path, sizeof(path), "%s/proc/%d/statm", root, (int)pid);
	if (!read_file(path, text) ||
	    sscanf(text, "%*d %lld", &pages) != 1) /* NOLINT(cert-err34-c) */
		return 0;
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

struct switches {
	const char *root;
	pid_t pid;
	uint64_t n;
	int threads_n;
};

/* Of one thread: both lines at the end of its status. */
static bool add_switches(int number, void *arg)
{
	struct switches *switches = arg;
	unsigned long long n = 0;
	char path[PATH_BYTES];
	char line[LINE_BYTES];
	FILE *in;

	if (switches->threads_n++ >= THREADS_MAX)
		return false;
	(void)snprintf(path, sizeof(path), "%s/proc/%d/task/%d/status", switches->root,
		       (int)switches->pid, number);
	in = fopen(path, "re");
	if (in == NULL)
		return true;
	while (fgets(line, sizeof(line), in) != NULL) {
		const char *at = strstr(line, "voluntary_ctxt_switches:");

		if (at != NULL && sscanf(strchr(at, ':') + 1, /* NOLINT(cert-err34-c) */
					 "%llu", &n) == 1)
			switches->n += n;
	}
	(void)fclose(in); /* only read */
	return true;
}

void server_usage_of(const pid_t *pids, size_t n, const char *root,
		     struct server_usage *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		struct switches switches = { .root = root, .pid = pids[i] };
		char path[PATH_BYTES];
		int64_t cpu_us = 0;

		if (pids[i] == 0 || !cpu_us_of(pids[i], root, &cpu_us))
			continue;
		(void)snprintf(path, sizeof(path), "%s/proc/%d/task", root, (int)pids[i]);
		each_number(path, add_switches, &switches);
		out->processes_n++;
		out->cpu_us += cpu_us;
		out->rss_bytes += rss_bytes_of(pids[i], root);
		out->switches += switches.n;
	}
}

void server_usage(const struct server_group *group, const char *root,
		  struct server_usage *out)
{
	server_usage_of(group->pids, group->n, root, out);
}
