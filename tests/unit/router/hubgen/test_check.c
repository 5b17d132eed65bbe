/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong though it reads well: names without a meaning, or with two.
 */
#include "tests/unit/router/hubgen/hubgen_kit.h"

Test(check, a_type_that_is_not_declared)
{
	expect_problem("hub x;\ntype User { id: int; }\ntype A {\n\tb: Usr;\n}",
		       "4: type Usr is not declared (User?)");
	expect_wrong("type A { b: strnig; }", "1: type strnig is not declared (string?)");
	expect_wrong("type A { b: Int; }", "1: type Int is not declared (int?)");
	expect_wrong("type A { b: integer; }", "1: type integer is not declared (int?)");
	expect_wrong("type A { b: Boolean; }", "1: type Boolean is not declared (bool?)");
	expect_wrong("type A { b: Elephant; }", "1: type Elephant is not declared");
	expect_wrong("client { A(b: Bee); }", "1: type Bee is not declared");
	expect_wrong("client { A(): Bee; }", "1: type Bee is not declared");
	expect_wrong("server { A(b: stream Bee); }", "1: type Bee is not declared");
	expect_wrong("server { A(): stream Bee; }", "1: type Bee is not declared");
}

Test(check, types_may_come_in_any_order)
{
	expect_right("type A { b: B; c: C[]; } type B { c?: C; } type C { id: int; }");
}

Test(check, a_type_that_contains_itself)
{
	expect_problem("hub x;\ntype A {\n\ta: A;\n}",
		       "3: type A contains itself, by A.a: use any there");
	expect_wrong("type A { a: A[]; }",
		     "1: type A contains itself, by A.a: use any there");
	expect_problem("hub x;\ntype Z { a: A; }\ntype A { b: B; }\ntype B { c?: C; }\n"
		       "type C { a: A[]; }",
		       "3: type A contains itself, by A.b: use any there");
}

Test(check, types_in_types_have_a_limit)
{
	struct buf text = BUF_INIT;

	buf_append_str(&text, "hub x; type T0 { a: int; } ");
	for (int i = 1; i < HUB_SHAPE_DEPTH_MAX; i++)
		buf_appendf(&text, "type T%d { t: T%d; } ", i, i - 1);
	cr_expect_str_eq(hubgen_problem(buf_slice(&text)), "");
	buf_append_str(&text, "type T16 { t: T15; }");
	cr_expect_str_eq(hubgen_problem(buf_slice(&text)),
			 "1: type T16: types are nested more than 16 deep");
	buf_fini(&text);
}

Test(check, types)
{
	expect_wrong("type a { b: int; }",
		     "1: type a: a type's name begins with a capital");
	expect_wrong("type A { b: int; }\ntype A { b: int; }",
		     "2: there is a type A already");
	expect_wrong("type A { }", "1: type A has no members");
	expect_wrong("type Promise { a: int; }",
		     "1: Promise is the name of something else in TypeScript");
	expect_wrong("type XClient { a: int; }",
		     "1: XClient is the name of something else in TypeScript");
}

Test(check, methods_twice)
{
	expect_wrong("server { Send();\nsend(); }",
		     "2: there is a Send already, in line 1");
	expect_wrong("client { Send();\nSend(); }",
		     "2: there is a Send already, in line 1");
	expect_right("client { Send(); } server { Send(); }");
}

Test(check, two_names_that_are_one_in_c)
{
	expect_wrong("type A { userId: int; user_id: int; }",
		     "1: userId and user_id are both user_id in C: rename one");
	expect_wrong("type A { users: int[]; usersN: int; }",
		     "1: users and usersN are both users_n in C: rename one");
	expect_wrong("type A { big?: int; hasBig: bool; }",
		     "1: big and hasBig are both has_big in C: rename one");
	expect_wrong("type XUser { a: int; } type User { a: int; }",
		     "1: XUser and User are both x_user in C: rename one");
	expect_wrong("type User { a: int; } client { UserValue(); }",
		     "1: User and UserValue are both x_user_value in C: rename one");
	expect_wrong("client { OnSend(); } server { Send(); }",
		     "1: OnSend and Send are both x_on_send in C: rename one");
	expect_wrong("client { Methods(); }", "1: the table of methods and Methods are "
					      "both x_methods in C: rename one");
	expect_wrong("server { A(item: stream int): stream int; }",
		     "1: A and item are both x_await_a_item in C: rename one");
	expect_wrong("type A = \"b-c\" | \"b_c\";",
		     "1: \"b-c\" and \"b_c\" are both X_A_B_C in C: rename one");
}

Test(check, texts_in_place_are_named_after_their_part)
{
	expect_right("type A { p: \"a\" | \"b\"; } type B { p: \"a\" | \"b\"; }");
	expect_wrong("type A { p: \"a\" | \"b\"; }\ntype B { p: \"b\" | \"a\"; }",
		     "2: p has other texts in line 1: give one of them a name, type X = "
		     "\"b\" ...");
	expect_wrong("server { A(): \"a\" | \"b\"; }",
		     "1: A: give what it returns a name: type X = \"a\" ...");
	expect_right("type P = \"a\" | \"b\"; server { A(): P; B(p: P[]): stream P; }");
}

Test(check, all_other_arguments)
{
	expect_right("server { A(x: stream int, ...a: any); }");
	expect_wrong("server { A(...a: any, b: int); }",
		     "1: A.a: nothing can follow '...'");
	expect_wrong("server { A(...a: any[]); }",
		     "1: A.a: the type behind '...' is that of one argument, without []");
	expect_wrong("server { A(...a?: any); }", "1: a: '...' cannot be optional");
	expect_wrong("server { A(a?: stream int); }",
		     "1: a: 'stream' cannot be optional");
}
