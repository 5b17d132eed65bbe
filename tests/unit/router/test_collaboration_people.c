/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub collaboration: who is in a document, where their cursors are, what they have
 * locked, and what is left of it when they go.
 */
#include "router/hubs/participant.h"
#include "tests/unit/router/collaboration_kit.h"

#define TO_GROUP(event, argument)                                                        \
	"deliver group doc-d {\"type\":1,\"target\":\"" event                            \
	"\",\"arguments\":[" argument "]}"
#define LOCKED(user, start, end)                                                         \
	TO_GROUP("SectionLocked",                                                        \
		 "{\"documentId\":\"d\",\"lockId\":\"*\",\"userId\":\"" user             \
		 "\",\"startLine\":" #start ",\"endLine\":" #end                         \
		 ",\"expiresAt\":\"*Z\"}")

TestSuite(collaboration_people, .init = collab_setup, .fini = collab_teardown);

/* ---- cursors */

Test(collaboration_people, a_cursor_is_told_to_the_others)
{
	collab_enter("c1", "ann");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":3,\"column\":7}]");
	collab_expect_heard(0,
			    TO_GROUP("CursorUpdated",
				     "{\"documentId\":\"d\",\"userId\":\"ann\","
				     "\"position\":{\"line\":3,\"column\":7},\"color\":"
				     "\"#*\"}") " without c1");
	collab_expect_result("null");
}

Test(collaboration_people, who_joins_sees_the_cursors_of_those_who_are_there)
{
	collab_enter("c1", "ann");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":3,\"column\":7}]");
	collab_enter("c2", "bob");
	collab_expect_heard(0, "*\"activeUsers\":[{\"userId\":\"ann\",\"userName\":"
			       "\"ann\",\"color\":\"#*\",\"cursor\":{\"line\":3,"
			       "\"column\":7}},{\"userId\":\"bob\",*\"cursor\":"
			       "{\"line\":0,\"column\":0}}]*");
}

Test(collaboration_people, a_user_with_two_connections_is_one_with_the_cursor_moved_last)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "ann");
	collab_call("c2", "UpdateCursor", "[\"d\",{\"line\":2,\"column\":2}]");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":1,\"column\":1}]");
	collab_enter("c3", "bob");
	collab_expect_heard(0, "*\"activeUsers\":[{\"userId\":\"ann\",*\"cursor\":"
			       "{\"line\":1,\"column\":1}},{\"userId\":\"bob\",*");
}

Test(collaboration_people, the_colour_of_a_user_is_always_the_same)
{
	const char *color;
	const char *said;

	collab_enter("c1", "ann");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":0,\"column\":0}]");
	color = strstr(collab.heard[0], "\"color\":\"#");
	cr_assert_not_null(color);
	collab_leave("c1", "ann");
	collab_enter("c2", "ann");
	said = strstr(collab.heard[0], "\"color\":\"#");
	cr_assert_not_null(said);
	cr_expect_eq(strncmp(said, color, strlen("\"color\":\"#123456\"")), 0);
}

Test(collaboration_people, a_cursor_is_somewhere_in_a_document)
{
	collab_enter("c1", "ann");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":-1,\"column\":0}]");
	collab_expect_error("*position: it is in no document.");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":0,\"column\":16777217}]");
	collab_expect_error("*position: it is in no document.");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":0}]");
	collab_expect_error("*position.column*");
}

Test(collaboration_people, so_many_are_listed_and_no_more)
{
	size_t listed = 0;

	for (int i = 0; i < PARTICIPANTS_MAX; i++) {
		const char *id = kit_text(collab.kit, "m%03d", i);

		collab_hear_of(id, id);
	}
	collab_connect("c1", "ann"); /* before them */
	collab_join("c1", "ann");
	for (const char *at = collab.heard[0]; (at = strstr(at, "\"userName\"")) != NULL;
	     at++)
		listed++;
	cr_expect_eq(listed, PARTICIPANTS_MAX, "%zu", listed);
	collab_expect_heard(0, "*\"activeUsers\":[{\"userId\":\"ann\",*{\"userId\":"
			       "\"m254\",*");
}

