/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rig of the pipe tests: see pipe_rig.h.
 */
#include "tests/unit/proto/link/pipe_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/mem.h"

static void on_frame(struct pipe_owner *owner, struct pipe *pipe, struct slice frame)
{
	struct peer *peer = CONTAINER_OF(owner, struct peer, owner);

	cr_assert_eq(peer->pipe, pipe);
	cr_assert_eq(peer->closed, 0);
	peer->frames++;
	buf_clear(&peer->last);
	buf_append_slice(&peer->last, frame);
	if (peer->is_echo)
		cr_assert_eq(pipe_send(pipe, &frame, 1), OK);
	if (peer->frames == peer->pause_after)
		pipe_pause(pipe);
	if (peer->frames == peer->blink_after) {
		pipe_pause(pipe);
		pipe_resume(pipe);
	}
	if (peer->frames == peer->close_after) {
		pipe_close(pipe);
		pipe_close(pipe);
	}
}

static void on_drained(struct pipe_owner *owner, struct pipe *pipe)
{
	struct peer *peer = CONTAINER_OF(owner, struct peer, owner);

	cr_assert_eq(pipe_unsent_bytes(pipe), 0);
	peer->drained++;
}

static void on_closed(struct pipe_owner *owner, struct pipe *pipe, enum err rc)
{
	struct peer *peer = CONTAINER_OF(owner, struct peer, owner);

	cr_assert_eq(pipe_owner(pipe), owner);
	peer->closed++;
	peer->closed_rc = rc;
	pipe_close(pipe); /* harmless */
}

const struct pipe_ops peer_ops = { on_frame, on_drained, on_closed };

static void on_accept(struct pipe_acceptor *acceptor, struct pipe *pipe)
{
	struct rig *rig = CONTAINER_OF(acceptor, struct rig, acceptor);

	rig->accepted++;
	rig->far.pipe = pipe;
	pipe_set_owner(pipe, &rig->far.owner);
	if (rig->is_single) {
		pipe_listener_close(rig->listener);
		rig->listener = NULL;
	}
}

static void on_dialed(struct pipe_dial *dial, struct pipe *pipe, enum err rc)
{
	struct rig *rig = CONTAINER_OF(dial, struct rig, dial);

	cr_assert_not(pipe_dial_is_running(dial));
	rig->dialed++;
	rig->dial_rc = rc;
	rig->near.pipe = pipe;
	if (pipe)
		pipe_set_owner(pipe, &rig->near.owner);
}

struct rig *rig_new(void)
{
	struct rig *rig = MEM_NEW(struct rig);

	snprintf(rig->dir, sizeof(rig->dir), "/tmp/pipe.XXXXXX");
	cr_assert(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/sock", rig->dir);
	snprintf(rig->ipc, sizeof(rig->ipc), "ipc://%s", rig->path);
	rig->loop = loop_new();
	rig->set = pipe_set_new(rig->loop);
	rig->acceptor.fn = on_accept;
	rig->near.owner.ops = &peer_ops;
	rig->far.owner.ops = &peer_ops;
	pipe_dial_init(&rig->dial, on_dialed);
	return rig;
}

void rig_free(struct rig *rig)
{
	pipe_set_free(rig->set);
	loop_free(rig->loop);
	buf_fini(&rig->near.last);
	buf_fini(&rig->far.last);
	cr_expect_neq(access(rig->path, F_OK), 0, "the socket file is left");
	cr_expect_eq(rmdir(rig->dir), 0);
	mem_free(rig);
}

void rig_listen(struct rig *rig, const char *url)
{
	cr_assert_eq(pipe_listen(rig->set, url, &rig->acceptor, &rig->listener), OK);
}

struct rig *rig_connected(const char *url)
{
	struct rig *rig = rig_new();

	rig_listen(rig, url ? url : rig->ipc);
	pipe_dial_start(rig->set, pipe_listener_url(rig->listener), &rig->dial);
	WAIT(rig, rig->dialed && rig->accepted);
	cr_assert_eq(rig->dial_rc, OK);
	return rig;
}

int raw_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

struct rig *rig_raw(int *fd)
{
	struct rig *rig = rig_new();

	rig_listen(rig, rig->ipc);
	*fd = raw_connect(rig->path);
	cr_assert(*fd >= 0);
	WAIT(rig, rig->accepted);
	return rig;
}

void raw_write(int fd, const void *bytes, size_t len)
{
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
}

void rig_settle(struct rig *rig)
{
	for (int i = 0; i < 5; i++)
		loop_turn(rig->loop, 1);
}
