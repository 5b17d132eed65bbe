/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All names that a header will have, each noted with what in the file it comes from. Two
 * of one name would be an error in generated code, which nobody understands.
 */
#include "router/hubgen/check_names.h"

#include "router/hubgen/names.h"

struct name {
	struct name *next;
	const char *c_name;
	struct slice origin; /* as the file writes it */
};

struct check {
	struct model *model;
	struct problem *problem;
	struct name *names;   /* of the header */
	struct name *members; /* of one type or method */
};

/* ---- noting */

static enum err note(struct check *check, struct name **names, const char *c_name,
		     struct slice origin, unsigned line)
{
	struct name *name;

	for (name = *names; name != NULL; name = name->next) {
		if (strcmp(name->c_name, c_name) == 0)
			return problem_set(check->problem, line,
					   "%.*s and %.*s are both %s in C: rename one",
					   SLICE_FMT(name->origin), SLICE_FMT(origin),
					   c_name);
	}
	name = ARENA_NEW(&check->model->arena, struct name);
	name->c_name = c_name;
	name->origin = origin;
	name->next = *names;
	*names = name;
	return OK;
}

/* stem_suffix, of the header. */
static enum err note_suffixed(struct check *check, const char *stem, const char *suffix,
			      struct slice origin, unsigned line)
{
	return note(check, &check->names,
		    arena_printf(&check->model->arena, "%s_%s", stem, suffix).ptr, origin,
		    line);
}

