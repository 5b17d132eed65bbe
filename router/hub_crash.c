/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A method that writes where it must not, divides by zero or runs out of its stack takes
 * the router with it: nothing could be trusted afterwards. Its name is logged first. The
 * handlers stand on a stack of their own, for the method's may be what is used up, and
 * give way to whoever was there before (a sanitizer, or the kernel that dumps core).
 *
 * Handlers are the process's, so what they need to know is the one global here.
 */
#include "router/hub_crash.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "proto/base/fiber.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/hub_steps.h"

/* The logger writes its line on it, and a page or two for the kernel's own. */
#define STACK_BYTES (64u << 10)

/* Should the logger wait for a lock that the method held, the process ends all the same.
 */
#define LOG_SECONDS_MAX 2

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

#define SIGNALS_N (sizeof(signals) / sizeof(signals[0]))

static struct {
	const struct hub_runtime *runtime; /* borrowed; NULL: closed */
	pthread_t thread;		   /* that runs methods */
	struct sigaction before[SIGNALS_N];
	stack_t stack_before;
	void *stack; /* owned */
} crash;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	const struct hub_call *call = crash.runtime->running;

	(void)context; /* the next handler gets it */
	for (size_t i = 0; i < SIGNALS_N; i++) {
		if (signals[i] == signo)
			(void)sigaction(signo, &crash.before[i], NULL); /* it was valid */
	}
	if (call != NULL && pthread_equal(pthread_self(), crash.thread)) {
		(void)alarm(LOG_SECONDS_MAX);
		log_error("hub.crashed", "hub=%s method=%s signal=%d%s",
			  call->conn->hub->module->name,
			  log_quote(hub_method_name(call)).text, signo,
			  fiber_is_overrun(call->fiber, info->si_addr)
				  ? " reason=stack_overflow"
				  : "");
		(void)alarm(0);
	}
	/* A fault comes again by itself; abort() goes on; what was sent is sent again. */
	if (info->si_code <= 0 && signo != SIGABRT)
		(void)raise(signo);
}

void hub_crash_open(const struct hub_runtime *runtime)
{
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = STACK_BYTES };

	assert(crash.runtime == NULL);
	crash.runtime = runtime;
	crash.thread = pthread_self();
	crash.stack = mem_alloc(STACK_BYTES);
	stack.ss_sp = crash.stack;
	(void)sigaltstack(&stack, &crash.stack_before); /* its size is enough */
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS_N; i++)
		(void)sigaction(signals[i], &action, &crash.before[i]);
}

void hub_crash_close(void)
{
	for (size_t i = 0; i < SIGNALS_N; i++)
		(void)sigaction(signals[i], &crash.before[i], NULL);
	(void)sigaltstack(&crash.stack_before, NULL);
	mem_free(crash.stack);
	crash.runtime = NULL;
}