/* ---- sections */

Test(collaboration_people, a_section_is_locked_for_all_to_see)
{
	collab_enter("c1", "ann");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	collab_expect_heard(0, LOCKED("ann", 2, 4));
	collab_expect_result("null");
	collab_enter("c2", "bob");
	collab_expect_heard(0, "*\"sections\":[{\"documentId\":\"d\",\"lockId\":\"*\","
			       "\"userId\":\"ann\",\"startLine\":2,\"endLine\":4,*");
}

Test(collaboration_people, lines_that_somebody_else_has_are_refused)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	collab_call("c2", "LockSection", "[\"d\",4,9]");
	collab_expect_heard(0, "deliver connection c2 {\"type\":1,\"target\":"
			       "\"LockFailed\",\"arguments\":[{\"documentId\":\"d\","
			       "\"reason\":\"*\",\"conflictingUser\":\"ann\"}]}");
	collab_expect_result("null");
	collab_call("c2", "LockSection", "[\"d\",0,2]");
	collab_expect_heard(0, "*LockFailed*");
	collab_call("c2", "LockSection", "[\"d\",5,9]");
	collab_expect_heard(0, LOCKED("bob", 5, 9));
	collab_call("c2", "LockSection", "[\"d\",1,1]");
	collab_expect_heard(0, LOCKED("bob", 1, 1));
}

Test(collaboration_people, ones_own_lines_may_be_locked_again)
{
	const char *first;
	const char *id;

	collab_enter("c1", "ann");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	first = strstr(collab.heard[0], "\"lockId\"");
	cr_assert_not_null(first);
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	id = strstr(collab.heard[0], "\"lockId\"");
	cr_assert_not_null(id);
	cr_expect_eq(strncmp(first, id, strlen("\"lockId\":\"0123456789012345678901\"")),
		     0);
	collab_call("c1", "LockSection", "[\"d\",3,5]");
	collab_expect_heard(0, LOCKED("ann", 3, 5));
}

/* Of the event SectionLocked that came last. */
static const char *lock_id(void)
{
	const char *at = strstr(collab.heard[0], "\"lockId\":\"");

	cr_assert_not_null(at);
	return kit_text(collab.kit, "%.22s", at + strlen("\"lockId\":\""));
}

Test(collaboration_people, a_section_is_given_back_by_its_user)
{
	const char *id;

	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	id = lock_id();
	collab_call("c2", "UnlockSection", "[\"d\",\"%s\"]", id);
	collab_expect_error("*The section is another user's.");
	collab_call("c1", "UnlockSection", "[\"d\",\"%s\"]", id);
	collab_expect_heard(0,
			    kit_text(collab.kit,
				     TO_GROUP("SectionUnlocked",
					      "{\"documentId\":\"d\",\"lockId\":\"%s\"}"),
				     id));
	collab_expect_result("null");
	collab_call("c1", "UnlockSection", "[\"d\",\"%s\"]", id);
	cr_expect_eq(collab.heard_n, 1);
	collab_expect_result("null");
	collab_call("c2", "LockSection", "[\"d\",2,4]");
	collab_expect_heard(0, LOCKED("bob", 2, 4));
}

Test(collaboration_people, sections_have_lines)
{
	collab_enter("c1", "ann");
	collab_call("c1", "LockSection", "[\"d\",-1,4]");
	collab_expect_error("*0 <= startLine <= endLine is wanted.");
	collab_call("c1", "LockSection", "[\"d\",3,2]");
	collab_expect_error("*0 <= startLine <= endLine is wanted.");
	collab_call("c1", "UnlockSection", "[\"d\",\"\"]");
	collab_expect_error("*lockId: *");
}

