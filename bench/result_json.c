/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result as JSON and back. What a reader does not know it skips, so that files of a
 * later program with the same version can be read.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result.h"
#include "proto/base/mem.h"
#include "proto/wire/json.h"

#define NUMBER_MAX 64
#define DEPTH_MAX 8

static const char *const curve_names[CURVES] = { "delivery", "answer", "connect" };

/* ---- writing */

/* The shortest of two that reads back as the same number. */
static void put_number(struct buf *out, double value)
{
	char text[NUMBER_MAX];

	(void)snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value) /* NOLINT(clang-diagnostic-float-equal) */
		(void)snprintf(text, sizeof(text), "%.17g", value);
	buf_append_str(out, text);
}

static void put_key(struct buf *out, const char *name)
{
	json_write_string(out, slice_from_str(name));
	buf_append_str(out, ": ");
}

static void put_texts(struct buf *out, const char *name, const struct result_texts *texts)
{
	put_key(out, name);
	buf_append_byte(out, '{');
	for (size_t i = 0; i < texts->n; i++) {
		buf_append_str(out, i == 0 ? "\n  " : ",\n  ");
		put_key(out, texts->items[i].name);
		json_write_string(out, slice_from_str(texts->items[i].value));
	}
	buf_append_str(out, "\n },\n ");
}

static void put_figures(struct buf *out, const struct result *result)
{
	put_key(out, "figures");
	buf_append_byte(out, '{');
	for (size_t i = 0; i < result->figures_n; i++) {
		buf_append_str(out, i == 0 ? "\n  " : ",\n  ");
		put_key(out, result->figures[i].name);
		put_number(out, result->figures[i].value);
	}
	buf_append_str(out, "\n },\n ");
}

static void put_curves(struct buf *out, const struct result *result)
{
	put_key(out, "percentiles_us");
	buf_append_byte(out, '{');
	for (int k = 0; k < CURVES; k++) {
		const struct result_curve *curve = &result->curves[k];

		buf_append_str(out, k == 0 ? "\n  " : ",\n  ");
		put_key(out, curve_names[k]);
		buf_append_byte(out, '[');
		for (size_t i = 0; i < curve->n; i++) {
			buf_append_str(out, i == 0 ? "[" : ", [");
			put_number(out, curve->points[i].percent);
			buf_append_str(out, ", ");
			put_number(out, curve->points[i].us);
			buf_append_byte(out, ']');
		}
		buf_append_byte(out, ']');
	}
	buf_append_str(out, "\n },\n ");
}

static void put_seconds(struct buf *out, const struct result *result)
{
	put_key(out, "seconds");
	buf_append_byte(out, '[');
	for (size_t i = 0; i < result->seconds_n; i++) {
		buf_append_str(out, i == 0 ? "\n  [" : ",\n  [");
		for (int k = 0; k < RESULT_COLUMNS_N; k++) {
			if (k > 0)
				buf_append_str(out, ", ");
			put_number(out, result->seconds[i].values[k]);
		}
		buf_append_byte(out, ']');
	}
	buf_append_str(out, "\n ],\n ");
}

static void put_steps(struct buf *out, const struct result *result)
{
	put_key(out, "steps");
	buf_append_byte(out, '[');
	for (size_t i = 0; i < result->steps_n; i++) {
		const struct result_step *step = &result->steps[i];
		const double values[] = { step->rate,	step->achieved, step->delivered,
					  step->p50_us, step->p99_us,	step->is_held };

		buf_append_str(out, i == 0 ? "\n  [" : ",\n  [");
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			if (k > 0)
				buf_append_str(out, ", ");
			put_number(out, values[k]);
		}
		buf_append_byte(out, ']');
	}
	buf_append_str(out, "\n ]\n");
}

void result_encode(const struct result *result, struct buf *out)
{
	buf_appendf(out, "{\"heliograph_bench\": %d,\n ", RESULT_VERSION);
	put_texts(out, "about", &result->about);
	put_texts(out, "options", &result->options);
	put_figures(out, result);
	put_curves(out, result);
	put_seconds(out, result);
	put_steps(out, result);
	buf_append_str(out, "}\n");
}

/* ---- reading */

static enum err get_number(struct json_cursor *cursor, double *value)
{
	struct slice raw = SLICE_NONE;
	char text[NUMBER_MAX];
	enum err rc = json_skip(cursor, &raw);

	if (rc != OK)
		return rc;
	if (raw.len == 0 || raw.len >= sizeof(text) ||
	    strchr("-0123456789", raw.ptr[0]) == NULL)
		return ERR_MALFORMED;
	memcpy(text, raw.ptr, raw.len);
	text[raw.len] = '\0';
	*value = strtod(text, NULL);
	return isfinite(*value) ? OK : ERR_MALFORMED;
}

