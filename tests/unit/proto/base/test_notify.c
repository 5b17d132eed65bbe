/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manager, and a supervisor, hear; and what becomes of it when they do not listen.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/notify.h"
#include "tests/unit/proto/base/manager_kit.h"

static const struct proc_status idle = { .connections = -1 };

static void expect_hears(const struct manager *manager, const char *text)
{
	char notice[NOTIFY_TEXT_BYTES];

	manager_hear(manager, notice);
	cr_expect_str_eq(notice, text);
}

/* ---- the environment */

static void expect_unheard(const char *address)
{
	struct notify notify;

	setenv("NOTIFY_SOCKET", address, 1);
	notify_init(&notify);
	cr_expect_not(notify_is_heard(&notify), "%s", address);
	/* All of it is harmless then. */
	notify_ready(&notify);
	notify_reloading(&notify);
	notify_stopping(&notify, 1000);
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_STATUS_MS);
	notify_fini(&notify);
}

Test(notify, addresses_that_are_none_are_passed_over)
{
	char path[110];
	struct notify notify;

	expect_unheard("");
	expect_unheard("@");
	expect_unheard("/");
	expect_unheard("vsock:2:1234");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	expect_unheard(path);
	path[107] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init(&notify);
	cr_expect(notify_is_heard(&notify), "107 bytes fit");
	notify_ready(&notify); /* nobody is there, yet */
	cr_expect_str_eq(notify.unsent, "READY=1");
	cr_expect(notify.is_failing);
	notify_fini(&notify);
	unsetenv("NOTIFY_SOCKET");
	notify_init(&notify);
	cr_expect_not(notify_is_heard(&notify));
}

static int64_t watchdog_of(const char *usec, const char *pid)
{
	struct manager manager;
	struct notify notify;
	int64_t watchdog_ms;

	manager_listen(&manager, true);
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	notify_init(&notify);
	watchdog_ms = notify.watchdog_ms;
	notify_fini(&notify);
	manager_close(&manager);
	return watchdog_ms;
}

Test(notify, the_watchdog_is_read_if_it_looks_at_us)
{
	char mine[16];

	(void)snprintf(mine, sizeof(mine), "%d", (int)getpid());
	cr_expect_eq(watchdog_of("30000000", NULL), 30000);
	cr_expect_eq(watchdog_of("30000000", mine), 30000);
	cr_expect_eq(watchdog_of("30000000", "1"), 0);
	cr_expect_eq(watchdog_of("30000000", "x"), 0);
	cr_expect_eq(watchdog_of("1000", NULL), 1);
	cr_expect_eq(watchdog_of("999", NULL), 0);
	cr_expect_eq(watchdog_of("-5", NULL), 0);
	cr_expect_eq(watchdog_of("", NULL), 0);
	cr_expect_eq(watchdog_of("99999999999999999999", NULL), 0);
}

/* ---- messages */

static void open_to(struct notify *notify, struct manager *manager, bool is_abstract)
{
	manager_listen(manager, is_abstract);
	notify_init(notify);
	cr_assert(notify_is_heard(notify));
}

static void close_both(struct notify *notify, struct manager *manager)
{
	notify_fini(notify);
	manager_close(manager);
}

