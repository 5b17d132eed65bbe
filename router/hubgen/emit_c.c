/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header: types, what the server calls at clients, and what clients call. Everything
 * is static: a hub is one file, and others of its own may have the types, too.
 */
#include "router/hubgen/emit.h"
#include "router/hubgen/emit_shape.h"
#include "router/hubgen/names.h"

struct emit {
	struct buf *out;
	const struct model *model;
	struct arena *scratch;
};

/* The part that a result is. */
static struct model_part result_part(const struct model_method *method,
				     const char *c_name)
{
	return (struct model_part){ .name = method->name,
				    .c_name = c_name,
				    .spec = method->result };
}

/* chat_server_send_message_in */
static const char *inner_name(struct emit *emit, const struct model_method *method,
			      const char *side, const char *suffix)
{
	const char *snake = method->c_name + strlen(emit->model->prefix) + 1;

	return arena_printf(emit->scratch, "%s_%s_%s_%s", emit->model->prefix, side,
			    snake, suffix)
		.ptr;
}

static const char *snake_of(const struct emit *emit, const struct model_method *method)
{
	return method->c_name + strlen(emit->model->prefix) + 1;
}

/* ---- types */

static void emit_choices(struct emit *emit, const struct model_choices *choices)
{
	const char *upper = name_upper(emit->scratch, slice_from_str(choices->c_name));

	buf_appendf(emit->out, "enum %s {\n", choices->c_name);
	for (size_t i = 0; i < choices->n; i++)
		buf_appendf(emit->out, "\t%s_%s,\n", upper,
			    name_upper(emit->scratch, choices->items[i]));
	buf_appendf(emit->out, "};\n\nstatic const char *const %s_texts[] = {\n",
		    choices->c_name);
	for (size_t i = 0; i < choices->n; i++)
		buf_appendf(emit->out, "\t\"%.*s\",\n", SLICE_FMT(choices->items[i]));
	buf_append_str(emit->out, "};\n\n");
}

/* "ChatMessage" chatMessage: what errors call it. */
static struct slice shown_name(struct emit *emit, struct slice name)
{
	struct slice shown = arena_dup(emit->scratch, name);

	return arena_printf(emit->scratch, "%c%.*s", *shown.ptr - 'A' + 'a',
			    SLICE_FMT(slice_from(shown, 1)));
}

static void emit_type(struct emit *emit, const struct model_type *type)
{
	const char *c_name = type->c_name;

	emit_comment(emit->out, &type->comment, "/*", "");
	emit_shape(emit->out, c_name, shown_name(emit, type->name), &type->parts,
		   EMIT_VALUE);
	buf_appendf(emit->out,
		    "static inline struct value *%s_value(struct hub_call *call, "
		    "const struct %s *from)\n"
		    "{\n\treturn hub_typed_object(call, &%s_shape, from);\n}\n\n",
		    c_name, c_name, c_name);
	buf_appendf(emit->out,
		    "static inline enum hub_rc %s_read(struct hub_call *call, "
		    "const struct value *value, struct %s *into)\n"
		    "{\n\treturn hub_typed_read_object(call, &%s_shape, value, into);\n"
		    "}\n\n",
		    c_name, c_name, c_name);
}

static void emit_types(struct emit *emit)
{
	const struct model *model = emit->model;

	for (const struct model_choices *choices = model->choices; choices != NULL;
	     choices = choices->next)
		emit_choices(emit, choices);
	for (const struct model_type *type = model->types; type != NULL;
	     type = type->next) {
		if (type->choices == NULL)
			emit_type(emit, type);
	}
}

/* ---- what the server calls at clients */

/* The local `list_`, made of the function's parameters. */
static void emit_list(struct emit *emit, const struct model_method *method)
{
	const struct model_parts *parts = &method->parts;
	const char *in = inner_name(emit, method, "client", "in");

	if (parts->n == 0) {
		buf_append_str(emit->out,
			       "\tconst struct value *list_ = hub_array(call);\n");
		return;
	}
	buf_appendf(emit->out, "\tconst struct %s args_ = {", in);
	for (size_t i = 0; i < parts->n; i++)
		emit_initializer(emit->out, &parts->items[i]);
	buf_appendf(emit->out,
		    " };\n\tconst struct value *list_ = "
		    "hub_typed_list(call, &%s_shape, &args_);\n",
		    in);
}

