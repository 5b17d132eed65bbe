/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of /proc from samples, and this very process from the real one.
 */
#include "bench/server.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/loop.h"

/* ---- formats */

Test(server, a_name_may_hold_anything)
{
	struct server_stat stat = { 0 };

	cr_expect_eq(server_stat_read("7 (a) b (c) 1 2 3) S 42 7 7 0 -1 4194304 1 2 3 4 "
				      "150 25 0 0 20 0 1 0 1",
				      &stat),
		     OK);
	cr_expect_eq(stat.parent, 42);
	cr_expect_eq(stat.ticks, 175);
	cr_expect_eq(server_stat_read("7 (x) S 42 7", &stat), ERR_MALFORMED);
	cr_expect_eq(server_stat_read("7 x S 42", &stat), ERR_MALFORMED);
	cr_expect_eq(server_stat_read("", &stat), ERR_MALFORMED);
}

#define TCP_LINE(local, state)                                                           \
	"   0: 0100007F:" local " 00000000:0000 " state                                  \
	" 00000000:00000000 00:00000000 00000000  1000        0 54321 1 0000 100 0\n"
#define TCP6_LINE                                                                        \
	"   1: 00000000000000000000000001000000:1F90 "                                   \
	"00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "        \
	"00000000     0        0 777 1 0000000000000000 100 0 0 10 0\n"

Test(server, who_listens_at_a_port_has_a_line)
{
	cr_expect_eq(server_listener_inode(TCP_LINE("1F90", "0A"), 8080), 54321);
	cr_expect_eq(server_listener_inode(TCP6_LINE, 8080), 777);
	/* Another port; connected; the file's head. */
	cr_expect_eq(server_listener_inode(TCP_LINE("1F91", "0A"), 8080), 0);
	cr_expect_eq(server_listener_inode(TCP_LINE("1F90", "01"), 8080), 0);
	cr_expect_eq(server_listener_inode("  sl  local_address rem_address   st", 8080),
		     0);
	cr_expect_eq(server_listener_inode("", 8080), 0);
}

/* ---- a machine made up of files */

struct machine {
	char root[64];
};

static void add_file(const struct machine *machine, const char *path, const char *text)
{
	char full[256];
	FILE *out;

	(void)snprintf(full, sizeof(full), "%s/%s", machine->root, path);
	for (char *at = full + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(full, 0700);
		*at = '/';
	}
	out = fopen(full, "we");
	cr_assert_not_null(out);
	cr_assert_geq(fputs(text, out), 0);
	cr_assert_eq(fclose(out), 0);
}

static void add_process(const struct machine *machine, int pid, int parent, int ticks)
{
	char path[64];
	char text[256];

	(void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
	(void)snprintf(text, sizeof(text),
		       "%d (p) S %d 1 1 0 -1 0 0 0 0 0 %d 0 0 0 20 0 1 0 1", pid, parent,
		       ticks);
	add_file(machine, path, text);
	(void)snprintf(path, sizeof(path), "proc/%d/statm", pid);
	add_file(machine, path, "1000 10 5 1 0 50 0\n");
	(void)snprintf(path, sizeof(path), "proc/%d/task/%d/status", pid, pid);
	add_file(machine, path,
		 "Name:\tp\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t5"
		 "\n");
}

/* 10 has a child 12 and a grandchild 11; 20 listens at 8080; 30 is a stranger. */
static void machine_init(struct machine *machine)
{
	char from[128];

	strcpy(machine->root, "/tmp/heliograph-bench-XXXXXX");
	cr_assert_not_null(mkdtemp(machine->root));
	add_process(machine, 10, 1, 100);
	add_process(machine, 12, 10, 200);
	add_process(machine, 11, 12, 400);
	add_process(machine, 20, 1, 800);
	add_process(machine, 30, 1, 1600);
	add_file(machine, "proc/net/tcp", "  sl  local\n" TCP_LINE("1F90", "0A"));
	add_file(machine, "proc/20/fd/3", "");
	(void)snprintf(from, sizeof(from), "%s/proc/20/fd/4", machine->root);
	cr_assert_eq(symlink("socket:[54321]", from), 0);
	add_file(machine, "proc/30/fd/3", "");
}

static void machine_fini(const struct machine *machine)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", machine->root);
	cr_expect_eq(system(command), 0);
}

