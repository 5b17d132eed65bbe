/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls and their bytes, step by step; then by chance, held against a plain list of
 * what must be where.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/redis_queue.h"

#define STEPS 200000
#define CALLS 512

static struct redis_queue queue;
static struct redis_call calls[CALLS];
static struct list out;

static void on_done(struct redis_call *call, enum err rc, const struct redis_reply *reply)
{
	(void)call;
	(void)rc;
	(void)reply;
}

static void setup(void)
{
	redis_queue_init(&queue);
	list_init(&out);
}

static void teardown(void)
{
	redis_queue_take_all(&queue, &out);
	redis_queue_fini(&queue);
}

TestSuite(redis_queue, .init = setup, .fini = teardown, .timeout = 60);

static void add(size_t i, const char *word)
{
	const struct slice args[] = { slice_from_str(word) };
	const struct redis_command command = { .args = args, .args_n = 1 };

	calls[i].done = on_done;
	redis_queue_add(&queue, &calls[i], &command, redis_command_bytes(&command));
}

static void expect_leaving(const char *text, size_t in_flight_max)
{
	const struct slice bytes = redis_queue_leave(&queue, in_flight_max);

	cr_expect(slice_equal(bytes, slice_from_str(text)), "%.*s", SLICE_FMT(bytes));
}

static void leave_all(void)
{
	redis_queue_took(&queue, redis_queue_leave(&queue, CALLS).len);
}

static void expect_out(size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		cr_expect_eq(list_shift(&out), &calls[i].node, "call %zu", i);
	cr_expect(list_is_empty(&out));
}

#define CMD(word) "*1\r\n$1\r\n" word "\r\n"

Test(redis_queue, writes_commands)
{
	const struct slice words[] = { SLICE("EVALSHA"), SLICE("") };
	const struct slice args[] = { SLICE("a\r\nb"), SLICE("0123456789") };
	const struct redis_command command = {
		.head = words, .head_n = 2, .args = args, .args_n = 2
	};
	const char *text = "*4\r\n$7\r\nEVALSHA\r\n$0\r\n\r\n$4\r\na\r\nb\r\n"
			   "$10\r\n0123456789\r\n";
	struct buf buf = BUF_INIT;

	redis_command_write(&command, &buf);
	cr_expect(slice_equal(buf_slice(&buf), slice_from_str(text)));
	cr_expect_eq(redis_command_bytes(&command), buf.len);
	buf_fini(&buf);
}

Test(redis_queue, lets_calls_leave_in_order_and_in_time)
{
	expect_leaving("", 2);
	add(0, "a");
	add(1, "b");
	add(2, "c");
	expect_leaving(CMD("a") CMD("b"), 2);
	cr_expect_null(redis_queue_first(&queue)); /* nothing was taken yet */
	redis_queue_took(&queue, strlen(CMD("a")) + 3);
	expect_leaving(&CMD("b")[3], 2);
	cr_expect_eq(redis_queue_first(&queue), &calls[0]);
	redis_queue_answered(&queue);
	cr_expect_null(redis_queue_first(&queue)); /* half of it */
	expect_leaving("\n$1\r\nb\r\n" CMD("c"), 2);
	cr_expect_eq(queue.waiting_n, 0);
	cr_expect_eq(queue.in_flight_n, 2);
}

Test(redis_queue, has_calls_stand_again_at_the_front)
{
	for (size_t i = 0; i < 4; i++)
		add(i, (const char *[]){ "a", "b", "c", "d" }[i]);
	redis_queue_took(&queue, redis_queue_leave(&queue, 3).len);
	redis_queue_answered(&queue);
	redis_queue_stand(&queue);
	expect_leaving("", 3); /* none leaves behind them */
	redis_queue_stand(&queue);
	cr_expect_eq(queue.again_n, 2);
	redis_queue_resume(&queue);
	expect_leaving(CMD("b") CMD("c") CMD("d"), 3);
}

Test(redis_queue, lets_go_what_stands_again)
{
	add(0, "a");
	add(1, "b");
	add(2, "c");
	leave_all();
	redis_queue_stand(&queue);
	redis_queue_stand(&queue);
	redis_queue_take_again(&queue, &out);
	expect_out(0, 2);
	cr_expect_eq(redis_queue_first(&queue), &calls[2]);
	redis_queue_answered(&queue);
	cr_expect_eq(redis_queue_bytes(&queue), 0);
}

Test(redis_queue, tells_what_was_sent_from_what_was_not)
{
	for (size_t i = 0; i < 4; i++)
		add(i, (const char *[]){ "a", "b", "c", "d" }[i]);
	expect_leaving(CMD("a") CMD("b") CMD("c"), 3);
	redis_queue_took(&queue, strlen(CMD("a")) + 1); /* one byte of b */
	redis_queue_take_sent(&queue, &out);
	expect_out(0, 2);
	cr_expect_eq(queue.waiting_n, 2);
	expect_leaving(CMD("c") CMD("d"), 3);
}

