/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How pipes come to be: listeners, dial attempts, and what can go wrong with them.
 */
#include "proto/link/pipe_open.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/link/pipe_rig.h"

TestSuite(pipe_open, .timeout = 60);

static enum err listen_rc(struct rig *rig, const char *url)
{
	return pipe_listen(rig->set, url, &rig->acceptor, &rig->listener);
}

/* ---- listening */

Test(pipe_open, tells_the_port_the_kernel_chose)
{
	struct rig *rig = rig_new();
	unsigned port = 0;

	rig_listen(rig, TCP);
	cr_assert_eq(
		sscanf(pipe_listener_url(rig->listener), "tcp://127.0.0.1:%u", &port), 1);
	cr_expect_gt(port, 0);
	rig_free(rig);
}

Test(pipe_open, tells_where_a_tcp_peer_is)
{
	struct rig *rig = rig_connected(TCP);
	char expected[64];
	unsigned port = 0;

	sscanf(pipe_listener_url(rig->listener), "tcp://127.0.0.1:%u", &port);
	snprintf(expected, sizeof(expected), "tcp:127.0.0.1:%u", port);
	cr_expect_str_eq(pipe_peer(rig->near.pipe), expected);
	cr_expect_eq(strncmp(pipe_peer(rig->far.pipe), "tcp:127.0.0.1:", 14), 0);
	rig_free(rig);
}

Test(pipe_open, tells_where_a_tcp6_peer_is)
{
	struct rig *rig = rig_new();

	if (listen_rc(rig, "tcp://[::1]:0") != OK) {
		rig_free(rig);
		cr_skip("no IPv6 here");
	}
	pipe_dial_start(rig->set, pipe_listener_url(rig->listener), &rig->dial);
	WAIT(rig, rig->dialed && rig->accepted);
	cr_expect_eq(strncmp(pipe_peer(rig->far.pipe), "tcp:[::1]:", 10), 0);
	rig_free(rig);
}

Test(pipe_open, tells_who_an_ipc_peer_is)
{
	struct rig *rig = rig_connected(NULL);
	char expected[64];

	snprintf(expected, sizeof(expected), "ipc:pid=%d", (int)getpid());
	cr_expect_str_eq(pipe_peer(rig->near.pipe), expected);
	cr_expect_str_eq(pipe_peer(rig->far.pipe), expected);
	cr_expect_str_eq(pipe_listener_url(rig->listener), rig->ipc);
	rig_free(rig);
}

Test(pipe_open, keeps_others_from_the_socket_file)
{
	struct rig *rig = rig_new();
	struct stat info;

	rig_listen(rig, rig->ipc);
	cr_assert_eq(stat(rig->path, &info), 0);
	cr_expect_eq(info.st_mode & 0777, 0660);
	rig_free(rig);
}

