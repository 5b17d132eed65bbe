/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames, back-pressure and ends of pipes, over real sockets. Nothing sleeps: every wait
 * is for a condition, with a deadline.
 */
#include "proto/link/pipe.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/link/pipe_rig.h"

TestSuite(pipe, .timeout = 60);

/* ---- frames */

static void send_bytes(struct rig *rig, struct pipe *pipe, struct slice bytes)
{
	while (pipe_send(pipe, &bytes, 1) == ERR_AGAIN)
		loop_turn(rig->loop, 100);
}

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Mostly short; now and then longer than the receive buffer; the limit itself once. */
static size_t frame_random(uint32_t *state, unsigned i, char *frame)
{
	size_t len = random_next(state) % 300;

	if (i % 40 == 17)
		len = random_next(state) % 200000;
	if (i == 100)
		len = PIPE_FRAME_BYTES_MAX;
	for (size_t at = 0; at < len; at += 97)
		frame[at] = (char)random_next(state);
	if (len)
		frame[len - 1] = (char)random_next(state);
	return len;
}

static void check_echo(const char *url)
{
	enum { FRAMES = 1000 };
	struct rig *rig = rig_connected(url);
	char *frame = mem_zalloc(PIPE_FRAME_BYTES_MAX);
	char *expected = mem_zalloc(PIPE_FRAME_BYTES_MAX);
	uint32_t state = 4711;
	uint32_t expected_state = 4711;
	unsigned sent = 0;

	rig->far.is_echo = true;
	for (unsigned got = 0; got < FRAMES; got++) {
		size_t len;

		/* Up to 8 ahead, so that frames meet in one write and one read. */
		while (sent < FRAMES && sent < got + 8) {
			len = frame_random(&state, sent++, frame);
			send_bytes(rig, rig->near.pipe, slice_make(frame, len));
		}
		/* One at a time, so that each can be looked at. */
		rig->near.pause_after = got + 1;
		pipe_resume(rig->near.pipe);
		WAIT(rig, rig->near.frames == got + 1);
		len = frame_random(&expected_state, got, expected);
		cr_assert_eq(rig->near.last.len, len);
		cr_assert(!len || !memcmp(rig->near.last.ptr, expected, len));
	}
	cr_expect_eq(rig->far.frames, FRAMES);
	mem_free(frame);
	mem_free(expected);
	rig_free(rig);
}

Test(pipe, echoes_frames_of_all_sizes_over_tcp)
{
	check_echo(TCP);
}

Test(pipe, echoes_frames_of_all_sizes_over_ipc)
{
	check_echo(NULL);
}

Test(pipe, joins_parts_to_one_frame)
{
	struct rig *rig = rig_connected(NULL);
	struct slice parts[] = { SLICE("one "), SLICE(""), SLICE("frame") };

	cr_assert_eq(pipe_send(rig->near.pipe, parts, 3), OK);
	WAIT(rig, rig->far.frames == 1);
	cr_expect(slice_equal(buf_slice(&rig->far.last), SLICE("one frame")));
	rig_free(rig);
}

Test(pipe, carries_an_empty_frame)
{
	struct rig *rig = rig_connected(NULL);

	cr_assert_eq(pipe_send(rig->near.pipe, NULL, 0), OK);
	WAIT(rig, rig->far.frames == 1);
	cr_expect_eq(rig->far.last.len, 0);
	rig_free(rig);
}

Test(pipe, cuts_frames_that_come_byte_by_byte)
{
	static const char bytes[] = "\3\0\0\0abc\2\0\0\0de";
	int fd;
	struct rig *rig = rig_raw(&fd);

	for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
		raw_write(fd, bytes + i, 1);
		loop_turn(rig->loop, 1);
	}
	WAIT(rig, rig->far.frames == 2);
	cr_expect(slice_equal(buf_slice(&rig->far.last), SLICE("de")));
	close(fd);
	rig_free(rig);
}

Test(pipe, refuses_to_send_one_past_the_limit)
{
	struct rig *rig = rig_connected(NULL);
	char *bytes = mem_zalloc(PIPE_FRAME_BYTES_MAX);
	struct slice parts[] = { { bytes, PIPE_FRAME_BYTES_MAX }, SLICE("x") };

	cr_expect_eq(pipe_send(rig->near.pipe, parts, 2), ERR_LIMIT);
	cr_expect_eq(pipe_unsent_bytes(rig->near.pipe), 0);
	mem_free(bytes);
	rig_free(rig);
}

