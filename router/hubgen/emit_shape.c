/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubgen/emit_shape.h"

#include <assert.h>

static bool is_held(const struct model_part *part, enum emit_hold hold)
{
	return part->spec.type == HUB_PART_SHAPE && !part->spec.is_array &&
	       hold == EMIT_VALUE && !part->is_optional;
}

/* Has it a bool beside it that tells whether it is there? */
static bool has_flag(const struct model_part *part)
{
	if (!part->is_optional || part->spec.is_array)
		return false;
	switch (part->spec.type) {
	case HUB_PART_BOOL:
	case HUB_PART_INT:
	case HUB_PART_NUMBER:
	case HUB_PART_CHOICE:
		return true;
	case HUB_PART_STRING:
	case HUB_PART_BYTES:
	case HUB_PART_ANY:
	case HUB_PART_SHAPE:
		break;
	}
	return false;
}

/* "struct slice ", "const struct value *": of an item, as far as its name. */
static void append_item_type(struct buf *out, const struct model_spec *spec)
{
	switch (spec->type) {
	case HUB_PART_STRING:
	case HUB_PART_BYTES:
		buf_append_str(out, "struct slice ");
		break;
	case HUB_PART_BOOL:
		buf_append_str(out, "bool ");
		break;
	case HUB_PART_INT:
		buf_append_str(out, "int64_t ");
		break;
	case HUB_PART_NUMBER:
		buf_append_str(out, "double ");
		break;
	case HUB_PART_ANY:
		buf_append_str(out, "const struct value *");
		break;
	case HUB_PART_CHOICE:
		buf_appendf(out, "enum %s ", spec->choices->c_name);
		break;
	case HUB_PART_SHAPE:
		buf_appendf(out, "struct %s ", spec->shape->c_name);
		break;
	}
}

/* The type as far as the name, of a member or a parameter. */
static void append_type(struct buf *out, const struct model_part *part,
			enum emit_hold hold)
{
	const struct model_spec *spec = &part->spec;

	if (spec->is_array && spec->type == HUB_PART_ANY) {
		buf_append_str(out, "const struct value *const *");
	} else if (spec->is_array) {
		buf_append_str(out, "const ");
		append_item_type(out, spec);
		buf_append_byte(out, '*');
	} else if (spec->type == HUB_PART_SHAPE && !is_held(part, hold)) {
		buf_appendf(out, "const struct %s *", spec->shape->c_name);
	} else {
		append_item_type(out, spec);
	}
}

/* ---- structs */

static void append_member(struct buf *out, const struct model_part *part,
			  enum emit_hold hold)
{
	if (has_flag(part))
		buf_appendf(out, "\tbool has_%s;\n", part->c_name);
	buf_append_byte(out, '\t');
	append_type(out, part, hold);
	buf_appendf(out, "%s;", part->c_name);
	if (part->comment.n == 1 && slice_find(part->comment.lines[0], '*') < 0)
		buf_appendf(out, " /* %.*s */", SLICE_FMT(part->comment.lines[0]));
	buf_append_byte(out, '\n');
	if (part->spec.is_array)
		buf_appendf(out, "\tsize_t %s_n;\n", part->c_name);
}

static const char *type_constant(enum hub_part_type type)
{
	switch (type) {
	case HUB_PART_STRING:
		return "HUB_PART_STRING";
	case HUB_PART_BOOL:
		return "HUB_PART_BOOL";
	case HUB_PART_INT:
		return "HUB_PART_INT";
	case HUB_PART_NUMBER:
		return "HUB_PART_NUMBER";
	case HUB_PART_BYTES:
		return "HUB_PART_BYTES";
	case HUB_PART_ANY:
		return "HUB_PART_ANY";
	case HUB_PART_CHOICE:
		return "HUB_PART_CHOICE";
	case HUB_PART_SHAPE:
		break;
	}
	return "HUB_PART_SHAPE";
}

