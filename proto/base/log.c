/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats a line on the stack and hands it to the kernel in one write(2). It allocates
 * nothing, so that it can report that memory is out, and a line fits PIPE_BUF, so that
 * the lines of several processes on one pipe never mix. Lines are printable ASCII,
 * whatever was passed in. It owns the table of rate limits; it does not own stderr.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* program_invocation_short_name */
#endif

#include "proto/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX PIPE_BUF

/* JSON makes at most four bytes of one ('" ' is the worst), so a line of it fits as well.
 */
#define LOG_TEXT_MAX 896
#define LOG_TEXT_ROOM (LOG_TEXT_MAX + 64) /* for truncated, suppressed, dropped */

/* Ids whose rate is known at a time; past it the one longest silent is forgotten. */
#define LOG_IDS 128
#define LOG_PROBES 8
#define LOG_WINDOW_MS 1000

struct log_window {
	uint64_t hash; /* of the id; 0: the row is free */
	int64_t start_ms;
	unsigned lines;
	unsigned suppressed;
};

struct log_line {
	char text[LOG_LINE_MAX];
	size_t len;
};

/* One key=value of a formatted text; the slices point into it, quotes excluded. */
struct log_pair {
	struct slice key;
	struct slice value;
	bool is_quoted;
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	enum log_format format;
	enum log_level level;
	char node[LOG_QUOTE_MAX]; /* ready to print: a plain word or quoted */
	unsigned dropped;	  /* lines that stderr had no room for */
	struct log_window windows[LOG_IDS];
	struct log_tap *tap; /* borrowed; NULL: none */
} logger = { .format = LOG_LOGFMT, .level = LOG_INFO };

static bool is_plain_word(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || strchr("\"\\=", s.ptr[i]))
			return false;
	}
	return s.len > 0 && s.len < LOG_QUOTE_MAX;
}

void log_open(enum log_format format, enum log_level level, const char *name)
{
	struct slice node = slice_from_str(name);

	assert(level <= LOG_ERROR);
	logger.format = format;
	logger.level = level;
	if (is_plain_word(node)) {
		memcpy(logger.node, node.ptr, node.len);
		logger.node[node.len] = '\0';
	} else {
		struct log_quoted quoted = log_quote(node);

		memcpy(logger.node, quoted.text, sizeof(quoted.text));
	}
}

/* ---- rate */

static uint64_t id_hash(const char *id)
{
	uint64_t hash = 14695981039346656037u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (uint8_t)*id) * 1099511628211u;
	return hash | 1;
}

static struct log_window *window_find(uint64_t hash)
{
	struct log_window *oldest = NULL;

	for (size_t i = 0; i < LOG_PROBES; i++) {
		struct log_window *window = &logger.windows[(hash / 2 + i) % LOG_IDS];

		if (window->hash == hash)
			return window;
		if (oldest == NULL || window->start_ms < oldest->start_ms)
			oldest = window;
	}
	*oldest = (struct log_window){ .hash = hash };
	return oldest;
}

/* True when `id` may write now; then `*suppressed` lines were held back before. */
static bool rate_allows(const char *id, unsigned *suppressed)
{
	struct log_window *window = window_find(id_hash(id));
	struct timespec now;
	int64_t now_ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (window->start_ms == 0 || now_ms - window->start_ms >= LOG_WINDOW_MS) {
		window->start_ms = now_ms;
		window->lines = 0;
	}
	if (window->lines == LOG_BURST) {
		window->suppressed++;
		return false;
	}
	window->lines++;
	*suppressed = window->suppressed;
	window->suppressed = 0;
	return true;
}

/* ---- the text of a call */

/* Takes the next pair off `*text`; false at its end. A word without '=' has no value. */
static bool pair_next(const char **text, struct log_pair *pair)
{
	const char *at = *text + strspn(*text, " ");
	size_t len = strcspn(at, "= ");

	if (*at == '\0')
		return false;
	*pair = (struct log_pair){ .key = slice_make(at, len) };
	at += len;
	if (*at == '=' && at[1] == '"') {
		const char *end = at + 2;

		while (*end != '\0' && *end != '"')
			end += *end == '\\' && end[1] != '\0' ? 2 : 1;
		pair->value = slice_make(at + 2, (size_t)(end - at - 2));
		pair->is_quoted = true;
		at = *end == '"' ? end + 1 : end;
	} else if (*at == '=') {
		pair->value = slice_make(at + 1, strcspn(at + 1, " "));
		at += 1 + pair->value.len;
	}
	*text = at;
	return true;
}

