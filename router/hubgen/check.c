/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are resolved first, then types are put in the order that C wants. What the names
 * become is check_names()'s.
 */
#include "router/hubgen/check.h"

#include "router/hubgen/check_names.h"
#include "router/hubgen/names.h"

#define SUGGESTION_DISTANCE_MAX 2

struct check {
	struct model *model;
	struct problem *problem;
};

/* ---- what names mean */

static struct model_type *type_find(const struct model *model, struct slice name)
{
	struct model_type *type = model->types;

	while (type != NULL && !slice_equal(type->name, name))
		type = type->next;
	return type;
}

/* As other languages call them, too far from ours for name_distance(). */
static const struct {
	const char *name;
	const char *ours;
} foreign[] = {
	{ "integer", "int" },  { "long", "int" },     { "double", "number" },
	{ "float", "number" }, { "boolean", "bool" },
};

/* What the author may have meant; ptr NULL: no idea. */
static struct slice nearest(const struct model *model, struct slice name)
{
	static const char *const scalars[] = { "string", "bool",  "int",
					       "number", "bytes", "any" };
	size_t best = SUGGESTION_DISTANCE_MAX + 1;
	struct slice found = SLICE_NONE;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (slice_equal_nocase(slice_from_str(foreign[i].name), name))
			return slice_from_str(foreign[i].ours);
	}
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		const size_t distance = name_distance(name, slice_from_str(scalars[i]));

		if (distance < best) {
			best = distance;
			found = slice_from_str(scalars[i]);
		}
	}
	for (const struct model_type *type = model->types; type != NULL;
	     type = type->next) {
		const size_t distance = name_distance(name, type->name);

		if (distance < best) {
			best = distance;
			found = type->name;
		}
	}
	return found;
}

static enum err resolve_spec(struct check *check, struct model_spec *spec)
{
	struct model_type *type;
	struct slice near;

	if (spec->type_name.ptr == NULL)
		return OK;
	type = type_find(check->model, spec->type_name);
	if (type == NULL) {
		near = nearest(check->model, spec->type_name);
		return problem_set(check->problem, spec->line,
				   "type %.*s is not declared%s%.*s%s",
				   SLICE_FMT(spec->type_name), near.len > 0 ? " (" : "",
				   SLICE_FMT(near), near.len > 0 ? "?)" : "");
	}
	spec->type = type->choices != NULL ? HUB_PART_CHOICE : HUB_PART_SHAPE;
	spec->choices = type->choices;
	spec->shape = type->choices != NULL ? NULL : type;
	return OK;
}

static enum err check_rest(struct check *check, const struct model_method *method,
			   struct model_part *part)
{
	if (part->spec.is_array)
		return problem_set(check->problem, part->line,
				   "%.*s.%.*s: the type behind '...' is that of one "
				   "argument, without []",
				   SLICE_FMT(method->name), SLICE_FMT(part->name));
	if (part != &method->parts.items[method->parts.n - 1])
		return problem_set(check->problem, part->line,
				   "%.*s.%.*s: nothing can follow '...'",
				   SLICE_FMT(method->name), SLICE_FMT(part->name));
	part->spec.is_array = true;
	return OK;
}

static enum err resolve_parts(struct check *check, struct model_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		struct model_part *part = &parts->items[i];

		if (resolve_spec(check, &part->spec) != OK)
			return ERR_MALFORMED;
		if (part->is_optional && (part->is_rest || part->is_stream))
			return problem_set(check->problem, part->line,
					   "%.*s: '%s' cannot be optional",
					   SLICE_FMT(part->name),
					   part->is_rest ? "..." : "stream");
	}
	return OK;
}

