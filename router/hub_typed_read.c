/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values into structs, along shapes. Shapes in shapes are gone down into with a stack
 * that is as deep as the hub's types are, whatever the data; it is also the path that
 * an error names.
 */
#include <assert.h>

#include "proto/base/crypto.h"
#include "router/hub_private.h"
#include "router/hub_typed.h"

/* What the parts of a level are read from. */
enum source {
	SOURCE_OBJECT,	  /* the members of the value */
	SOURCE_ARGUMENTS, /* the call's */
	SOURCE_VALUE,	  /* the value itself */
};

/* One shape that is being read: the outermost, a part, or an item of one. */
struct level {
	const struct hub_shape *shape;
	const char *name; /* that errors begin with; NULL: none */
	enum source source;
	const struct value *value;
	char *into;
	size_t part; /* the next one */
	bool is_item;
	size_t index; /* of the item */
	size_t left;  /* items behind it */
};

struct walk {
	struct hub_call *call;
	struct level levels[HUB_SHAPE_DEPTH_MAX + 1];
	size_t depth;
};

static struct level *push(struct walk *walk, const struct hub_shape *shape, void *into)
{
	struct level *level = &walk->levels[walk->depth];

	assert(into != NULL);
	assert(walk->depth <= HUB_SHAPE_DEPTH_MAX);
	walk->depth++;
	*level = (struct level){ .shape = shape, .into = into };
	return level;
}

/* ---- what does not fit */

/* "messages[3].user.": where the walk is. */
static struct slice path_of(const struct walk *walk)
{
	struct slice path = SLICE("");

	for (size_t i = 0; i < walk->depth; i++) {
		const struct level *level = &walk->levels[i];

		if (level->name == NULL)
			continue;
		path = level->is_item
			       ? hub_printf(walk->call, "%.*s%s[%zu].", SLICE_FMT(path),
					    level->name, level->index)
			       : hub_printf(walk->call, "%.*s%s.", SLICE_FMT(path),
					    level->name);
	}
	return path;
}

static struct slice wanted_choice(struct hub_call *call, const struct hub_part *part)
{
	struct slice text = SLICE("one of");

	for (size_t i = 0; i < part->choices_n; i++)
		text = hub_printf(call, "%.*s%s %s", SLICE_FMT(text), i > 0 ? "," : "",
				  part->choices[i]);
	return hub_printf(call, "%.*s is wanted", SLICE_FMT(text));
}

static struct slice wanted(struct hub_call *call, const struct hub_part *part,
			   bool is_item)
{
	if (part->is_array && !is_item)
		return SLICE("an array is wanted");
	switch (part->type) {
	case HUB_PART_STRING:
		return SLICE("a string is wanted");
	case HUB_PART_BOOL:
		return SLICE("true or false is wanted");
	case HUB_PART_INT:
		return SLICE("a whole number is wanted");
	case HUB_PART_NUMBER:
		return SLICE("a number is wanted");
	case HUB_PART_BYTES:
		return SLICE("bytes are wanted");
	case HUB_PART_ANY:
		return SLICE("a value is wanted");
	case HUB_PART_CHOICE:
		return wanted_choice(call, part);
	case HUB_PART_SHAPE:
		break;
	}
	return SLICE("an object is wanted");
}

/* `value` NULL: there is none. */
static enum hub_rc refuse(const struct walk *walk, const struct hub_part *part,
			  const struct value *value)
{
	return hub_fail(walk->call, "%.*s%s: %.*s%s.", SLICE_FMT(path_of(walk)),
			part->name, SLICE_FMT(wanted(walk->call, part, false)),
			value == NULL ? ", there is none" : "");
}

static enum hub_rc refuse_item(const struct walk *walk, const struct hub_part *part,
			       size_t index)
{
	return hub_fail(walk->call, "%.*s%s[%zu]: %.*s.", SLICE_FMT(path_of(walk)),
			part->name, index, SLICE_FMT(wanted(walk->call, part, true)));
}

/* ---- what fits */

/* An empty text has a pointer: without one it would be absent. */
static bool take_text(struct slice text, char *into)
{
	if (text.ptr == NULL)
		text = SLICE("");
	memcpy(into, &text, sizeof(text));
	return true;
}