/* Cuts the last pair off, which was not whole, and says so. */
static void text_mark_cut(char text[LOG_TEXT_ROOM])
{
	static const char mark[] = " truncated=on";
	const char *at = text;
	size_t last = 0;
	struct log_pair pair;

	while (pair_next(&at, &pair))
		last = (size_t)(pair.key.ptr - text);
	while (last > 0 && text[last - 1] == ' ')
		last--;
	assert(last + sizeof(mark) <= LOG_TEXT_ROOM);
	memcpy(text + last, mark, sizeof(mark));
}

static void text_format(char text[LOG_TEXT_ROOM], const char *fmt, va_list args)
	PRINTF_LIKE(2, 0);

static void text_format(char text[LOG_TEXT_ROOM], const char *fmt, va_list args)
{
	int n = vsnprintf(text, LOG_TEXT_MAX, fmt, args);

	if (n < 0)
		text[0] = '\0';
	for (char *at = text; *at != '\0'; at++) {
		if (*at < ' ' || *at >= 0x7f)
			*at = '?';
	}
	if (n >= LOG_TEXT_MAX)
		text_mark_cut(text);
}

static void text_add_count(char text[LOG_TEXT_ROOM], const char *key, unsigned count)
{
	char pair[32];
	size_t len = strlen(text);
	int n = snprintf(pair, sizeof(pair), " %s=%u", key, count);

	if (count == 0)
		return;
	assert(n > 0 && (size_t)n < sizeof(pair));
	assert(len + (size_t)n < LOG_TEXT_ROOM);
	memcpy(text + len, pair, (size_t)n + 1);
}

/* ---- the line */

static void line_put(struct log_line *line, const char *ptr, size_t len)
{
	assert(ptr != NULL);
	assert(len <= sizeof(line->text) - line->len);
	memcpy(line->text + line->len, ptr, len);
	line->len += len;
}

static void line_puts(struct log_line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

static void line_put_time(struct log_line *line)
{
	struct timespec now;
	struct tm utc;
	char text[64];
	char fraction[16];

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	(void)gmtime_r(&now.tv_sec, &utc);	   /* fails past the year 2^31 only */
	line_put(line, text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc));
	(void)snprintf(fraction, sizeof(fraction), ".%03uZ",
		       (unsigned)(now.tv_nsec / 1000000) % 1000u); /* always fits */
	line_puts(line, fraction);
}

/* Our own escapes in quoted values (\xNN) mean nothing to JSON: they stay as text. */
static void line_put_json_string(struct log_line *line, struct slice s, bool is_quoted)
{
	line_puts(line, "\"");
	for (size_t i = 0; i < s.len; i++) {
		char next = i + 1 < s.len ? s.ptr[i + 1] : '\0';

		if (is_quoted && s.ptr[i] == '\\' && next != '\0' &&
		    strchr("\"\\nrt", next))
			line_put(line, s.ptr + i++, 2);
		else if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			line_put(line, s.ptr[i] == '"' ? "\\\"" : "\\\\", 2);
		else
			line_put(line, s.ptr + i, 1);
	}
	line_puts(line, "\"");
}

/* A number that every JSON reader keeps exactly. */
static bool is_json_integer(struct slice s)
{
	size_t sign = s.len > 0 && s.ptr[0] == '-';
	size_t digits = s.len - sign;

	if (digits < 1 || digits > 15 || (s.ptr[sign] == '0' && s.len > 1))
		return false;
	for (size_t i = sign; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	}
	return true;
}

static void line_put_json_pairs(struct log_line *line, const char *text)
{
	struct log_pair pair;

	while (pair_next(&text, &pair)) {
		line_puts(line, ",");
		line_put_json_string(line, pair.key, false);
		line_puts(line, ":");
		if (!pair.is_quoted && is_json_integer(pair.value))
			line_put(line, pair.value.ptr, pair.value.len);
		else
			line_put_json_string(line, pair.value, pair.is_quoted);
	}
}

static void line_format_json(struct log_line *line, enum log_level level, const char *id,
			     const char *text)
{
	size_t node_len = strlen(logger.node);
	bool is_quoted = logger.node[0] == '"';

	line_puts(line, "{\"time\":\"");
	line_put_time(line);
	line_puts(line, "\",\"level\":\"");
	line_puts(line, level_names[level]);
	line_puts(line, "\",\"event\":\"");
	line_puts(line, id);
	line_puts(line, "\"");
	if (node_len > 0) {
		struct slice node = slice_make(logger.node, node_len);

		line_puts(line, ",\"node\":");
		if (is_quoted)
			node = slice_make(logger.node + 1, node_len - 2);
		line_put_json_string(line, node, is_quoted);
	}
	line_put_json_pairs(line, text);
	line_puts(line, "}\n");
}

static void line_format_logfmt(struct log_line *line, enum log_level level,
			       const char *id, const char *text)
{
	line_put_time(line);
	line_puts(line, " level=");
	line_puts(line, level_names[level]);
	line_puts(line, " event=");
	line_puts(line, id);
	if (logger.node[0] != '\0') {
		line_puts(line, " node=");
		line_puts(line, logger.node);
	}
	if (text[0] != '\0' && text[0] != ' ')
		line_puts(line, " ");
	line_puts(line, text);
	line_puts(line, "\n");
}

