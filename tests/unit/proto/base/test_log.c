/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives on stderr, read from a pipe that stands in for it. jansson judges whether
 * the JSON form is JSON.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strptime, timegm */
#endif

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"

#define TEXT_MAX 65536
#define DEADLINE_MS 5000

static int pipe_fd = -1;
static int saved_stderr = -1;
static char captured[TEXT_MAX];

static void capture_start(void)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_geq(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	pipe_fd = fds[0];
	cr_assert_eq(fcntl(pipe_fd, F_SETFL, O_NONBLOCK), 0);
}

/* What was written since the last call. */
static const char *capture_read(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(pipe_fd, captured + len, sizeof(captured) - 1 - len)) > 0)
		len += (size_t)n;
	captured[len] = '\0';
	return captured;
}

static void capture_stop(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipe_fd);
}

TestSuite(log, .init = capture_start, .fini = capture_stop);

/* The line without its time, which is checked once. */
static const char *line_rest(void)
{
	const char *line = capture_read();
	const char *space = strchr(line, ' ');

	return space ? space + 1 : line;
}

/* The first line alone: behind it a sanitizer may have its say about a forked child. */
static const char *first_line(void)
{
	char *end = strchr(capture_read(), '\n');

	cr_assert_not_null(end);
	end[1] = '\0';
	return captured;
}

static json_t *line_json(void)
{
	const char *line = capture_read();
	json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(json, "not JSON: %s", line);
	return json;
}

static const char *json_text(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "(none)";
}