Test(redis_queue, takes_out_what_waits_only_when_nothing_is_before_it)
{
	cr_expect_null(redis_queue_take_waiting(&queue));
	add(0, "a");
	add(1, "b");
	redis_queue_took(&queue, redis_queue_leave(&queue, 1).len);
	cr_expect_null(redis_queue_take_waiting(&queue));
	redis_queue_stand(&queue);
	cr_expect_null(redis_queue_take_waiting(&queue));
	redis_queue_resume(&queue);
	cr_expect_eq(redis_queue_take_waiting(&queue), &calls[0]);
	expect_leaving(CMD("b"), 1);
}

Test(redis_queue, gives_memory_back)
{
	char *big = malloc(3u << 20);

	memset(big, 'x', (3u << 20) - 1);
	big[(3u << 20) - 1] = '\0';
	add(0, big);
	leave_all();
	redis_queue_answered(&queue);
	cr_expect_eq(queue.bytes.cap, 0);
	free(big);
}

/* ---- by chance */

/* What must be in the queue: numbers of calls, in order, and how far each has come. */
static struct {
	unsigned ids[CALLS];
	size_t n;
	size_t again_n;
	size_t in_flight_n;
	size_t taken_bytes;
} model;

static char *command_of(unsigned id, char text[64])
{
	char word[16];

	snprintf(word, sizeof(word), "%u", id);
	snprintf(text, 64, "*1\r\n$%zu\r\n%s\r\n", strlen(word), word);
	return text;
}

static void model_drop(size_t n)
{
	model.n -= n;
	memmove(model.ids, model.ids + n, model.n * sizeof(model.ids[0]));
}

/* The bytes that must be seen by the next leave. */
static void check_leaving(size_t in_flight_max)
{
	static char all[CALLS * 32];
	char text[64];
	const struct slice bytes = redis_queue_leave(&queue, in_flight_max);

	if (model.again_n == 0)
		while (model.in_flight_n < in_flight_max && model.in_flight_n < model.n)
			model.in_flight_n++;
	all[0] = '\0';
	for (size_t i = 0; i < model.in_flight_n; i++)
		strcat(all, command_of(model.ids[model.again_n + i], text));
	cr_assert(slice_equal(bytes, slice_from_str(all + model.taken_bytes)));
}

static size_t first_bytes(void)
{
	char text[64];

	return strlen(command_of(model.ids[model.again_n], text));
}

static void check_calls(struct list *list, size_t first, size_t n)
{
	size_t i = 0;

	LIST_EACH (node, list) {
		cr_assert_lt(i, n);
		cr_assert_eq(node, &calls[model.ids[first + i] % CALLS].node);
		i++;
	}
	cr_assert_eq(i, n);
}

static void lose(void)
{
	char text[64];
	size_t touched = 0;

	redis_queue_take_again(&queue, &out);
	check_calls(&out, 0, model.again_n);
	model_drop(model.again_n);
	model.again_n = 0;
	list_init(&out);
	for (size_t sum = 0; sum < model.taken_bytes; touched++)
		sum += strlen(command_of(model.ids[touched], text));
	redis_queue_take_sent(&queue, &out);
	check_calls(&out, 0, touched);
	model_drop(touched);
	model.in_flight_n = 0;
	model.taken_bytes = 0;
	list_init(&out);
}

static void answer(bool is_again)
{
	const size_t len = first_bytes();

	model.in_flight_n--;
	model.taken_bytes -= len;
	if (is_again) {
		redis_queue_stand(&queue);
		model.again_n++;
		return;
	}
	redis_queue_take_again(&queue, &out);
	list_init(&out);
	redis_queue_answered(&queue);
	model_drop(model.again_n + 1);
	model.again_n = 0;
}

static void step(unsigned chance, unsigned *next)
{
	char word[16];
	size_t left;

	if (chance < 40 && model.n < CALLS) {
		snprintf(word, sizeof(word), "%u", *next);
		model.ids[model.n++] = *next;
		add((*next)++ % CALLS, word);
	} else if (chance < 70) {
		check_leaving(1 + chance % 16);
		left = queue.window_bytes - queue.taken_bytes;
		left = left > 0 ? (size_t)rand() % (left + 1) : 0;
		redis_queue_took(&queue, left);
		model.taken_bytes += left;
	} else if (chance < 98) {
		if (model.in_flight_n > 0 && model.taken_bytes >= first_bytes())
			answer(chance < 80);
		if (model.in_flight_n == 0 && model.again_n > 0) {
			redis_queue_resume(&queue);
			model.again_n = 0;
		}
	} else if (chance < 99) {
		lose();
	} else if (model.n > 0 && model.in_flight_n == 0 && model.again_n == 0) {
		cr_assert_eq(redis_queue_take_waiting(&queue),
			     &calls[model.ids[0] % CALLS]);
		model_drop(1);
	}
}

Test(redis_queue, holds_by_chance)
{
	const char *given = getenv("SEED");
	const unsigned seed = given != NULL ? (unsigned)atoi(given) : 20261122u;
	unsigned next = 0;

	srand(seed);
	for (int i = 0; i < STEPS; i++) {
		step((unsigned)rand() % 100, &next);
		cr_assert_eq(queue.again_n, model.again_n, "SEED=%u step %d", seed, i);
		cr_assert_eq(queue.in_flight_n, model.in_flight_n, "SEED=%u", seed);
		cr_assert_eq(queue.waiting_n, model.n - model.again_n - model.in_flight_n,
			     "SEED=%u", seed);
	}
	cr_expect_gt(next, STEPS / 10);
}
