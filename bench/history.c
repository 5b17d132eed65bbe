/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/history.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/scenario_groups.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define VERSION 1
#define PIECE_BYTES (256u << 10)
#define PATH_BYTES_MAX 4096
#define WHY_BYTES_MAX 200

struct history {
	struct buf out;
	int fd;
	bool has_failed;
};

/* A file takes all or says why not; a partial write is followed by the reason. */
static void history_flush(struct history *history)
{
	size_t at = 0;

	while (at < history->out.len && !history->has_failed) {
		const ssize_t n =
			write(history->fd, history->out.ptr + at, history->out.len - at);

		if (n <= 0)
			history->has_failed = true;
		else
			at += (size_t)n;
	}
	buf_clear(&history->out);
}

static void line_begin(struct history *history, const char *what)
{
	if (history->out.len >= PIECE_BYTES)
		history_flush(history);
	buf_appendf(&history->out, "[\"%s\",%" PRId64, what, loop_clock_us());
}

static void put_who(struct history *history, struct history_who who)
{
	buf_appendf(&history->out, ",\"b%" PRIu32 "\",%" PRIu32, who.client, who.life);
}

static void put_group(struct history *history, uint32_t group)
{
	char name[NUMBERED_BYTES];

	buf_appendf(&history->out, ",\"%.*s\"", SLICE_FMT(group_name(name, group)));
}

/* Of what others wrote only what needs no escape. */
static void put_text(struct history *history, const char *text)
{
	const size_t len = strnlen(text, WHY_BYTES_MAX);

	buf_append_str(&history->out, ",\"");
	for (size_t i = 0; i < len; i++) {
		const bool is_plain = text[i] >= ' ' && text[i] <= '~' &&
				      text[i] != '"' && text[i] != '\\';

		buf_append_byte(&history->out, is_plain ? text[i] : '?');
	}
	buf_append_byte(&history->out, '"');
}

static void line_end(struct history *history)
{
	buf_append_str(&history->out, "]\n");
}

struct history *history_new(const char *path, uint32_t number)
{
	char name[PATH_BYTES_MAX];
	struct history *history;
	int fd;

	(void)snprintf(name, sizeof(name), "%s.%" PRIu32, path, number); /* or cut */
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return NULL;
	history = MEM_NEW(struct history);
	buf_init(&history->out);
	history->fd = fd;
	line_begin(history, "h");
	buf_appendf(&history->out, ",%d,{\"writer\":\"heliograph-bench\"}", VERSION);
	line_end(history);
	return history;
}

enum err history_free(struct history *history)
{
	enum err rc;

	if (history == NULL)
		return OK;
	line_begin(history, "z");
	line_end(history);
	history_flush(history);
	if (close(history->fd) != 0)
		history->has_failed = true;
	rc = history->has_failed ? ERR_IO : OK;
	buf_fini(&history->out);
	mem_free(history);
	return rc;
}

void history_opened(struct history *history, struct history_who who, int64_t called_us,
		    struct slice user)
{
	line_begin(history, "o");
	put_who(history, who);
	buf_appendf(&history->out, ",%" PRId64 ",{\"kind\":\"plain\"", called_us);
	if (user.len > 0)
		buf_appendf(&history->out, ",\"user\":\"%.*s\"", SLICE_FMT(user));
	buf_append_byte(&history->out, '}');
	line_end(history);
}

void history_ended(struct history *history, struct history_who who, enum history_end how,
		   const char *why)
{
	static const char *const names[] = {
		[HISTORY_OWN] = "own",
		[HISTORY_LEFT] = "left",
		[HISTORY_LOST] = "lost",
	};

	line_begin(history, "e");
	put_who(history, who);
	put_text(history, names[how]);
	put_text(history, why);
	line_end(history);
}

void history_joined(struct history *history, struct history_who who, uint32_t group,
		    int64_t called_us, bool is_ok)
{
	line_begin(history, "j");
	put_who(history, who);
	put_group(history, group);
	buf_appendf(&history->out, ",%" PRId64, called_us);
	put_text(history, is_ok ? "ok" : "unknown");
	line_end(history);
}

void history_sent(struct history *history, struct history_who who, uint32_t group,
		  uint32_t seq)
{
	line_begin(history, "s");
	put_who(history, who);
	put_group(history, group);
	buf_appendf(&history->out, ",%" PRIu32, seq);
	line_end(history);
}

void history_completed(struct history *history, uint32_t client, uint32_t group,
		       uint32_t seq, bool is_ok)
{
	line_begin(history, "c");
	buf_appendf(&history->out, ",\"b%" PRIu32 "\"", client);
	put_group(history, group);
	buf_appendf(&history->out, ",%" PRIu32, seq);
	put_text(history, is_ok ? "ok" : "unknown");
	line_end(history);
}

void history_received(struct history *history, struct history_who who, uint32_t sender,
		      uint32_t group, uint32_t seq)
{
	line_begin(history, "r");
	put_who(history, who);
	buf_appendf(&history->out, ",\"b%" PRIu32 "\"", sender);
	put_group(history, group);
	buf_appendf(&history->out, ",%" PRIu32, seq);
	line_end(history);
}
