/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every row of the table must keep, whichever it is.
 */
#include <string.h>

#include "bench/scenario_groups.h"
#include "tests/unit/bench/scenario/scenario_kit.h"

#define CLIENTS 60

static const struct bench_conf many = { .connections = CLIENTS,
					.groups = 5,
					.group_size = 10,
					.users = 7,
					.size = 100,
					.rate = 100,
					.connect_parallel = 100,
					.negotiate = true,
					.dev_tokens = true };

Test(scenario_table, has_the_names_of_the_field)
{
	static const char *const names[] = {
		"connect",	  "churn",	  "idle",
		"hold",		  "echo",	  "broadcast",
		"send-to-group",  "send-to-user", "send-to-connection",
		"join-leave",	  "stream",	  "upload",
		"client-results", "mixed",	  "group-beside-broadcast",
		"recorded",
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_assert_not_null(scenario_named(names[i]), "%s", names[i]);
		cr_assert_str_eq(scenario_named(names[i])->name, names[i]);
	}
	while (scenarios[n] != NULL)
		n++;
	cr_assert_eq(n, sizeof(names) / sizeof(names[0]));
	cr_assert_null(scenario_named("ech"));
	cr_assert_null(scenario_named(""));
}

Test(scenario_table, every_row_is_whole)
{
	for (size_t i = 0; scenarios[i] != NULL; i++) {
		const struct scenario *s = scenarios[i];

		cr_assert_eq(s->help[strlen(s->help) - 1], '.', "%s", s->name);
		cr_assert_gt(strlen(s->rate), 0, "%s", s->name);
		cr_assert_eq(s->init == NULL, s->fini == NULL, "%s", s->name);
		cr_assert(s->on_due != NULL || s->is_held, "%s", s->name);
	}
}

static void payload_is_consistent(const struct kit *kit)
{
	const struct scenario *s = kit->worker.scenario;
	struct payload payload;
	uint32_t one_by_one = 0;

	cr_assert_eq(payload_read(kit_payload(kit), &payload), OK);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		const uint32_t here =
			s->receivers(&kit->conf, payload.sender, payload.target, i, 1);

		cr_assert_eq(here,
			     s->is_receiver == NULL ||
				     s->is_receiver(&kit->conf, i, payload.sender,
						    payload.target),
			     "%s: target %x, client %u", s->name, payload.target, i);
		one_by_one += here;
	}
	cr_assert_eq(one_by_one,
		     s->receivers(&kit->conf, payload.sender, payload.target, 0, CLIENTS),
		     "%s", s->name);
}

/* What the run expects, and who is a stranger, come from two functions: they agree. */
Test(scenario_table, receivers_are_those_who_are_receivers)
{
	for (size_t i = 0; scenarios[i] != NULL; i++) {
		struct kit *kit = kit_new(scenarios[i]->name, &many, 0, CLIENTS);

		kit_start(kit);
		for (int due = 0; scenarios[i]->receivers != NULL && due < 200; due++) {
			kit->payload_len = 0;
			(void)kit_due(kit, due);
			if (kit->payload_len > 0)
				payload_is_consistent(kit);
		}
		kit_free(kit);
	}
}

/* Two workers of one run: each knows its own part of the whole. */
Test(scenario_table, a_worker_knows_its_own_part)
{
	for (size_t i = 0; scenarios[i] != NULL; i++) {
		const struct scenario *s = scenarios[i];
		struct kit *kit;

		if (s->receivers == NULL)
			continue;
		kit = kit_new(s->name, &many, 20, 17);
		kit_start(kit);
		for (int due = 0; due < 50; due++) {
			struct payload p;

			kit->payload_len = 0;
			(void)kit_due(kit, due);
			if (kit->payload_len == 0)
				continue;
			cr_assert_eq(payload_read(kit_payload(kit), &p), OK);
			cr_assert(range_has(p.sender, 20, 17), "%s", s->name);
			cr_assert_eq(s->receivers(&kit->conf, p.sender, p.target, 0, 20) +
					     s->receivers(&kit->conf, p.sender, p.target,
							  20, 17) +
					     s->receivers(&kit->conf, p.sender, p.target,
							  37, 23),
				     s->receivers(&kit->conf, p.sender, p.target, 0, 60));
		}
		kit_free(kit);
	}
}

Test(scenario_table, nobody_is_ready_nothing_is_said)
{
	for (size_t i = 0; scenarios[i] != NULL; i++) {
		struct kit *kit;

		if (scenarios[i]->on_due == NULL || scenarios[i]->starts_closed)
			continue;
		kit = kit_new(scenarios[i]->name, &many, 0, CLIENTS);
		kit_start(kit);
		for (uint32_t c = 0; c < CLIENTS; c++)
			kit->worker.clients[c].state = CLIENT_OPENING;
		cr_assert_not(kit_due(kit, 1), "%s", scenarios[i]->name);
		kit_expect(kit, "");
		kit_free(kit);
	}
}

/* A protocol that does not know the verb ends the run; it does not count as a loss. */
Test(scenario_table, a_protocol_without_the_word_fails)
{
	for (size_t i = 0; scenarios[i] != NULL; i++) {
		struct kit *kit;

		if (scenarios[i]->on_due == NULL || scenarios[i]->starts_closed ||
		    scenarios[i]->on_due == scenario_named("churn")->on_due)
			continue;
		kit = kit_new(scenarios[i]->name, &many, 0, CLIENTS);
		kit_start(kit);
		kit->is_wordless = true;
		(void)kit_due(kit, 1);
		cr_assert(strstr(kit->failure, "cannot be done with protocol kit") !=
				  NULL,
			  "%s: %s", scenarios[i]->name, kit->failure);
		kit_free(kit);
	}
}

/* ---- what the options must have */

static void expect_refusal(const char *scenario, const struct bench_conf *conf,
			   const char *why)
{
	struct kit *kit = kit_new(scenario, conf, 0, (uint32_t)conf->connections);

	cr_assert_not(kit->worker.scenario->init(&kit->worker), "%s", scenario);
	cr_assert(strstr(kit->failure, why) != NULL, "%s: %s", scenario, kit->failure);
	kit_free(kit);
}

Test(scenario_table, users_need_tokens)
{
	struct bench_conf conf = many;
	static char key[] = "k";
	static char none[] = "";
	struct kit *kit;

	conf.dev_tokens = false;
	expect_refusal("send-to-user", &conf, "--token_key");
	conf.token_key = none;
	expect_refusal("mixed", &conf, "--token_key");
	conf.token_key = key;
	kit = kit_new("send-to-user", &conf, 0, CLIENTS);
	kit_start(kit);
	kit_free(kit);
}

Test(scenario_table, pairs_need_two)
{
	struct bench_conf conf = many;

	conf.connections = 1;
	expect_refusal("join-leave", &conf, "two connections");
	expect_refusal("mixed", &conf, "two connections");
}

Test(scenario_table, the_big_group_needs_members)
{
	struct bench_conf conf = many;

	conf.rate = 0;
	expect_refusal("group-beside-broadcast", &conf, "--rate");
	conf.rate = 100;
	conf.in_flight = 16;
	expect_refusal("group-beside-broadcast", &conf, "--in_flight");
	conf.in_flight = 0;
	conf.group_size = 12;
	expect_refusal("group-beside-broadcast", &conf, "--group_size");
	conf.group_size = 0;
	expect_refusal("group-beside-broadcast", &conf, "--group_size");
}
