/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub collaboration and its state: what other routers have written meanwhile, left
 * undone, or what the store has lost. They are played by changing the state by hand.
 */
#include "router/state/state_owner.h"
#include "tests/unit/router/collaboration_kit.h"

/* An entry that is added here leaves no more than so many. */
#define KEPT 20

TestSuite(collaboration_state, .init = collab_setup, .fini = collab_teardown);

/* What the store says to it; entries live as long as the kit. */
static struct state_answer ask(enum state_op op, const char *key, const char *name,
			       const char *bytes)
{
	struct state_table *table = &collab.kit->router->state.table;
	struct state_answer answer;
	const struct state_question question = {
		.op = op,
		.hub = SLICE("collaboration"),
		.key = slice_from_str(key),
		.name = slice_from_str(name),
		.bytes = slice_from_str(bytes),
		.entries_max = KEPT,
		.ttl_ms = 60000,
		.expected = HUB_ANY,
		.first = 1,
	};

	cr_assert_eq(state_question_check(&question), OK);
	state_table_ask(table, &question, loop_now_ms(collab.kit->loop),
			&collab.kit->arena, &answer);
	return answer;
}

/* The newest entry of the document's log. */
static const char *newest_entry(void)
{
	const struct state_answer answer = ask(STATE_READ, "doc/d", NULL, NULL);
	struct slice bytes;

	cr_assert_gt(answer.entries_n, 0);
	bytes = answer.entries[answer.entries_n - 1].bytes;
	return kit_text(collab.kit, "%.*s", SLICE_FMT(bytes));
}

/* `text` with what follows `before` up to the next comma or brace replaced. */
static const char *with(const char *text, const char *before, const char *value)
{
	const char *at = strstr(text, before);

	cr_assert_not_null(at, "%s in %s", before, text);
	at += strlen(before);
	return kit_text(collab.kit, "%.*s%s%s", (int)(at - text), text, value,
			at + strcspn(at, ",}"));
}

static void append(const char *entry)
{
	cr_assert_eq(ask(STATE_APPEND, "doc/d", NULL, entry).rc, OK);
}

/* "abcdef", and of a deletion of "b" and "e" by bob the first part: its router died. */
static void leave_undone(void)
{
	const char *entry;

	collab_enter("c1", "ann");
	collab_insert("c1", 0, "abcdef", 0);
	entry = newest_entry();
	entry = with(entry, "\"type\":", "\"delete\"");
	entry = with(entry, "\"position\":", "1");
	entry = with(entry, "\"content\":", "null");
	entry = with(entry, "\"length\":", "1"); /* the operation's */
	entry = with(entry, "\"baseVersion\":", "1");
	entry = with(entry, "\"userId\":", "\"bob\"");
	entry = with(entry, "\"id\":", "\"b1\"");
	entry = with(entry, "\"version\":", "2");
	entry = with(entry, "},\"length\":", "5");
	entry = kit_text(collab.kit, "%.*s,\"rest\":[3,1]}", (int)strlen(entry) - 1,
			 entry);
	append(entry);
}

Test(collaboration_state, who_joins_does_the_rest_of_what_was_left_undone)
{
	leave_undone();
	collab_connect("c2", "cid");
	collab_join("c2", "cid");
	collab_expect_heard(0, "deliver group doc-d *\"target\":\"ReceiveOperation\"*"
			       "\"type\":\"delete\",\"position\":3,\"length\":1,"
			       "\"baseVersion\":1,\"userId\":\"bob\",\"id\":\"b1\",*"
			       "\"version\":3}*");
	collab_expect_heard(1, "*\"content\":\"acdf\",\"version\":3,*");
	collab_expect_text("acdf", 3);
}

Test(collaboration_state, who_writes_does_the_rest_first)
{
	leave_undone();
	collab_insert("c1", 6, "!", 1);
	cr_assert_eq(collab.heard_n, 3);
	collab_expect_heard(0, "deliver group doc-d *\"id\":\"b1\",*\"version\":3}*");
	collab_expect_heard(1, "*\"content\":\"!\",*\"version\":4}* without c1");
	collab_expect_result("{\"type\":\"insert\",\"position\":4,*\"version\":4}");
	collab_expect_text("acdf!", 4);
}

Test(collaboration_state, who_sends_again_what_was_left_undone_gets_all_of_it)
{
	leave_undone();
	collab_enter("c2", "bob");
	collab_call("c2", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":1,\"length\":4,"
		    "\"baseVersion\":1,\"id\":\"b1\"}]");
	cr_assert_eq(collab.heard_n, 1);
	collab_expect_result("{\"type\":\"delete\",*\"version\":3,\"parts\":2}");
}

/* ---- documents that begin anew */