/* JSON has them in base64. */
static bool take_base64(struct hub_call *call, struct slice text, char *into)
{
	struct buf bytes = BUF_INIT;
	const bool fits = crypto_base64_decode(&bytes, text) == OK;

	if (fits) {
		char *copy = hub_alloc(call, bytes.len + 1);

		buf_append_byte(&bytes, '\0'); /* what is empty has a pointer, too */
		memcpy(copy, bytes.ptr, bytes.len);
		take_text(slice_make(copy, bytes.len - 1), into);
	}
	buf_fini(&bytes);
	return fits;
}

static bool take_bytes(struct hub_call *call, const struct value *value, char *into)
{
	if (value->type == VALUE_BINARY)
		return take_text(value->bytes, into);
	return value->type == VALUE_STRING && take_base64(call, value->bytes, into);
}

static bool take_number(const struct value *value, char *into)
{
	const double number =
		value->type == VALUE_INT ? (double)value->integer : value->real;

	if (value->type != VALUE_INT && value->type != VALUE_DOUBLE)
		return false;
	memcpy(into, &number, sizeof(number));
	return true;
}

static bool take_choice(const struct hub_part *part, const struct value *value,
			char *into)
{
	if (value->type != VALUE_STRING)
		return false;
	for (size_t i = 0; i < part->choices_n; i++) {
		const int choice = (int)i;

		if (!slice_equal(slice_from_str(part->choices[i]), value->bytes))
			continue;
		memcpy(into, &choice, sizeof(choice));
		return true;
	}
	return false;
}

/* False: it does not fit. */
static bool take_scalar(struct hub_call *call, const struct hub_part *part,
			const struct value *value, char *into)
{
	switch (part->type) {
	case HUB_PART_STRING:
		return value->type == VALUE_STRING && take_text(value->bytes, into);
	case HUB_PART_BYTES:
		return take_bytes(call, value, into);
	case HUB_PART_BOOL:
		if (value->type != VALUE_BOOL)
			return false;
		memcpy(into, &value->boolean, sizeof(value->boolean));
		return true;
	case HUB_PART_INT:
		if (value->type != VALUE_INT)
			return false;
		memcpy(into, &value->integer, sizeof(value->integer));
		return true;
	case HUB_PART_NUMBER:
		return take_number(value, into);
	case HUB_PART_ANY:
		memcpy(into, (const void *)&value, sizeof(value));
		return true;
	case HUB_PART_CHOICE:
	case HUB_PART_SHAPE:
		break;
	}
	assert(part->type == HUB_PART_CHOICE);
	return take_choice(part, value, into);
}

/* The items of an array that begin with `item`; shapes are read on the way. */
static enum hub_rc read_items(struct walk *walk, const struct level *level,
			      const struct hub_part *part, const struct value *item,
			      size_t n)
{
	/* Not NULL when it is empty: it is not absent. */
	char *items = hub_alloc(walk->call, n * hub_part_size(part) + 1);
	struct level *next;

	memcpy(level->into + part->offset, (const void *)&items, sizeof(items));
	memcpy(level->into + part->count_offset, &n, sizeof(n));
	if (part->type == HUB_PART_SHAPE && n > 0) {
		if (item->type != VALUE_MAP)
			return refuse_item(walk, part, 0);
		next = push(walk, part->shape, items);
		next->name = part->name;
		next->value = item;
		next->is_item = true;
		next->left = n - 1;
		return HUB_OK;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (!take_scalar(walk->call, part, item, items + i * hub_part_size(part)))
			return refuse_item(walk, part, i);
	}
	return HUB_OK;
}

static enum hub_rc read_shape(struct walk *walk, const struct level *level,
			      const struct hub_part *part, const struct value *value)
{
	char *into = level->into + part->offset;
	struct level *next;

	if (value->type != VALUE_MAP)
		return refuse(walk, part, value);
	if (part->is_pointer) {
		char *target = hub_alloc(walk->call, part->shape->size);

		memcpy(into, (const void *)&target, sizeof(target));
		into = target;
	}
	next = push(walk, part->shape, into);
	next->name = part->name;
	next->value = value;
	return HUB_OK;
}

