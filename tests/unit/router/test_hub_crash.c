/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A method that cannot be survived: its name is the last that the router logs, and the
 * signal still ends the process.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/sanitize.h"
#include "tests/unit/router/hub_kit.h"

#define OUTPUT_BYTES 65536

typedef size_t deeper_fn(size_t depth);

static size_t deeper(size_t depth);

static deeper_fn *volatile next = deeper;

/* By a pointer that may change, so that no compiler makes a loop of it. */
static size_t deeper(size_t depth)
{
	volatile char frame[512];

	frame[0] = (char)depth;
	return next(depth + 1) + (size_t)frame[0];
}

static enum hub_rc overflow(struct hub_call *call)
{
	hub_return(call, hub_int(call, (int64_t)next(0)));
	return HUB_OK;
}

static enum hub_rc stray(struct hub_call *call)
{
	char *volatile nowhere = (char *)(uintptr_t)8;

	(void)call;
	*nowhere = 1;
	return HUB_OK;
}

static enum hub_rc give_up(struct hub_call *call)
{
	(void)call;
	abort();
}

static enum hub_rc kill_self(struct hub_call *call)
{
	(void)call;
	(void)raise(SIGFPE);
	return HUB_OK;
}

static enum hub_rc rest(struct hub_call *call)
{
	(void)call;
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Overflow", .fn = overflow, .arguments = "" },
	{ .name = "Stray", .fn = stray, .arguments = "" },
	{ .name = "GiveUp", .fn = give_up, .arguments = "" },
	{ .name = "KillSelf", .fn = kill_self, .arguments = "" },
	{ .name = "Rest", .fn = rest, .arguments = "" },
};

static const struct hub_module wild = {
	.api_version = HUB_API_VERSION,
	.name = "wild",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static char output[OUTPUT_BYTES]; /* of the child, a sanitizer's report perhaps behind */

/* A router in a process of its own runs the method; `then` may follow. */
static int run(const char *target, void (*then)(void))
{
	size_t len = 0;
	ssize_t n;
	int pipe_fds[2];
	int status;
	pid_t child;

	cr_assert_eq(pipe(pipe_fds), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		struct kit *kit;

		(void)dup2(pipe_fds[1], STDERR_FILENO);
		(void)close(pipe_fds[0]);
		kit = kit_new(&wild);
		kit_connect(kit, kit->g1, "c1", "ann");
		kit_invoke(kit, kit->g1, "c1", "7", target, "[]");
		kit_turn(kit);
		if (then != NULL)
			then();
		kit_free(kit);
		_exit(0);
	}
	(void)close(pipe_fds[1]);
	do {
		n = read(pipe_fds[0], output + len, sizeof(output) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	(void)close(pipe_fds[0]);
	output[len] = '\0';
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static void expect_crash(const char *target, int signo, const char *reason)
{
	const int status = run(target, NULL);
	char line[128];

	cr_expect(WIFSIGNALED(status), "%s: status %x", target, (unsigned)status);
#if !SANITIZE_ADDRESS
	/* A sanitizer reports and aborts. */
	cr_expect_eq(WTERMSIG(status), signo);
#endif
	(void)snprintf(line, sizeof(line),
		       "level=error event=hub.crashed node=r1 hub=wild method=\"%s\" "
		       "signal=%d%s\n",
		       target, signo, reason);
	cr_expect_not_null(strstr(output, line), "%s is not in\n%s", line, output);
}

Test(hub_crash, a_stack_that_is_used_up)
{
	expect_crash("Overflow", SIGSEGV, " reason=stack_overflow");
}

Test(hub_crash, a_pointer_that_leads_nowhere)
{
	expect_crash("Stray", SIGSEGV, "");
}

Test(hub_crash, an_assertion_or_abort)
{
	expect_crash("GiveUp", SIGABRT, "");
}

Test(hub_crash, a_signal_that_was_sent)
{
	expect_crash("KillSelf", SIGFPE, "");
}

static void abort_outside(void)
{
	abort();
}

Test(hub_crash, nothing_is_said_of_hubs_when_none_runs)
{
	const int status = run("Rest", abort_outside);

	cr_expect(WIFSIGNALED(status));
	cr_expect_eq(WTERMSIG(status), SIGABRT);
	cr_expect_null(strstr(output, "hub.crashed"), "%s", output);
}

static volatile sig_atomic_t caught;

static void on_caught(int signo)
{
	caught = signo;
}

Test(hub_crash, who_was_there_before_is_back_when_the_router_stops)
{
	struct sigaction action = { .sa_handler = on_caught };
	struct kit *kit;

	cr_assert_eq(sigaction(SIGFPE, &action, NULL), 0);
	kit = kit_new(&wild);
	kit_free(kit);
	cr_assert_eq(raise(SIGFPE), 0);
	cr_expect_eq(caught, SIGFPE);
}
