/* SPDX-License-Identifier: Apache-2.0 */
/* What processes report, on a clock of the test's: windows, restarts, limits. */
#include "presence/report.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct report report;
static Link__Report said;
static uint8_t wire[HISTOGRAM_BUCKETS * 8];

static void setup(void)
{
	report_init(&report);
	link__report__init(&said);
}

static void teardown(void)
{
	report_fini(&report);
}

TestSuite(report, .init = setup, .fini = teardown);

static struct report_sum sum_at(int64_t now_ms)
{
	struct report_sum sum = { 0 };

	report_add(&report, now_ms, &sum);
	return sum;
}

/* So many invocations in bucket `i` since its start. */
static void say_bucket(size_t i, uint64_t n)
{
	for (size_t byte = 0; byte < 8; byte++)
		wire[i * 8 + byte] = (uint8_t)(n >> 8 * byte);
	said.latency_buckets.data = wire;
	said.latency_buckets.len = sizeof(wire);
}

static void take(int64_t now_ms)
{
	cr_assert_eq(report_take(&report, &said, now_ms), 0);
}

/* ---- levels */

Test(report, before_the_first_one_nothing_is_known)
{
	cr_expect_eq(report_age_ms(&report, 77), -1);
	cr_expect_eq(sum_at(77).per_second[REPORT_MESSAGES_IN], 0);
	cr_expect_eq(report.links_n + report.groups_top_n, 0);
}

Test(report, levels_are_the_last_that_were_said)
{
	said.connections = 5;
	said.memory_bytes = 1 << 20;
	said.is_draining = true;
	take(100);
	said.connections = 4;
	said.queue_bytes = -1;
	take(1100);
	cr_expect_eq(report.connections, 4);
	cr_expect_eq(report.memory_bytes, 1 << 20);
	cr_expect_eq(report.queue_bytes, 0, "there is no less than nothing");
	cr_expect(report.is_draining);
	cr_expect_eq(report_age_ms(&report, 1400), 300);
}

/* ---- rates */

Test(report, one_report_makes_no_rate)
{
	said.messages_in_total = 1000;
	take(0);
	cr_expect_eq(sum_at(0).per_second[REPORT_MESSAGES_IN], 0);
}

Test(report, a_rate_is_of_the_last_five_seconds)
{
	/* 100 a second, and from the eighth on 40 */
	for (int64_t s = 0; s <= 13; s++) {
		said.messages_in_total += s == 0 ? 0 : s <= 8 ? 100 : 40;
		said.bytes_out_total += 7;
		take(s * 1000);
		if (s == 2)
			cr_expect_eq(sum_at(2000).per_second[REPORT_MESSAGES_IN], 100);
	}
	cr_expect_eq(sum_at(13000).per_second[REPORT_MESSAGES_IN], 40);
	cr_expect_eq(sum_at(13000).per_second[REPORT_BYTES_OUT], 7);
	cr_expect_eq(sum_at(13000).per_second[REPORT_MESSAGES_OUT], 0);
}

Test(report, a_gap_is_averaged_over)
{
	take(0);
	said.messages_out_total = 600;
	take(60000);
	cr_expect_eq(sum_at(60000).per_second[REPORT_MESSAGES_OUT], 10);
}

Test(report, who_went_silent_has_no_rate)
{
	take(0);
	said.messages_in_total = 10;
	take(1000);
	cr_expect_eq(sum_at(1000 + REPORT_STALE_MS).per_second[REPORT_MESSAGES_IN], 10);
	cr_expect_eq(sum_at(1001 + REPORT_STALE_MS).per_second[REPORT_MESSAGES_IN], 0);
}

Test(report, totals_that_go_down_are_a_new_start)
{
	said.messages_in_total = 1000;
	take(0);
	said.messages_in_total = 2000;
	take(1000);
	said.messages_in_total = 50;
	take(2000);
	cr_expect_eq(report.restarts, 1);
	cr_expect_eq(sum_at(2000).per_second[REPORT_MESSAGES_IN], 0);
	said.messages_in_total = 70;
	take(3000);
	cr_expect_eq(sum_at(3000).per_second[REPORT_MESSAGES_IN], 20);
}

Test(report, one_bucket_that_goes_down_is_a_new_start)
{
	say_bucket(3, 5);
	take(0);
	say_bucket(3, 4);
	take(1000);
	cr_expect_eq(report.restarts, 1);
}