Test(pipe, closes_on_a_frame_one_past_the_limit)
{
	const uint32_t len = PIPE_FRAME_BYTES_MAX + 1;
	char head[4];
	int fd;
	struct rig *rig = rig_raw(&fd);

	for (unsigned i = 0; i < sizeof(head); i++)
		head[i] = (char)(len >> (8 * i));
	raw_write(fd, head, sizeof(head));
	WAIT(rig, rig->far.closed);
	cr_expect_eq(rig->far.closed_rc, ERR_LIMIT);
	cr_expect_eq(read(fd, &(char){ 0 }, 1), 0);
	close(fd);
	rig_free(rig);
}

Test(pipe, holds_a_limited_backlog_and_loses_none_of_it)
{
	struct rig *rig = rig_connected(NULL);
	char *bytes = mem_zalloc(PIPE_FRAME_BYTES_MAX);
	struct slice frame = slice_make(bytes, PIPE_FRAME_BYTES_MAX);
	unsigned sent = 0;

	pipe_pause(rig->far.pipe);
	while (pipe_send(rig->near.pipe, &frame, 1) == OK) {
		sent++;
		loop_turn(rig->loop, 1);
	}
	cr_expect_geq(pipe_unsent_bytes(rig->near.pipe), PIPE_UNSENT_BYTES_MAX);
	cr_expect_lt(pipe_unsent_bytes(rig->near.pipe),
		     PIPE_UNSENT_BYTES_MAX + frame.len + 4);
	cr_expect_eq(rig->far.frames, 0);

	pipe_want_drained(rig->near.pipe);
	pipe_resume(rig->far.pipe);
	WAIT(rig, rig->far.frames == sent && rig->near.drained);
	cr_expect_eq(rig->near.drained, 1);
	mem_free(bytes);
	rig_free(rig);
}

Test(pipe, reports_drained_when_nothing_waits)
{
	struct rig *rig = rig_connected(NULL);

	pipe_want_drained(rig->near.pipe);
	cr_expect_eq(rig->near.drained, 0);
	WAIT(rig, rig->near.drained == 1);
	rig_free(rig);
}

Test(pipe, pauses_between_two_frames_of_one_read)
{
	int fd;
	struct rig *rig = rig_raw(&fd);

	rig->far.pause_after = 1;
	raw_write(fd, "\1\0\0\0a\1\0\0\0b", 10);
	WAIT(rig, rig->far.frames == 1);
	rig_settle(rig);
	cr_expect_eq(rig->far.frames, 1);
	pipe_resume(rig->far.pipe);
	pipe_resume(rig->far.pipe);
	WAIT(rig, rig->far.frames == 2);
	close(fd);
	rig_free(rig);
}

Test(pipe, survives_pause_and_resume_inside_a_frame)
{
	int fd;
	struct rig *rig = rig_raw(&fd);

	rig->far.blink_after = 1;
	raw_write(fd, "\1\0\0\0a", 5);
	WAIT(rig, rig->far.frames == 1);
	rig_settle(rig);
	raw_write(fd, "\1\0\0\0b", 5);
	WAIT(rig, rig->far.frames == 2);
	cr_expect(slice_equal(buf_slice(&rig->far.last), SLICE("b")));
	close(fd);
	rig_free(rig);
}

Test(pipe, moves_to_another_owner)
{
	struct rig *rig = rig_connected(NULL);
	struct peer other = { .owner.ops = &peer_ops, .pipe = rig->far.pipe };
	struct slice hello = SLICE("hello");

	pipe_set_owner(rig->far.pipe, &other.owner);
	cr_assert_eq(pipe_send(rig->near.pipe, &hello, 1), OK);
	WAIT(rig, other.frames == 1);
	cr_expect_eq(rig->far.frames, 0);
	buf_fini(&other.last);
	rig_free(rig);
}

/* ---- ends */

static void check_close(const char *url)
{
	struct rig *rig = rig_connected(url);
	struct slice last = SLICE("last words");

	rig->far.close_after = 1;
	cr_assert_eq(pipe_send(rig->near.pipe, &last, 1), OK);
	WAIT(rig, rig->near.closed);
	rig_settle(rig);
	cr_expect_eq(rig->near.closed, 1);
	cr_expect_eq(rig->near.closed_rc, ERR_CLOSED);
	cr_expect_eq(rig->far.closed, 0);
	rig_free(rig);
}

