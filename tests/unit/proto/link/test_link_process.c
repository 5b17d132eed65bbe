/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links between processes that are stopped and killed. The child is forked before this
 * process starts NNG's threads, echoes what it is sent, and never returns.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/proto/link/link_rig.h"

static struct node b; /* ours, a router, who listens */

static void set_up(void)
{
	rig_init();
	node_init(&b, ROUTER, "r1");
	b.options.ping_interval_ms = 20;
	b.options.stream_timeout_ms = 300;
	b.options.peer_timeout_ms = 300;
}

static void tear_down(void)
{
	node_close(&b);
	rig_fini();
}

TestSuite(link_process, .init = set_up, .fini = tear_down, .timeout = 60);

static pid_t spawn_gateway(void)
{
	const pid_t pid = fork();
	struct node g;

	cr_assert_geq(pid, 0);
	if (pid != 0)
		return pid;
	/* A loop of its own: the parent's has descriptors that both would share. */
	rig.loop = loop_new();
	node_init(&g, GATEWAY, "g1");
	g.is_echo = true;
	g.options.ping_interval_ms = 20;
	node_open(&g, rig.loop);
	link_dial(g.link, ROUTER, "r1", rig.url);
	alarm(60);
	loop_run(rig.loop);
	_exit(0);
}

static void open_listener(void)
{
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
}

static void end(pid_t pid)
{
	int status;

	cr_expect_eq(kill(pid, SIGKILL), 0);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(link_process, a_killed_peer_is_seen_at_once_and_lost_in_time)
{
	const pid_t pid = spawn_gateway();

	open_listener();
	WAIT(b.ups == 1);
	cr_assert_eq(node_send(&b, 1, SESSION_DROP, NULL), OK);
	WAIT(b.calls_n == 1);
	end(pid);
	WAIT(b.downs == 1);
	cr_expect_eq(b.losts, 0);
	WAIT(b.losts == 1);
	cr_expect_null(link_peer_next(b.link, NULL));
}

Test(link_process, a_stopped_peer_is_given_up_and_goes_on_when_it_wakes)
{
	const pid_t pid = spawn_gateway();

	b.options.peer_timeout_ms = 60000;
	open_listener();
	WAIT(b.ups == 1);
	cr_assert_eq(node_send(&b, 1, SESSION_DROP, NULL), OK);
	WAIT(b.calls_n == 1);
	cr_assert_eq(kill(pid, SIGSTOP), 0);
	for (unsigned i = 2; i <= 500; i++)
		cr_assert_eq(node_send(&b, i, SESSION_DROP, NULL), OK);
	WAIT(b.downs == 1);
	cr_expect_eq(b.calls_n, 1);
	cr_assert_eq(kill(pid, SIGCONT), 0);
	WAIT(b.calls_n == 500);
	for (unsigned i = 0; i < 500; i++)
		cr_assert_eq(b.calls[i], i + 1);
	cr_expect_eq(b.news, 1);
	cr_expect_eq(b.losts, 0);
	end(pid);
}

Test(link_process, a_peer_stopped_for_too_long_starts_over)
{
	const pid_t pid = spawn_gateway();

	open_listener();
	WAIT(b.ups == 1);
	cr_assert_eq(kill(pid, SIGSTOP), 0);
	WAIT(b.downs == 1 && b.losts == 1);
	cr_assert_eq(kill(pid, SIGCONT), 0);
	WAIT(b.news == 2);
	cr_assert_eq(node_send(&b, 7, SESSION_DROP, NULL), OK);
	WAIT(b.calls_n == 1);
	end(pid);
}
