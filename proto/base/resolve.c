/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question is a job with two owners, the loop's side and a detached thread; the last to
 * let it go frees it. The thread writes the answer into the job and then an eventfd,
 * which the loop reads before it looks at the answer: that is the only order there is.
 */
#include "proto/base/resolve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/base/mem.h"

struct resolve_job {
	atomic_int owners;
	int wake; /* owned eventfd */
	char *host;
	uint16_t port;
	enum err rc;
	struct resolve_addresses found;
};

/* ---- asking libc */

static void add(struct resolve_addresses *to, const struct sockaddr *addr, socklen_t len)
{
	struct resolve_address *item = &to->items[to->n];

	if (to->n == RESOLVE_ADDRESSES_MAX || len > sizeof(item->addr))
		return;
	memcpy(&item->addr, addr, len);
	item->len = len;
	to->n++;
}

static enum err ask(const char *host, uint16_t port, int flags,
		    struct resolve_addresses *found)
{
	struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV,
				  .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char service[sizeof("65535")];
	int rc;

	found->n = 0;
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc != 0)
		return rc == EAI_NONAME ? ERR_NOT_FOUND : ERR_AGAIN;
	for (const struct addrinfo *it = list; it != NULL; it = it->ai_next)
		add(found, it->ai_addr, it->ai_addrlen);
	freeaddrinfo(list);
	return found->n > 0 ? OK : ERR_NOT_FOUND;
}

enum err resolve_at_once(const char *host, uint16_t port,
			 struct resolve_addresses *addresses)
{
	struct resolve_addresses six;

	if (strcmp(host, "localhost") != 0)
		return ask(host, port, AI_NUMERICHOST, addresses) == OK ? OK : ERR_AGAIN;
	if (ask("127.0.0.1", port, AI_NUMERICHOST, addresses) != OK ||
	    ask("::1", port, AI_NUMERICHOST, &six) != OK)
		return ERR_AGAIN;
	addresses->items[addresses->n++] = six.items[0];
	return OK;
}

/* ---- the job */

static void job_unref(struct resolve_job *job)
{
	if (atomic_fetch_sub(&job->owners, 1) > 1)
		return;
	(void)close(job->wake); /* nothing is left in it */
	mem_free(job->host);
	mem_free(job);
}

static void *job_run(void *arg)
{
	struct resolve_job *job = arg;
	const uint64_t one = 1;
	ssize_t n;

	job->rc = ask(job->host, job->port, AI_ADDRCONFIG, &job->found);
	n = write(job->wake, &one, sizeof(one));
	assert(n == sizeof(one));
	job_unref(job);
	return NULL;
}

/* Signals are for the thread of the loop. */
static int job_start(struct resolve_job *job)
{
	pthread_t thread;
	pthread_attr_t attr;
	sigset_t all;
	sigset_t before;
	int rc = pthread_attr_init(&attr);

	if (rc != 0)
		return rc;
	sigfillset(&all);
	rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	assert(rc == 0);
	rc = pthread_sigmask(SIG_BLOCK, &all, &before);
	assert(rc == 0);
	rc = pthread_create(&thread, &attr, job_run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

/* ---- the loop's side */

static void on_answer(struct loop_io *io, unsigned ready)
{
	struct resolve *resolve = CONTAINER_OF(io, struct resolve, io);
	struct resolve_job *job = resolve->job;
	uint64_t count;

	(void)ready; /* to be read, what else */
	if (read(job->wake, &count, sizeof(count)) != sizeof(count))
		return;
	loop_io_fini(&resolve->io);
	resolve->job = NULL;
	resolve->fn(resolve, job->rc, &job->found);
	job_unref(job);
}

void resolve_init(struct resolve *resolve, resolve_fn *fn)
{
	assert(fn != NULL);
	*resolve = (struct resolve){ .fn = fn };
}

enum err resolve_start(struct resolve *resolve, struct loop *loop, const char *host,
		       uint16_t port)
{
	struct resolve_job *job;
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	assert(resolve->job == NULL);
	if (wake < 0)
		return ERR_IO;
	job = MEM_NEW(struct resolve_job);
	job->wake = wake;
	job->host = mem_dup(host, strlen(host));
	job->port = port;
	atomic_init(&job->owners, 2);
	if (job_start(job) != 0) {
		atomic_init(&job->owners, 1);
		job_unref(job);
		return ERR_IO;
	}
	resolve->job = job;
	loop_io_init(&resolve->io, loop, wake, on_answer);
	loop_io_want(&resolve->io, LOOP_READ);
	return OK;
}

void resolve_cancel(struct resolve *resolve)
{
	if (resolve->job == NULL)
		return;
	loop_io_fini(&resolve->io);
	job_unref(resolve->job);
	resolve->job = NULL;
}