static void tell_all(bool is_abstract)
{
	char notice[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct notify notify;
	long long usec = 0;

	open_to(&notify, &manager, is_abstract);
	notify_ready(&notify);
	expect_hears(&manager, "READY=1");
	notify_reloading(&notify);
	manager_hear(&manager, notice);
	cr_expect_eq(sscanf(notice, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
	cr_expect_gt(usec, 0);
	notify_stopping(&notify, 60000);
	expect_hears(&manager, "STOPPING=1\nEXTEND_TIMEOUT_USEC=65000000");
	close_both(&notify, &manager);
}

Test(notify, states_reach_a_path)
{
	tell_all(false);
}

Test(notify, states_reach_an_abstract_address)
{
	tell_all(true);
}

Test(notify, a_status_is_told_when_it_is_another_one)
{
	struct proc_status status = { .connections = 3, .not_ready = "draining\n" };
	struct manager manager;
	struct notify notify;

	open_to(&notify, &manager, true);
	cr_expect_eq(notify_beat(&notify, &status, false), NOTIFY_STATUS_MS);
	expect_hears(&manager, "STATUS=not ready: draining, 3 connections");
	(void)notify_beat(&notify, &status, false);
	cr_expect_not(manager_hears_within(&manager, 0));
	status.connections = 1;
	cr_expect_eq(notify_beat(&notify, &status, true), NOTIFY_SOON_MS);
	expect_hears(&manager, "STATUS=draining, 1 connection left");
	status = (struct proc_status){ .connections = 0 };
	(void)notify_beat(&notify, &status, false);
	expect_hears(&manager, "STATUS=ready, 0 connections");
	(void)notify_beat(&notify, &idle, false);
	expect_hears(&manager, "STATUS=ready");
	(void)notify_beat(&notify, &idle, true);
	expect_hears(&manager, "STATUS=draining");
	close_both(&notify, &manager);
}

Test(notify, a_long_reason_is_cut)
{
	char why[301];
	char expected[NOTIFY_TEXT_BYTES];
	struct proc_status status = { .connections = INT64_MAX, .not_ready = why };
	struct manager manager;
	struct notify notify;

	memset(why, 'w', 300);
	why[300] = '\0';
	(void)snprintf(expected, sizeof(expected),
		       "STATUS=not ready: %.63s, 9223372036854775807 connections", why);
	open_to(&notify, &manager, true);
	(void)notify_beat(&notify, &status, false);
	expect_hears(&manager, expected);
	close_both(&notify, &manager);
}

Test(notify, the_watchdog_hears_four_times_as_often_as_it_has_to)
{
	struct manager manager;
	struct notify notify;

	open_to(&notify, &manager, true);
	notify.watchdog_ms = 3000;
	cr_expect_eq(notify_beat(&notify, &idle, false), 750);
	expect_hears(&manager, "STATUS=ready");
	expect_hears(&manager, "WATCHDOG=1");
	notify.watchdog_ms = 1;
	cr_expect_eq(notify_beat(&notify, &idle, false), 1);
	expect_hears(&manager, "WATCHDOG=1");
	notify.watchdog_ms = 3600000;
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_STATUS_MS);
	close_both(&notify, &manager);
}

/* ---- who does not keep up */

static void fill(struct notify *notify)
{
	for (int i = 0; i < 100000 && notify->unsent[0] == '\0'; i++)
		notify_ready(notify);
	cr_assert_str_eq(notify->unsent, "READY=1", "the socket takes all of them");
}

Test(notify, a_state_is_kept_until_it_can_be_sent)
{
	char notice[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct notify notify;

	open_to(&notify, &manager, true);
	fill(&notify);
	notify_stopping(&notify, 0);
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_SOON_MS);
	cr_expect_str_eq(notify.status, "", "it has not been told");
	manager_drop(&manager);
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_STATUS_MS);
	manager_hear(&manager, notice);
	cr_expect_str_eq(notice, "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000",
			 "the last state, not those before");
	expect_hears(&manager, "STATUS=ready");
	close_both(&notify, &manager);
}

Test(notify, a_beat_that_is_lost_comes_again_soon)
{
	struct manager manager;
	struct notify notify;

	open_to(&notify, &manager, true);
	fill(&notify);
	notify.unsent[0] = '\0';
	notify.watchdog_ms = 60000;
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_SOON_MS);
	manager_drop(&manager);
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_STATUS_MS);
	expect_hears(&manager, "STATUS=ready");
	expect_hears(&manager, "WATCHDOG=1");
	close_both(&notify, &manager);
}

/* daemon-reexec, or a socket that is bound anew. */
Test(notify, a_state_waits_for_a_manager_that_starts_over)
{
	struct manager manager;
	struct manager again;
	struct notify notify;

	open_to(&notify, &manager, false);
	manager_close(&manager);
	notify_stopping(&notify, 0);
	cr_expect(notify.is_failing);
	cr_expect_eq(notify_beat(&notify, &idle, false), NOTIFY_SOON_MS);
	manager_listen(&again, false);
	cr_assert_str_eq(again.path, manager.path);
	(void)notify_beat(&notify, &idle, false);
	expect_hears(&again, "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000");
	cr_expect_not(notify.is_failing);
	close_both(&notify, &again);
}

/* ---- a worker */

Test(notify, a_worker_tells_its_supervisor)
{
	struct proc_status status = { .connections = 7, .not_ready = "alone\n" };
	struct manager supervisor = { .path = "" };
	char expected[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct notify notify;
	int ends[2];

	open_to(&notify, &manager, true);
	notify.watchdog_ms = 3000;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	supervisor.fd = ends[0];
	notify_to_supervisor(&notify, ends[1]);
	cr_expect(notify_is_heard(&notify));
	cr_expect_eq(notify_beat(&notify, &status, false), 750);
	(void)snprintf(expected, sizeof(expected),
		       "X_PID=%d\nX_CONNECTIONS=7\nX_NOT_READY=alone", (int)getpid());
	expect_hears(&supervisor, expected);
	(void)snprintf(expected, sizeof(expected), "X_PID=%d\nWATCHDOG=1", (int)getpid());
	expect_hears(&supervisor, expected);
	cr_expect_not(manager_hears_within(&manager, 0));
	manager_close(&supervisor);
	notify_ready(&notify); /* it has died: nobody minds */
	close_both(&notify, &manager);
}
