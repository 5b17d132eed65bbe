/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/result.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/mem.h"

struct result *result_new(void)
{
	return MEM_NEW(struct result);
}

static void texts_clear(struct result_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		mem_free(texts->items[i].value);
	texts->n = 0;
}

void result_free(struct result *result)
{
	if (result == NULL)
		return;
	texts_clear(&result->about);
	texts_clear(&result->options);
	mem_free(result->seconds);
	mem_free(result->latency);
	mem_free(result);
}

/* ---- figures */

static struct result_figure *figure_named(struct result *result, const char *name)
{
	for (size_t i = 0; i < result->figures_n; i++) {
		if (strcmp(result->figures[i].name, name) == 0)
			return &result->figures[i];
	}
	return NULL;
}

void result_set(struct result *result, double value, const char *format, ...)
{
	char name[RESULT_NAME_MAX];
	struct result_figure *figure;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(name, sizeof(name), format, args); /* our own names are short */
	va_end(args);
	/* What cannot be divided is not told: a figure is a number. */
	if (!isfinite(value) && !result->is_named_only)
		return;
	figure = figure_named(result, name);
	if (figure == NULL) {
		assert(result->figures_n < RESULT_FIGURES_MAX);
		figure = &result->figures[result->figures_n++];
		memcpy(figure->name, name, sizeof(name));
	}
	figure->value = isfinite(value) ? value : 0;
}

bool result_get(const struct result *result, const char *name, double *value)
{
	for (size_t i = 0; i < result->figures_n; i++) {
		const struct result_figure *figure = &result->figures[i];
		size_t len = strlen(name);

		if (strncmp(figure->name, name, len) != 0 ||
		    (figure->name[len] != '\0' && strcmp(figure->name + len, "_us") != 0))
			continue;
		*value = figure->value;
		return true;
	}
	return false;
}

/* ---- texts */

void result_text_set(struct result_texts *texts, const char *name, struct slice value)
{
	struct result_text *text = NULL;

	for (size_t i = 0; i < texts->n && text == NULL; i++) {
		if (strcmp(texts->items[i].name, name) == 0)
			text = &texts->items[i];
	}
	if (text == NULL) {
		assert(texts->n < RESULT_TEXTS_MAX);
		text = &texts->items[texts->n++];
		(void)snprintf(text->name, sizeof(text->name), "%s", name);
	}
	mem_free(text->value);
	text->value = mem_dup(value.ptr, value.len);
}

const char *result_text(const struct result_texts *texts, const char *name)
{
	for (size_t i = 0; i < texts->n; i++) {
		if (strcmp(texts->items[i].name, name) == 0)
			return texts->items[i].value;
	}
	return "";
}

/* ---- seconds */

struct result_second *result_second_add(struct result *result)
{
	/* Doubles whenever the count is a power of two: no capacity to keep. */
	if ((result->seconds_n & (result->seconds_n - 1)) == 0) {
		size_t n = result->seconds_n == 0 ? 1 : result->seconds_n * 2;

		result->seconds =
			mem_realloc(result->seconds, n * sizeof(*result->seconds));
	}
	memset(&result->seconds[result->seconds_n], 0, sizeof(*result->seconds));
	return &result->seconds[result->seconds_n++];
}
