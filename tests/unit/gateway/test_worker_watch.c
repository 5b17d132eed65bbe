/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor's watch over workers that are children of the test which only wait, on a
 * clock of the test's; what they would say is said for them.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/worker_watch.h"
#include "tests/unit/proto/base/manager_kit.h"

#define N 2

struct desk {
	struct manager manager;
	struct notify notify;
	struct worker_watch watch;
	pid_t pids[N];
};

static pid_t sleeper(void)
{
	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void desk_open(struct desk *desk, int64_t watchdog_ms)
{
	manager_listen(&desk->manager, true);
	notify_init(&desk->notify);
	desk->notify.watchdog_ms = watchdog_ms;
	cr_assert_eq(worker_watch_init(&desk->watch, &desk->notify, N, 0), OK);
	for (int i = 0; i < N; i++) {
		desk->pids[i] = sleeper();
		worker_watch_begun(&desk->watch, i, desk->pids[i]);
	}
}

static void desk_close(struct desk *desk)
{
	for (int i = 0; i < N; i++) {
		if (desk->pids[i] > 0) {
			kill(desk->pids[i], SIGKILL);
			waitpid(desk->pids[i], NULL, 0);
		}
	}
	worker_watch_fini(&desk->watch);
	notify_fini(&desk->notify);
	manager_close(&desk->manager);
}

static void say_as(struct desk *desk, pid_t pid, const char *text, int64_t now_ms)
{
	char datagram[NOTIFY_TEXT_BYTES];

	(void)snprintf(datagram, sizeof(datagram), "X_PID=%d\n%s", (int)pid, text);
	cr_assert_gt(send(desk->watch.out, datagram, strlen(datagram), 0), 0);
	worker_watch_read(&desk->watch, now_ms);
}

static void say(struct desk *desk, int index, const char *text, int64_t now_ms)
{
	say_as(desk, desk->pids[index], text, now_ms);
}

static void expect_told(const struct desk *desk, const char *text)
{
	char notice[NOTIFY_TEXT_BYTES];

	manager_hear(&desk->manager, notice);
	cr_expect_eq(strncmp(notice, text, strlen(text)), 0, "%s instead of %s", notice,
		     text);
}

static void expect_silence(const struct desk *desk)
{
	cr_expect_not(manager_hears_within(&desk->manager, 0));
}

/* ---- the status */

Test(worker_watch, the_status_is_a_sum)
{
	struct desk desk;

	desk_open(&desk, 0);
	cr_expect_eq(worker_watch_wait_ms(&desk.watch, 0), 0);
	worker_watch_look(&desk.watch, 0);
	expect_told(&desk, "STATUS=not ready: a worker starts, 0 connections");
	say(&desk, 0, "X_CONNECTIONS=3\nX_NOT_READY=", 1);
	say(&desk, 1, "X_CONNECTIONS=4\nX_NOT_READY=no router is connected", 1);
	cr_expect_eq(worker_watch_wait_ms(&desk.watch, 1), NOTIFY_STATUS_MS - 1);
	worker_watch_look(&desk.watch, 1);
	expect_silence(&desk);
	worker_watch_look(&desk.watch, NOTIFY_STATUS_MS);
	expect_told(&desk, "STATUS=not ready: no router is connected, 7 connections");
	say(&desk, 1, "X_CONNECTIONS=5\nX_NOT_READY=", NOTIFY_STATUS_MS);
	worker_watch_look(&desk.watch, 2 * NOTIFY_STATUS_MS);
	expect_told(&desk, "STATUS=ready, 8 connections");
	worker_watch_ended(&desk.watch, 0);
	worker_watch_look(&desk.watch, 3 * NOTIFY_STATUS_MS);
	expect_told(&desk, "STATUS=not ready: a worker starts, 5 connections");
	desk_close(&desk);
}

Test(worker_watch, words_of_others_do_not_count)
{
	struct desk desk;
	char long_text[200];

	desk_open(&desk, 0);
	for (int i = 0; i < N; i++)
		say(&desk, i, "X_CONNECTIONS=1\nX_NOT_READY=", 0);
	say_as(&desk, 1, "X_CONNECTIONS=50\nX_NOT_READY=init", 0);
	say_as(&desk, 0, "X_CONNECTIONS=50\nX_NOT_READY=nobody", 0);
	say(&desk, 0, "STATUS=x\nX_OTHER", 0);
	cr_assert_gt(send(desk.watch.out, "X_CONNECTIONS=60", 16, 0), 0);
	cr_assert_gt(send(desk.watch.out, "X_PID=\nX_CONNECTIONS=60", 23, 0), 0);
	worker_watch_read(&desk.watch, 0);
	worker_watch_look(&desk.watch, 0);
	expect_told(&desk, "STATUS=ready, 2 connections");
	say(&desk, 0, "X_CONNECTIONS=many\nX_NOT_READY", 0);
	worker_watch_look(&desk.watch, NOTIFY_STATUS_MS);
	expect_told(&desk, "STATUS=ready, 1 connection");
	(void)snprintf(long_text, sizeof(long_text), "X_NOT_READY=%0150d", 7);
	say(&desk, 0, long_text, 0);
	cr_expect_eq(strlen(desk.watch.words[0].not_ready),
		     sizeof(desk.watch.words[0].not_ready) - 1);
	desk_close(&desk);
}

Test(worker_watch, without_a_manager_nothing_is_watched)
{
	struct notify notify = { .fd = -1 };
	struct worker_watch watch;

	cr_assert_eq(worker_watch_init(&watch, &notify, WORKERS_MAX, 0), OK);
	worker_watch_begun(&watch, WORKERS_MAX - 1, 1);
	worker_watch_ready(&watch);
	worker_watch_reload(&watch, 0);
	worker_watch_read(&watch, 0);
	worker_watch_look(&watch, 1000000);
	worker_watch_drain(&watch, 1000);
	worker_watch_become(&watch);
	cr_expect_eq(worker_watch_wait_ms(&watch, 0), -1);
	cr_expect_not(notify_is_heard(&notify));
	worker_watch_fini(&watch);
}

/* ---- reload and drain */

Test(worker_watch, a_reload_is_over_when_all_have_done_it)
{
	struct desk desk;

	desk_open(&desk, 0);
	for (int i = 0; i < N; i++)
		say(&desk, i, "READY=1", 1);
	worker_watch_ready(&desk.watch);
	worker_watch_reload(&desk.watch, 1);
	expect_told(&desk, "RELOADING=1\n");
	say(&desk, 0, "RELOADING=1\nMONOTONIC_USEC=1", 2);
	say(&desk, 0, "READY=1", 2);
	expect_silence(&desk);
	say(&desk, 1, "READY=1", 2);
	expect_told(&desk, "READY=1");
	desk_close(&desk);
}

Test(worker_watch, a_reload_does_not_wait_for_who_died_of_it_or_starts)
{
	struct desk desk;

	desk_open(&desk, 0);
	worker_watch_ready(&desk.watch);
	worker_watch_reload(&desk.watch, 1);
	expect_told(&desk, "RELOADING=1\n");
	expect_told(&desk, "READY=1");
	say(&desk, 0, "READY=1", 1);
	worker_watch_reload(&desk.watch, 1);
	expect_told(&desk, "RELOADING=1\n");
	expect_silence(&desk);
	worker_watch_ended(&desk.watch, 0);
	expect_told(&desk, "READY=1");
	desk_close(&desk);
}

Test(worker_watch, a_reload_before_all_listen_says_nothing)
{
	struct desk desk;

	desk_open(&desk, 0);
	worker_watch_reload(&desk.watch, 1);
	say(&desk, 0, "READY=1", 1);
	worker_watch_reload(&desk.watch, 1);
	say(&desk, 0, "READY=1", 2);
	expect_silence(&desk);
	desk_close(&desk);
}

Test(worker_watch, the_end_of_a_reload_before_is_not_this_ones)
{
	struct desk desk;
	char datagram[64];

	desk_open(&desk, 0);
	for (int i = 0; i < N; i++)
		say(&desk, i, "READY=1", 1);
	worker_watch_ready(&desk.watch);
	for (int i = 0; i < N; i++) {
		/* Nobody has read it. */
		(void)snprintf(datagram, sizeof(datagram), "X_PID=%d\nREADY=1",
			       (int)desk.pids[i]);
		cr_assert_gt(send(desk.watch.out, datagram, strlen(datagram), 0), 0);
	}
	worker_watch_reload(&desk.watch, 2);
	expect_told(&desk, "RELOADING=1\n");
	worker_watch_read(&desk.watch, 2);
	expect_silence(&desk);
	for (int i = 0; i < N; i++)
		say(&desk, i, "READY=1", 3);
	expect_told(&desk, "READY=1");
	desk_close(&desk);
}

Test(worker_watch, a_drain_is_told_with_what_is_left)
{
	struct desk desk;

	desk_open(&desk, 0);
	say(&desk, 0, "X_CONNECTIONS=9\nX_NOT_READY=", 1);
	worker_watch_look(&desk.watch, 1);
	expect_told(&desk, "STATUS=");
	worker_watch_drain(&desk.watch, 60000);
	expect_told(&desk, "STOPPING=1\nEXTEND_TIMEOUT_USEC=65000000");
	worker_watch_reload(&desk.watch, 1);
	expect_silence(&desk);
	cr_expect_eq(worker_watch_wait_ms(&desk.watch, 1), 0);
	worker_watch_look(&desk.watch, 1);
	expect_told(&desk, "STATUS=draining, 9 connections left");
	cr_expect_eq(worker_watch_wait_ms(&desk.watch, 1), NOTIFY_SOON_MS);
	desk_close(&desk);
}

/* ---- the watchdog */

/* Looks as often as the supervisor would, from `from_ms` on. */
static void look_until(struct desk *desk, int64_t from_ms, int64_t to_ms)
{
	for (int64_t now_ms = from_ms; now_ms <= to_ms; now_ms += 500)
		worker_watch_look(&desk->watch, now_ms);
	manager_drop(&desk->manager);
}

static bool is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static int end_of(struct desk *desk, int index)
{
	int status = 0;

	cr_assert_eq(waitpid(desk->pids[index], &status, 0), desk->pids[index]);
	desk->pids[index] = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Test(worker_watch, who_is_silent_for_longer_than_allowed_is_ended)
{
	struct desk desk;

	desk_open(&desk, 1000);
	for (int i = 0; i < N; i++)
		say(&desk, i, "WATCHDOG=1", 500);
	look_until(&desk, 500, 1500);
	say(&desk, 1, "WATCHDOG=1", 1500);
	cr_expect(is_alive(desk.pids[0]), "silent for as long as allowed");
	worker_watch_look(&desk.watch, 2000);
	cr_expect_eq(end_of(&desk, 0), SIGABRT);
	cr_expect(is_alive(desk.pids[1]), "the other one spoke");
	expect_told(&desk, "WATCHDOG=1");
	desk_close(&desk);
}

Test(worker_watch, one_that_stands_still_is_killed_at_last)
{
	struct desk desk;
	int status;

	desk_open(&desk, 1000);
	say(&desk, 0, "WATCHDOG=1", 500);
	kill(desk.pids[0], SIGSTOP);
	cr_assert_eq(waitpid(desk.pids[0], &status, WUNTRACED), desk.pids[0]);
	look_until(&desk, 500, 2500);
	cr_expect(is_alive(desk.pids[0]), "it cannot take SIGABRT");
	worker_watch_look(&desk.watch, 3000);
	cr_expect_eq(end_of(&desk, 0), SIGKILL);
	desk_close(&desk);
}

Test(worker_watch, who_has_not_begun_to_speak_is_not_missed)
{
	struct desk desk;

	desk_open(&desk, 1000);
	look_until(&desk, 0, 20000);
	cr_expect(is_alive(desk.pids[0]));
	desk_close(&desk);
}

Test(worker_watch, a_supervisor_that_stood_still_ends_nobody)
{
	struct desk desk;

	desk_open(&desk, 1000);
	say(&desk, 0, "WATCHDOG=1", 500);
	look_until(&desk, 500, 1000);
	worker_watch_look(&desk.watch, 60000);
	look_until(&desk, 60500, 61000);
	cr_expect(is_alive(desk.pids[0]), "it has had no time to speak");
	look_until(&desk, 61500, 62000);
	cr_expect_eq(end_of(&desk, 0), SIGABRT);
	desk_close(&desk);
}