static enum err resolve_arguments(struct check *check, struct model_method *method)
{
	if (resolve_parts(check, &method->parts) != OK)
		return ERR_MALFORMED;
	for (size_t i = 0; i < method->parts.n; i++) {
		struct model_part *part = &method->parts.items[i];

		if (part->is_rest && check_rest(check, method, part) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

static enum err resolve_methods(struct check *check, struct model_method *methods)
{
	for (struct model_method *method = methods; method != NULL;
	     method = method->next) {
		if (resolve_arguments(check, method) != OK)
			return ERR_MALFORMED;
		if (!method->has_result)
			continue;
		if (resolve_spec(check, &method->result) != OK)
			return ERR_MALFORMED;
		if (method->result.choices != NULL &&
		    method->result.type_name.ptr == NULL)
			return problem_set(check->problem, method->result.line,
					   "%.*s: give what it returns a name: type X = "
					   "\"%.*s\" ...",
					   SLICE_FMT(method->name),
					   SLICE_FMT(method->result.choices->items[0]));
	}
	return OK;
}

static enum err check_type(struct check *check, const struct model_type *type)
{
	if (*type->name.ptr < 'A' || *type->name.ptr > 'Z')
		return problem_set(check->problem, type->line,
				   "type %.*s: a type's name begins with a capital",
				   SLICE_FMT(type->name));
	if (type_find(check->model, type->name) != type)
		return problem_set(check->problem, type->line,
				   "there is a type %.*s already", SLICE_FMT(type->name));
	if (type->choices == NULL && type->parts.n == 0)
		return problem_set(check->problem, type->line, "type %.*s has no members",
				   SLICE_FMT(type->name));
	return OK;
}

static enum err resolve(struct check *check)
{
	struct model *model = check->model;

	for (struct model_type *type = model->types; type != NULL; type = type->next) {
		if (check_type(check, type) != OK ||
		    resolve_parts(check, &type->parts) != OK)
			return ERR_MALFORMED;
	}
	if (resolve_methods(check, model->client) != OK)
		return ERR_MALFORMED;
	return resolve_methods(check, model->server);
}

/* ---- types in types */

/* The first member whose type has no depth yet; NULL: there is none. */
static const struct model_part *deep_part(const struct model_type *type)
{
	for (size_t i = 0; i < type->parts.n; i++) {
		const struct model_type *shape = type->parts.items[i].spec.shape;

		if (shape != NULL && shape->depth == 0)
			return &type->parts.items[i];
	}
	return NULL;
}

static enum err set_depth(struct check *check, struct model_type *type)
{
	type->depth = 1;
	for (size_t i = 0; i < type->parts.n; i++) {
		const struct model_type *shape = type->parts.items[i].spec.shape;

		if (shape != NULL && shape->depth >= type->depth)
			type->depth = shape->depth + 1;
	}
	if (type->depth > HUB_SHAPE_DEPTH_MAX)
		return problem_set(check->problem, type->line,
				   "type %.*s: types are nested more than %d deep",
				   SLICE_FMT(type->name), HUB_SHAPE_DEPTH_MAX);
	return OK;
}

/* Every type that is left leads to one that is left: so many steps end in a circle. */
static enum err fail_circle(struct check *check, const struct model_type *type)
{
	const struct model_part *part = deep_part(type);

	for (size_t i = 0; i < check->model->types_n; i++) {
		type = part->spec.shape;
		part = deep_part(type);
	}
	return problem_set(check->problem, part->line,
			   "type %.*s contains itself, by %.*s.%.*s: use any there",
			   SLICE_FMT(type->name), SLICE_FMT(type->name),
			   SLICE_FMT(part->name));
}

/* Each type behind those that it is made of, otherwise as in the file. */
static enum err order_types(struct check *check)
{
	struct model_type *left = check->model->types;
	struct model_type *ordered = NULL;
	struct model_type **end = &ordered;

	while (left != NULL) {
		struct model_type **at = &left;

		while (*at != NULL && deep_part(*at) != NULL)
			at = &(*at)->next;
		if (*at == NULL)
			return fail_circle(check, left);
		if (set_depth(check, *at) != OK)
			return ERR_MALFORMED;
		*end = *at;
		*at = (*at)->next;
		end = &(*end)->next;
		*end = NULL;
	}
	check->model->types = ordered;
	return OK;
}

enum err check_model(struct model *model, struct problem *problem)
{
	struct check check = { model, problem };

	if (resolve(&check) != OK || order_types(&check) != OK)
		return ERR_MALFORMED;
	return check_names(model, problem);
}
