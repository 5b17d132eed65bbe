/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written, to the letter where authors read it. That it compiles and works is
 * test_hub_typed.c's; the whole module of TypeScript is docs/clients/test/typed.ts.
 */
#include "tests/unit/router/hubgen/hubgen_kit.h"

Test(emit, a_struct_with_its_tables)
{
	const char *c = hubgen_c(SLICE("hub x;\n"
				       "// A user.\n"
				       "type User { id: string; age?: int; // years\n"
				       " tags: string[]; }"));

	expect_in(c, "/* A user. */\n"
		     "struct x_user {\n"
		     "\tstruct slice id;\n"
		     "\tbool has_age;\n"
		     "\tint64_t age; /* years */\n"
		     "\tconst struct slice *tags;\n"
		     "\tsize_t tags_n;\n"
		     "};\n\n"
		     "static const struct hub_part x_user_parts[] = {\n"
		     "\t{ .name = \"id\", .type = HUB_PART_STRING,\n"
		     "\t  .offset = offsetof(struct x_user, id) },\n"
		     "\t{ .name = \"age\", .type = HUB_PART_INT,\n"
		     "\t  .offset = offsetof(struct x_user, age),\n"
		     "\t  .count_offset = offsetof(struct x_user, has_age),\n"
		     "\t  .is_optional = true },\n"
		     "\t{ .name = \"tags\", .type = HUB_PART_STRING,\n"
		     "\t  .offset = offsetof(struct x_user, tags),\n"
		     "\t  .is_array = true, .count_offset = offsetof(struct x_user, "
		     "tags_n) },\n"
		     "};\n\n"
		     "static const struct hub_shape x_user_shape = {\n"
		     "\t.name = \"user\",\n"
		     "\t.size = sizeof(struct x_user),\n"
		     "\t.parts = x_user_parts,\n"
		     "\t.parts_n = 3,\n"
		     "};\n");
}

Test(emit, an_enum_with_its_texts)
{
	expect_in(hubgen_c(SLICE("hub x; type A { size: \"big\" | \"very big\"; }")),
		  "enum x_size {\n\tX_SIZE_BIG,\n\tX_SIZE_VERY_BIG,\n};\n\n"
		  "static const char *const x_size_texts[] = {\n"
		  "\t\"big\",\n\t\"very big\",\n};\n");
}

Test(emit, an_event)
{
	expect_in(hubgen_c(SLICE("hub x; client { UserCame(userId: string, to: int); }")),
		  "static inline void x_user_came(struct hub_call *call, struct hub_to "
		  "to,\n"
		  "\t\tstruct slice user_id, int64_t to_)\n"
		  "{\n"
		  "\tconst struct x_client_user_came_in args_ = { .user_id = user_id, "
		  ".to_ = to_, };\n"
		  "\tconst struct value *list_ = hub_typed_list(call, "
		  "&x_client_user_came_in_shape,\n"
		  "\t\t\t&args_);\n\n"
		  "\thub_send(call, to, SLICE(\"UserCame\"), list_);\n"
		  "}\n");
}

Test(emit, a_method_and_its_row)
{
	const char *c = hubgen_c(SLICE(
		"hub x-y;\ntype T { a: int; }\nserver {\n"
		"// Sends.\n[roles \"a,b\"]\n"
		"Send(s: string, i: int, n: number, b: bool, y: bytes, v: any, m: T, "
		"a: T[], o?: int, up: stream T, ...rest: int): T;\n"
		"Count(): stream int;\n}"));

	expect_in(c, "#ifndef X_Y_GEN_H\n#define X_Y_GEN_H\n");
	expect_in(c, "/* Sends. */\n"
		     "static enum hub_rc x_y_on_send(struct hub_call *call, struct slice "
		     "s, int64_t i, double n,\n"
		     "\t\tbool b, struct slice y, const struct value *v, const struct "
		     "x_y_t *m,\n"
		     "\t\tconst struct x_y_t *a, size_t a_n, bool has_o, int64_t o,\n"
		     "\t\tconst int64_t *rest, size_t rest_n, struct x_y_t *result);\n");
	expect_in(c, "static const struct hub_method x_y_methods[] = {\n"
		     "\t{ .name = \"Send\", .fn = x_y_call_send, .arguments = "
		     "\"sinbyvmav~*\",\n"
		     "\t\t\t.roles = \"a,b\" },\n"
		     "\t{ .name = \"Count\", .fn = x_y_call_count, .arguments = \"\", "
		     ".is_stream = true },\n"
		     "};\n");
	expect_in(c, "x_y_await_send_up(struct hub_call *call, struct x_y_t *item)");
	expect_in(c, "x_y_await_count_item(struct hub_call *call, int64_t item)");
}

/* Files of the hub beside the one with its methods. */
Test(emit, what_clients_call_may_be_left_out)
{
	const char *c = hubgen_c(SLICE("hub x; client { A(); } server { B(); }"));
	const char *only = strstr(c, "#ifndef X_TYPES_ONLY\n");

	cr_assert_not_null(only);
	cr_expect_null(strstr(only, "x_a("));
	cr_expect_not_null(strstr(only, "x_on_b("));
	cr_expect_gt(strstr(c, "#endif\n\n#endif\n"), strstr(c, "x_methods"));
}

Test(emit, comments)
{
	expect_in(hubgen_c(SLICE("// SPDX\n\n// One.\n//\n//  Two */ /* three.\nhub x;")),
		  "/*\n * One.\n *\n *  Two * / / * three.\n */\n#ifndef");
	expect_in(hubgen_ts(SLICE("// One.\n// Two.\nhub x;")),
		  "/**\n * One.\n * Two.\n */\n");
}

Test(emit, a_side_that_is_not_declared_is_open)
{
	const char *ts = hubgen_ts(SLICE("hub live-data; server { A(); }"));

	expect_in(ts, "export interface LiveDataClient {\n"
		      "\t[name: string]: (...args: any[]) => any;\n}\n");
	expect_in(ts, "export interface LiveDataServer {\n\tA(): Promise<void>;\n}\n");
}

Test(emit, streams_are_imported_when_there_are_any)
{
	static const char import[] = "import type { IStreamResult }";

	cr_expect_null(strstr(hubgen_ts(SLICE("hub x; server { A(); }")), import));
	expect_in(hubgen_ts(SLICE("hub x; server { A(): stream int; }")), import);
	expect_in(hubgen_ts(SLICE("hub x; server { A(a: stream int); }")), import);
}
