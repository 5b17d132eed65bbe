/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/expect.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/conf_error.h"

#define NUMBER_MAX 32
#define WITHIN "within"

/* Longer ones first where one begins another. */
static const struct {
	const char *text;
	enum expect_comparison comparison;
} comparisons[] = {
	{ "<=", EXPECT_AT_MOST }, { ">=", EXPECT_AT_LEAST }, { "!=", EXPECT_UNEQUAL },
	{ "==", EXPECT_EQUAL },	  { "<", EXPECT_BELOW },     { ">", EXPECT_ABOVE },
	{ "=", EXPECT_EQUAL },
};

static const struct {
	const char *text;
	double factor;
} units[] = {
	{ "", 1 },
	{ "us", 1 },
	{ "ms", 1e3 },
	{ "s", 1e6 },
	{ "m", 60e6 },
	{ "%", 0.01 },
	{ "k", 1e3 },
	{ "M", 1e6 },
	{ "KiB", 1024.0 },
	{ "MiB", 1048576.0 },
	{ "GiB", 1073741824.0 },
};

static enum err refuse(char error[EXPECT_ERROR_MAX], enum err rc, const char *format, ...)
	PRINTF_LIKE(3, 4);

static enum err refuse(char error[EXPECT_ERROR_MAX], enum err rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, EXPECT_ERROR_MAX, format, args); /* cut when too long */
	va_end(args);
	return rc;
}

/* "10ms", "99.9%", "1.5M" */
static bool read_number(struct slice text, double *value)
{
	char number[NUMBER_MAX];
	char *end = NULL;

	text = slice_trim(text);
	if (text.len == 0 || text.len >= sizeof(number))
		return false;
	/* No hexadecimal numbers, no "nan", no second sign. */
	if (!isdigit((unsigned char)text.ptr[0]))
		return false;
	memcpy(number, text.ptr, text.len);
	number[text.len] = '\0';
	if (number[strspn(number, "0123456789.")] == 'x')
		return false;
	*value = strtod(number, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].text) != 0)
			continue;
		*value *= units[i].factor;
		return true;
	}
	return false;
}

/* Cuts `text` at the comparison, which ends the name. */
static bool cut_comparison(struct slice text, struct expect *expect, struct slice *name,
			   struct slice *number)
{
	size_t at = 0;

	while (at < text.len && strchr("<>=!", text.ptr[at]) == NULL)
		at++;
	*name = slice_trim(slice_make(text.ptr, at));
	text = slice_from(text, at);
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		struct slice sign = slice_from_str(comparisons[i].text);

		if (!slice_starts_with(text, sign))
			continue;
		expect->comparison = comparisons[i].comparison;
		*number = slice_from(text, sign.len);
		return true;
	}
	return false;
}

static bool read_name(struct slice name, struct expect *expect)
{
	double us = 0;

	expect->within_us = -1;
	if (name.len == 0 || name.len >= sizeof(expect->name))
		return false;
	if (slice_starts_with(name, SLICE(WITHIN "(")) && name.ptr[name.len - 1] == ')') {
		size_t head = strlen(WITHIN "(");

		if (!read_number(slice_make(name.ptr + head, name.len - head - 1), &us))
			return false;
		expect->within_us = (int64_t)us;
		name = SLICE(WITHIN);
	}
	memcpy(expect->name, name.ptr, name.len);
	expect->name[name.len] = '\0';
	return true;
}

enum err expect_parse(struct slice text, struct expect_list *list,
		      char error[EXPECT_ERROR_MAX])
{
	list->n = 0;
	while (text.len > 0) {
		struct slice item = slice_trim(slice_cut(&text, ','));
		struct expect *expect = &list->items[list->n];
		struct slice name = SLICE_NONE;
		struct slice number = SLICE_NONE;

		if (list->n == EXPECT_MAX)
			return refuse(error, ERR_LIMIT, "more than %d conditions",
				      EXPECT_MAX);
		memset(expect, 0, sizeof(*expect));
		expect->text = item;
		if (!cut_comparison(item, expect, &name, &number))
			return refuse(error, ERR_MALFORMED,
				      "\"%.*s\" is no condition like p99<10ms",
				      SLICE_FMT(item));
		if (!read_name(name, expect))
			return refuse(error, ERR_MALFORMED,
				      "\"%.*s\" in \"%.*s\" is no figure's name",
				      SLICE_FMT(name), SLICE_FMT(item));
		if (!read_number(number, &expect->value))
			return refuse(error, ERR_MALFORMED,
				      "\"%.*s\" in \"%.*s\" is no number with a unit "
				      "(us ms s m %% k M KiB MiB GiB)",
				      SLICE_FMT(number), SLICE_FMT(item));
		list->n++;
	}
	return OK;
}

bool expect_fits(const char *text, const struct result *names, char why[EXPECT_ERROR_MAX])
{
	struct expect_list list;
	double value = 0;

	if (expect_parse(slice_from_str(text), &list, why) != OK)
		return false;
	for (size_t i = 0; i < list.n; i++) {
		struct slice name = slice_from_str(list.items[i].name);
		const char *nearest = NULL;
		size_t distance = conf_name_slip(name);

		if (list.items[i].within_us >= 0 ||
		    result_get(names, list.items[i].name, &value))
			continue;
		for (size_t k = 0; k < names->figures_n; k++)
			conf_name_offer(name, names->figures[k].name, &nearest,
					&distance);
		(void)refuse(why, ERR_NOT_FOUND,
			     "\"%.*s\": no figure has that name%s%s; docs/PERFORMANCE.md "
			     "lists them",
			     SLICE_FMT(list.items[i].text),
			     nearest != NULL ? ", did you mean " : "",
			     nearest != NULL ? nearest : "");
		return false;
	}
	return true;
}

static bool compare(double actual, enum expect_comparison comparison, double value)
{
	switch (comparison) {
	case EXPECT_BELOW:
		return actual < value;
	case EXPECT_AT_MOST:
		return actual <= value;
	case EXPECT_EQUAL:
		return fabs(actual - value) < 1e-9;
	case EXPECT_UNEQUAL:
		return fabs(actual - value) >= 1e-9;
	case EXPECT_AT_LEAST:
		return actual >= value;
	case EXPECT_ABOVE:
		return actual > value;
	}
	return false;
}

enum err expect_check(const struct expect *expect, const struct result *result,
		      bool *is_held, double *actual)
{
	if (expect->within_us >= 0) {
		if (result->latency == NULL || result->latency->n == 0)
			return ERR_NOT_FOUND;
		*actual = histogram_share(result->latency, expect->within_us);
	} else if (!result_get(result, expect->name, actual)) {
		return ERR_NOT_FOUND;
	}
	*is_held = compare(*actual, expect->comparison, expect->value);
	return OK;
}

bool expect_list_has(const struct expect_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	}
	return false;
}
