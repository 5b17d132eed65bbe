/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parser that looks at one token. Nothing in the language nests deeper than a part of a
 * method of a side, so nothing here calls itself.
 */
#include "router/hubgen/parse.h"

#include <assert.h>

#include "router/hubgen/lex.h"
#include "router/hubgen/names.h"

struct parse {
	struct lex lex;
	struct model *model;
	struct problem *problem;
};

/* ---- tokens */

static enum err fail_at(struct parse *parse, const char *wanted)
{
	const struct slice found = lex_show(&parse->lex, &parse->model->arena);

	return problem_set(parse->problem, parse->lex.token.line,
			   "%s is wanted here, not %.*s", wanted, SLICE_FMT(found));
}

static enum err expect(struct parse *parse, const char *sign, const char *wanted)
{
	if (!lex_is(&parse->lex, sign))
		return fail_at(parse, wanted);
	return lex_next(&parse->lex);
}

static enum err expect_name(struct parse *parse, struct slice *name, const char *wanted)
{
	if (parse->lex.token.type != TOKEN_NAME)
		return fail_at(parse, wanted);
	*name = arena_dup(&parse->model->arena, parse->lex.token.text);
	return lex_next(&parse->lex);
}

static enum err expect_string(struct parse *parse, struct slice *text, const char *wanted)
{
	if (parse->lex.token.type != TOKEN_STRING)
		return fail_at(parse, wanted);
	if (parse->lex.token.text.len == 0)
		return problem_set(parse->problem, parse->lex.token.line,
				   "a text that is empty");
	*text = arena_dup(&parse->model->arena, parse->lex.token.text);
	return lex_next(&parse->lex);
}

/* Takes the sign or word if it is there. */
static enum err take(struct parse *parse, const char *sign, bool *is_there)
{
	*is_there = false;
	if (!lex_is(&parse->lex, sign))
		return OK;
	if (lex_next(&parse->lex) != OK)
		return ERR_MALFORMED;
	*is_there = true;
	return OK;
}

/* ---- comments */

static struct model_comment take_lines(struct parse *parse, const struct slice *from,
				       size_t n)
{
	struct arena *arena = &parse->model->arena;
	struct slice *lines = arena_alloc(arena, n * sizeof(*lines));

	for (size_t i = 0; i < n; i++)
		lines[i] = arena_dup(arena, from[i]);
	return (struct model_comment){ lines, n };
}

/* What stands before the token that is looked at. */
static struct model_comment comment_before(struct parse *parse)
{
	return take_lines(parse, parse->lex.before, parse->lex.before_n);
}

/* A comment behind the declaration is its own when it has none before it. */
static void comment_behind(struct parse *parse, struct model_comment *comment)
{
	if (comment->n == 0 && parse->lex.behind.ptr != NULL)
		*comment = take_lines(parse, &parse->lex.behind, 1);
}

/* ---- what a part is */

static bool is_scalar(struct slice name, enum hub_part_type *type)
{
	static const struct {
		const char *name;
		enum hub_part_type type;
	} scalars[] = {
		{ "string", HUB_PART_STRING }, { "bool", HUB_PART_BOOL },
		{ "int", HUB_PART_INT },       { "number", HUB_PART_NUMBER },
		{ "bytes", HUB_PART_BYTES },   { "any", HUB_PART_ANY },
	};

	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		if (slice_equal(name, slice_from_str(scalars[i].name))) {
			*type = scalars[i].type;
			return true;
		}
	}
	return false;
}

static enum err parse_choices(struct parse *parse, struct model_choices **out)
{
	struct slice items[MODEL_CHOICES_MAX];
	struct model_choices *choices =
		ARENA_NEW(&parse->model->arena, struct model_choices);
	bool has_more = true;

	choices->line = parse->lex.token.line;
	while (has_more) {
		if (choices->n == MODEL_CHOICES_MAX)
			return problem_set(parse->problem, parse->lex.token.line,
					   "more than %d texts to choose from",
					   MODEL_CHOICES_MAX);
		if (expect_string(parse, &items[choices->n], "a text in quotes") != OK ||
		    take(parse, "|", &has_more) != OK)
			return ERR_MALFORMED;
		choices->n++;
	}
	choices->items = memcpy(arena_alloc(&parse->model->arena, sizeof(items)), items,
				choices->n * sizeof(items[0]));
	*out = choices;
	return OK;
}

static enum err parse_spec(struct parse *parse, struct model_spec *spec)
{
	struct slice name;