static void emit_event(struct emit *emit, const struct model_method *method)
{
	emit_comment(emit->out, &method->comment, "/*", "");
	buf_appendf(emit->out,
		    "static inline void %s(struct hub_call *call, struct hub_to to",
		    method->c_name);
	emit_parameters(emit->out, &method->parts);
	buf_append_str(emit->out, ")\n{\n");
	emit_list(emit, method);
	buf_appendf(emit->out, "\n\thub_send(call, to, SLICE(\"%.*s\"), list_);\n}\n\n",
		    SLICE_FMT(method->name));
}

/* Copies the shape's one part to where the caller wants it. */
static void emit_taken(struct buf *out, const struct model_part *part)
{
	buf_appendf(out, "\t*%s = taken_.%s;\n", part->c_name, part->c_name);
	if (part->spec.is_array)
		buf_appendf(out, "\t*%s_n = taken_.%s_n;\n", part->c_name, part->c_name);
	buf_append_str(out, "\treturn HUB_OK;\n}\n\n");
}

static void emit_question(struct emit *emit, const struct model_method *method)
{
	const char *out = inner_name(emit, method, "client", "out");
	const struct model_part result = result_part(method, "result");

	emit_shape_of_one(emit->out, out, &result, EMIT_VALUE);
	emit_comment(emit->out, &method->comment, "/*", "");
	buf_appendf(emit->out,
		    "static inline enum hub_rc %s_await_%s(struct hub_call *call, "
		    "struct slice connection_id",
		    emit->model->prefix, snake_of(emit, method));
	emit_parameters(emit->out, &method->parts);
	buf_append_str(emit->out, ", int64_t timeout_ms");
	emit_out_parameter(emit->out, &result);
	buf_append_str(emit->out, ")\n{\n");
	emit_list(emit, method);
	buf_appendf(emit->out,
		    "\tconst struct value *value_ = NULL;\n"
		    "\tstruct %s taken_;\n"
		    "\tenum hub_rc rc_ = hub_await_client(call, connection_id, "
		    "SLICE(\"%.*s\"), list_, timeout_ms, &value_);\n\n"
		    "\tif (rc_ == HUB_OK)\n"
		    "\t\trc_ = hub_typed_read_one(call, &%s_shape, value_, &taken_);\n"
		    "\tif (rc_ != HUB_OK)\n\t\treturn rc_;\n",
		    out, SLICE_FMT(method->name), out);
	emit_taken(emit->out, &result);
}

static void emit_client(struct emit *emit)
{
	if (emit->model->client != NULL)
		buf_append_str(emit->out,
			       "/* ---- what the server calls at clients */\n\n");
	for (const struct model_method *method = emit->model->client; method != NULL;
	     method = method->next) {
		if (emit_parts_n(&method->parts) > 0)
			emit_shape(emit->out, inner_name(emit, method, "client", "in"),
				   method->name, &method->parts, EMIT_POINTER);
		if (method->has_result)
			emit_question(emit, method);
		else
			emit_event(emit, method);
	}
}

/* ---- what clients call */

static void emit_prototype(struct emit *emit, const struct model_method *method)
{
	const struct model_part result = result_part(method, "result");

	emit_comment(emit->out, &method->comment, "/*", "");
	buf_appendf(emit->out, "static enum hub_rc %s_on_%s(struct hub_call *call",
		    emit->model->prefix, snake_of(emit, method));
	emit_parameters(emit->out, &method->parts);
	if (method->has_result && !method->is_stream)
		emit_out_parameter(emit->out, &result);
	buf_append_str(emit->out, ");\n\n");
}

