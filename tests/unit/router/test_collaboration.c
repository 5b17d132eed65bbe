/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub collaboration as its clients see it: documents and what is written in them.
 */
#include "tests/unit/router/collaboration_kit.h"

#define TO_CALLER(id, event, argument)                                                   \
	"deliver connection " id " {\"type\":1,\"target\":\"" event                      \
	"\",\"arguments\":[" argument "]}"
#define TO_GROUP(event, argument)                                                        \
	"deliver group doc-d {\"type\":1,\"target\":\"" event                            \
	"\",\"arguments\":[" argument "]}"
#define GRIN "\xf0\x9f\x98\x80"

TestSuite(collaboration, .init = collab_setup, .fini = collab_teardown);

/* ---- joining */

Test(collaboration, joining_gives_the_document_and_tells_the_others)
{
	collab_connect("c1", "ann");
	collab_join("c1", "ann");
	collab_expect_heard(
		0, TO_CALLER("c1", "DocumentState",
			     "{\"documentId\":\"d\",\"content\":\"\",\"version\":0,"
			     "\"epoch\":\"\",\"userId\":\"ann\",\"activeUsers\":["
			     "{\"userId\":\"ann\",\"userName\":\"ann\",\"color\":\"#*\","
			     "\"cursor\":{\"line\":0,\"column\":0}}],\"sections\":[]}"));
	collab_connect("c2", "bob");
	collab_join("c2", "bob");
	collab_expect_heard(
		1, TO_GROUP("UserJoinedDocument",
			    "{\"documentId\":\"d\",\"userId\":\"bob\",\"userName\":"
			    "\"bob\",\"color\":\"#*\",\"cursor\":{\"line\":0,"
			    "\"column\":0}}") " without c2");
	collab_expect_result("null");
}

Test(collaboration, who_is_nobody_may_not_join)
{
	collab_connect("c1", NULL);
	collab_call("c1", "JoinDocument", "[\"d\"]");
	collab_expect_error("Failed to invoke 'JoinDocument' because user is "
			    "unauthorized");
}

Test(collaboration, ids_of_documents_are_checked)
{
	collab_connect("c1", "ann");
	collab_call("c1", "JoinDocument", "[\"\"]");
	collab_expect_error("*HubException: documentId: 1 to 256 bytes *");
	collab_call("c1", "JoinDocument", "[\"a\\nb\"]");
	collab_expect_error("*HubException: documentId: *");
	collab_call("c1", "JoinDocument", "[\"%0257d\"]", 0);
	collab_expect_error("*HubException: documentId: *");
	kit_invoke(collab.kit, collab.kit->g1, "c1", "i", "JoinDocument",
		   kit_text(collab.kit, "[\"%0256d\"]", 0));
	kit_turn(collab.kit);
	kit_expect(collab.kit, collab.kit->g1, "join c1 doc-%0256d", 0);
}

Test(collaboration, a_join_past_the_limit_of_groups_says_so)
{
	collab_connect("c1", "ann");
	kit_invoke(collab.kit, collab.kit->g1, "c1", "i", "JoinDocument", "[\"d\"]");
	kit_turn(collab.kit);
	kit_expect(collab.kit, collab.kit->g1, "join c1 doc-d");
	kit_joined(collab.kit, collab.kit->g1, "c1", "doc-d", false, ERR_LIMIT);
	kit_turn(collab.kit);
	collab_listen();
	collab_expect_error("*HubException: There are too many documents.");
}

Test(collaboration, who_has_not_joined_may_do_nothing)
{
	static const char *const calls[][2] = {
		{ "SendOperation", "[\"d\",{\"type\":\"insert\",\"position\":0,"
				   "\"content\":\"x\",\"baseVersion\":0}]" },
		{ "OperationsSince", "[\"d\",0]" },
		{ "UpdateCursor", "[\"d\",{\"line\":0,\"column\":0}]" },
		{ "LockSection", "[\"d\",0,1]" },
		{ "UnlockSection", "[\"d\",\"x\"]" },
	};

	collab_enter("c2", "bob");
	collab_connect("c1", "ann");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		collab_call("c1", calls[i][0], "%s", calls[i][1]);
		collab_expect_error("*HubException: Join the document first.");
	}
}

