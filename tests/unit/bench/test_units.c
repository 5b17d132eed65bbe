/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/units.h"

#include <criterion/criterion.h>

static void expect_number(double value, const char *text)
{
	char out[UNITS_TEXT_MAX];

	cr_expect_str_eq(units_number(out, value), text);
}

static void expect_figure(const char *name, double value, const char *text)
{
	char out[UNITS_TEXT_MAX];

	cr_expect_str_eq(units_figure(out, name, value), text);
}

Test(units, three_digits_count)
{
	expect_number(0, "0");
	expect_number(9999, "9999");
	expect_number(10000, "10.0k");
	expect_number(99999, "100k");
	expect_number(999499, "999k");
	expect_number(999500, "1.00M");
	expect_number(1234567, "1.23M");
	expect_number(2.5e9, "2.50G");
	expect_number(0.5, "0.50");
	expect_number(0.0012, "0.0012");
	expect_number(-3, "-3");
}

Test(units, a_figures_name_has_its_unit)
{
	expect_figure("p99_us", 999, "999 us");
	expect_figure("p99_us", 999.4, "999 us");
	expect_figure("p99_us", 1250, "1.25 ms");
	expect_figure("p99_us", 999600, "1.00 s");
	expect_figure("server_cpu_us_per_delivery", 0.25, "0.25 us");
	expect_figure("connect_s", 1.5, "1.50 s");
	expect_figure("server_rss_bytes", 10239, "10239 B");
	expect_figure("server_rss_bytes", 10240, "10.0 KiB");
	expect_figure("server_rss_bytes_per_connection", 512, "512 B");
	expect_figure("delivered_bytes_rate", 3145728, "3.00 MiB");
	expect_figure("server_rss_bytes", 1073741824.0 * 20, "20.0 GiB");
	expect_figure("rate", 12, "12");
}