/* chat_await_subscribe_item(call, item) */
static void emit_item(struct emit *emit, const struct model_method *method)
{
	const char *out = inner_name(emit, method, "server", "out");
	const struct model_part item = result_part(method, "item");

	emit_shape_of_one(emit->out, out, &item, EMIT_POINTER);
	buf_appendf(emit->out,
		    "/* The next item of what %.*s streams. */\n"
		    "static inline enum hub_rc %s_await_%s_item(struct hub_call *call",
		    SLICE_FMT(method->name), emit->model->prefix, snake_of(emit, method));
	emit_parameter(emit->out, &item);
	buf_appendf(emit->out, ")\n{\n\tconst struct %s args_ = {", out);
	emit_initializer(emit->out, &item);
	buf_appendf(emit->out,
		    " };\n\n\treturn hub_await_item(call, hub_typed_one(call, "
		    "&%s_shape, &args_));\n}\n\n",
		    out);
}

/* chat_await_publish_readings(call, &item); `index`: of the client's streams. */
static void emit_upload(struct emit *emit, const struct model_method *method,
			const struct model_part *part, size_t index)
{
	const char *shape = arena_printf(emit->scratch, "%s_item", part->c_name).ptr;
	struct model_part item = *part;

	item.c_name = "item";
	emit_shape_of_one(emit->out, shape, &item, EMIT_VALUE);
	buf_appendf(emit->out,
		    "/*\n * The next item of the %.*s that the caller of %.*s sends; "
		    "HUB_END behind the last. It\n * lives until the next one is taken.\n"
		    " */\nstatic inline enum hub_rc %s(struct hub_call *call",
		    SLICE_FMT(part->name), SLICE_FMT(method->name), part->c_name);
	item.is_stream = false;
	emit_out_parameter(emit->out, &item);
	buf_appendf(emit->out,
		    ")\n{\n\tconst struct value *value_ = NULL;\n"
		    "\tstruct %s taken_;\n"
		    "\tenum hub_rc rc_ = hub_await_next(call, %zu, &value_);\n\n"
		    "\tif (rc_ == HUB_OK)\n"
		    "\t\trc_ = hub_typed_read_one(call, &%s_shape, value_, &taken_);\n"
		    "\tif (rc_ != HUB_OK)\n\t\treturn rc_;\n",
		    shape, index, shape);
	emit_taken(emit->out, &item);
}

static void emit_uploads(struct emit *emit, const struct model_method *method)
{
	size_t index = 0;

	for (size_t i = 0; i < method->parts.n; i++) {
		if (method->parts.items[i].is_stream)
			emit_upload(emit, method, &method->parts.items[i], index++);
	}
}

/* The call of the hub's function, behind `rc`. */
static void emit_inner_call(struct emit *emit, const struct model_method *method)
{
	const bool has_out = method->has_result && !method->is_stream;

	buf_appendf(emit->out, "%s_on_%s(call", emit->model->prefix,
		    snake_of(emit, method));
	for (size_t i = 0; i < method->parts.n; i++)
		emit_arguments(emit->out, &method->parts.items[i]);
	if (has_out)
		buf_append_str(emit->out, ", &out.result");
	if (has_out && method->result.is_array)
		buf_append_str(emit->out, ", &out.result_n");
	buf_append_str(emit->out, ");\n");
}

/* What the table names: reads the arguments, calls, and returns the result. */
static void emit_thunk(struct emit *emit, const struct model_method *method)
{
	const bool has_in = emit_parts_n(&method->parts) > 0;
	const bool has_out = method->has_result && !method->is_stream;
	const char *in = inner_name(emit, method, "server", "in");
	const char *out = inner_name(emit, method, "server", "out");
	const struct model_part result = result_part(method, "result");

	if (has_in)
		emit_shape(emit->out, in, method->name, &method->parts, EMIT_POINTER);
	if (has_out)
		emit_shape_of_one(emit->out, out, &result, EMIT_VALUE);
	buf_appendf(emit->out,
		    "static enum hub_rc %s_call_%s(struct hub_call *call)\n{\n",
		    emit->model->prefix, snake_of(emit, method));
	if (has_in)
		buf_appendf(emit->out, "\tstruct %s in;\n", in);
	if (has_out)
		buf_appendf(emit->out, "\tstruct %s out;\n", out);
	buf_append_str(emit->out, "\tenum hub_rc rc;\n\n");
	if (has_in)
		buf_appendf(emit->out,
			    "\trc = hub_typed_read_arguments(call, &%s_shape, &in);\n"
			    "\tif (rc != HUB_OK)\n\t\treturn rc;\n",
			    in);
	if (has_out)
		buf_append_str(emit->out, "\tmemset(&out, 0, sizeof(out));\n");
	buf_append_str(emit->out, "\trc = ");
	emit_inner_call(emit, method);
	if (has_out)
		buf_appendf(
			emit->out,
			"\tif (rc == HUB_OK)\n"
			"\t\thub_return(call, hub_typed_one(call, &%s_shape, &out));\n",
			out);
	buf_append_str(emit->out, "\treturn rc;\n}\n\n");
}

