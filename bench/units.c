/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/units.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/err.h"

#define KIB 1024.0
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
/* What is rounded up to the next unit is told in it. */
#define ROUNDS_UP 0.9995

static void print(char out[UNITS_TEXT_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static void print(char out[UNITS_TEXT_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(out, UNITS_TEXT_MAX, format, args); /* cut when too long */
	va_end(args);
}

static void print_scaled(char out[UNITS_TEXT_MAX], double value, const char *unit)
{
	int digits = fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0;

	print(out, "%.*f%s", digits, value, unit);
}

const char *units_number(char out[UNITS_TEXT_MAX], double value)
{
	double size = fabs(value);

	if (floor(value) >= value && size < 10000)
		print(out, "%.0f", value);
	else if (size >= 1e9 * ROUNDS_UP)
		print_scaled(out, value / 1e9, "G");
	else if (size >= 1e6 * ROUNDS_UP)
		print_scaled(out, value / 1e6, "M");
	else if (size >= 1e4 * ROUNDS_UP)
		print_scaled(out, value / 1e3, "k");
	else if (size > 0 && size < 0.01)
		print(out, "%.2g", value);
	else
		print_scaled(out, value, "");
	return out;
}

const char *units_time(char out[UNITS_TEXT_MAX], double us)
{
	double size = fabs(us);

	if (size >= 1e6 * ROUNDS_UP)
		print_scaled(out, us / 1e6, " s");
	else if (size >= 1e3 * ROUNDS_UP)
		print_scaled(out, us / 1e3, " ms");
	else if (floor(us) >= us)
		print(out, "%.0f us", us);
	else
		print_scaled(out, us, " us");
	return out;
}

const char *units_bytes(char out[UNITS_TEXT_MAX], double bytes)
{
	double size = fabs(bytes);

	if (size >= GIB)
		print_scaled(out, bytes / GIB, " GiB");
	else if (size >= MIB)
		print_scaled(out, bytes / MIB, " MiB");
	else if (size >= 10 * KIB)
		print_scaled(out, bytes / KIB, " KiB");
	else
		print(out, "%.0f B", bytes);
	return out;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);

	return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

const char *units_figure(char out[UNITS_TEXT_MAX], const char *name, double value)
{
	if (ends_with(name, "_us") || strstr(name, "_us_per_") != NULL)
		return units_time(out, value);
	if (ends_with(name, "_s"))
		return units_time(out, value * 1e6);
	if (ends_with(name, "_bytes") || strstr(name, "_bytes_per_") != NULL ||
	    ends_with(name, "_bytes_rate"))
		return units_bytes(out, value);
	return units_number(out, value);
}