	spec->line = parse->lex.token.line;
	if (parse->lex.token.type == TOKEN_STRING) {
		spec->type = HUB_PART_CHOICE;
		return parse_choices(parse, &spec->choices);
	}
	if (expect_name(parse, &name, "a type") != OK)
		return ERR_MALFORMED;
	if (!is_scalar(name, &spec->type))
		spec->type_name = name;
	if (take(parse, "[", &spec->is_array) != OK)
		return ERR_MALFORMED;
	if (!spec->is_array)
		return OK;
	if (expect(parse, "]", "']'") != OK)
		return ERR_MALFORMED;
	if (lex_is(&parse->lex, "["))
		return problem_set(parse->problem, parse->lex.token.line,
				   "an array of arrays: give the inner one a type");
	return OK;
}

/* NULL: they are too many. */
static struct model_part *add_part(struct parse *parse, struct model_parts *parts)
{
	struct model_part *part;

	if (parts->n == MODEL_PARTS_MAX) {
		(void)problem_set(parse->problem, parse->lex.token.line,
				  "more than %d members or arguments",
				  MODEL_PARTS_MAX); /* NULL says that it failed */
		return NULL;
	}
	part = &parts->items[parts->n++];
	part->line = parse->lex.token.line;
	return part;
}

/* name?: spec */
static enum err parse_part(struct parse *parse, struct model_part *part,
			   const char *wanted)
{
	if (expect_name(parse, &part->name, wanted) != OK ||
	    take(parse, "?", &part->is_optional) != OK ||
	    expect(parse, ":", part->is_optional ? "':'" : "':' or '?'") != OK)
		return ERR_MALFORMED;
	return OK;
}

/* ---- declarations */

static enum err parse_member(struct parse *parse, struct model_type *type)
{
	const struct model_comment comment = comment_before(parse);
	struct model_part *part = add_part(parse, &type->parts);

	if (part == NULL || parse_part(parse, part, "a member or '}'") != OK ||
	    parse_spec(parse, &part->spec) != OK || expect(parse, ";", "';'") != OK)
		return ERR_MALFORMED;
	part->comment = comment;
	comment_behind(parse, &part->comment);
	return OK;
}

/* type Name { ... }, or type Name = "a" | "b"; */
static enum err parse_type(struct parse *parse, struct model_type *type)
{
	bool is_alias;
	bool is_over = false;

	if (expect_name(parse, &type->name, "the type's name") != OK ||
	    take(parse, "=", &is_alias) != OK)
		return ERR_MALFORMED;
	if (is_alias) {
		if (parse_choices(parse, &type->choices) != OK ||
		    expect(parse, ";", "'|' or ';'") != OK)
			return ERR_MALFORMED;
		comment_behind(parse, &type->comment);
		return OK;
	}
	if (expect(parse, "{", "'{' or '='") != OK)
		return ERR_MALFORMED;
	while (take(parse, "}", &is_over) == OK && !is_over) {
		if (parse_member(parse, type) != OK)
			return ERR_MALFORMED;
	}
	return is_over ? OK : ERR_MALFORMED;
}

static enum err parse_argument(struct parse *parse, struct model_method *method,
			       bool is_server)
{
	struct model_part *part = add_part(parse, &method->parts);

	if (part == NULL || take(parse, "...", &part->is_rest) != OK ||
	    parse_part(parse, part, "an argument or ')'") != OK ||
	    take(parse, "stream", &part->is_stream) != OK ||
	    parse_spec(parse, &part->spec) != OK)
		return ERR_MALFORMED;
	if (!is_server && (part->is_rest || part->is_stream))
		return problem_set(parse->problem, part->line,
				   "%.*s.%.*s: only methods of the server take '%s'",
				   SLICE_FMT(method->name), SLICE_FMT(part->name),
				   part->is_rest ? "..." : "stream");
	return OK;
}