Test(pipe_open, replaces_the_socket_file_of_a_dead_process)
{
	struct rig *rig = rig_new();
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, rig->path, strlen(rig->path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	cr_expect_eq(listen_rc(rig, rig->ipc), OK);
	rig_free(rig);
}

Test(pipe_open, leaves_the_socket_file_of_a_living_process)
{
	struct rig *rig = rig_connected(NULL);
	struct pipe_listener *second = NULL;

	cr_expect_eq(pipe_listen(rig->set, rig->ipc, &rig->acceptor, &second),
		     ERR_EXISTS);
	cr_expect_eq(access(rig->path, F_OK), 0);
	cr_expect_null(second);
	rig_free(rig);
}

Test(pipe_open, refuses_a_taken_port)
{
	struct rig *rig = rig_connected(TCP);
	struct pipe_listener *second = NULL;

	cr_expect_eq(pipe_listen(rig->set, pipe_listener_url(rig->listener),
				 &rig->acceptor, &second),
		     ERR_EXISTS);
	rig_free(rig);
}

Test(pipe_open, refuses_urls_it_cannot_listen_on)
{
	struct rig *rig = rig_new();
	char path[160];

	memset(path, 'x', sizeof(path));
	memcpy(path, "ipc:///", 7);
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(listen_rc(rig, "ws://127.0.0.1:0"), ERR_UNSUPPORTED);
	cr_expect_eq(listen_rc(rig, ""), ERR_UNSUPPORTED);
	cr_expect_eq(listen_rc(rig, "tcp://127.0.0.1"), ERR_ARGUMENT);
	cr_expect_eq(listen_rc(rig, "tcp://127.0.0.1:"), ERR_ARGUMENT);
	cr_expect_eq(listen_rc(rig, "tcp://[::1]"), ERR_ARGUMENT);
	cr_expect_eq(listen_rc(rig, "tcp://127.0.0.1:99999"), ERR_ARGUMENT);
	cr_expect_eq(listen_rc(rig, path), ERR_ARGUMENT);
	rig_free(rig);
}

Test(pipe_open, closing_a_listener_leaves_its_pipes)
{
	struct rig *rig = rig_connected(NULL);
	struct slice word = SLICE("word");

	pipe_listener_close(rig->listener);
	pipe_listener_close(NULL);
	cr_expect_eq(raw_connect(rig->path), -1);
	cr_assert_eq(pipe_send(rig->near.pipe, &word, 1), OK);
	WAIT(rig, rig->far.frames == 1);
	rig_free(rig);
}

Test(pipe_open, a_listener_may_close_while_it_accepts)
{
	struct rig *rig = rig_new();
	int fd[2];

	rig->is_single = true;
	rig_listen(rig, rig->ipc);
	fd[0] = raw_connect(rig->path);
	fd[1] = raw_connect(rig->path);
	WAIT(rig, rig->accepted);
	rig_settle(rig);
	cr_expect_eq(rig->accepted, 1);
	close(fd[0]);
	close(fd[1]);
	rig_free(rig);
}

Test(pipe_open, accepts_again_when_descriptors_are_back)
{
	struct rig *rig = rig_new();
	struct rlimit limit;
	struct rlimit none;
	int fd;

	rig_listen(rig, rig->ipc);
	fd = raw_connect(rig->path);
	WAIT(rig, rig->accepted == 1);
	close(fd);
	WAIT(rig, rig->far.closed);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)fd + 1, .rlim_max = limit.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	close(fd);
	fd = raw_connect(rig->path);
	rig_settle(rig);
	cr_expect_eq(rig->accepted, 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	WAIT(rig, rig->accepted == 2);
	close(fd);
	rig_free(rig);
}

/* ---- dialling */

static void check_dial(struct rig *rig, const char *url, enum err rc)
{
	rig->dialed = 0;
	pipe_dial_start(rig->set, url, &rig->dial);
	cr_expect(pipe_dial_is_running(&rig->dial));
	cr_expect_eq(rig->dialed, 0, "not before it returned");
	WAIT(rig, rig->dialed);
	cr_expect_eq(rig->dial_rc, rc, "%s", err_name(rig->dial_rc));
	cr_expect_null(rig->near.pipe);
}

Test(pipe_open, reports_a_refused_dial)
{
	struct rig *rig = rig_new();
	char url[64];

	rig_listen(rig, TCP);
	snprintf(url, sizeof(url), "%s", pipe_listener_url(rig->listener));
	pipe_listener_close(rig->listener);
	check_dial(rig, rig->ipc, ERR_CLOSED);
	/* The listener's descriptor is closed by NNG, soon. */
	do
		check_dial(rig, url, rig->dial_rc);
	while (rig->dial_rc != ERR_CLOSED);
	rig_free(rig);
}

Test(pipe_open, reports_a_url_it_cannot_dial)
{
	struct rig *rig = rig_new();

	check_dial(rig, "ws://127.0.0.1:1", ERR_UNSUPPORTED);
	check_dial(rig, "tcp://", ERR_ARGUMENT);
	check_dial(rig, "ipc://", ERR_ARGUMENT);
	rig_free(rig);
}

Test(pipe_open, a_canceled_dial_says_nothing)
{
	struct rig *rig = rig_new();

	rig_listen(rig, rig->ipc);
	pipe_dial_start(rig->set, rig->ipc, &rig->dial);
	WAIT(rig, rig->accepted); /* so the stream is there already */
	if (!rig->dialed) {
		pipe_dial_cancel(&rig->dial);
		pipe_dial_cancel(&rig->dial);
		WAIT(rig, rig->far.closed);
		cr_expect_eq(rig->dialed, 0);
	}
	cr_expect_not(pipe_dial_is_running(&rig->dial));
	rig_free(rig);
}

Test(pipe_open, a_dial_can_be_canceled_at_once)
{
	struct rig *rig = rig_connected(TCP);

	rig->dialed = 0;
	for (int i = 0; i < 50; i++) {
		pipe_dial_start(rig->set, pipe_listener_url(rig->listener), &rig->dial);
		pipe_dial_cancel(&rig->dial);
		loop_turn(rig->loop, 0);
	}
	rig_settle(rig);
	cr_expect_eq(rig->dialed, 0);
	rig_free(rig);
}
