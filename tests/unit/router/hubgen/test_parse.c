/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every rule of the grammar, kept and broken: who writes a hub is told the line, what is
 * there and what is wanted.
 */
#include "tests/unit/router/hubgen/hubgen_kit.h"

static struct buf text;

static void teardown(void)
{
	buf_fini(&text);
}

TestSuite(parse, .fini = teardown);

/* `n` times `x`, whose '#' is the index, between head and tail; until the next call. */
static struct slice repeated(const char *head, const char *x, size_t n, const char *tail)
{
	const struct slice before = slice_make(x, strcspn(x, "#"));
	const struct slice behind = slice_from(slice_from_str(x), before.len + 1);

	buf_clear(&text);
	buf_append_str(&text, head);
	for (size_t i = 0; i < n; i++) {
		buf_append_slice(&text, before);
		if (before.len < strlen(x))
			buf_append_int64(&text, (int64_t)i);
		buf_append_slice(&text, behind);
	}
	buf_append_str(&text, tail);
	return buf_slice(&text);
}

Test(parse, a_hub_alone)
{
	expect_fine("hub x;");
	expect_fine("// SPDX\n\n// x: nothing yet.\nhub live-data;\n");
	expect_problem("", "1: hub and its name is wanted here, not the end of the file");
	expect_problem("\n\ntype A", "3: hub and its name is wanted here, not 'type'");
	expect_problem("hub;", "1: the hub's name is wanted here, not ';'");
	expect_problem("hub x", "1: ';' is wanted here, not the end of the file");
	expect_problem("hub x-;", "1: the hub's name is wanted here, not ';'");
	expect_problem("hub Chat;", "1: the hub's name is not in lower case");
}

Test(parse, characters)
{
	expect_problem("hub x;\n#", "2: a character that means nothing here: #");
	expect_problem("hub x; \xc3\xa9",
		       "1: a character that means nothing here: \xc3\xa9");
	expect_problem("hub x;\n\n/* no */", "3: comments begin with //");
	expect_problem("hub x;\n\xff", "2: a byte that is no text: 0xff");
	expect_problem("hub \0x;", "1: a byte that is no text: 0x00");
	expect_fine("hub x; // \xc3\xa9\r\n");
	expect_problem("hub x; type A { a_: int; }", "1: a name that ends with _");
	expect_problem("hub x; type A = \"a", "1: a text without its closing '\"' on the "
					      "same line, or with a backslash in it");
	expect_problem("hub x; type A = \"a\\n\";",
		       "1: a text without its closing '\"' on the same line, or with a "
		       "backslash in it");
	expect_problem("hub x; type A = \"\";", "1: a text that is empty");
}

Test(parse, declarations)
{
	expect_wrong("foo", "1: type, client or server is wanted here, not 'foo'");
	expect_wrong("type",
		     "1: the type's name is wanted here, not the end of the file");
	expect_wrong("type A;", "1: '{' or '=' is wanted here, not ';'");
	expect_wrong("type A { ; }", "1: a member or '}' is wanted here, not ';'");
	expect_wrong("type A { a; }", "1: ':' or '?' is wanted here, not ';'");
	expect_wrong("type A { a?; }", "1: ':' is wanted here, not ';'");
	expect_wrong("type A { a: ; }", "1: a type is wanted here, not ';'");
	expect_wrong("type A { a: int }", "1: ';' is wanted here, not '}'");
	expect_wrong("type A { a: int;",
		     "1: a member or '}' is wanted here, not the end of the file");
	expect_wrong("type A { a: int; } \n@",
		     "2: a character that means nothing here: @");
	expect_wrong("type A { a: int[; }", "1: ']' is wanted here, not ';'");
	expect_wrong("type A { a: int[][]; }",
		     "1: an array of arrays: give the inner one a type");
	expect_right("type A { a: int; b?: string[]; c: \"x\" | \"y z\"; }");
	expect_right("type A = \"x\" | \"y\";");
	expect_wrong("type A = \"x\" |;", "1: a text in quotes is wanted here, not ';'");
	expect_wrong("type A = \"x\" \"y\";", "1: '|' or ';' is wanted here, not \"y\"");
}

Test(parse, what_the_server_calls)
{
	expect_right("client { }");
	expect_right("client { A(); B(a: int, b?: string); C(): bool; }");
	expect_wrong("client { A(); } client { B(); }", "1: there is a client already");
	expect_wrong("client { ; }", "1: an event or '}' is wanted here, not ';'");
}