static void append_part(struct buf *out, const char *c_name,
			const struct model_part *part, enum emit_hold hold)
{
	const struct model_spec *spec = &part->spec;

	buf_appendf(out, "\t{ .name = \"%.*s\", .type = %s,\n", SLICE_FMT(part->name),
		    type_constant(spec->type));
	buf_appendf(out, "\t  .offset = offsetof(struct %s, %s)", c_name, part->c_name);
	if (spec->is_array)
		buf_appendf(out,
			    ",\n\t  .is_array = true, .count_offset = "
			    "offsetof(struct %s, %s_n)",
			    c_name, part->c_name);
	if (has_flag(part))
		buf_appendf(out, ",\n\t  .count_offset = offsetof(struct %s, has_%s)",
			    c_name, part->c_name);
	if (part->is_optional)
		buf_append_str(out, ",\n\t  .is_optional = true");
	if (spec->type == HUB_PART_SHAPE && !spec->is_array && !is_held(part, hold))
		buf_append_str(out, ",\n\t  .is_pointer = true");
	if (spec->type == HUB_PART_SHAPE)
		buf_appendf(out, ",\n\t  .shape = &%s_shape", spec->shape->c_name);
	if (spec->type == HUB_PART_CHOICE)
		buf_appendf(out, ",\n\t  .choices = %s_texts, .choices_n = %zu",
			    spec->choices->c_name, spec->choices->n);
	buf_append_str(out, " },\n");
}

void emit_shape(struct buf *out, const char *c_name, struct slice name,
		const struct model_parts *parts, enum emit_hold hold)
{
	bool has_rest = false;

	assert(emit_parts_n(parts) > 0);
	buf_appendf(out, "struct %s {\n", c_name);
	for (size_t i = 0; i < parts->n; i++) {
		if (!parts->items[i].is_stream)
			append_member(out, &parts->items[i], hold);
	}
	buf_appendf(out, "};\n\nstatic const struct hub_part %s_parts[] = {\n", c_name);
	for (size_t i = 0; i < parts->n; i++) {
		if (!parts->items[i].is_stream)
			append_part(out, c_name, &parts->items[i], hold);
		has_rest |= parts->items[i].is_rest;
	}
	buf_appendf(out,
		    "};\n\nstatic const struct hub_shape %s_shape = {\n"
		    "\t.name = \"%.*s\",\n"
		    "\t.size = sizeof(struct %s),\n"
		    "\t.parts = %s_parts,\n"
		    "\t.parts_n = %zu,\n",
		    c_name, SLICE_FMT(name), c_name, c_name, emit_parts_n(parts));
	if (has_rest)
		buf_append_str(out, "\t.has_rest = true,\n");
	buf_append_str(out, "};\n\n");
}

void emit_shape_of_one(struct buf *out, const char *c_name, const struct model_part *part,
		       enum emit_hold hold)
{
	struct model_parts parts = { .n = 1 };

	parts.items[0] = *part;
	parts.items[0].is_stream = false;
	emit_shape(out, c_name, part->name, &parts, hold);
}

size_t emit_parts_n(const struct model_parts *parts)
{
	size_t n = 0;

	for (size_t i = 0; i < parts->n; i++)
		n += !parts->items[i].is_stream;
	return n;
}

/* ---- functions */

void emit_parameter(struct buf *out, const struct model_part *part)
{
	if (part->is_stream)
		return;
	if (has_flag(part))
		buf_appendf(out, ", bool has_%s", part->c_name);
	buf_append_str(out, ", ");
	append_type(out, part, EMIT_POINTER);
	buf_append_str(out, part->c_name);
	if (part->spec.is_array)
		buf_appendf(out, ", size_t %s_n", part->c_name);
}

void emit_parameters(struct buf *out, const struct model_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		emit_parameter(out, &parts->items[i]);
}

void emit_out_parameter(struct buf *out, const struct model_part *part)
{
	buf_append_str(out, ", ");
	append_type(out, part, EMIT_VALUE);
	buf_appendf(out, "*%s", part->c_name);
	if (part->spec.is_array)
		buf_appendf(out, ", size_t *%s_n", part->c_name);
}

void emit_initializer(struct buf *out, const struct model_part *part)
{
	if (part->is_stream)
		return;
	if (has_flag(part))
		buf_appendf(out, " .has_%s = has_%s,", part->c_name, part->c_name);
	buf_appendf(out, " .%s = %s,", part->c_name, part->c_name);
	if (part->spec.is_array)
		buf_appendf(out, " .%s_n = %s_n,", part->c_name, part->c_name);
}

void emit_arguments(struct buf *out, const struct model_part *part)
{
	if (part->is_stream)
		return;
	if (has_flag(part))
		buf_appendf(out, ", in.has_%s", part->c_name);
	buf_appendf(out, ", in.%s", part->c_name);
	if (part->spec.is_array)
		buf_appendf(out, ", in.%s_n", part->c_name);
}