Test(report, a_flood_does_not_shorten_the_window)
{
	for (int64_t ms = 0; ms <= 60000; ms += 10) {
		said.messages_in_total = ms < 55000 ? 0 : (uint64_t)(ms - 55000);
		take(ms);
	}
	/* 5000 in at most REPORT_STEP_MS more than five seconds */
	cr_expect_leq(sum_at(60000).per_second[REPORT_MESSAGES_IN], 1000);
	cr_expect_geq(sum_at(60000).per_second[REPORT_MESSAGES_IN], 900);
	cr_expect_leq(report.samples_n, REPORT_SAMPLES_MAX);
	cr_expect_leq(report.samples[0].at_ms, 60000 - REPORT_LATENCY_MS);
}

Test(report, several_processes_add_up)
{
	struct report_sum sum = { 0 };

	take(0);
	said.messages_in_total = 30;
	say_bucket(0, 2);
	take(1000);
	report_add(&report, 1000, &sum);
	report_add(&report, 1000, &sum);
	cr_expect_eq(sum.per_second[REPORT_MESSAGES_IN], 60);
	cr_expect_eq(sum.buckets[0], 4);
}

Test(report, too_much_adds_up_to_the_most)
{
	struct report_sum sum = { 0 };

	take(0);
	say_bucket(3, UINT64_MAX - 1);
	take(1000);
	report_add(&report, 1000, &sum);
	cr_expect_eq(report_latency(&sum).n, UINT64_MAX - 1);
	report_add(&report, 1000, &sum);
	cr_expect_eq(sum.buckets[3], UINT64_MAX);
	sum.buckets[0] = 1;
	cr_expect_eq(report_latency(&sum).n, UINT64_MAX);
}

/* ---- latency */

Test(report, latency_is_of_the_last_ten_seconds)
{
	struct report_sum sum;

	say_bucket(9, 1000); /* a bad start: 50 to 100 ms */
	take(0);
	for (int64_t s = 1; s <= 11; s++) {
		say_bucket(4, (uint64_t)s * 100); /* 1 to 2.5 ms */
		take(s * 1000);
	}
	sum = sum_at(11000);
	cr_expect_eq(report_latency(&sum).n, 1000);
	cr_expect_eq(report_latency(&sum).p50_us, 1750);
	cr_expect_eq(report_latency(&sum).p99_us, 2485);
}

Test(report, without_an_invocation_there_is_no_latency)
{
	struct report_sum sum;

	say_bucket(4, 100);
	take(0);
	take(1000);
	sum = sum_at(1000);
	cr_expect_eq(report_latency(&sum).n, 0);
	cr_expect_eq(report_latency(&sum).p50_us, -1);
}

Test(report, buckets_of_another_number_are_passed_over)
{
	struct report_sum sum;

	say_bucket(4, 100);
	said.latency_buckets.len -= 8;
	take(0);
	say_bucket(4, 200);
	said.latency_buckets.len -= 8;
	take(1000);
	sum = sum_at(1000);
	cr_expect_eq(report_latency(&sum).n, 0);
	cr_expect_eq(report.restarts, 0);
}

/* ---- links and groups */

static void name_set(ProtobufCBinaryData *to, const char *text)
{
	static char kept[REPORT_LINKS_MAX + 1][8];
	static size_t n;
	char *copy = kept[n++ % (REPORT_LINKS_MAX + 1)];

	(void)snprintf(copy, 8, "%s", text);
	to->data = (uint8_t *)copy;
	to->len = strlen(copy);
}

Test(report, links_are_those_of_the_last_report)
{
	Link__LinkState link = LINK__LINK_STATE__INIT;
	Link__LinkState *links[] = { &link };

	link.role = LINK__ROLE__ROLE_ROUTER;
	name_set(&link.name, "r1");
	link.is_up = true;
	link.waiting_bytes = 12;
	said.links = links;
	said.n_links = 1;
	take(0);
	memset(link.name.data, 'x', link.name.len); /* what was said has died */
	cr_assert_eq(report.links_n, 1);
	cr_expect(slice_equal(report.links[0].name, SLICE("r1")));
	cr_expect_eq(report.links[0].role, LINK__ROLE__ROLE_ROUTER);
	cr_expect(report.links[0].is_up);
	cr_expect_eq(report.links[0].waiting_bytes, 12);
	said.n_links = 0;
	take(1000);
	cr_expect_eq(report.links_n, 0);
}

