/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module: interfaces alone, so that it costs clients nothing at run time.
 */
#include "router/hubgen/emit.h"
#include "router/hubgen/names.h"

struct emit {
	struct buf *out;
	const struct model *model;
	struct arena *scratch;
};

/* ---- types */

static void append_choices(struct buf *out, const struct model_choices *choices)
{
	for (size_t i = 0; i < choices->n; i++)
		buf_appendf(out, "%s\"%.*s\"", i > 0 ? " | " : "",
			    SLICE_FMT(choices->items[i]));
}

/* In place, or by the name it has in the file. */
static void append_choice(struct buf *out, const struct model_spec *spec)
{
	const bool is_in_place = spec->type_name.ptr == NULL;

	if (!is_in_place) {
		buf_append_slice(out, spec->type_name);
		return;
	}
	if (spec->is_array)
		buf_append_byte(out, '(');
	append_choices(out, spec->choices);
	if (spec->is_array)
		buf_append_byte(out, ')');
}

static void append_spec(struct buf *out, const struct model_spec *spec)
{
	switch (spec->type) {
	case HUB_PART_STRING:
		buf_append_str(out, "string");
		break;
	case HUB_PART_BOOL:
		buf_append_str(out, "boolean");
		break;
	case HUB_PART_INT:
	case HUB_PART_NUMBER:
		buf_append_str(out, "number");
		break;
	case HUB_PART_BYTES:
		/* By MessagePack; JSON has base64. */
		buf_append_str(out, spec->is_array ? "(Uint8Array | string)"
						   : "Uint8Array | string");
		break;
	case HUB_PART_ANY:
		buf_append_str(out, "unknown");
		break;
	case HUB_PART_CHOICE:
		append_choice(out, spec);
		break;
	case HUB_PART_SHAPE:
		buf_append_slice(out, spec->type_name);
		break;
	}
	if (spec->is_array)
		buf_append_str(out, "[]");
}

static void emit_member(struct emit *emit, const struct model_part *part)
{
	emit_comment(emit->out, &part->comment, "/**", "\t");
	buf_appendf(emit->out, "\t%.*s%s: ", SLICE_FMT(part->name),
		    part->is_optional ? "?" : "");
	append_spec(emit->out, &part->spec);
	buf_append_str(emit->out, part->is_optional ? " | null;\n" : ";\n");
}

static void emit_type(struct emit *emit, const struct model_type *type)
{
	emit_comment(emit->out, &type->comment, "/**", "");
	if (type->choices != NULL) {
		buf_appendf(emit->out, "export type %.*s = ", SLICE_FMT(type->name));
		append_choices(emit->out, type->choices);
		buf_append_str(emit->out, ";\n\n");
		return;
	}
	buf_appendf(emit->out, "export interface %.*s {\n", SLICE_FMT(type->name));
	for (size_t i = 0; i < type->parts.n; i++)
		emit_member(emit, &type->parts.items[i]);
	buf_append_str(emit->out, "}\n\n");
}

/* ---- methods */

static void append_argument(struct emit *emit, const struct model_part *part)
{
	buf_appendf(emit->out, "%s%.*s: ", part->is_rest ? "..." : "",
		    SLICE_FMT(name_argument(emit->scratch, part->name)));
	if (part->is_stream)
		buf_append_str(emit->out, "IStreamResult<");
	append_spec(emit->out, &part->spec);
	if (part->is_stream)
		buf_append_byte(emit->out, '>');
	/* Not "?": a call has all of a method's arguments, or it is refused. */
	if (part->is_optional)
		buf_append_str(emit->out, " | null");
}

static void append_head(struct emit *emit, const struct model_method *method)
{
	emit_comment(emit->out, &method->comment, "/**", "\t");
	buf_appendf(emit->out, "\t%.*s(", SLICE_FMT(method->name));
	for (size_t i = 0; i < method->parts.n; i++) {
		if (i > 0)
			buf_append_str(emit->out, ", ");
		append_argument(emit, &method->parts.items[i]);
	}
	buf_append_str(emit->out, "): ");
}

/* Of a side that the file does not declare nothing is known. */
static const char any_method[] = "\t[name: string]: (...args: any[]) => any;\n";

static void emit_client(struct emit *emit)
{
	buf_appendf(emit->out,
		    "/** What the hub calls at its clients. */\n"
		    "export interface %sClient {\n",
		    emit->model->camel);
	if (emit->model->client == NULL)
		buf_append_str(emit->out, any_method);
	for (const struct model_method *method = emit->model->client; method != NULL;
	     method = method->next) {
		append_head(emit, method);
		if (method->has_result) {
			append_spec(emit->out, &method->result);
			buf_append_str(emit->out, " | Promise<");
			append_spec(emit->out, &method->result);
			buf_append_str(emit->out, ">;\n");
		} else {
			buf_append_str(emit->out, "void;\n");
		}
	}
	buf_append_str(emit->out, "}\n\n");
}

static void emit_server(struct emit *emit)
{
	buf_appendf(emit->out,
		    "/** What clients call at the hub. */\n"
		    "export interface %sServer {\n",
		    emit->model->camel);
	if (emit->model->server == NULL)
		buf_append_str(emit->out, any_method);
	for (const struct model_method *method = emit->model->server; method != NULL;
	     method = method->next) {
		append_head(emit, method);
		buf_append_str(emit->out,
			       method->is_stream ? "IStreamResult<" : "Promise<");
		if (method->has_result)
			append_spec(emit->out, &method->result);
		else
			buf_append_str(emit->out, "void");
		buf_append_str(emit->out, ">;\n");
	}
	buf_append_str(emit->out, "}\n");
}

static bool has_streams(const struct model *model)
{
	for (const struct model_method *method = model->server; method != NULL;
	     method = method->next) {
		if (method->is_stream)
			return true;
		for (size_t i = 0; i < method->parts.n; i++) {
			if (method->parts.items[i].is_stream)
				return true;
		}
	}
	return false;
}

void emit_ts(struct buf *out, const struct model *model, struct slice source)
{
	struct arena scratch = ARENA_INIT;
	struct emit emit = { out, model, &scratch };

	buf_appendf(out,
		    "// SPDX-License-Identifier: Apache-2.0\n"
		    "// Made from %.*s by heliograph-hubgen: change that instead.\n\n",
		    SLICE_FMT(source));
	if (has_streams(model))
		buf_append_str(out, "import type { IStreamResult } from "
				    "\"@microsoft/signalr\";\n\n");
	emit_comment(out, &model->comment, "/**", "");
	if (model->comment.n > 0)
		buf_append_str(out, "\n");
	for (const struct model_type *type = model->types; type != NULL;
	     type = type->next)
		emit_type(&emit, type);
	emit_client(&emit);
	emit_server(&emit);
	arena_fini(&scratch);
}
