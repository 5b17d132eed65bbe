/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a delivery may cost: nothing but its write. Of allocations and system calls there
 * are as many for N receivers as for 2 N, on the real path from the router's envelope to
 * the socket. Both are counted where the process makes them: in malloc and its kin, and
 * in libc's functions of the same name.
 */
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/base/sanitize.h"
#include "tests/unit/gateway/fan_kit.h"

#include <criterion/criterion.h>

#define MEMBERS 40
#define FRAME_BYTES 150
#define HEAD "{\"type\":1,\"target\":\"t\",\"arguments\":[\""
#define TAIL "\"]}\x1e"

struct cost {
	unsigned long allocations;
	unsigned long frees;
	unsigned long writes;
	unsigned long polls; /* epoll_ctl */
};

static struct cost spent;

/* ---- what is counted */

#if SANITIZE_ADDRESS
#include <sanitizer/allocator_interface.h>

static void on_malloc(const volatile void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	spent.allocations++;
}

static void on_free(const volatile void *ptr)
{
	(void)ptr;
	spent.frees++;
}

static void count_allocations(void)
{
	int rc = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

	cr_assert_neq(rc, 0);
}
#else
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void __libc_free(void *ptr);

void *malloc(size_t size)
{
	spent.allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	spent.allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
	spent.allocations++;
	return __libc_realloc(ptr, size);
}

void free(void *ptr)
{
	spent.frees++;
	__libc_free(ptr);
}

static void count_allocations(void)
{
}
#endif

ssize_t send(int fd, const void *ptr, size_t len, int flags)
{
	spent.writes++;
	return syscall(SYS_sendto, fd, ptr, len, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	spent.writes++;
	return syscall(SYS_sendmsg, fd, message, flags);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	spent.polls++;
	return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

/* ---- what is measured */

struct load {
	size_t messages_n;  /* in one turn */
	const char *second; /* the protocol of every second member */
};

static void deliver_all(struct fan *fan, const struct load *load)
{
	char frame[FRAME_BYTES];

	memset(frame, 'x', sizeof(frame));
	memcpy(frame, HEAD, sizeof(HEAD) - 1);
	memcpy(frame + sizeof(frame) - (sizeof(TAIL) - 1), TAIL, sizeof(TAIL) - 1);
	for (size_t i = 0; i < load->messages_n; i++)
		fan_deliver(fan, slice_make(frame, sizeof(frame)));
	fan_flush(fan);
}

/* Of the second time: the first finds caches empty. */
static struct cost cost_of(size_t members_n, const struct load *load)
{
	struct sockaddr_in address;
	struct cost cost;
	struct fan fan;
	int sink;

	sink = fan_sink_open(&address);
	fan_init(&fan);
	for (size_t i = 0; i < members_n; i++)
		(void)fan_add(&fan, fan_sink_connect(&address),
			      i % 2 ? load->second : "json");
	deliver_all(&fan, load);
	spent = (struct cost){ 0 };
	deliver_all(&fan, load);
	cost = spent;
	cr_expect_eq(fan.gateway->metrics.transcode_failed_total, 0);
	fan_fini(&fan);
	(void)close(sink);
	return cost;
}

/* One write for each receiver, and nothing else that depends on their number. */
static void expect_no_cost(const struct load *load)
{
	struct cost few;
	struct cost many;

	count_allocations();
	few = cost_of(MEMBERS, load);
	many = cost_of(2 * MEMBERS, load);
	cr_expect_gt(few.allocations, 0, "allocations are not counted");
	cr_expect_eq(few.allocations, many.allocations, "%lu, %lu", few.allocations,
		     many.allocations);
	cr_expect_eq(few.frees, many.frees, "%lu, %lu", few.frees, many.frees);
	cr_expect_eq(few.writes, MEMBERS, "%lu", few.writes);
	cr_expect_eq(many.writes, 2 * MEMBERS, "%lu", many.writes);
	cr_expect_eq(few.polls, 0);
	cr_expect_eq(many.polls, 0);
}

Test(fanout_cost, of_a_message)
{
	expect_no_cost(&(struct load){ .messages_n = 1, .second = "json" });
}

Test(fanout_cost, of_sixteen_in_a_turn)
{
	expect_no_cost(&(struct load){ .messages_n = 16, .second = "json" });
}

Test(fanout_cost, of_two_protocols)
{
	expect_no_cost(&(struct load){ .messages_n = 16, .second = "messagepack" });
}

/* The test of the test: the counters see what costs something. */
Test(fanout_cost, is_counted)
{
	struct sockaddr_in address;
	struct fan fan;
	int sink;

	count_allocations();
	sink = fan_sink_open(&address);
	fan_init(&fan);
	spent = (struct cost){ 0 };
	(void)fan_add(&fan, fan_sink_connect(&address), "json");
	cr_expect_gt(spent.allocations, 0);
	cr_expect_gt(spent.frees, 0);
	cr_expect_gt(spent.writes, 0);
	cr_expect_gt(spent.polls, 0);
	fan_fini(&fan);
	(void)close(sink);
}
