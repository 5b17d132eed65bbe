/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs into values, along shapes. Shapes in shapes are gone down into with a stack
 * that is as deep as the hub's types are, whatever the data.
 */
#include <assert.h>

#include "router/hub_steps.h"
#include "router/hub_typed.h"

/* One shape that is being written: the outermost, a part, or an item of one. */
struct level {
	const struct hub_shape *shape;
	const char *from;
	struct value *made;  /* the object or the list */
	struct value *array; /* that the object is in; NULL: none */
	size_t part;	     /* the next one */
	size_t left;	     /* items behind it */
};

struct walk {
	struct hub_call *call;
	struct level levels[HUB_SHAPE_DEPTH_MAX + 1];
	size_t depth;
};

static struct level *push(struct walk *walk, const struct hub_shape *shape,
			  const void *from)
{
	struct level *level = &walk->levels[walk->depth];

	assert(from != NULL);
	assert(walk->depth <= HUB_SHAPE_DEPTH_MAX);
	walk->depth++;
	*level = (struct level){ .shape = shape, .from = from };
	return level;
}

size_t hub_part_size(const struct hub_part *part)
{
	switch (part->type) {
	case HUB_PART_STRING:
	case HUB_PART_BYTES:
		return sizeof(struct slice);
	case HUB_PART_BOOL:
		return sizeof(bool);
	case HUB_PART_INT:
		return sizeof(int64_t);
	case HUB_PART_NUMBER:
		return sizeof(double);
	case HUB_PART_ANY:
		return sizeof(const struct value *);
	case HUB_PART_CHOICE:
		return sizeof(int);
	case HUB_PART_SHAPE:
		break;
	}
	assert(part->type == HUB_PART_SHAPE);
	return part->shape->size;
}

static struct slice slice_at(const char *from)
{
	struct slice s;

	memcpy(&s, from, sizeof(s));
	return s;
}

/* Without a pointer it is empty all the same. */
static struct slice text_at(const char *from)
{
	const struct slice text = slice_at(from);

	return text.ptr != NULL ? text : SLICE("");
}

static const void *pointer_at(const char *from)
{
	const void *pointer;

	memcpy(&pointer, from, sizeof(pointer));
	return pointer;
}

static size_t size_at(const char *from)
{
	size_t size;

	memcpy(&size, from, sizeof(size));
	return size;
}

static struct value *choice_value(struct hub_call *call, const struct hub_part *part,
				  const char *from)
{
	int choice;

	memcpy(&choice, from, sizeof(choice));
	if (choice < 0 || (size_t)choice >= part->choices_n) {
		hub_misuse(call, "a constant that none of the texts has");
		return hub_null(call);
	}
	return hub_string(call, slice_from_str(part->choices[choice]));
}

/* Of one that is no shape. */
static struct value *scalar_value(struct hub_call *call, const struct hub_part *part,
				  const char *from)
{
	const struct value *any;
	int64_t integer;
	double real;
	bool boolean;

	switch (part->type) {
	case HUB_PART_STRING:
		return hub_string(call, text_at(from));
	case HUB_PART_BYTES:
		return hub_bytes(call, text_at(from));
	case HUB_PART_BOOL:
		memcpy(&boolean, from, sizeof(boolean));
		return hub_bool(call, boolean);
	case HUB_PART_INT:
		memcpy(&integer, from, sizeof(integer));
		return hub_int(call, integer);
	case HUB_PART_NUMBER:
		memcpy(&real, from, sizeof(real));
		return hub_double(call, real);
	case HUB_PART_ANY:
		any = pointer_at(from);
		return any != NULL ? hub_copy(call, any) : hub_null(call);
	case HUB_PART_CHOICE:
	case HUB_PART_SHAPE:
		break;
	}
	assert(part->type == HUB_PART_CHOICE);
	return choice_value(call, part, from);
}