Test(report, links_past_the_limit_are_left_out)
{
	static Link__LinkState all[REPORT_LINKS_MAX + 1];
	static Link__LinkState *links[REPORT_LINKS_MAX + 1];

	for (size_t i = 0; i <= REPORT_LINKS_MAX; i++) {
		link__link_state__init(&all[i]);
		links[i] = &all[i];
	}
	said.links = links;
	said.n_links = REPORT_LINKS_MAX;
	cr_expect_eq(report_take(&report, &said, 0), 0);
	cr_expect_eq(report.links_n, REPORT_LINKS_MAX);
	said.n_links = REPORT_LINKS_MAX + 1;
	cr_expect_eq(report_take(&report, &said, 0), 1);
	cr_expect_eq(report.links_n, REPORT_LINKS_MAX);
}

static Link__GroupSize sizes[REPORT_GROUPS_MAX + 1];
static Link__GroupSize *groups[REPORT_GROUPS_MAX + 1];

/* n groups, the largest first, with `least` members and more. */
static void say_groups(size_t n, const char *prefix, uint64_t least)
{
	char name[8];

	for (size_t i = 0; i < n; i++) {
		link__group_size__init(&sizes[i]);
		(void)snprintf(name, sizeof(name), "%s%zu", prefix, i);
		name_set(&sizes[i].hub, "chat");
		name_set(&sizes[i].name, name);
		sizes[i].members = least + (n - 1 - i) * 2;
		groups[i] = &sizes[i];
	}
	said.groups_top = groups;
	said.n_groups_top = n;
}

Test(report, groups_past_the_limit_are_left_out)
{
	say_groups(REPORT_GROUPS_MAX, "a", 1);
	cr_expect_eq(report_take(&report, &said, 0), 0);
	say_groups(REPORT_GROUPS_MAX + 1, "a", 1);
	cr_expect_eq(report_take(&report, &said, 0), 1);
	cr_expect_eq(report.groups_top_n, REPORT_GROUPS_MAX);
}

Test(report, a_name_that_is_too_long_is_left_out)
{
	static char name[REPORT_NAME_BYTES_MAX + 1];

	say_groups(2, "a", 1);
	sizes[0].name.data = (uint8_t *)name;
	sizes[0].name.len = REPORT_NAME_BYTES_MAX;
	cr_expect_eq(report_take(&report, &said, 0), 0);
	cr_expect_eq(report.groups_top[0].name.len, REPORT_NAME_BYTES_MAX);
	sizes[0].name.len++;
	cr_expect_eq(report_take(&report, &said, 0), 1);
	cr_assert_eq(report.groups_top_n, 1);
	cr_expect(slice_equal(report.groups_top[0].name, SLICE("a1")));
}

Test(report, the_largest_of_all_shards_come_first)
{
	struct report other;
	struct report_top top = { 0 };

	say_groups(REPORT_GROUPS_MAX, "a", 1); /* 1, 3, 5 ... */
	take(0);
	report_init(&other);
	say_groups(REPORT_GROUPS_MAX, "b", 2); /* 2, 4, 6 ... */
	cr_assert_eq(report_take(&other, &said, 0), 0);
	report_top_add(&top, &report);
	report_top_add(&top, &other);
	cr_assert_eq(top.n, REPORT_GROUPS_MAX);
	for (size_t i = 0; i < top.n; i++)
		cr_expect_eq(top.groups[i].members, REPORT_GROUPS_MAX * 2 - i);
	report_fini(&other);
}

Test(report, a_group_that_two_shards_know_counts_once)
{
	struct report other;
	struct report_top top = { 0 };

	say_groups(2, "a", 5); /* a0: 7, a1: 5 */
	take(0);
	report_init(&other);
	say_groups(2, "a", 6); /* a0: 8, a1: 6 */
	sizes[1].members = 3;
	cr_assert_eq(report_take(&other, &said, 0), 0);
	report_top_add(&top, &report);
	report_top_add(&top, &other);
	cr_assert_eq(top.n, 2);
	cr_expect_eq(top.groups[0].members, 8);
	cr_expect_eq(top.groups[1].members, 5);
	report_fini(&other);
}