static size_t lines_count(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Equal, where a '#' of the pattern stands for any digit. */
static bool has_shape(const char *text, const char *pattern)
{
	for (; *text != '\0' && *pattern != '\0'; text++, pattern++) {
		bool is_digit = *text >= '0' && *text <= '9';

		if (*pattern == '#' ? !is_digit : *text != *pattern)
			return false;
	}
	return *text == *pattern;
}

/* ---- logfmt */

Test(log, a_line_has_time_level_event_node_and_pairs)
{
	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	log_warn("link.peer_lost", "peer=%s", "r1");
	cr_expect(has_shape(capture_read(), "####-##-##T##:##:##.###Z level=warn "
					    "event=link.peer_lost node=g1 peer=r1\n"),
		  "%s", captured);
}

Test(log, the_time_is_now)
{
	time_t before = time(NULL);
	struct tm tm = { 0 };

	log_info("a.b", "%s", "");
	cr_assert_not_null(strptime(capture_read(), "%Y-%m-%dT%H:%M:%S", &tm));
	cr_expect_geq(timegm(&tm), before);
	cr_expect_leq(timegm(&tm), time(NULL));
}

Test(log, before_open_there_is_no_node)
{
	log_info("a.b", "k=%d", 1);
	cr_expect_str_eq(line_rest(), "level=info event=a.b k=1\n");
}

Test(log, no_pairs_leave_no_space_behind)
{
	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	log_info("a.b", "%s", "");
	cr_expect_str_eq(line_rest(), "level=info event=a.b node=g1\n");
}

Test(log, each_level_has_its_name)
{
	log_open(LOG_LOGFMT, LOG_DEBUG, "g1");
	log_debug("a.d", "%s", "");
	cr_expect_str_eq(line_rest(), "level=debug event=a.d node=g1\n");
	log_info("a.i", "%s", "");
	cr_expect_str_eq(line_rest(), "level=info event=a.i node=g1\n");
	log_warn("a.w", "%s", "");
	cr_expect_str_eq(line_rest(), "level=warn event=a.w node=g1\n");
	log_error("a.e", "%s", "");
	cr_expect_str_eq(line_rest(), "level=error event=a.e node=g1\n");
}

Test(log, lines_below_the_level_are_not_written)
{
	log_open(LOG_LOGFMT, LOG_WARN, "g1");
	log_debug("a.d", "%s", "");
	log_info("a.i", "%s", "");
	cr_expect_str_eq(capture_read(), "");
	log_warn("a.w", "%s", "");
	cr_expect_eq(lines_count(capture_read()), 1);
}

Test(log, open_may_be_called_again)
{
	char name[] = "g1";

	log_open(LOG_LOGFMT, LOG_INFO, name);
	name[0] = 'x';
	log_info("a.b", "%s", "");
	cr_expect_str_eq(line_rest(), "level=info event=a.b node=g1\n");
	log_open(LOG_LOGFMT, LOG_INFO, "g1-w0");
	log_info("a.b", "%s", "");
	cr_expect_str_eq(line_rest(), "level=info event=a.b node=g1-w0\n");
}

Test(log, a_node_that_is_no_word_is_quoted)
{
	log_open(LOG_LOGFMT, LOG_INFO, "my \"g1\"");
	log_info("a.b", "%s", "");
	cr_expect_str_eq(line_rest(), "level=info event=a.b node=\"my \\\"g1\\\"\"\n");
}

Test(log, a_newline_cannot_start_a_line_of_its_own)
{
	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	log_info("a.b", "k=%s", "v\nlevel=error\r\x1b[31m\xff");
	cr_expect_str_eq(line_rest(),
			 "level=info event=a.b node=g1 k=v?level=error??[31m?\n");
}

Test(log, errno_survives)
{
	errno = ERANGE;
	log_info("a.b", "%s", "");
	cr_expect_eq(errno, ERANGE);
}

Test(log, a_closed_stderr_is_no_error)
{
	close(STDERR_FILENO);
	log_error("a.b", "k=%d", 1);
	cr_expect_str_eq(capture_read(), "");
}

/* ---- length */

static char *letters(size_t n)
{
	char *text = malloc(n + 1);

	cr_assert_not_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

Test(log, the_longest_text_is_whole)
{
	char *value = letters(895 - 7);

	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	log_info("a.b", "a=1 bc=%s", value);
	cr_assert_not_null(strstr(capture_read(), " a=1 bc=x"));
	cr_expect_str_eq(strstr(captured, "bc=") + 3 + 888, "\n");
	free(value);
}

Test(log, one_byte_more_cuts_the_last_pair)
{
	char *value = letters(895 - 6);

	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	log_info("a.b", "a=1 bc=%s", value);
	cr_expect_str_eq(line_rest(), "level=info event=a.b node=g1 a=1 truncated=on\n");
	free(value);
}

Test(log, a_cut_inside_quotes_leaves_no_open_quote)
{
	char *value = letters(2000);
	json_t *json;

	log_open(LOG_JSON, LOG_INFO, "g1");
	log_info("a.b", "a=1 b=\"%s\"", value);
	json = line_json();
	cr_expect_str_eq(json_text(json, "truncated"), "on");
	cr_expect_null(json_object_get(json, "b"));
	json_decref(json);
	free(value);
}

Test(log, the_worst_text_still_fits_a_pipe_write)
{
	char node[200];
	char text[2000];

	memset(node, '"', sizeof(node) - 1);
	node[sizeof(node) - 1] = '\0';
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ' ' : '"';
	text[sizeof(text) - 1] = '\0';
	log_open(LOG_JSON, LOG_INFO, node);
	log_info("a23456789.123456789.123456789.123456789.123456789.123456789.1234", "%s",
		 text);
	cr_expect_leq(strlen(capture_read()), PIPE_BUF);
	cr_expect_str_eq(captured + strlen(captured) - 2, "}\n");
}

/* ---- JSON */

Test(log, json_has_the_same_facts)
{
	json_t *json;

	log_open(LOG_JSON, LOG_INFO, "g1");
	log_warn("link.peer_lost", "peer=%s after_ms=%d", "r1", 250);
	json = line_json();
	cr_expect_eq(json_object_size(json), 6);
	cr_expect(has_shape(json_text(json, "time"), "####-##-##T##:##:##.###Z"));
	cr_expect_str_eq(json_text(json, "level"), "warn");
	cr_expect_str_eq(json_text(json, "event"), "link.peer_lost");
	cr_expect_str_eq(json_text(json, "node"), "g1");
	cr_expect_str_eq(json_text(json, "peer"), "r1");
	cr_expect_eq(json_integer_value(json_object_get(json, "after_ms")), 250);
	cr_expect_eq(lines_count(captured), 1);
	json_decref(json);
}

Test(log, json_unquotes_and_escapes_values)
{
	json_t *json;

	log_open(LOG_JSON, LOG_INFO, "a \"b\"");
	log_info("a.b", "q=%s bare=a\"b\\c empty= none=\"\" word",
		 log_quote(SLICE("say \"hi\"\\\n\t\r\x01=x y")).text);
	json = line_json();
	cr_expect_str_eq(json_text(json, "node"), "a \"b\"");
	cr_expect_str_eq(json_text(json, "q"), "say \"hi\"\\\n\t\r\\x01=x y");
	cr_expect_str_eq(json_text(json, "bare"), "a\"b\\c");
	cr_expect_str_eq(json_text(json, "empty"), "");
	cr_expect_str_eq(json_text(json, "none"), "");
	cr_expect_str_eq(json_text(json, "word"), "");
	json_decref(json);
}

Test(log, json_numbers_are_what_json_calls_integers)
{
	json_t *json;

	log_open(LOG_JSON, LOG_INFO, "7");
	log_info("a.b",
		 "zero=0 neg=-5 big=%s over=%s lead=007 minus=- dot=1.5 quoted=\"7\"",
		 "999999999999999", "1000000000000000");
	json = line_json();
	cr_expect(json_is_integer(json_object_get(json, "zero")));
	cr_expect_eq(json_integer_value(json_object_get(json, "neg")), -5);
	cr_expect(json_is_integer(json_object_get(json, "big")));
	cr_expect_str_eq(json_text(json, "over"), "1000000000000000");
	cr_expect_str_eq(json_text(json, "lead"), "007");
	cr_expect_str_eq(json_text(json, "minus"), "-");
	cr_expect_str_eq(json_text(json, "dot"), "1.5");
	cr_expect_str_eq(json_text(json, "quoted"), "7");
	cr_expect_str_eq(json_text(json, "node"), "7");
	json_decref(json);
}

Test(log, json_survives_text_that_is_no_pair)
{
	json_t *json;

	log_open(LOG_JSON, LOG_INFO, "g1");
	log_info("a.b", "%s", "=x a=\"open\\");
	json = line_json();
	cr_expect_str_eq(json_text(json, ""), "x");
	cr_expect_str_eq(json_text(json, "a"), "open\\");
	json_decref(json);
}

/* ---- rate */

Test(log, an_id_gets_its_burst_and_no_more)
{
	for (int i = 0; i < LOG_BURST + 5; i++)
		log_info("noisy.id", "i=%d", i);
	cr_expect_eq(lines_count(capture_read()), LOG_BURST);
}

Test(log, another_id_is_not_held_back)
{
	for (int i = 0; i < LOG_BURST + 5; i++)
		log_info("noisy.id", "i=%d", i);
	(void)capture_read();
	log_info("quiet.id", "%s", "");
	cr_expect_eq(lines_count(capture_read()), 1);
}

Test(log, lines_below_the_level_do_not_use_up_the_burst)
{
	for (int i = 0; i < LOG_BURST; i++)
		log_debug("noisy.id", "i=%d", i);
	log_info("noisy.id", "%s", "");
	cr_expect_eq(lines_count(capture_read()), 1);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Logs until a line comes through; returns how many were held back. */
static unsigned suppress_until_next_window(const char *id)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct pollfd pollfd = { .fd = pipe_fd, .events = POLLIN };
	unsigned n = 0;

	for (int i = 0; i < LOG_BURST; i++)
		log_info(id, "k=%d", 1);
	(void)capture_read();
	for (;;) {
		log_info(id, "k=%d", 1);
		if (poll(&pollfd, 1, 5) > 0)
			return n;
		n++;
		cr_assert_lt(now_ms(), deadline);
	}
}

Test(log, the_next_window_tells_what_was_held_back)
{
	char expected[64];
	unsigned n = suppress_until_next_window("noisy.id");

	cr_assert_gt(n, 0);
	(void)snprintf(expected, sizeof(expected),
		       "level=info event=noisy.id k=1 suppressed=%u\n", n);
	cr_expect_str_eq(line_rest(), expected);
	log_info("noisy.id", "k=%d", 1);
	cr_expect_str_eq(line_rest(), "level=info event=noisy.id k=1\n");
}

Test(log, more_ids_than_the_table_holds_are_all_written)
{
	char id[32];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof(id), "id.number_%d", i);
		log_info(id, "%s", "");
		cr_assert_eq(lines_count(capture_read()), 1);
	}
}