/* Has it a bool beside it that tells whether it is there? */
static bool has_flag(const struct hub_part *part)
{
	return part->type == HUB_PART_BOOL || part->type == HUB_PART_INT ||
	       part->type == HUB_PART_NUMBER || part->type == HUB_PART_CHOICE;
}

/* Of what is not absent. */
static enum hub_rc read_present(struct walk *walk, const struct level *level,
				const struct hub_part *part, const struct value *value)
{
	const bool is_there = true;

	if (part->is_array)
		return value->type == VALUE_ARRAY
			       ? read_items(walk, level, part, value->first, value->count)
			       : refuse(walk, part, value);
	if (part->type == HUB_PART_SHAPE)
		return read_shape(walk, level, part, value);
	if (!take_scalar(walk->call, part, value, level->into + part->offset))
		return refuse(walk, part, value);
	if (part->is_optional && has_flag(part))
		memcpy(level->into + part->count_offset, &is_there, sizeof(is_there));
	return HUB_OK;
}

static const struct value *argument_at(const struct hub_call *call, size_t index)
{
	return index < hub_args_n(call) ? hub_arg(call, index) : NULL;
}

/* The next part, which is the one at `index`; `level` may be none any more after it. */
static enum hub_rc read_part(struct walk *walk, const struct level *level, size_t index)
{
	const struct hub_part *part = &level->shape->parts[index];
	const struct value *value = NULL;

	switch (level->source) {
	case SOURCE_OBJECT:
		value = value_find(level->value, slice_from_str(part->name));
		break;
	case SOURCE_ARGUMENTS:
		value = argument_at(walk->call, index);
		if (level->shape->has_rest && index == level->shape->parts_n - 1)
			return read_items(walk, level, part, value,
					  value != NULL ? hub_args_n(walk->call) - index
							: 0);
		break;
	case SOURCE_VALUE:
		value = level->value;
		break;
	}
	if (value == NULL || (value->type == VALUE_NIL &&
			      (part->type != HUB_PART_ANY || part->is_optional)))
		return part->is_optional ? HUB_OK : refuse(walk, part, value);
	return read_present(walk, level, part, value);
}

/* A shape has been read: on to the next item of its array, or back. */
static enum hub_rc read_next(struct walk *walk, struct level *level)
{
	const struct level *parent;

	if (level->left == 0) {
		walk->depth--;
		return HUB_OK;
	}
	level->left--;
	level->index++;
	level->part = 0;
	level->into += level->shape->size;
	level->value = level->value->next;
	if (level->value->type == VALUE_MAP)
		return HUB_OK;
	walk->depth--;
	parent = &walk->levels[walk->depth - 1];
	return refuse_item(walk, &parent->shape->parts[parent->part - 1], level->index);
}

static enum hub_rc read_levels(struct walk *walk)
{
	enum hub_rc rc = HUB_OK;

	while (rc == HUB_OK && walk->depth > 0) {
		struct level *level = &walk->levels[walk->depth - 1];

		rc = level->part < level->shape->parts_n
			     ? read_part(walk, level, level->part++)
			     : read_next(walk, level);
	}
	return rc;
}

static enum hub_rc read_from(struct hub_call *call, const struct hub_shape *shape,
			     enum source source, const struct value *value, void *into)
{
	struct walk walk = { .call = call };
	struct level *level = push(&walk, shape, into);

	memset(into, 0, shape->size);
	level->source = source;
	level->value = value;
	if (source == SOURCE_OBJECT)
		level->name = shape->name;
	return read_levels(&walk);
}

enum hub_rc hub_typed_read_object(struct hub_call *call, const struct hub_shape *shape,
				  const struct value *value, void *into)
{
	if (value == NULL || value->type != VALUE_MAP)
		return hub_fail(call, "%s: an object is wanted.", shape->name);
	return read_from(call, shape, SOURCE_OBJECT, value, into);
}

enum hub_rc hub_typed_read_arguments(struct hub_call *call, const struct hub_shape *shape,
				     void *into)
{
	return read_from(call, shape, SOURCE_ARGUMENTS, NULL, into);
}

enum hub_rc hub_typed_read_one(struct hub_call *call, const struct hub_shape *shape,
			       const struct value *value, void *into)
{
	assert(shape->parts_n == 1);
	return read_from(call, shape, SOURCE_VALUE, value, into);
}
