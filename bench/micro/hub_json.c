/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading one JSON hub message costs: our envelope scan beside jansson building a
 * tree of the same text, in turns, so that both see the same machine. Prints the median
 * of the rounds in nanoseconds a message, and the ratio.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/wire/hub_json.h"

#define ROUNDS 9
#define ROUND_NS 25000000

struct sample {
	const char *name;
	const char *text;
};

static const struct sample samples[] = {
	{ "ping", "{\"type\":6}" },
	{ "completion", "{\"type\":3,\"invocationId\":\"s1234\",\"result\":1}" },
	{ "invocation",
	  "{\"type\":1,\"invocationId\":\"17\",\"target\":\"SendToGroup\",\"arguments\":"
	  "[\"room-42\",{\"user\":\"alice\",\"text\":\"hello there, this is a chat\","
	  "\"at\":1700000000123,\"seq\":1}]}" },
	{ "invocation, escapes and UTF-8",
	  "{\"arguments\":[\"Gr\xc3\xbc\xc3\x9f"
	  "e aus K\xc3\xb6ln\\n\\\"zitiert\\\" \\ud83d\\ude00\",[1,2.5,-3e7,true]],"
	  "\"headers\":{\"traceparent\":\"00-aa\"},\"target\":\"Send\\u0054o\","
	  "\"invocationId\":\"1\",\"type\":1}" },
};

typedef void round_fn(struct slice text, struct arena *arena);

static void decode_ours(struct slice text, struct arena *arena)
{
	struct hub_message message;
	const char *reason;

	if (hub_json_decode(text, arena, &message, &reason) != OK)
		abort();
	arena_reset(arena);
}

static void decode_jansson(struct slice text, struct arena *arena)
{
	json_t *root = json_loadb(text.ptr, text.len, 0, NULL);

	(void)arena; /* both sides have one signature */
	if (!root)
		abort();
	json_decref(root);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static double run_round(round_fn *fn, struct slice text, struct arena *arena)
{
	int64_t start = now_ns();
	int64_t spent = 0;
	int64_t n = 0;

	while (spent < ROUND_NS) {
		for (int i = 0; i < 1000; i++)
			fn(text, arena);
		n += 1000;
		spent = now_ns() - start;
	}
	return (double)spent / (double)n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct arena arena = ARENA_INIT;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct slice text = slice_from_str(samples[i].text);
		double ours[ROUNDS];
		double theirs[ROUNDS];

		for (size_t n = 0; n < ROUNDS; n++) {
			ours[n] = run_round(decode_ours, text, &arena);
			theirs[n] = run_round(decode_jansson, text, &arena);
		}
		qsort(ours, ROUNDS, sizeof(ours[0]), compare);
		qsort(theirs, ROUNDS, sizeof(theirs[0]), compare);
		printf("%-30s %3zu B  ours %7.1f ns  jansson %7.1f ns  ratio %5.1f\n",
		       samples[i].name, text.len, ours[ROUNDS / 2], theirs[ROUNDS / 2],
		       theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
	}
	arena_fini(&arena);
	return 0;
}
