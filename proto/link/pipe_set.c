/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge between NNG's threads and the loop: one mutex-guarded list and one eventfd,
 * written only when the list was empty, so that a burst of completions costs one wake.
 * Owns the eventfd; knows nothing of frames.
 */
#include "proto/link/pipe_set.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"

static void on_wake(struct loop_io *io, unsigned ready);

struct pipe_set *pipe_set_new(struct loop *loop)
{
	struct pipe_set *set = MEM_NEW(struct pipe_set);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		fatal("cannot create an eventfd: errno=%d", errno);
	set->loop = loop;
	list_init(&set->pipes);
	list_init(&set->listeners);
	list_init(&set->dials);
	list_init(&set->posted);
	list_init(&set->taken);
	pthread_mutex_init(&set->lock, NULL);
	loop_io_init(&set->wake, loop, fd, on_wake);
	loop_io_want(&set->wake, LOOP_READ);
	return set;
}

void pipe_set_free(struct pipe_set *set)
{
	int fd;

	if (!set)
		return;
	LIST_EACH (it, &set->dials)
		pipe_dial_op_free(pipe_dial_op_from_node(it));
	LIST_EACH (it, &set->listeners)
		pipe_listener_close(pipe_listener_from_node(it));
	LIST_EACH (it, &set->pipes)
		pipe_close(pipe_from_node(it));
	assert(list_is_empty(&set->posted));
	assert(list_is_empty(&set->taken));

	fd = loop_io_fd(&set->wake);
	loop_io_fini(&set->wake);
	close(fd);
	pthread_mutex_destroy(&set->lock);
	mem_free(set);
}

void pipe_done_init(struct pipe_done *done, pipe_done_fn *fn)
{
	list_init(&done->node);
	done->fn = fn;
}

void pipe_done_post(struct pipe_set *set, struct pipe_done *done)
{
	bool was_empty;
	uint64_t one = 1;

	pthread_mutex_lock(&set->lock);
	was_empty = list_is_empty(&set->posted);
	if (!list_is_linked(&done->node))
		list_append(&set->posted, &done->node);
	else
		was_empty = false;
	/* Under the lock: the set, and with it the descriptor, lives until this is
	 * revoked. */
	if (was_empty && write(loop_io_fd(&set->wake), &one, sizeof(one)) < 0)
		assert(errno ==
		       EAGAIN); /* the counter is full: the wake is pending anyway */
	pthread_mutex_unlock(&set->lock);
}

void pipe_done_revoke(struct pipe_set *set, struct pipe_done *done)
{
	pthread_mutex_lock(&set->lock);
	list_remove(&done->node);
	pthread_mutex_unlock(&set->lock);
}

static struct pipe_done *done_take(struct pipe_set *set)
{
	struct list *node;

	pthread_mutex_lock(&set->lock);
	node = list_shift(&set->taken);
	pthread_mutex_unlock(&set->lock);
	return node ? CONTAINER_OF(node, struct pipe_done, node) : NULL;
}

/* What is posted meanwhile waits for the next turn, so a fast peer cannot hold the loop.
 */
static void on_wake(struct loop_io *io, unsigned ready)
{
	struct pipe_set *set = CONTAINER_OF(io, struct pipe_set, wake);
	struct pipe_done *done;
	uint64_t count;

	assert(ready == LOOP_READ);
	if (read(loop_io_fd(io), &count, sizeof(count)) < 0)
		assert(errno == EAGAIN || errno == EINTR);
	pthread_mutex_lock(&set->lock);
	list_splice(&set->taken, &set->posted);
	pthread_mutex_unlock(&set->lock);
	while ((done = done_take(set)))
		done->fn(done);
}

enum err pipe_err(int nng_rc)
{
	switch (nng_rc) {
	case 0:
		return OK;
	case NNG_ECLOSED:
	case NNG_ECONNSHUT:
	case NNG_ECONNRESET:
	case NNG_ECONNABORTED:
	case NNG_ECONNREFUSED:
	case NNG_EUNREACHABLE:
		return ERR_CLOSED;
	case NNG_ETIMEDOUT:
		return ERR_TIMEOUT;
	case NNG_ECANCELED:
		return ERR_CANCELED;
	case NNG_EADDRINUSE:
		return ERR_EXISTS;
	case NNG_EADDRINVAL:
	case NNG_EINVAL:
		return ERR_ARGUMENT;
	case NNG_EPERM:
		return ERR_DENIED;
	case NNG_ENOTSUP:
		return ERR_UNSUPPORTED;
	case NNG_ENOFILES:
	case NNG_ENOMEM:
		return ERR_LIMIT;
	default:
		return ERR_IO;
	}
}

nng_aio *pipe_aio_new(void (*on_done)(void *), void *arg)
{
	nng_aio *aio;
	int rc = nng_aio_alloc(&aio, on_done, arg);

	if (rc)
		fatal("cannot start NNG: %s", nng_strerror(rc));
	return aio;
}

void pipe_aio_free(nng_aio *aio)
{
	nng_aio_stop(aio);
	nng_aio_free(aio);
}