/* ---- operations */

Test(collaboration, an_operation_is_told_to_the_others_and_returned)
{
	collab_enter("c1", "ann");
	collab_call(
		"c1", "SendOperation",
		"[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"hi\","
		"\"length\":2,\"baseVersion\":0,\"userId\":\"mallory\",\"id\":\"1\"}]");
	cr_assert_eq(collab.heard_n, 2);
	collab_expect_heard(
		0,
		TO_GROUP("ReceiveOperation",
			 "{\"documentId\":\"d\",\"operation\":{\"type\":\"insert\","
			 "\"position\":0,\"content\":\"hi\",\"length\":2,"
			 "\"baseVersion\":0,\"userId\":\"ann\",\"id\":\"1\","
			 "\"epoch\":\"*\",\"version\":1},\"userId\":\"ann\"}") " without "
									       "c1");
	collab_expect_result("{\"type\":\"insert\",\"position\":0,\"content\":\"hi\","
			     "\"length\":2,\"baseVersion\":0,\"userId\":\"ann\","
			     "\"id\":\"1\",\"epoch\":\"*\",\"version\":1}");
	collab_expect_text("hi", 1);
}

Test(collaboration, operations_on_an_older_version_are_transformed)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_insert("c1", 0, "abcd", 0);
	collab_insert("c1", 2, "XY", 1);
	collab_insert("c2", 2, "Z", 1);
	collab_expect_result("{\"type\":\"insert\",\"position\":4,*,\"version\":3}");
	collab_insert("c1", 0, "-", 1);
	collab_delete("c2", 0, 1, 1);
	collab_expect_result("{\"type\":\"delete\",\"position\":1,*,\"version\":5}");
	collab_expect_text("-bXYZcd", 5);
}

Test(collaboration, a_deletion_that_others_typed_into_becomes_several)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_insert("c1", 0, "abcdef", 0);
	collab_insert("c2", 2, "X", 1);
	collab_insert("c2", 5, "Y", 2);
	collab_delete("c1", 1, 4, 1);
	cr_assert_eq(collab.heard_n, 4);
	collab_expect_heard(0, "*\"position\":1,\"length\":1,*\"version\":4}*without c1");
	collab_expect_heard(1, "*\"position\":2,\"length\":2,*\"version\":5}*without c1");
	collab_expect_heard(2, "*\"position\":3,\"length\":1,*\"version\":6}*without c1");
	collab_expect_result("{*,\"version\":6,\"parts\":3}");
	collab_expect_text("aXYf", 6);
}

Test(collaboration, what_somebody_else_has_deleted_already_is_an_operation_that_retains)
{
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "abc", 0);
	collab_delete("c1", 1, 2, 1);
	collab_delete("c1", 1, 1, 1);
	collab_expect_result("{\"type\":\"retain\",\"position\":0,\"length\":0,*,"
			     "\"version\":3}");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"retain\",\"position\":0,\"length\":1,"
		    "\"baseVersion\":3}]");
	collab_expect_result("{\"type\":\"retain\",*,\"version\":4}");
	collab_expect_text("a", 4);
}

Test(collaboration, an_operation_that_is_sent_again_is_not_done_again)
{
	const char *operation = "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":"
				"\"x\",\"baseVersion\":0,\"id\":\"1\"}]";

	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "SendOperation", "%s", operation);
	collab_insert("c2", 1, "y", 1);
	collab_call("c1", "SendOperation", "%s", operation);
	cr_expect_eq(collab.heard_n, 1);
	collab_expect_result("{*\"id\":\"1\",*,\"version\":1}");
	/* The id is the user's own. */
	collab_call("c2", "SendOperation", "%s", operation);
	collab_expect_result("{*\"version\":3}");
	collab_expect_text("xyx", 3); /* ann is before bob, who has typed */
}

