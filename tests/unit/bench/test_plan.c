/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/conf_value.h"

static const struct plan_machine usual = { .descriptors = 20000, .ports = 28232 };

/* Settles the defaults with these settings, "name=value ..."; the error or "". */
static const char *settle(struct bench_conf **conf, const struct plan_machine *machine,
			  const char *settings)
{
	static char error[PLAN_ERROR_MAX];
	struct slice rest = slice_from_str(settings);

	*conf = conf_values_new(&bench_conf_table);
	while (rest.len > 0) {
		struct slice value = slice_cut(&rest, ' ');
		struct slice name = slice_cut(&value, '=');
		struct buf why = BUF_INIT;
		enum err rc = ERR_NOT_FOUND;

		for (size_t i = 0; i < bench_conf_table.n; i++) {
			const struct conf_option *option = &bench_conf_table.options[i];

			if (slice_equal(name, slice_from_str(option->name)))
				rc = conf_value_set(option, *conf, value, &why);
		}
		cr_assert_eq(rc, OK, "%.*s", SLICE_FMT(name));
		buf_fini(&why);
	}
	error[0] = '\0';
	if (plan_settle(*conf, machine, error) == OK)
		cr_expect_str_empty(error);
	else
		cr_expect_str_not_empty(error);
	return error;
}

static void expect_error(const struct plan_machine *machine, const char *settings,
			 const char *part)
{
	struct bench_conf *conf = NULL;
	const char *error = settle(&conf, machine, settings);

	cr_expect_not_null(strstr(error, part), "%s: \"%s\"", settings, error);
	conf_values_free(&bench_conf_table, conf);
}

static struct bench_conf *expect_fine(const struct plan_machine *machine,
				      const char *settings)
{
	struct bench_conf *conf = NULL;

	cr_expect_str_empty(settle(&conf, machine, settings));
	return conf;
}

static void expect_workers(const char *settings, int64_t workers, int64_t sources)
{
	struct bench_conf *conf = expect_fine(&usual, settings);

	cr_expect_eq(conf->workers, workers, "%s: %lld", settings,
		     (long long)conf->workers);
	cr_expect_eq(conf->sources, sources, "%s: %lld", settings,
		     (long long)conf->sources);
	conf_values_free(&bench_conf_table, conf);
}

Test(plan, as_few_workers_and_sources_as_it_takes)
{
	expect_workers("connections=1", 1, 1);
	expect_workers("connections=18000", 1, 2);
	expect_workers("connections=18001", 2, 2);
	expect_workers("connections=11293", 1, 1);
	expect_workers("connections=11294", 1, 2);
	expect_workers("connections=1000000", 56, 89);
	expect_workers("connections=4 workers=8", 4, 1);
	expect_workers("connections=19712 workers=1 sources=1", 1, 1);
	expect_workers("connections=25408 sources=1", 2, 1);
	/* Two sockets each: a poll that waits, and what is sent meanwhile. */
	expect_workers("connections=9856 transport=longpolling", 1, 2);
	expect_workers("connections=9857 transport=longpolling", 2, 2);
}

Test(plan, what_the_machine_cannot_do_is_told)
{
	struct plan_machine small = { .descriptors = 288, .ports = 1 };

	expect_error(&small, "connections=1", "288 descriptors");
	expect_error(&usual, "connections=19713 workers=1", "workers = 2");
	expect_error(&usual, "connections=25409 sources=1", "sources = 2");
	expect_error(&usual, "connections=10 sources=2 url=http://10.0.0.1/h",
		     "127.0.0.x");
	expect_error(&usual, "connections=30000 url=http://10.0.0.1/h", "more machines");
	small.descriptors = 289;
	conf_values_free(&bench_conf_table, expect_fine(&small, "connections=1"));
	small.descriptors = 20000;
	expect_error(&small, "connections=251", "sources = 251");
}

Test(plan, what_does_not_go_together_is_told)
{
	expect_error(&usual, "scenario=ecko", "ecko");
	expect_error(&usual, "protocol=messagepack transport=sse", "text");
	expect_error(&usual, "protocol=nats", "transport = websockets");
	expect_error(&usual, "protocol=json transport=tcp", "transport = tcp");
	expect_error(&usual, "protocol=plain transport=sse", "websockets only");
	expect_error(&usual, "protocol=nats transport=tcp scenario=client-results",
		     "awaits answers");
	expect_error(&usual, "negotiate=off transport=sse", "negotiation");
	expect_error(&usual, "negotiate=off scenario=send-to-connection",
		     "negotiate = on");
	expect_error(&usual, "protocol=plain scenario=send-to-connection",
		     "connection ids");
	expect_error(&usual, "search=p99<1ms scenario=idle", "has no rate");
	expect_error(&usual, "url=127.0.0.1:8080/hub", "url");
	expect_error(&usual, "url=http://127.0.0.1:0/hub", "url");
	expect_error(&usual, "url=http://127.0.0.1:65536/hub", "url");
	expect_error(&usual, "url=http://:80/hubs", "url");
	expect_error(&usual, "url=https://example.org/hub", "a proxy that ends TLS");
}

Test(plan, what_is_left_open_follows_from_the_rest)
{
	struct bench_conf *conf = expect_fine(&usual, "connections=1000 groups=100");

	cr_expect_eq(conf->group_size, 10);
	cr_expect_eq(conf->in_flight, 1);
	conf_values_free(&bench_conf_table, conf);
	conf = expect_fine(&usual, "connections=10 groups=100 rate=5");
	cr_expect_eq(conf->group_size, 1);
	cr_expect_eq(conf->in_flight, 0);
	conf_values_free(&bench_conf_table, conf);
	conf = expect_fine(&usual, "search=p99<1 search_from=7");
	cr_expect_eq(conf->rate, 7);
	cr_expect_eq(conf->in_flight, 0);
	conf_values_free(&bench_conf_table, conf);
}

Test(plan, this_machine_has_descriptors_and_ports)
{
	struct plan_machine machine = { 0 };

	plan_machine(&machine);
	cr_expect_gt(machine.descriptors, 0);
	cr_expect_gt(machine.ports, 0);
}

Test(plan, a_history_goes_with_its_scenario)
{
	struct bench_conf *conf = NULL;

	expect_error(&usual, "scenario=recorded", "it needs history = FILE");
	expect_error(&usual, "scenario=echo history=x", "scenario = echo writes none");
	cr_expect_str_empty(settle(&conf, &usual, "scenario=recorded history=x"));
	conf_values_free(&bench_conf_table, conf);
}