static enum err note_all(struct check *check, const char *stem,
			 const char *const *suffixes, struct slice origin, unsigned line)
{
	for (; *suffixes != NULL; suffixes++) {
		if (note_suffixed(check, stem, *suffixes, origin, line) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

/* ---- texts to choose from */

static bool are_same(const struct model_choices *a, const struct model_choices *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!slice_equal(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

static enum err name_choices(struct check *check, struct model_choices *choices,
			     struct slice origin)
{
	struct model_choices **end = &check->model->choices;
	struct arena *arena = &check->model->arena;

	if (note(check, &check->names, choices->c_name, origin, choices->line) != OK ||
	    note_suffixed(check, choices->c_name, "texts", origin, choices->line) != OK)
		return ERR_MALFORMED;
	for (size_t i = 0; i < choices->n; i++) {
		const char *constant =
			arena_printf(arena, "%s_%s",
				     name_upper(arena, slice_from_str(choices->c_name)),
				     name_upper(arena, choices->items[i]))
				.ptr;

		if (note(check, &check->names, constant,
			 arena_printf(arena, "\"%.*s\"", SLICE_FMT(choices->items[i])),
			 choices->line) != OK)
			return ERR_MALFORMED;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = choices;
	return OK;
}

/* Those written in place are named after their part; the same texts are the same. */
static enum err place_choices(struct check *check, struct model_part *part)
{
	struct model *model = check->model;
	struct model_choices *choices = part->spec.choices;
	const struct model_choices *other = model->choices;

	if (choices->c_name != NULL)
		return OK; /* a type's */
	choices->c_name = name_prefixed(&model->arena, model->prefix, part->name);
	while (other != NULL && strcmp(other->c_name, choices->c_name) != 0)
		other = other->next;
	if (other == NULL)
		return name_choices(check, choices, part->name);
	if (!are_same(other, choices))
		return problem_set(check->problem, part->line,
				   "%.*s has other texts in line %u: give one of them a "
				   "name, type X = \"%.*s\" ...",
				   SLICE_FMT(part->name), other->line,
				   SLICE_FMT(choices->items[0]));
	return OK;
}

/* ---- parts */

static enum err name_one(struct check *check, struct model_part *part,
			 enum name_place place)
{
	struct arena *arena = &check->model->arena;
	const struct model_spec *spec = &part->spec;
	const char *more = NULL;

	if (part->is_stream) /* name_upload() gives it one */
		return spec->choices != NULL ? place_choices(check, part) : OK;
	part->c_name = name_part(arena, part->name, place);
	if (note(check, &check->members, part->c_name, part->name, part->line) != OK)
		return ERR_MALFORMED;
	if (spec->is_array)
		more = arena_printf(arena, "%s_n", part->c_name).ptr;
	else if (part->is_optional)
		more = arena_printf(arena, "has_%s", part->c_name).ptr;
	if (more != NULL &&
	    note(check, &check->members, more, part->name, part->line) != OK)
		return ERR_MALFORMED;
	return spec->choices != NULL ? place_choices(check, part) : OK;
}

static enum err name_parts(struct check *check, struct model_parts *parts,
			   enum name_place place)
{
	check->members = NULL;
	for (size_t i = 0; i < parts->n; i++) {
		if (name_one(check, &parts->items[i], place) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

/* ---- types and methods */

static enum err name_types(struct check *check)
{
	static const char *const suffixes[] = { "value", "read", "parts", "shape", NULL };
	struct model *model = check->model;

	for (struct model_type *type = model->types; type != NULL; type = type->next) {
		type->c_name = name_prefixed(&model->arena, model->prefix, type->name);
		if (type->choices != NULL) {
			type->choices->c_name = type->c_name;
			if (name_choices(check, type->choices, type->name) != OK)
				return ERR_MALFORMED;
		} else if (note(check, &check->names, type->c_name, type->name,
				type->line) != OK ||
			   note_all(check, type->c_name, suffixes, type->name,
				    type->line) != OK) {
			return ERR_MALFORMED;
		}
	}
	for (struct model_type *type = model->types; type != NULL; type = type->next) {
		if (name_parts(check, &type->parts, NAME_IN_STRUCT) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

/* Clients' calls are matched without regard to case. */
static enum err check_twice(struct check *check, const struct model_method *methods,
			    const struct model_method *method)
{
	while (methods != method && !slice_equal_nocase(methods->name, method->name))
		methods = methods->next;
	if (methods != method)
		return problem_set(check->problem, method->line,
				   "there is a %.*s already, in line %u",
				   SLICE_FMT(methods->name), methods->line);
	return OK;
}

static enum err name_method(struct check *check, struct model_method *method,
			    enum name_place place)
{
	const char *side = place == NAME_IN_CLIENT ? "client" : "server";
	static const char *const suffixes[] = { "in",  "in_parts",  "in_shape",
						"out", "out_parts", "out_shape",
						NULL };
	struct arena *arena = &check->model->arena;
	const char *snake = name_snake(arena, method->name);
	const char *inner =
		arena_printf(arena, "%s_%s_%s", check->model->prefix, side, snake).ptr;

	method->c_name = arena_printf(arena, "%s_%s", check->model->prefix, snake).ptr;
	if (note_all(check, inner, suffixes, method->name, method->line) != OK)
		return ERR_MALFORMED;
	return name_parts(check, &method->parts, place);
}

static enum err name_client(struct check *check)
{
	struct model *model = check->model;

	for (struct model_method *method = model->client; method != NULL;
	     method = method->next) {
		const char *snake = name_snake(&model->arena, method->name);

		if (check_twice(check, model->client, method) != OK ||
		    name_method(check, method, NAME_IN_CLIENT) != OK)
			return ERR_MALFORMED;
		if (method->has_result)
			snake = arena_printf(&model->arena, "await_%s", snake).ptr;
		if (note_suffixed(check, model->prefix, snake, method->name,
				  method->line) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

/* A stream that the client sends: chat_await_<method>_<part>(). */
static enum err name_upload(struct check *check, const struct model_method *method,
			    struct model_part *part)
{
	static const char *const suffixes[] = { "item", "item_parts", "item_shape",
						NULL };
	struct arena *arena = &check->model->arena;

	part->c_name = arena_printf(arena, "%s_await_%s_%s", check->model->prefix,
				    name_snake(arena, method->name),
				    name_snake(arena, part->name))
			       .ptr;
	if (note(check, &check->names, part->c_name, part->name, part->line) != OK)
		return ERR_MALFORMED;
	return note_all(check, part->c_name, suffixes, part->name, part->line);
}

static enum err name_streams(struct check *check, struct model_method *method,
			     const char *snake)
{
	struct model *model = check->model;

	if (method->is_stream &&
	    note_suffixed(check, model->prefix,
			  arena_printf(&model->arena, "await_%s_item", snake).ptr,
			  method->name, method->line) != OK)
		return ERR_MALFORMED;
	for (size_t i = 0; i < method->parts.n; i++) {
		struct model_part *part = &method->parts.items[i];

		if (part->is_stream && name_upload(check, method, part) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

static enum err name_server(struct check *check)
{
	struct model *model = check->model;

	for (struct model_method *method = model->server; method != NULL;
	     method = method->next) {
		const char *snake = name_snake(&model->arena, method->name);
		const char *on = arena_printf(&model->arena, "on_%s", snake).ptr;
		const char *call = arena_printf(&model->arena, "call_%s", snake).ptr;

		if (check_twice(check, model->server, method) != OK ||
		    name_method(check, method, NAME_IN_SERVER) != OK ||
		    note_suffixed(check, model->prefix, on, method->name, method->line) !=
			    OK ||
		    note_suffixed(check, model->prefix, call, method->name,
				  method->line) != OK ||
		    name_streams(check, method, snake) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

/* ---- TypeScript */

static enum err check_module(struct check *check)
{
	struct arena *arena = &check->model->arena;
	const char *const taken[] = {
		arena_printf(arena, "%sClient", check->model->camel).ptr,
		arena_printf(arena, "%sServer", check->model->camel).ptr,
		"IStreamResult",
		"Promise",
		"Uint8Array",
	};

	for (const struct model_type *type = check->model->types; type != NULL;
	     type = type->next) {
		for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
			if (slice_equal(type->name, slice_from_str(taken[i])))
				return problem_set(check->problem, type->line,
						   "%s is the name of something else in "
						   "TypeScript",
						   taken[i]);
		}
	}
	return OK;
}

enum err check_names(struct model *model, struct problem *problem)
{
	struct check check = { .model = model, .problem = problem };

	if (note_suffixed(&check, model->prefix, "methods", SLICE("the table of methods"),
			  0) != OK ||
	    name_types(&check) != OK || name_client(&check) != OK ||
	    name_server(&check) != OK)
		return ERR_MALFORMED;
	return check_module(&check);
}