/* A line fits PIPE_BUF, so a pipe that polls writable takes it whole. */
static bool stderr_has_room(void)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&room, 1, 0) != 0;
}

static void write_all(const char *ptr, size_t len)
{
	ssize_t n;

	/* A closed stderr costs the line, never the process. */
	do {
		n = write(STDERR_FILENO, ptr, len);
	} while (n < 0 && errno == EINTR);
}

static void log_line(enum log_level level, const char *id, unsigned suppressed,
		     const char *fmt, va_list args) PRINTF_LIKE(4, 0);

static void log_line(enum log_level level, const char *id, unsigned suppressed,
		     const char *fmt, va_list args)
{
	int saved_errno = errno;
	char text[LOG_TEXT_ROOM];
	struct log_line line;

	assert(strlen(id) <= LOG_ID_MAX);
	/* Whoever reads it stands still: it costs the line, never the loop's time. */
	if (!stderr_has_room()) {
		logger.dropped += 1 + suppressed;
		errno = saved_errno;
		return;
	}
	text_format(text, fmt, args);
	text_add_count(text, "suppressed", suppressed);
	text_add_count(text, "dropped", logger.dropped);
	logger.dropped = 0;
	line.len = 0;
	if (logger.format == LOG_JSON)
		line_format_json(&line, level, id, text);
	else
		line_format_logfmt(&line, level, id, text);
	write_all(line.text, line.len);
	errno = saved_errno;
}

void log_tap(struct log_tap *tap)
{
	logger.tap = tap;
}

static PRINTF_LIKE(3, 0) bool is_tapped(enum log_level level, const char *id,
					const char *fmt, va_list args)
{
	char pairs[LOG_TEXT_MAX];

	(void)vsnprintf(pairs, sizeof(pairs), fmt, args); /* cut is fine */
	return logger.tap->take(logger.tap, level, id, pairs);
}

void log_write(enum log_level level, const char *id, const char *fmt, ...)
{
	unsigned suppressed;
	bool is_taken;
	va_list args;

	assert(level <= LOG_ERROR);
	va_start(args, fmt);
	is_taken = logger.tap != NULL && is_tapped(level, id, fmt, args);
	va_end(args);
	if (is_taken || level < logger.level || !rate_allows(id, &suppressed))
		return;
	va_start(args, fmt);
	log_line(level, id, suppressed, fmt, args);
	va_end(args);
}

void log_audit(const char *id, const char *fmt, ...)
{
	va_list args;

	if (logger.level > LOG_INFO)
		return;
	va_start(args, fmt);
	log_line(LOG_INFO, id, 0, fmt, args);
	va_end(args);
}

void fatal(const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list args;
	int n;

	n = snprintf(text, sizeof(text), "%s: ", program_invocation_short_name);
	assert(n > 0 && (size_t)n < sizeof(text) / 2);
	va_start(args, fmt);
	(void)vsnprintf(text + n, sizeof(text) - (size_t)n - 1, fmt,
			args); /* cut is fine */
	va_end(args);
	n = (int)strlen(text);
	text[n] = '\n';
	if (stderr_has_room())
		write_all(text, (size_t)n + 1);
	/* Start-up is over before any thread exists. */
	exit(EXIT_FAILURE); /* NOLINT(concurrency-mt-unsafe) */
}

/* ---- peer bytes */

/* The letters that stand for `byte` between quotes; returns how many, at most four. */
static size_t byte_escape(char byte, char out[4])
{
	static const char digits[] = "0123456789abcdef";
	static const char escapes[] = "\"\"\\\\\nn\rr\tt";
	uint8_t value = (uint8_t)byte;

	for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
		if (byte == escapes[i]) {
			out[0] = '\\';
			out[1] = escapes[i + 1];
			return 2;
		}
	}
	if (value >= ' ' && value < 0x7f) {
		out[0] = byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[value >> 4];
	out[3] = digits[value & 15];
	return 4;
}

struct log_quoted log_quote(struct slice bytes)
{
	struct log_quoted out;
	char escaped[4];
	size_t len = 0;

	out.text[len++] = '"';
	for (size_t i = 0; i < bytes.len; i++) {
		size_t n = byte_escape(bytes.ptr[i], escaped);

		/* Always leaves room for the dots, the quote and the NUL. */
		if (len + n + 5 > sizeof(out.text)) {
			memcpy(out.text + len, "...", 3);
			len += 3;
			break;
		}
		memcpy(out.text + len, escaped, n);
		len += n;
	}
	out.text[len++] = '"';
	out.text[len] = '\0';
	return out;
}