/* ---- log_quote and fatal */

Test(log, quote_escapes_what_would_break_the_line)
{
	cr_expect_str_eq(log_quote(SLICE("plain text")).text, "\"plain text\"");
	cr_expect_str_eq(log_quote(SLICE_NONE).text, "\"\"");
	cr_expect_str_eq(log_quote(SLICE("a\"b\\c\n4\re\tf")).text,
			 "\"a\\\"b\\\\c\\n4\\re\\tf\"");
	cr_expect_str_eq(log_quote(SLICE("\0\x1f\x7f\xc3\xa9")).text,
			 "\"\\x00\\x1f\\x7f\\xc3\\xa9\"");
}

Test(log, quote_shortens_past_its_size)
{
	char *text = letters(200);
	struct log_quoted fits = log_quote(slice_make(text, LOG_QUOTE_MAX - 6));
	struct log_quoted cut = log_quote(slice_make(text, LOG_QUOTE_MAX - 5));

	cr_expect_eq(strlen(fits.text), LOG_QUOTE_MAX - 4);
	cr_expect_null(strchr(fits.text, '.'));
	cr_expect_eq(strlen(cut.text), LOG_QUOTE_MAX - 1);
	cr_expect_str_eq(cut.text + LOG_QUOTE_MAX - 6, "x...\"");
	free(text);
}

Test(log, quote_never_cuts_an_escape)
{
	char bytes[100];
	char expected[LOG_QUOTE_MAX] = "\"";

	memset(bytes, 0xff, sizeof(bytes));
	for (int i = 0; i < 22; i++)
		memcpy(expected + 1 + 4 * i, "\\xff", 4);
	memcpy(expected + 89, "...\"", 5);
	cr_expect_str_eq(log_quote(slice_make(bytes, sizeof(bytes))).text, expected);
}

Test(log, fatal_names_the_program_and_exits_with_1)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		fatal("listen = %s: in use", "127.0.0.1:8080");
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 1);
	cr_expect_not_null(strstr(first_line(), ": listen = 127.0.0.1:8080: in use\n"));
}

Test(log, fatal_cuts_a_text_that_is_too_long)
{
	char *text = letters(10000);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		fatal("%s", text);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(WEXITSTATUS(status), 1);
	cr_expect_eq(strlen(first_line()), PIPE_BUF - 1);
	free(text);
}