static bool is_absent(const struct level *level, const struct hub_part *part)
{
	const char *from = level->from + part->offset;
	bool has_it;

	if (!part->is_optional)
		return false;
	if (part->is_array || part->type == HUB_PART_SHAPE || part->type == HUB_PART_ANY)
		return pointer_at(from) == NULL;
	if (part->type == HUB_PART_STRING || part->type == HUB_PART_BYTES)
		return slice_at(from).ptr == NULL;
	memcpy(&has_it, level->from + part->count_offset, sizeof(has_it));
	return !has_it;
}

/* The value of a shape, or of an array of `n`, whose objects are filled on the way. */
static struct value *begin_object(struct walk *walk, const struct hub_part *part,
				  const char *from, size_t n)
{
	struct value *array = part->is_array ? hub_array(walk->call) : NULL;
	struct level *level;

	if (n > 0 && from == NULL) {
		hub_misuse(walk->call, "a NULL pointer to a struct");
		n = 0;
	}
	if (n == 0)
		return array != NULL ? array : hub_null(walk->call);
	level = push(walk, part->shape, from);
	level->made = hub_map(walk->call);
	level->array = array;
	level->left = n - 1;
	if (array == NULL)
		return level->made;
	hub_add(array, level->made);
	return array;
}

static struct value *array_value(struct walk *walk, const struct hub_part *part,
				 const char *items, size_t n)
{
	struct value *array;

	if (part->type == HUB_PART_SHAPE)
		return begin_object(walk, part, items, n);
	array = hub_array(walk->call);
	if (n > 0 && items == NULL) {
		hub_misuse(walk->call, "a NULL pointer to an array");
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		hub_add(array,
			scalar_value(walk->call, part, items + i * hub_part_size(part)));
	return array;
}

/* NULL: it is absent. */
static struct value *part_value(struct walk *walk, const struct level *level,
				const struct hub_part *part)
{
	const char *from = level->from + part->offset;

	if (is_absent(level, part))
		return NULL;
	if (part->is_array)
		return array_value(walk, part, pointer_at(from),
				   size_at(level->from + part->count_offset));
	if (part->type != HUB_PART_SHAPE)
		return scalar_value(walk->call, part, from);
	return begin_object(walk, part, part->is_pointer ? pointer_at(from) : from, 1);
}

/* What is absent is left out of an object, and null in a list. */
static void give(struct hub_call *call, struct value *made, const struct hub_part *part,
		 struct value *value)
{
	if (made->type == VALUE_ARRAY)
		hub_add(made, value != NULL ? value : hub_null(call));
	else if (value != NULL)
		hub_set(made, part->name, value);
}

/* To the next item of its array, if that is what it is. */
static bool write_next(struct walk *walk, struct level *level)
{
	if (level->left == 0)
		return false;
	level->left--;
	level->part = 0;
	level->from += level->shape->size;
	level->made = hub_map(walk->call);
	hub_add(level->array, level->made);
	return true;
}

static void write_levels(struct walk *walk)
{
	while (walk->depth > 0) {
		struct level *level = &walk->levels[walk->depth - 1];
		const struct hub_part *part = &level->shape->parts[level->part];

		if (level->part < level->shape->parts_n) {
			level->part++;
			give(walk->call, level->made, part,
			     part_value(walk, level, part));
		} else if (!write_next(walk, level)) {
			walk->depth--;
		}
	}
}

static struct value *write_into(struct hub_call *call, const struct hub_shape *shape,
				const void *from, struct value *made)
{
	struct walk walk = { .call = call };

	if (from == NULL) {
		hub_misuse(call, "a NULL pointer to a struct");
		return made;
	}
	push(&walk, shape, from)->made = made;
	write_levels(&walk);
	return made;
}

struct value *hub_typed_object(struct hub_call *call, const struct hub_shape *shape,
			       const void *from)
{
	return write_into(call, shape, from, hub_map(call));
}

struct value *hub_typed_list(struct hub_call *call, const struct hub_shape *shape,
			     const void *from)
{
	return write_into(call, shape, from, hub_array(call));
}

struct value *hub_typed_one(struct hub_call *call, const struct hub_shape *shape,
			    const void *from)
{
	assert(shape->parts_n == 1);
	return hub_copy(call, hub_typed_list(call, shape, from)->first);
}