/* An array of numbers; `*n` is how many there were, at most `max`. */
static enum err get_numbers(struct json_cursor *cursor, double *values, size_t max,
			    size_t *n)
{
	bool is_first = true;
	bool more = false;
	enum err rc = json_open(cursor, '[');

	*n = 0;
	while (rc == OK) {
		rc = json_next_element(cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		if (*n == max)
			return ERR_LIMIT;
		rc = get_number(cursor, &values[(*n)++]);
	}
	return rc;
}

/* What is read of each member of an object, or each element of an array. */
struct reading {
	struct json_cursor *cursor;
	struct arena *arena;
	struct result *result;
	struct result_texts *texts;
};

typedef enum err member_fn(struct reading *reading, struct slice key);

static enum err each_member(struct reading *reading, member_fn *fn)
{
	bool is_first = true;
	bool more = false;
	struct slice key = SLICE_NONE;
	enum err rc = json_open(reading->cursor, '{');

	while (rc == OK) {
		rc = json_next_member(reading->cursor, reading->arena, &is_first, &key,
				      &more);
		if (rc != OK || !more)
			break;
		rc = fn(reading, key);
	}
	return rc;
}

static enum err each_element(struct reading *reading, member_fn *fn)
{
	bool is_first = true;
	bool more = false;
	enum err rc = json_open(reading->cursor, '[');

	while (rc == OK) {
		rc = json_next_element(reading->cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		rc = fn(reading, SLICE_NONE);
	}
	return rc;
}

/* NUL-terminated, for a name of ours. */
static bool copy_name(struct slice key, char name[RESULT_NAME_MAX])
{
	if (key.len == 0 || key.len >= RESULT_NAME_MAX ||
	    memchr(key.ptr, '\0', key.len) != NULL)
		return false;
	memcpy(name, key.ptr, key.len);
	name[key.len] = '\0';
	return true;
}

static enum err get_text(struct reading *reading, struct slice key)
{
	struct slice value = SLICE_NONE;
	char name[RESULT_NAME_MAX];
	enum err rc = json_text(reading->cursor, reading->arena, &value);

	if (rc != OK)
		return rc;
	if (!copy_name(key, name))
		return ERR_MALFORMED;
	if (reading->texts->n == RESULT_TEXTS_MAX)
		return ERR_LIMIT;
	result_text_set(reading->texts, name, value);
	return OK;
}

static enum err get_figure(struct reading *reading, struct slice key)
{
	char name[RESULT_NAME_MAX];
	double value = 0;
	enum err rc = get_number(reading->cursor, &value);

	if (rc != OK)
		return rc;
	if (!copy_name(key, name))
		return ERR_MALFORMED;
	if (reading->result->figures_n == RESULT_FIGURES_MAX)
		return ERR_LIMIT;
	result_set(reading->result, value, "%s", name);
	return OK;
}

/* A curve of the result's; `texts` is not used here, `cursor` stands before its points.
 */
static enum err get_curve(struct reading *reading, struct slice key)
{
	struct result_curve *curve = NULL;
	struct slice raw = SLICE_NONE;
	bool is_first = true;
	bool more = false;
	enum err rc;

	for (int i = 0; i < CURVES && curve == NULL; i++) {
		if (slice_equal(key, slice_from_str(curve_names[i])))
			curve = &reading->result->curves[i];
	}
	if (curve == NULL)
		return json_skip(reading->cursor, &raw);
	curve->n = 0;
	rc = json_open(reading->cursor, '[');
	while (rc == OK) {
		double point[2] = { 0, 0 };
		size_t n = 0;

		rc = json_next_element(reading->cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		if (curve->n == RESULT_POINTS_MAX)
			return ERR_LIMIT;
		rc = get_numbers(reading->cursor, point, 2, &n);
		if (rc == OK && n != 2)
			rc = ERR_MALFORMED;
		curve->points[curve->n++] = (struct result_point){ point[0], point[1] };
	}
	return rc;
}

static enum err get_second(struct reading *reading, struct slice key)
{
	size_t n = 0;

	(void)key; /* it is an array */
	if (reading->result->seconds_n == RESULT_SECONDS_MAX)
		return ERR_LIMIT;
	return get_numbers(reading->cursor, result_second_add(reading->result)->values,
			   RESULT_COLUMNS_N, &n);
}

static enum err get_step(struct reading *reading, struct slice key)
{
	struct result_step *step;
	double v[6] = { 0 };
	size_t n = 0;
	enum err rc;

	(void)key; /* as above */
	if (reading->result->steps_n == RESULT_STEPS_MAX)
		return ERR_LIMIT;
	rc = get_numbers(reading->cursor, v, 6, &n);
	if (rc != OK)
		return rc;
	step = &reading->result->steps[reading->result->steps_n++];
	*step = (struct result_step){ v[0], v[1], v[2], v[3], v[4], v[5] > 0 };
	return OK;
}

static enum err get_version(struct reading *reading)
{
	double version = 0;
	enum err rc = get_number(reading->cursor, &version);

	if (rc != OK)
		return rc;
	return (int)version == RESULT_VERSION ? OK : ERR_UNSUPPORTED;
}

static enum err get_member(struct reading *reading, struct slice key)
{
	struct slice raw = SLICE_NONE;

	if (slice_equal(key, SLICE("heliograph_bench")))
		return get_version(reading);
	if (slice_equal(key, SLICE("about"))) {
		reading->texts = &reading->result->about;
		return each_member(reading, get_text);
	}
	if (slice_equal(key, SLICE("options"))) {
		reading->texts = &reading->result->options;
		return each_member(reading, get_text);
	}
	if (slice_equal(key, SLICE("figures")))
		return each_member(reading, get_figure);
	if (slice_equal(key, SLICE("percentiles_us")))
		return each_member(reading, get_curve);
	if (slice_equal(key, SLICE("seconds")))
		return each_element(reading, get_second);
	if (slice_equal(key, SLICE("steps")))
		return each_element(reading, get_step);
	return json_skip(reading->cursor, &raw);
}

enum err result_decode(struct result *result, struct slice text)
{
	struct json_cursor cursor = { text.ptr, text.ptr + text.len, DEPTH_MAX };
	struct arena arena = ARENA_INIT;
	struct reading reading = { .cursor = &cursor, .arena = &arena, .result = result };
	enum err rc;

	if (text.len > RESULT_BYTES_MAX)
		return ERR_LIMIT;
	rc = each_member(&reading, get_member);
	if (rc == OK && !json_is_done(&cursor))
		rc = ERR_MALFORMED;
	/* Any JSON object would do: one of ours has figures. */
	if (rc == OK && result->figures_n == 0)
		rc = ERR_MALFORMED;
	arena_fini(&arena);
	return rc;
}
