/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to value and back. One list of units per type serves both ways, so whatever is
 * printed can be read again. Owns nothing: strings belong to the struct they are stored
 * in.
 */
#include "proto/base/conf_value.h"

#include <assert.h>

#include "proto/base/conf_scope.h"
#include "proto/base/mem.h"

struct unit {
	const char *suffix;
	int64_t scale;
};

/* Largest first; the last one has scale 1 and is what a bare number means. */
static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit ms_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 },	   { "ms", 1 },	     { NULL, 0 },
};
static const struct unit byte_units[] = {
	{ "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 },
	{ "B", 1 },	    { NULL, 0 },
};

static const struct unit *units_of(enum conf_type type)
{
	if (type == CONF_MS)
		return ms_units;
	return type == CONF_BYTES ? byte_units : count_units;
}

/* The void pointers in between: the table's offsets come from offsetof, so they are
 * aligned. */
static void *field_of(const struct conf_option *option, void *values)
{
	return (char *)values + option->field;
}

static const void *const_field_of(const struct conf_option *option, const void *values)
{
	return (const char *)values + option->field;
}

/* ---- text to value */

static enum err number_parse(const struct conf_option *option, struct slice text,
			     int64_t *value)
{
	size_t digits = text.len > 0 && text.ptr[0] == '-';
	int64_t scale = 0;
	struct slice suffix;
	enum err rc;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	suffix = slice_from(text, digits);
	if (suffix.len == 0)
		scale = 1;
	for (const struct unit *unit = units_of(option->type); unit->suffix; unit++) {
		if (slice_equal(suffix, slice_from_str(unit->suffix)))
			scale = unit->scale;
	}
	if (scale == 0)
		return ERR_MALFORMED;
	rc = slice_to_int64(slice_make(text.ptr, digits), value);
	if (rc != OK)
		return rc;
	if (__builtin_mul_overflow(*value, scale, value))
		return ERR_LIMIT;
	return *value < option->min || *value > option->max ? ERR_LIMIT : OK;
}

static enum err number_set(const struct conf_option *option, int64_t *field,
			   struct slice text)
{
	int64_t value;
	enum err rc = number_parse(option, text, &value);

	if (rc == OK)
		*field = value;
	return rc;
}

static enum err bool_set(bool *field, struct slice text)
{
	bool is_on = slice_equal(text, SLICE("on"));

	if (!is_on && !slice_equal(text, SLICE("off")))
		return ERR_MALFORMED;
	*field = is_on;
	return OK;
}

/* In any of its spellings. */
static bool is_choice(const char *choice, struct slice text)
{
	struct slice rest = slice_from_str(choice);

	while (rest.len > 0) {
		if (slice_equal(text, slice_cut(&rest, '|')))
			return true;
	}
	return false;
}

static enum err enum_set(const struct conf_option *option, int64_t *field,
			 struct slice text)
{
	assert(option->choices != NULL);
	for (int64_t i = 0; option->choices[i] != NULL; i++) {
		if (is_choice(option->choices[i], text)) {
			*field = i;
			return OK;
		}
	}
	return ERR_MALFORMED;
}

static enum err set_set(const struct conf_option *option, int64_t *field,
			struct slice text)
{
	int64_t bits = 0;

	do {
		int64_t i;
		enum err rc = enum_set(option, &i, slice_trim(slice_cut(&text, ',')));

		if (rc != OK)
			return rc;
		assert(i < 63);
		bits |= INT64_C(1) << i;
	} while (text.ptr != NULL);
	*field = bits;
	return OK;
}

static enum err string_set(const struct conf_option *option, char **field,
			   struct slice text)
{
	assert(option->min >= 0);
	if (text.len < (uint64_t)option->min || text.len > (uint64_t)option->max)
		return ERR_LIMIT;
	mem_free(*field);
	*field = mem_dup(text.ptr ? text.ptr : "", text.len);
	return OK;
}

static enum err value_parse(const struct conf_option *option, void *field,
			    struct slice text)
{
	switch (option->type) {
	case CONF_BOOL:
		return bool_set(field, text);
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
		return number_set(option, field, text);
	case CONF_STRING:
	case CONF_FILE:
		return string_set(option, field, text);
	case CONF_ENUM:
		return enum_set(option, field, text);
	case CONF_SET:
		return set_set(option, field, text);
	}
	return ERR_ARGUMENT;
}

/* How the sentence about a refused text goes on; the range completes it. */
static const char *refusal_text(enum conf_type type, enum err rc)
{
	switch (type) {
	case CONF_BOOL:
	case CONF_ENUM:
		return "accepted are ";
	case CONF_SET:
		return "accepted is a list of ";
	case CONF_INT:
		return rc == ERR_LIMIT ? "accepted range is "
				       : "not a whole number; accepted range is ";
	case CONF_MS:
		return rc == ERR_LIMIT ? "accepted range is "
				       : "not a time such as 250ms, 15s, 2m, 1h; "
					 "accepted range is ";
	case CONF_BYTES:
		return rc == ERR_LIMIT ? "accepted range is "
				       : "not a size such as 512B, 64KiB, 1MiB; "
					 "accepted range is ";
	case CONF_STRING:
	case CONF_FILE:
		return "accepted length is ";
	}
	return "";
}

enum err conf_value_set(const struct conf_option *option, void *values, struct slice text,
			struct buf *why)
{
	enum err rc = value_parse(option, field_of(option, values), text);

	if (rc == OK)
		return OK;
	buf_append_str(why, refusal_text(option->type, rc));
	conf_value_print_range(option, why);
	return ERR_MALFORMED;
}

/* ---- value to text */

static void number_print(enum conf_type type, int64_t value, struct buf *out)
{
	const struct unit *unit = units_of(type);

	while (value % unit->scale != 0)
		unit++;
	assert(unit->suffix != NULL);
	buf_append_int64(out, value / unit->scale);
	/* Zero is zero in every unit. */
	if (value != 0)
		buf_append_str(out, unit->suffix);
}

static void choice_print(const char *choice, struct buf *out)
{
	struct slice rest = slice_from_str(choice);

	buf_append_slice(out, slice_cut(&rest, '|'));
}

static void set_print(const struct conf_option *option, int64_t bits, struct buf *out)
{
	const char *comma = "";

	for (int64_t i = 0; option->choices[i] != NULL; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		buf_append_str(out, comma);
		choice_print(option->choices[i], out);
		comma = ", ";
	}
}

void conf_value_print(const struct conf_option *option, const void *values,
		      struct buf *out)
{
	const void *field = const_field_of(option, values);

	switch (option->type) {
	case CONF_BOOL:
		buf_append_str(out, *(const bool *)field ? "on" : "off");
		break;
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
		number_print(option->type, *(const int64_t *)field, out);
		break;
	case CONF_STRING:
	case CONF_FILE:
		buf_append_str(out, *(char *const *)field);
		break;
	case CONF_ENUM:
		choice_print(option->choices[*(const int64_t *)field], out);
		break;
	case CONF_SET:
		set_print(option, *(const int64_t *)field, out);
		break;
	}
}

static void choices_print(const struct conf_option *option, struct buf *out)
{
	for (size_t i = 0; option->choices[i] != NULL; i++) {
		buf_append_str(out, i > 0 ? ", " : "");
		choice_print(option->choices[i], out);
	}
}

void conf_value_print_range(const struct conf_option *option, struct buf *out)
{
	switch (option->type) {
	case CONF_BOOL:
		buf_append_str(out, "on, off");
		break;
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
		number_print(option->type, option->min, out);
		buf_append_str(out, "..");
		number_print(option->type, option->max, out);
		break;
	case CONF_STRING:
	case CONF_FILE:
		buf_append_int64(out, option->min);
		buf_append_str(out, "..");
		buf_append_int64(out, option->max);
		buf_append_str(out, " characters");
		break;
	case CONF_ENUM:
	case CONF_SET:
		choices_print(option, out);
		break;
	}
}

/* ---- whole structs */

bool conf_value_equal(const struct conf_option *option, const void *a, const void *b)
{
	const void *left = const_field_of(option, a);
	const void *right = const_field_of(option, b);

	switch (option->type) {
	case CONF_BOOL:
		return *(const bool *)left == *(const bool *)right;
	case CONF_STRING:
	case CONF_FILE:
		return strcmp(*(char *const *)left, *(char *const *)right) == 0;
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
	case CONF_ENUM:
	case CONF_SET:
		return *(const int64_t *)left == *(const int64_t *)right;
	}
	return false;
}

void conf_value_move(const struct conf_option *option, void *to, void *from)
{
	void *target = field_of(option, to);
	void *source = field_of(option, from);

	switch (option->type) {
	case CONF_BOOL:
		*(bool *)target = *(bool *)source;
		break;
	case CONF_STRING:
	case CONF_FILE:
		mem_free(*(char **)target);
		*(char **)target = *(char **)source;
		*(char **)source = NULL;
		break;
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
	case CONF_ENUM:
	case CONF_SET:
		*(int64_t *)target = *(int64_t *)source;
		break;
	}
}

void conf_value_copy(const struct conf_option *option, void *to,
		     const struct conf_option *source, const void *from)
{
	void *target = field_of(option, to);
	const void *place = const_field_of(source, from);
	const char *text;

	assert(option->type == source->type);
	switch (option->type) {
	case CONF_BOOL:
		*(bool *)target = *(const bool *)place;
		break;
	case CONF_STRING:
	case CONF_FILE:
		text = *(char *const *)place;
		mem_free(*(char **)target);
		*(char **)target = mem_dup(text, strlen(text));
		break;
	case CONF_INT:
	case CONF_MS:
	case CONF_BYTES:
	case CONF_ENUM:
	case CONF_SET:
		*(int64_t *)target = *(const int64_t *)place;
		break;
	}
}

const char *conf_value_path(const struct conf_option *option, const void *values)
{
	if (option->type != CONF_FILE)
		return "";
	return *(char *const *)const_field_of(option, values);
}

bool conf_value_reload(const struct conf_option *option, void *values, void *fresh)
{
	if (conf_value_equal(option, values, fresh))
		return false;
	if (!option->is_reloadable)
		return true;
	conf_value_move(option, values, fresh);
	return false;
}

void conf_values_clear(const struct conf_option *options, size_t n, void *values)
{
	for (size_t i = 0; i < n; i++) {
		char **field = field_of(&options[i], values);

		if (options[i].type != CONF_STRING && options[i].type != CONF_FILE)
			continue;
		mem_free(*field);
		*field = NULL;
	}
}

void *conf_values_new(const struct conf_table *table)
{
	size_t size = 0;
	struct buf why = BUF_INIT;
	void *values;

	/* No field is larger than an int64_t, so this covers the last one. */
	for (size_t i = 0; i < table->n; i++) {
		if (table->options[i].field + sizeof(int64_t) > size)
			size = table->options[i].field + sizeof(int64_t);
	}
	if (table->scope != NULL &&
	    table->scope->field + sizeof(struct conf_scoped) > size)
		size = table->scope->field + sizeof(struct conf_scoped);
	values = mem_zalloc(size);
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_option *option = &table->options[i];
		struct slice initial = slice_from_str(option->initial);
		enum err rc = conf_value_set(option, values, initial, &why);

		assert(rc == OK);
	}
	buf_fini(&why);
	return values;
}

void conf_values_free(const struct conf_table *table, void *values)
{
	if (values == NULL)
		return;
	conf_fini(table, values);
	mem_free(values);
}