Test(pipe, tells_the_other_side_of_a_close_over_tcp)
{
	check_close(TCP);
}

Test(pipe, tells_the_other_side_of_a_close_over_ipc)
{
	check_close(NULL);
}

Test(pipe, tells_the_accepting_side_of_a_close)
{
	struct rig *rig = rig_connected(TCP);

	pipe_close(rig->near.pipe);
	WAIT(rig, rig->far.closed);
	cr_expect_eq(rig->far.closed_rc, ERR_CLOSED);
	cr_expect_eq(rig->near.closed, 0);
	rig_free(rig);
}

Test(pipe, cuts_no_frame_after_close)
{
	int fd;
	struct rig *rig = rig_raw(&fd);

	rig->far.close_after = 1;
	raw_write(fd, "\1\0\0\0a\1\0\0\0b", 10);
	WAIT(rig, rig->far.frames);
	cr_expect_eq(read(fd, &(char){ 0 }, 1), 0);
	cr_expect_eq(rig->far.frames, 1);
	close(fd);
	rig_free(rig);
}

Test(pipe, hears_all_that_a_peer_said_before_a_clean_end)
{
	int fd;
	struct rig *rig = rig_raw(&fd);

	raw_write(fd, "\1\0\0\0a\1\0\0\0b", 10);
	close(fd);
	WAIT(rig, rig->far.closed);
	cr_expect_eq(rig->far.frames, 2);
	cr_expect_eq(rig->far.closed_rc, ERR_CLOSED);
	rig_free(rig);
}

Test(pipe, sees_a_peer_die_in_the_middle_of_a_frame)
{
	struct rig *rig = rig_new();
	pid_t child;
	int status;

	rig_listen(rig, rig->ipc);
	rig->far.is_echo = true;
	child = fork();
	if (!child) {
		char answer[5];
		int fd = raw_connect(rig->path);

		if (write(fd, "\1\0\0\0a", 5) != 5 || read(fd, answer, 5) != 5)
			_exit(1);
		_exit(write(fd, "\1\0", 2) != 2);
	}
	WAIT(rig, rig->far.closed);
	cr_expect_eq(rig->far.frames, 1);
	cr_expect_eq(rig->far.closed_rc, ERR_CLOSED);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	rig_free(rig);
}

Test(pipe, sees_a_broken_peer_when_it_only_sends)
{
	int fd;
	struct rig *rig = rig_raw(&fd);
	struct slice word = SLICE("word");

	/* Reads once ahead, then no more: only the send can find out. */
	pipe_pause(rig->far.pipe);
	raw_write(fd, "\1\0\0\0a", 5);
	rig_settle(rig);
	close(fd);
	while (!rig->far.closed && pipe_send(rig->far.pipe, &word, 1) == OK)
		loop_turn(rig->loop, 10);
	cr_expect_eq(rig->far.closed, 1);
	cr_expect_eq(rig->far.frames, 0);
	rig_free(rig);
}

Test(pipe, a_frame_over_the_owners_own_limit_ends_it)
{
	struct rig *rig = rig_connected(NULL);
	struct slice four = SLICE("four");
	struct slice fives = SLICE("fives");

	pipe_set_frame_max(rig->far.pipe, 4);
	cr_assert_eq(pipe_send(rig->near.pipe, &four, 1), OK);
	cr_assert_eq(pipe_send(rig->near.pipe, &fives, 1), OK);
	WAIT(rig, rig->far.closed);
	cr_expect_eq(rig->far.closed_rc, ERR_LIMIT);
	cr_expect_eq(rig->far.frames, 1);
	rig_free(rig);
}

Test(pipe, is_freed_with_everything_open)
{
	struct rig *rig = rig_connected(TCP);
	struct slice word = SLICE("word");

	cr_assert_eq(pipe_send(rig->near.pipe, &word, 1), OK);
	pipe_dial_start(rig->set, pipe_listener_url(rig->listener), &rig->dial);
	pipe_set_free(rig->set);
	rig->set = NULL;
	rig_settle(rig);
	cr_expect_eq(rig->near.closed + rig->far.closed + rig->far.frames, 0);
	cr_expect_eq(rig->dialed, 1);
	rig_free(rig);
}