static char letter_of(const struct model_part *part)
{
	if (part->is_stream)
		return '~';
	if (part->is_rest)
		return '*';
	if (part->is_optional)
		return 'v';
	if (part->spec.is_array)
		return 'a';
	switch (part->spec.type) {
	case HUB_PART_STRING:
	case HUB_PART_CHOICE:
		return 's';
	case HUB_PART_BOOL:
		return 'b';
	case HUB_PART_INT:
		return 'i';
	case HUB_PART_NUMBER:
		return 'n';
	case HUB_PART_SHAPE:
		return 'm';
	case HUB_PART_BYTES:
		return 'y';
	case HUB_PART_ANY:
		break;
	}
	return 'v';
}

static void emit_row(struct emit *emit, const struct model_method *method)
{
	buf_appendf(emit->out, "\t{ .name = \"%.*s\", .fn = %s_call_%s, .arguments = \"",
		    SLICE_FMT(method->name), emit->model->prefix, snake_of(emit, method));
	for (size_t i = 0; i < method->parts.n; i++)
		buf_append_byte(emit->out, letter_of(&method->parts.items[i]));
	buf_append_byte(emit->out, '"');
	if (method->is_stream)
		buf_append_str(emit->out, ", .is_stream = true");
	if (method->roles.ptr != NULL)
		buf_appendf(emit->out, ", .roles = \"%.*s\"", SLICE_FMT(method->roles));
	buf_append_str(emit->out, " },\n");
}

static void emit_server(struct emit *emit)
{
	const struct model *model = emit->model;
	const struct model_method *method;
	const char *upper = name_upper(emit->scratch, slice_from_str(model->prefix));

	if (model->server == NULL)
		return;
	buf_appendf(
		emit->out,
		"/*\n * ---- what clients call: the hub's file defines each "
		"%s_on_...(). Other files of the\n * hub, which want the types, define "
		"%s_TYPES_ONLY before they include this.\n */\n"
		"#ifndef %s_TYPES_ONLY\n\n",
		model->prefix, upper, upper);
	for (method = model->server; method != NULL; method = method->next)
		emit_prototype(emit, method);
	for (method = model->server; method != NULL; method = method->next) {
		if (method->is_stream)
			emit_item(emit, method);
		emit_uploads(emit, method);
	}
	for (method = model->server; method != NULL; method = method->next)
		emit_thunk(emit, method);
	buf_appendf(emit->out, "static const struct hub_method %s_methods[] = {\n",
		    model->prefix);
	for (method = model->server; method != NULL; method = method->next)
		emit_row(emit, method);
	buf_append_str(emit->out, "};\n\n#endif\n\n");
}

void emit_c(struct buf *out, const struct model *model, struct slice source)
{
	struct arena scratch = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct emit emit = { &text, model, &scratch };
	const char *upper = name_upper(&scratch, slice_from_str(model->prefix));

	buf_appendf(&text,
		    "/* Made from %.*s by heliograph-hubgen: change that instead. */\n",
		    SLICE_FMT(source));
	emit_comment(&text, &model->comment, "/*", "");
	buf_appendf(&text,
		    "#ifndef %s_GEN_H\n#define %s_GEN_H\n\n"
		    "#include \"router/hub.h\"\n\n",
		    upper, upper);
	emit_types(&emit);
	emit_client(&emit);
	emit_server(&emit);
	buf_append_str(&text, "#endif\n");
	emit_wrapped(out, buf_slice(&text));
	buf_fini(&text);
	arena_fini(&scratch);
}