static enum err parse_arguments(struct parse *parse, struct model_method *method,
				bool is_server)
{
	bool is_over;

	if (expect(parse, "(", "'('") != OK || take(parse, ")", &is_over) != OK)
		return ERR_MALFORMED;
	while (!is_over) {
		if (parse_argument(parse, method, is_server) != OK)
			return ERR_MALFORMED;
		if (take(parse, ")", &is_over) != OK)
			return ERR_MALFORMED;
		if (!is_over && expect(parse, ",", "',' or ')'") != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

static enum err parse_result(struct parse *parse, struct model_method *method,
			     bool is_server)
{
	if (take(parse, ":", &method->has_result) != OK)
		return ERR_MALFORMED;
	if (!method->has_result)
		return OK;
	if (take(parse, "stream", &method->is_stream) != OK)
		return ERR_MALFORMED;
	if (method->is_stream && !is_server)
		return problem_set(parse->problem, method->line,
				   "%.*s: only methods of the server give a stream",
				   SLICE_FMT(method->name));
	return parse_spec(parse, &method->result);
}

/* [roles "a,b"] */
static enum err parse_roles(struct parse *parse, struct model_method *method,
			    bool is_server)
{
	bool has_roles;

	if (take(parse, "[", &has_roles) != OK)
		return ERR_MALFORMED;
	if (!has_roles)
		return OK;
	if (!is_server)
		return problem_set(parse->problem, parse->lex.token.line,
				   "only methods of the server have roles");
	if (expect(parse, "roles", "roles") != OK ||
	    expect_string(parse, &method->roles, "the roles in quotes") != OK ||
	    expect(parse, "]", "']'") != OK)
		return ERR_MALFORMED;
	return OK;
}

static enum err parse_method(struct parse *parse, struct model_method *method,
			     bool is_server)
{
	method->comment = comment_before(parse);
	if (parse_roles(parse, method, is_server) != OK)
		return ERR_MALFORMED;
	if (method->comment.n == 0)
		method->comment = comment_before(parse);
	method->line = parse->lex.token.line;
	if (expect_name(parse, &method->name,
			is_server ? "a method or '}'" : "an event or '}'") != OK ||
	    parse_arguments(parse, method, is_server) != OK ||
	    parse_result(parse, method, is_server) != OK ||
	    expect(parse, ";", method->has_result ? "';'" : "':' or ';'") != OK)
		return ERR_MALFORMED;
	comment_behind(parse, &method->comment);
	return OK;
}

/* client { ... } or server { ... } */
static enum err parse_side(struct parse *parse, struct model_method **list,
			   bool is_server)
{
	struct model_method **end = list;
	bool is_over = false;
	size_t n = 0;

	if (*list != NULL)
		return problem_set(parse->problem, parse->lex.token.line,
				   "there is a %s already",
				   is_server ? "server" : "client");
	if (expect(parse, "{", "'{'") != OK)
		return ERR_MALFORMED;
	while (take(parse, "}", &is_over) == OK && !is_over) {
		if (n++ == MODEL_METHODS_MAX)
			return problem_set(parse->problem, parse->lex.token.line,
					   "more than %d methods", MODEL_METHODS_MAX);
		*end = ARENA_NEW(&parse->model->arena, struct model_method);
		if (parse_method(parse, *end, is_server) != OK)
			return ERR_MALFORMED;
		end = &(*end)->next;
	}
	return is_over ? OK : ERR_MALFORMED;
}

static enum err parse_declaration(struct parse *parse, struct model_type ***end)
{
	const struct model_comment comment = comment_before(parse);
	struct model *model = parse->model;
	bool is_there;

	if (take(parse, "client", &is_there) != OK)
		return ERR_MALFORMED;
	if (is_there)
		return parse_side(parse, &model->client, false);
	if (take(parse, "server", &is_there) != OK)
		return ERR_MALFORMED;
	if (is_there)
		return parse_side(parse, &model->server, true);
	if (expect(parse, "type", "type, client or server") != OK)
		return ERR_MALFORMED;
	if (model->types_n++ == MODEL_METHODS_MAX)
		return problem_set(parse->problem, parse->lex.token.line,
				   "more than %d types", MODEL_METHODS_MAX);
	**end = ARENA_NEW(&model->arena, struct model_type);
	(**end)->line = parse->lex.token.line;
	(**end)->comment = comment;
	if (parse_type(parse, **end) != OK)
		return ERR_MALFORMED;
	*end = &(**end)->next;
	return OK;
}

/* hub name; */
static enum err parse_hub(struct parse *parse)
{
	struct model *model = parse->model;
	const unsigned line = parse->lex.token.line;
	bool has_more = true;
	struct slice word = SLICE_NONE;

	model->comment = comment_before(parse);
	if (expect(parse, "hub", "hub and its name") != OK)
		return ERR_MALFORMED;
	while (has_more) {
		if (expect_name(parse, &word, "the hub's name") != OK ||
		    take(parse, "-", &has_more) != OK)
			return ERR_MALFORMED;
		model->name =
			arena_printf(&model->arena, "%.*s%.*s%s", SLICE_FMT(model->name),
				     SLICE_FMT(word), has_more ? "-" : "");
	}
	for (size_t i = 0; i < model->name.len; i++) {
		if (model->name.ptr[i] >= 'A' && model->name.ptr[i] <= 'Z')
			return problem_set(parse->problem, line,
					   "the hub's name is not in lower case");
	}
	model->prefix = name_snake(&model->arena, model->name);
	model->camel = name_camel(&model->arena, model->name);
	return expect(parse, ";", "';'");
}

enum err parse_model(struct model *model, struct slice text, struct problem *problem)
{
	struct parse parse = { .model = model, .problem = problem };
	struct model_type **end = &model->types;

	*model = (struct model){ .arena = ARENA_INIT, .name = SLICE("") };
	if (lex_init(&parse.lex, text, problem) != OK || parse_hub(&parse) != OK)
		return ERR_MALFORMED;
	while (parse.lex.token.type != TOKEN_END) {
		if (parse_declaration(&parse, &end) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

void model_fini(struct model *model)
{
	arena_fini(&model->arena);
}