Test(collaboration, operations_that_fit_no_text_are_refused)
{
	static const char *const cases[][2] = {
		{ "\"insert\",\"position\":4,\"content\":\"x\"", "it is not within*" },
		{ "\"delete\",\"position\":2,\"length\":2", "it is not within*" },
		{ "\"retain\",\"position\":0,\"length\":4", "it is not within*" },
		{ "\"insert\",\"position\":-1,\"content\":\"x\"", "position is not*" },
		{ "\"insert\",\"position\":16777217,\"content\":\"x\"", "position*" },
		{ "\"insert\",\"position\":0", "content is wanted." },
		{ "\"insert\",\"position\":0,\"content\":\"\"", "content is wanted." },
		{ "\"insert\",\"position\":0,\"content\":\"" GRIN "\",\"length\":1",
		  "length is not that of content in UTF-16 code units." },
		{ "\"delete\",\"position\":0", "length is wanted." },
		{ "\"delete\",\"position\":0,\"length\":0", "length is 0." },
		{ "\"delete\",\"position\":0,\"length\":-1", "length is wanted." },
		{ "\"retain\",\"position\":0,\"length\":16777217", "length is wanted." },
	};

	collab_enter("c1", "ann");
	collab_insert("c1", 0, "abc", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		collab_call("c1", "SendOperation",
			    "[\"d\",{\"type\":%s,\"baseVersion\":1}]", cases[i][0]);
		collab_expect_error(kit_text(collab.kit, "*HubException: operation: %s",
					     cases[i][1]));
	}
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"replace\",\"position\":0,\"baseVersion\":1}]");
	collab_expect_error("*operation.type: one of insert, delete, retain is wanted.*");
	collab_expect_text("abc", 1);
}

/* It is the base that counts, not what the text has become. */
Test(collaboration, an_operation_beyond_the_text_of_its_own_version_is_refused)
{
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "ab", 0);
	collab_insert("c1", 2, "cdef", 1);
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":1,\"length\":2,"
		    "\"baseVersion\":1}]");
	collab_expect_error("*operation: it is not within the text.");
}

Test(collaboration, no_character_is_cut_in_two)
{
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "a" GRIN "b", 0);
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":2,\"content\":\"x\","
		    "\"baseVersion\":1}]");
	collab_expect_error("*operation: it begins or ends inside a character.");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":2,"
		    "\"baseVersion\":1}]");
	collab_expect_error("*operation: it begins or ends inside a character.");
	collab_delete("c1", 1, 2, 1);
	collab_expect_text("ab", 2);
	/* There is none any more, and the document knows. */
	collab_insert("c1", 1, "c", 2);
	collab_expect_text("acb", 3);
}

Test(collaboration, versions_that_are_none_of_the_document_are_refused)
{
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "ab", 0);
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":1,"
		    "\"baseVersion\":2}]");
	collab_expect_error("*HubException: Join again: there is no version 2, but 1.");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":1,"
		    "\"baseVersion\":-1}]");
	collab_expect_error("*HubException: operation: baseVersion is below 0.");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":1,"
		    "\"baseVersion\":1,\"epoch\":\"other\"}]");
	collab_expect_error("*HubException: Join again: the document has begun anew.");
}

/* ---- snapshots */

/* "a" and more of it, a unit at a time, at the end. */
static void grow(const char *id, int from, int to)
{
	for (int i = from; i < to; i++)
		collab_insert(id, i, "a", i);
}

