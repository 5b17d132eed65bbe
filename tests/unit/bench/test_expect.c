/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/expect.h"

#include <criterion/criterion.h>
#include <string.h>

#include "proto/base/mem.h"

static struct result *new_result(void)
{
	struct result *result = result_new();

	result_set(result, 9500, "p99_us");
	result_set(result, 0, "lost");
	result_set(result, 1200, "rate");
	result_set(result, 4096, "server_rss_bytes");
	result->latency = MEM_NEW(struct histogram);
	histogram_add_n(result->latency, 100, 99);
	histogram_add(result->latency, 2000000);
	return result;
}

/* 1: holds, 0: does not, -1: is no condition, -2: the result has no such figure. */
static int check(const struct result *result, const char *text)
{
	char error[EXPECT_ERROR_MAX] = "";
	struct expect_list list;
	bool is_held = false;
	double actual = 0;

	if (expect_parse(slice_from_str(text), &list, error) != OK) {
		cr_expect_neq(error[0], '\0', "%s", text);
		return -1;
	}
	for (size_t i = 0; i < list.n; i++) {
		if (expect_check(&list.items[i], result, &is_held, &actual) != OK)
			return -2;
		if (!is_held)
			return 0;
	}
	return 1;
}

struct sample {
	const char *text;
	int expected;
};

static const struct sample samples[] = {
	{ "", 1 },
	{ "p99<10ms", 1 },
	{ "p99_us<10ms", 1 },
	{ "p99<9500us", 0 },
	{ "p99<=9500us", 1 },
	{ "p99<=9.5ms", 1 },
	{ "p99>=9500", 1 },
	{ "p99>9500", 0 },
	{ "p99=9.5ms", 1 },
	{ "p99==9.5ms", 1 },
	{ "p99!=9.5ms", 0 },
	{ "p99 < 0.01s , lost = 0", 1 },
	{ "p99<10ms,lost=0,rate>1000", 1 },
	{ "p99<10ms,lost=0,rate>1.3k", 0 },
	{ "rate<1M", 1 },
	{ "server_rss_bytes<=4KiB", 1 },
	{ "server_rss_bytes<1MiB", 1 },
	{ "server_rss_bytes<1GiB", 1 },
	{ "p99<1m", 1 },
	{ "within(1s)>=99%", 1 },
	{ "within(1s)>99%", 0 },
	{ "within(2s)=100%", 1 },
	{ "within(100us)>=0.99", 1 },
	{ "p98<1", -2 },
	{ "p9<1", -2 },
	{ "p99", -1 },
	{ "p99<", -1 },
	{ "<5", -1 },
	{ "p99<x", -1 },
	{ "p99<-1", -1 },
	{ "p99<+1", -1 },
	{ "p99<0x10", -1 },
	{ "p99<nan", -1 },
	{ "p99<1h", -1 },
	{ "p99<1.2.3", -1 },
	{ "p99<1ms,,lost=0", -1 },
	{ "p99<>1", -1 },
	{ "within()>1", -1 },
	{ "within(x)>1", -1 },
	{ "within(1s>1", -2 },
};

Test(expect, conditions_hold_or_do_not_or_are_none)
{
	struct result *result = new_result();

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		cr_expect_eq(check(result, samples[i].text), samples[i].expected,
			     "%s: %d", samples[i].text, check(result, samples[i].text));
	result_free(result);
}

Test(expect, nothing_measured_holds_nothing)
{
	struct result *result = new_result();

	memset(result->latency, 0, sizeof(*result->latency));
	cr_expect_eq(check(result, "within(1s)>0"), -2);
	mem_free(result->latency);
	result->latency = NULL;
	cr_expect_eq(check(result, "within(1s)>0"), -2);
	result_free(result);
}

Test(expect, there_is_a_limit)
{
	char text[EXPECT_MAX * 8 + 16] = "";
	char error[EXPECT_ERROR_MAX];
	struct expect_list list;

	for (int i = 0; i < EXPECT_MAX; i++)
		strcat(text, i == 0 ? "lost=0" : ",lost=0");
	cr_expect_eq(expect_parse(slice_from_str(text), &list, error), OK);
	cr_expect_eq(list.n, EXPECT_MAX);
	strcat(text, ",lost=0");
	cr_expect_eq(expect_parse(slice_from_str(text), &list, error), ERR_LIMIT);
}

Test(expect, a_name_has_a_limit)
{
	char text[RESULT_NAME_MAX + 8];
	char error[EXPECT_ERROR_MAX];
	struct expect_list list;

	memset(text, 'a', RESULT_NAME_MAX);
	memcpy(text + RESULT_NAME_MAX - 1, "<1", 3);
	cr_expect_eq(expect_parse(slice_from_str(text), &list, error), OK);
	memset(text, 'a', RESULT_NAME_MAX);
	memcpy(text + RESULT_NAME_MAX, "<1", 3);
	cr_expect_eq(expect_parse(slice_from_str(text), &list, error), ERR_MALFORMED);
}

Test(expect, what_a_run_will_not_have_is_told_before_it)
{
	struct result *names = new_result();
	char why[EXPECT_ERROR_MAX] = "";

	cr_expect(expect_fits("p99<1ms,within(1s)>1%", names, why));
	cr_expect_not(expect_fits("los=0", names, why));
	cr_expect_not_null(strstr(why, "did you mean lost"), "%s", why);
	cr_expect_not(expect_fits("lost", names, why));
	result_free(names);
}

Test(expect, a_list_knows_its_names)
{
	char error[EXPECT_ERROR_MAX];
	struct expect_list list;

	cr_assert_eq(expect_parse(SLICE("lost<5,errors=0"), &list, error), OK);
	cr_expect(expect_list_has(&list, "lost"));
	cr_expect(expect_list_has(&list, "errors"));
	cr_expect_not(expect_list_has(&list, "los"));
}