Test(server, a_group_has_all_that_descends_from_its_processes)
{
	struct machine machine;
	struct server server;
	struct server_usage usage;
	char error[SERVER_ERROR_MAX] = "";

	machine_init(&machine);
	cr_assert_eq(
		server_find(&server, "gateway: 10 ; router:20", 0, machine.root, error),
		OK, "%s", error);
	cr_assert_eq(server.n, 2);
	cr_expect_str_eq(server.groups[0].label, "gateway");
	cr_expect_str_eq(server.groups[1].label, "router");
	server_usage(&server.groups[0], machine.root, &usage);
	cr_expect_eq(usage.processes_n, 3);
	cr_expect_eq(usage.cpu_us, 700 * 1000000 / sysconf(_SC_CLK_TCK));
	cr_expect_eq(usage.rss_bytes, 30 * sysconf(_SC_PAGESIZE));
	cr_expect_eq(usage.switches, 36);
	server_usage(&server.groups[1], machine.root, &usage);
	cr_expect_eq(usage.processes_n, 1);
	server_fini(&server);
	machine_fini(&machine);
}

Test(server, who_listens_is_found)
{
	struct machine machine;
	struct server server;
	char error[SERVER_ERROR_MAX] = "";

	machine_init(&machine);
	cr_assert_eq(server_find(&server, "", 8080, machine.root, error), OK);
	cr_assert_eq(server.n, 1);
	cr_expect_str_eq(server.groups[0].label, "server");
	cr_assert_eq(server.groups[0].n, 1);
	cr_expect_eq(server.groups[0].pids[0], 20);
	server_fini(&server);
	cr_assert_eq(server_find(&server, "", 8081, machine.root, error), OK);
	cr_expect_eq(server.n, 0);
	cr_assert_eq(server_find(&server, "none", 8080, machine.root, error), OK);
	cr_expect_eq(server.n, 0);
	machine_fini(&machine);
}

static const struct {
	const char *pids;
	enum err rc;
} bad[] = {
	{ "99", ERR_NOT_FOUND },
	{ "x", ERR_MALFORMED },
	{ "-1", ERR_MALFORMED },
	{ "0", ERR_MALFORMED },
	{ "10,,12", ERR_MALFORMED },
	{ "a:", ERR_MALFORMED },
	{ ":10", ERR_MALFORMED },
	{ "A:10", ERR_MALFORMED },
	{ "tool:10", ERR_MALFORMED },
	{ "10;", OK },
	{ "10;;12", ERR_MALFORMED },
	{ "a:10;b:x", ERR_MALFORMED },
	{ "a2345678901234567890123456789012:10", ERR_MALFORMED },
	{ "a234567890123456789012345678901:10", OK },
	{ "10000000000", ERR_MALFORMED },
};

Test(server, lists_of_processes_are_checked)
{
	struct machine machine;
	struct server server;
	char error[SERVER_ERROR_MAX];

	machine_init(&machine);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		cr_expect_eq(server_find(&server, bad[i].pids, 0, machine.root, error),
			     bad[i].rc, "%s: %s", bad[i].pids, error);
		cr_expect_eq(error[0] == '\0', bad[i].rc == OK, "%s", bad[i].pids);
		if (bad[i].rc == OK)
			server_fini(&server);
	}
	machine_fini(&machine);
}

Test(server, groups_have_a_limit)
{
	char text[SERVER_GROUPS_MAX * 8 + 16] = "";
	char error[SERVER_ERROR_MAX];
	struct machine machine;
	struct server server;

	machine_init(&machine);
	for (int i = 0; i < SERVER_GROUPS_MAX; i++)
		strcat(text, i == 0 ? "g:10" : ";g:10");
	cr_assert_eq(server_find(&server, text, 0, machine.root, error), OK);
	cr_expect_eq(server.n, SERVER_GROUPS_MAX);
	server_fini(&server);
	strcat(text, ";g:10");
	cr_expect_eq(server_find(&server, text, 0, machine.root, error), ERR_LIMIT);
	machine_fini(&machine);
}

/* ---- this machine */

Test(server, this_process_is_found_by_its_port_and_costs_something)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int64_t end_us = loop_clock_us() + 20000;
	struct server_usage before;
	struct server_usage after;
	struct server server;
	char error[SERVER_ERROR_MAX];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	cr_assert_eq(server_find(&server, "", ntohs(address.sin_port), "", error), OK);
	cr_assert_eq(server.n, 1);
	cr_expect_eq(server.groups[0].pids[0], getpid());
	server_usage(&server.groups[0], "", &before);
	while (loop_clock_us() < end_us)
		;
	server_usage(&server.groups[0], "", &after);
	cr_expect_eq(after.processes_n, 1);
	cr_expect_gt(after.cpu_us, before.cpu_us);
	cr_expect_gt(after.rss_bytes, 100000);
	cr_expect_gt(after.switches, 0);
	server_fini(&server);
	(void)close(fd);
}

Test(server, who_has_ended_costs_nothing_more)
{
	pid_t pid = fork();
	struct server_usage usage;

	if (pid == 0)
		_exit(0);
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	server_usage_of(&pid, 1, "", &usage);
	cr_expect_eq(usage.processes_n, 0);
	cr_expect_eq(usage.cpu_us, 0);
}