/* ---- going */

Test(collaboration_people, who_leaves_takes_cursor_and_sections_along)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "UpdateCursor", "[\"d\",{\"line\":3,\"column\":7}]");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	collab_leave("c1", "ann");
	collab_expect_heard(0, TO_GROUP("SectionUnlocked", "{\"documentId\":\"d\",*}"));
	collab_expect_heard(1,
			    TO_GROUP("UserLeftDocument",
				     "{\"documentId\":\"d\",\"userId\":\"ann\",*}") "*");
	collab_expect_result("null");
	collab_call("c2", "LockSection", "[\"d\",2,4]");
	collab_expect_heard(0, LOCKED("bob", 2, 4));
	collab_enter("c3", "cid");
	collab_expect_heard(0, "*\"activeUsers\":[{\"userId\":\"bob\",*{\"userId\":"
			       "\"cid\",*");
}

Test(collaboration_people, so_does_a_connection_that_ends)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	kit_disconnect(collab.kit, collab.kit->g1, "c1");
	kit_turn(collab.kit);
	collab_listen();
	collab_expect_heard(0, TO_GROUP("SectionUnlocked", "{\"documentId\":\"d\",*}"));
	collab_expect_heard(1,
			    TO_GROUP("UserLeftDocument",
				     "{\"documentId\":\"d\",\"userId\":\"ann\",*}") "*");
}

Test(collaboration_people, who_is_still_there_by_another_connection_has_not_left)
{
	collab_enter("c1", "ann");
	collab_enter("c2", "ann");
	collab_leave("c1", "ann");
	cr_expect_eq(collab.heard_n, 1);
	collab_expect_result("null");
}

/* ---- options */

TestSuite(collaboration_people_options, .fini = collab_teardown);

Test(collaboration_people_options, a_document_has_so_many_sections_and_no_more)
{
	collab_setup_with("sections_max", "2");
	collab_enter("c1", "ann");
	collab_call("c1", "LockSection", "[\"d\",0,0]");
	collab_call("c1", "LockSection", "[\"d\",1,1]");
	collab_call("c1", "LockSection", "[\"d\",2,2]");
	collab_expect_error("*The document has too many sections.");
	collab_call("c1", "LockSection", "[\"d\",1,1]");
	collab_expect_heard(0, LOCKED("ann", 1, 1));
}

/* A name of 1,000 letters in each: fewer of them are 512 KiB, which is all there is. */
Test(collaboration_people_options, and_no_more_bytes_of_them_than_can_be_kept)
{
	int n = 0;
	char user[1001];

	memset(user, 'u', 1000);
	user[1000] = '\0';
	collab_setup_with("sections_max", "1000");
	collab_enter("c1", user);
	do
		collab_call("c1", "LockSection", "[\"d\",%d,%d]", n, n);
	while (collab.heard_n == 2 && ++n < 1000);
	collab_expect_error("*The document has too many sections.");
	cr_expect_geq(n, 400);
	collab_leave("c1", user);
	collab_call("c1", "LockSection", "[\"d\",0,0]");
	collab_expect_error("*Join the document first.");
}

static bool has_expired(void)
{
	collab_call("c2", "LockSection", "[\"d\",2,4]");
	return strstr(collab.heard[0], "LockFailed") == NULL;
}

Test(collaboration_people_options, a_section_ends_by_itself)
{
	const int64_t start_us = loop_clock_us();

	collab_setup_with("section_ttl", "100ms");
	collab_enter("c1", "ann");
	collab_enter("c2", "bob");
	collab_call("c1", "LockSection", "[\"d\",2,4]");
	collab_expect_heard(0, LOCKED("ann", 2, 4));
	while (!has_expired())
		cr_assert_lt(loop_clock_us() - start_us, 5000000);
	collab_expect_heard(collab.heard_n - 2, LOCKED("bob", 2, 4));
}