Test(parse, what_clients_call)
{
	expect_right("server { A(a: stream int, b: stream string[]): stream int[]; }");
	expect_right("server { [roles \"a,b\"] A(x: int, ...y: any); }");
	expect_wrong("server A", "1: '{' is wanted here, not 'A'");
	expect_wrong("server { A }", "1: '(' is wanted here, not '}'");
	expect_wrong("server { A(; }", "1: an argument or ')' is wanted here, not ';'");
	expect_wrong("server { A(a: int b: int); }",
		     "1: ',' or ')' is wanted here, not 'b'");
	expect_wrong("server { A() }", "1: ':' or ';' is wanted here, not '}'");
	expect_wrong("server { A(): int }", "1: ';' is wanted here, not '}'");
	expect_wrong("server { [role \"a\"] A(); }",
		     "1: roles is wanted here, not 'role'");
	expect_wrong("server { [roles a] A(); }",
		     "1: the roles in quotes is wanted here, not 'a'");
	expect_wrong("server { [roles \"a\" A(); }", "1: ']' is wanted here, not 'A'");
	expect_wrong("server {\n\n(); }", "3: a method or '}' is wanted here, not '('");
}

Test(parse, what_only_the_server_has)
{
	expect_wrong("client { A(...b: any); }",
		     "1: A.b: only methods of the server take '...'");
	expect_wrong("client { A(b: stream int); }",
		     "1: A.b: only methods of the server take 'stream'");
	expect_wrong("client { A(): stream int; }",
		     "1: A: only methods of the server give a stream");
	expect_wrong("client { [roles \"a\"] A(); }",
		     "1: only methods of the server have roles");
}

Test(parse, limits)
{
	const char *said;

	cr_expect_str_eq(hubgen_problem(repeated("hub x; type A { ", "a#: int; ",
						 MODEL_PARTS_MAX, "}")),
			 "");
	said = hubgen_problem(
		repeated("hub x; type A { ", "a#: int; ", MODEL_PARTS_MAX + 1, "}"));
	cr_expect_str_eq(said, "1: more than 64 members or arguments");
	cr_expect_str_eq(hubgen_problem(repeated("hub x; type A = \"a\"", " | \"#\"",
						 MODEL_CHOICES_MAX - 1, ";")),
			 "");
	said = hubgen_problem(
		repeated("hub x; type A = \"a\"", " | \"#\"", MODEL_CHOICES_MAX, ";"));
	cr_expect_str_eq(said, "1: more than 64 texts to choose from");
	cr_expect_str_eq(hubgen_problem(repeated("hub x; server { ", "A#(); ",
						 MODEL_METHODS_MAX, "}")),
			 "");
	said = hubgen_problem(
		repeated("hub x; server { ", "A#(); ", MODEL_METHODS_MAX + 1, "}"));
	cr_expect_str_eq(said, "1: more than 256 methods");
	cr_expect_str_eq(hubgen_problem(repeated("hub x; ", "type A# { a: int; } ",
						 MODEL_METHODS_MAX, "")),
			 "");
	said = hubgen_problem(
		repeated("hub x; ", "type A# { a: int; } ", MODEL_METHODS_MAX + 1, ""));
	cr_expect_str_eq(said, "1: more than 256 types");
}

Test(parse, long_names_comments_and_files)
{
	const char *said;

	cr_expect_str_eq(hubgen_problem(repeated("hub ", "x", MODEL_NAME_BYTES_MAX, ";")),
			 "");
	said = hubgen_problem(repeated("hub ", "x", MODEL_NAME_BYTES_MAX + 1, ";"));
	cr_expect_str_eq(said, "1: a name of more than 64 characters");
	cr_expect_str_eq(hubgen_problem(repeated("", "// x\n", 64, "hub x;")), "");
	said = hubgen_problem(repeated("", "// x\n", 65, "hub x;"));
	cr_expect_str_eq(said, "65: a comment of more than 64 lines");
	cr_expect_str_eq(
		hubgen_problem(repeated("hub x;", " ", MODEL_FILE_BYTES_MAX - 6, "")),
		"");
	said = hubgen_problem(repeated("hub x;", " ", MODEL_FILE_BYTES_MAX - 5, ""));
	cr_expect_str_eq(said, "0: the file has more than 1048576 bytes");
}