static const char *as(int n)
{
	return kit_text(
		collab.kit, "%.*s", n,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

Test(collaboration, a_long_history_leaves_the_text_and_forgets_old_versions)
{
	collab_enter("c1", "ann");
	grow("c1", 0, 300);
	collab_expect_text(as(300), 300);
	collab_call("c1", "OperationsSince", "[\"d\",50]");
	collab_expect_error("*HubException: Join again: of version 50 it is not known "
			    "any more how it became 300.");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"x\","
		    "\"baseVersion\":50}]");
	collab_expect_error("*HubException: Join again: *");
	/* 250 are kept, so 51 is the oldest that is known. */
	collab_insert("c1", 0, "x", 51);
	collab_expect_result("{\"type\":\"insert\",\"position\":0,*\"version\":301}");
}

Test(collaboration, operations_that_were_missed_can_be_asked_for)
{
	collab_enter("c1", "ann");
	grow("c1", 0, 3);
	collab_call("c1", "OperationsSince", "[\"d\",1]");
	collab_expect_result("{\"documentId\":\"d\",\"epoch\":\"*\",\"version\":3,"
			     "\"operations\":[{*\"position\":1,*\"version\":2},"
			     "{*\"position\":2,*\"version\":3}]}");
	collab_call("c1", "OperationsSince", "[\"d\",3]");
	collab_expect_result("{*\"version\":3,\"operations\":[]}");
	collab_call("c1", "OperationsSince", "[\"d\",4]");
	collab_expect_error("*Join again: there is no version 4, but 3.");
	collab_call("c1", "OperationsSince", "[\"d\",-1]");
	collab_expect_error("*version: it is below 0.");
}

/* 8192 units of 24 KiB. */
static void insert_much(const char *id, int base)
{
	struct buf text = BUF_INIT;

	for (int i = 0; i < 8192; i++)
		buf_append_str(&text, "\xe2\x82\xac");
	buf_append_byte(&text, '\0');
	collab_call(id, "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"%s\","
		    "\"baseVersion\":%d}]",
		    text.ptr, base);
	buf_fini(&text);
	collab_expect_result("{*}");
}

/* 256 KiB, and what goes beyond. */
Test(collaboration, much_that_was_missed_comes_in_several_answers)
{
	collab_enter("c1", "ann");
	for (int i = 0; i < 13; i++) {
		insert_much("c1", 2 * i);
		collab_delete("c1", 0, 8192, 2 * i + 1);
	}
	collab_call("c1", "OperationsSince", "[\"d\",0]");
	collab_expect_result("{*\"version\":26,\"operations\":[*\"version\":21}]}");
	collab_call("c1", "OperationsSince", "[\"d\",21]");
	collab_expect_result("{*\"version\":26,\"operations\":[*\"version\":26}]}");
}

/* ---- options */

TestSuite(collaboration_options, .fini = collab_teardown);

Test(collaboration_options, a_document_has_so_many_units_and_no_more)
{
	collab_setup_with("document_length_max", "4");
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "ab" GRIN, 0);
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"c\","
		    "\"baseVersion\":1}]");
	collab_expect_error("*operation: the document would be too long.");
	collab_delete("c1", 0, 1, 1);
	collab_insert("c1", 0, "c", 2);
	collab_expect_text("cb" GRIN, 3);
}

Test(collaboration_options, an_insertion_has_so_many_units_and_no_more)
{
	collab_setup_with("insert_length_max", "4096");
	collab_enter("c1", "ann");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"%04097d\","
		    "\"baseVersion\":0}]",
		    0);
	collab_expect_error("*operation: content is too long.");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":\"%04096d\","
		    "\"baseVersion\":0}]",
		    0);
	collab_expect_result("{*\"version\":1}");
}

Test(collaboration_options, with_roles_wanted_documents_are_for_those_who_have_them)
{
	collab_setup_with("roles_wanted", "on");
	collab_connect("c1", "ann");
	collab_call("c1", "JoinDocument", "[\"d\"]");
	collab_expect_error("*Not allowed: collaboration.read:d is missing.");
}