Test(collaboration_state, versions_of_a_document_that_is_no_more_are_refused)
{
	const char *operation = "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":1,"
				"\"baseVersion\":1}]";

	collab_enter("c1", "ann");
	collab_insert("c1", 0, "abc", 0);
	(void)ask(STATE_FORGET, "doc/d", NULL, NULL);
	collab_enter("c2", "bob");
	collab_call("c1", "SendOperation", "%s", operation);
	collab_expect_error("*Join again: there is no version 1, but 0.");
	collab_insert("c2", 0, "xyz", 0);
	/* The client does not say which document it means: its connection knows. */
	collab_call("c1", "SendOperation", "%s", operation);
	collab_expect_error("*Join again: the document has begun anew.");
	collab_call("c2", "SendOperation", "%s", operation);
	collab_expect_result("{*\"version\":2}");
	collab_join("c1", "ann");
	collab_call("c1", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":1,"
		    "\"baseVersion\":2}]");
	collab_expect_result("{*\"version\":3}");
	collab_expect_text("z", 3);
}

Test(collaboration_state, a_snapshot_of_a_document_that_is_no_more_is_not_taken)
{
	collab_enter("c1", "ann");
	collab_insert("c1", 0, "abc", 0);
	cr_assert_eq(ask(STATE_PUT, "doc/d", "snapshot", "elsewhere 1\nwrong").rc, OK);
	collab_expect_text("abc", 1);
}

/* ---- snapshots */

static struct slice snapshot(void)
{
	const struct state_answer answer = ask(STATE_GET, "doc/d", "snapshot", NULL);

	return answer.rc == OK ? answer.entries[0].bytes : SLICE_NONE;
}

Test(collaboration_state, a_snapshot_is_made_of_so_many_operations)
{
	collab_enter("c1", "ann");
	for (int i = 0; i < 50; i++)
		collab_insert("c1", i, "a", i);
	cr_expect_null(snapshot().ptr);
	collab_insert("c1", 50, "a", 50);
	cr_expect(slice_equal(slice_from(snapshot(), 22),
			      SLICE(" 50\naaaaaaaaaaaaaaaaaaaaaaaaa"
				    "aaaaaaaaaaaaaaaaaaaaaaaaa")));
}

Test(collaboration_state, and_of_so_many_units)
{
	collab_enter("c1", "ann");
	for (int i = 0; i < 9; i++) {
		cr_expect_null(snapshot().ptr, "%d", i);
		collab_call("c1", "SendOperation",
			    "[\"d\",{\"type\":\"insert\",\"position\":0,\"content\":"
			    "\"%04096d\",\"baseVersion\":%d}]",
			    0, i);
		collab_expect_result("{*}");
	}
	collab_insert("c1", 0, "a", 9);
	cr_expect(slice_starts_with(slice_from(snapshot(), 22), SLICE(" 9\n000")));
}

/* ---- what is broken */

Test(collaboration_state, a_document_of_which_the_store_has_lost_a_part_begins_anew)
{
	collab_enter("c1", "ann");
	for (int i = 0; i < 60; i++)
		collab_insert("c1", i, "a", i);
	cr_assert_eq(ask(STATE_REMOVE, "doc/d", "snapshot", NULL).rc, OK);
	append(newest_entry()); /* the first are not kept any more */
	collab_connect("c2", "bob");
	collab_expect_no_join("c2", "bob",
			      "*HubException: Join again: the document's text is lost.");
	collab_expect_text("", 0);
}

Test(collaboration_state, an_entry_that_cannot_be_read_is_an_error)
{
	static const char *const entries[] = {
		"", "[]", "{}", "{\"operation\":{}}", "{\"operation\":7,\"length\":1}",
	};

	collab_connect("c1", "ann");
	collab_connect("c2", "bob");
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		append(entries[i]);
		collab_expect_no_join(i % 2 == 0 ? "c1" : "c2", "ann",
				      "*HubException: The document's state cannot be "
				      "read.");
	}
}

Test(collaboration_state, who_was_in_the_document_stays_when_joining_again_fails)
{
	collab_enter("c1", "ann");
	append("{}");
	collab_join("c1", "ann");
	collab_expect_error("*HubException: The document's state cannot be read.");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":3,\"column\":7}]");
	collab_expect_result("null");
}

/* Every part of the deletion reads the text, for it has characters of two units. */
Test(collaboration_state, parts_of_texts_that_are_read_for_each)
{
	const char *emoji = "\U0001F600";
	const int parts = 20;

	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	for (int i = 0; i < parts; i++)
		collab_insert("c1", 2 * i, emoji, i);
	/* What bob does not know of is between any two of them, and stays. */
	for (int i = 0; i < parts - 1; i++)
		collab_insert("c1", 3 * i + 2, "x", parts + i);
	collab_call("c2", "SendOperation",
		    "[\"d\",{\"type\":\"delete\",\"position\":0,\"length\":%d,"
		    "\"baseVersion\":%d,\"id\":\"b1\"}]",
		    2 * parts, parts);
	collab_expect_result(
		kit_text(collab.kit,
			 "{\"type\":\"delete\",*\"userId\":\"bob\",\"id\":\"b1\",*"
			 "\"version\":%d,\"parts\":%d}",
			 3 * parts - 1, parts));
	collab_expect_text("xxxxxxxxxxxxxxxxxxx", 3 * parts - 1);
}
