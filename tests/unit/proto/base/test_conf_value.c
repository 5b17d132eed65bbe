/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every type at its limits and one past them, as an operator meets them: through
 * conf_load().
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/proto/base/conf_kit.h"

TestSuite(conf_value, .init = conf_kit_setup, .fini = conf_kit_teardown);

Test(conf_value, bool_is_on_or_off)
{
	static const char refused[] = ": accepted are on, off";
	static const char *const bad[] = { "", "ON", "true", "1", "on " };
	struct conf_kit_values values = conf_kit_load_good("--dev=on");

	cr_expect(values.is_dev);
	conf_fini(&conf_kit_table, &values);
	setenv("HELIOGRAPH_DEV", "on", 1);
	values = conf_kit_load_good("--dev=off");
	cr_expect_not(values.is_dev);
	conf_fini(&conf_kit_table, &values);
	unsetenv("HELIOGRAPH_DEV");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char arg[32];
		char text[80];

		(void)snprintf(arg, sizeof(arg), "--dev=%s", bad[i]);
		(void)snprintf(text, sizeof(text), "command line: dev = %s%s", bad[i],
			       refused);
		conf_kit_expect_refused(arg, text);
	}
}

struct number_case {
	const char *arg;
	int64_t value;
};

Test(conf_value, int_at_its_limits)
{
	static const struct number_case cases[] = {
		{ "--clients_max=1", 1 },
		{ "--clients_max=1000", 1000 },
		{ "--clients_max=007", 7 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_kit_values values = conf_kit_load_good(cases[i].arg);

		cr_expect_eq(values.clients_max, cases[i].value);
		conf_fini(&conf_kit_table, &values);
	}
}

Test(conf_value, int_may_be_negative)
{
	struct conf_kit_values values = conf_kit_load_good("--offset=-5");

	cr_expect_eq(values.offset, -5);
	conf_fini(&conf_kit_table, &values);
	conf_kit_expect_refused("--offset=-6",
				"command line: offset = -6: accepted range is -5..5");
}

Test(conf_value, int_past_its_limits)
{
	conf_kit_expect_refused(
		"--clients_max=0",
		"command line: clients_max = 0: accepted range is 1..1000");
	conf_kit_expect_refused(
		"--clients_max=1001",
		"command line: clients_max = 1001: accepted range is 1..1000");
	conf_kit_expect_refused("--clients_max=9223372036854775808",
				"command line: clients_max = 9223372036854775808: "
				"accepted range is 1..1000");
}

Test(conf_value, int_that_is_none)
{
	static const char *const bad[] = { "",	   "-",	 "x",	"1x", "1.5",
					   "0x10", "+1", "1 0", "5s" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char arg[32];
		char text[120];

		(void)snprintf(arg, sizeof(arg), "--clients_max=%s", bad[i]);
		(void)snprintf(text, sizeof(text),
			       "command line: clients_max = %s: not a whole number; "
			       "accepted range is 1..1000",
			       bad[i]);
		conf_kit_expect_refused(arg, text);
	}
}

Test(conf_value, ms_in_every_unit)
{
	static const struct number_case cases[] = {
		{ "--keepalive_interval=1000", 1000 },
		{ "--keepalive_interval=1000ms", 1000 },
		{ "--keepalive_interval=1s", 1000 },
		{ "--keepalive_interval=90s", 90000 },
		{ "--keepalive_interval=10m", 600000 },
		{ "--keepalive_interval=600s", 600000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_kit_values values = conf_kit_load_good(cases[i].arg);

		cr_expect_eq(values.keepalive_ms, cases[i].value);
		conf_fini(&conf_kit_table, &values);
	}
}

Test(conf_value, ms_past_its_limits)
{
	conf_kit_expect_refused(
		"--keepalive_interval=999",
		"command line: keepalive_interval = 999: accepted range is 1s..10m");
	conf_kit_expect_refused("--keepalive_interval=600001ms",
				"command line: keepalive_interval = 600001ms: "
				"accepted range is 1s..10m");
	conf_kit_expect_refused(
		"--keepalive_interval=7h",
		"command line: keepalive_interval = 7h: accepted range is 1s..10m");
	conf_kit_expect_refused(
		"--keepalive_interval=1d",
		"command line: keepalive_interval = 1d: accepted range is 1s..10m");
	conf_kit_expect_refused(
		"--keepalive_interval=9223372036854775807d",
		"command line: keepalive_interval = 9223372036854775807d: "
		"accepted range is 1s..10m");
}

Test(conf_value, ms_that_is_none)
{
	static const char *const bad[] = { "",	   "s",	    "1 s", "1S",
					   "1.5s", "1m30s", "1us", "5KiB" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char arg[64];
		char text[160];

		(void)snprintf(arg, sizeof(arg), "--keepalive_interval=%s", bad[i]);
		(void)snprintf(
			text, sizeof(text),
			"command line: keepalive_interval = %s: not a time such as "
			"250ms, 15s, 2m, 1h; accepted range is 1s..10m",
			bad[i]);
		conf_kit_expect_refused(arg, text);
	}
}

Test(conf_value, bytes_in_every_unit)
{
	static const struct number_case cases[] = {
		{ "--frame_bytes_max=1", 1 },
		{ "--frame_bytes_max=512B", 512 },
		{ "--frame_bytes_max=64KiB", 65536 },
		{ "--frame_bytes_max=1MiB", 1 << 20 },
		{ "--frame_bytes_max=4GiB", INT64_C(4) << 30 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_kit_values values = conf_kit_load_good(cases[i].arg);

		cr_expect_eq(values.frame_bytes_max, cases[i].value);
		conf_fini(&conf_kit_table, &values);
	}
}

Test(conf_value, bytes_past_its_limits)
{
	conf_kit_expect_refused(
		"--frame_bytes_max=0",
		"command line: frame_bytes_max = 0: accepted range is 1B..4GiB");
	conf_kit_expect_refused("--frame_bytes_max=4294967297",
				"command line: frame_bytes_max = 4294967297: "
				"accepted range is 1B..4GiB");
	conf_kit_expect_refused("--frame_bytes_max=8589934592GiB",
				"command line: frame_bytes_max = 8589934592GiB: "
				"accepted range is 1B..4GiB");
}

Test(conf_value, bytes_that_are_none)
{
	static const char *const bad[] = {
		"", "KiB", "1KB", "1k", "1 KiB", "1kib", "1s"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char arg[64];
		char text[160];

		(void)snprintf(arg, sizeof(arg), "--frame_bytes_max=%s", bad[i]);
		(void)snprintf(text, sizeof(text),
			       "command line: frame_bytes_max = %s: not a size such as "
			       "512B, 64KiB, 1MiB; accepted range is 1B..4GiB",
			       bad[i]);
		conf_kit_expect_refused(arg, text);
	}
}

Test(conf_value, string_at_its_limits)
{
	struct conf_kit_values values = conf_kit_load_good("--listen=abc");

	cr_expect_str_eq(values.listen, "abc");
	conf_fini(&conf_kit_table, &values);
	values = conf_kit_load_good("--listen=a234567890123456789z");
	cr_expect_str_eq(values.listen, "a234567890123456789z");
	conf_fini(&conf_kit_table, &values);
}

Test(conf_value, string_past_its_limits)
{
	conf_kit_expect_refused(
		"--listen=ab",
		"command line: listen = ab: accepted length is 3..20 characters");
	conf_kit_expect_refused("--listen=a234567890123456789zz",
				"command line: listen = a234567890123456789zz: "
				"accepted length is 3..20 characters");
}

Test(conf_value, enum_is_one_of_its_choices)
{
	struct conf_kit_values values = conf_kit_load_good("--store=redis");

	cr_expect_eq(values.store, 1);
	conf_fini(&conf_kit_table, &values);
	conf_kit_expect_refused("--store=disk",
				"command line: store = disk: accepted are memory, redis");
	conf_kit_expect_refused("--store=",
				"command line: store = : accepted are memory, redis");
	conf_kit_expect_refused("--store=redi",
				"command line: store = redi: accepted are memory, redis");
}
