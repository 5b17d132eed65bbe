/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link against a peer written by hand, which does what no link does: skips words of the
 * greeting, counts wrongly, resumes what was overtaken, goes silent.
 */
#include "proto/link/link.h"

#include <criterion/criterion.h>
#include <string.h>

#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node b; /* a router, who listens */

static void set_up(void)
{
	rig_init();
	node_init(&b, ROUTER, "r1");
}

/* Each test opens it, some with options of their own. */
static void open_listener(void)
{
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
}

static void tear_down(void)
{
	node_close(&b);
	rig_fini();
}

TestSuite(link_raw, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- the greeting */

/* docs/LINK.md, and nothing else, is enough to be understood. */
Test(link_raw, a_second_implementation_gets_through)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_greet(&raw);
	WAIT(b.ups == 1);
	raw_send_batch(&raw, 1, 3, 0);
	WAIT(b.calls_n == 3 && raw.acked_seq == 3);
	cr_assert_eq(node_send(&b, 1, SESSION_DROP, NULL), OK);
	WAIT(raw.envelopes == 1);
	raw_close(&raw);
}

static void check_refused(struct raw *raw, bool is_malformed)
{
	WAIT(raw->is_closed);
	cr_expect_eq(b.stats.refused_total, is_malformed ? 0 : 1);
	cr_expect_eq(b.stats.malformed_total, is_malformed ? 1 : 0);
	cr_expect_eq(b.ups, 0);
	cr_expect_null(link_peer_next(b.link, NULL));
	raw_close(raw);
}

Test(link_raw, another_version_is_refused)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw.version = LINK_VERSION + 1;
	raw.version_max = LINK_VERSION + 2;
	raw_send_hello(&raw);
	check_refused(&raw, false);
}

Test(link_raw, a_role_out_of_range_is_refused)
{
	struct raw raw;

	b.options.accepts = ~0u;
	open_listener();
	raw_open(&raw, "g1");
	raw.role = (Link__Role)(32 + GATEWAY);
	raw_send_hello(&raw);
	check_refused(&raw, false);
}

Test(link_raw, a_hello_without_an_incarnation_is_malformed)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw.incarnation = 0;
	raw_send_hello(&raw);
	check_refused(&raw, true);
}

static void check_name_refused(const char *name)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, name);
	raw_send_hello(&raw);
	check_refused(&raw, true);
}

Test(link_raw, a_name_that_would_forge_log_lines_is_malformed)
{
	check_name_refused("g1\nlevel=error");
}

Test(link_raw, a_name_too_long_is_malformed)
{
	char name[LINK_NAME_MAX + 2] = { 0 };

	memset(name, 'n', LINK_NAME_MAX + 1);
	check_name_refused(name);
}

Test(link_raw, the_longest_name_is_fine)
{
	char name[LINK_NAME_MAX + 1] = { 0 };
	struct raw raw;

	open_listener();
	memset(name, 'n', LINK_NAME_MAX);
	raw_open(&raw, name);
	raw_greet(&raw);
	WAIT(b.ups == 1);
	cr_expect_str_eq(link_peer_name(b.peer), name);
	raw_close(&raw);
}

Test(link_raw, a_wrong_proof_is_refused)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send_hello(&raw);
	WAIT(raw.has_proof);
	raw.key = "0123456789abcdef0123456789abcdeF";
	raw_send_proof(&raw);
	check_refused(&raw, false);
}

Test(link_raw, hanging_up_on_the_greeting_is_counted)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send_hello(&raw);
	WAIT(raw.has_proof);
	raw_close(&raw);
	WAIT(b.stats.refused_total == 1);
}

/* Load balancers and port scanners do that. */
Test(link_raw, hanging_up_before_a_word_is_nothing)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	WAIT(!list_is_empty(&b.link->streams));
	raw_close(&raw);
	WAIT(list_is_empty(&b.link->streams));
	cr_expect_eq(b.stats.refused_total + b.stats.malformed_total, 0);
}

Test(link_raw, a_greeting_has_a_deadline)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	check_refused(&raw, false);
}

/* Silent strangers do not keep out who knows the key. */
Test(link_raw, past_so_many_greetings_the_oldest_is_refused)
{
	static struct raw raws[LINK_GREETINGS_MAX + 1];

	open_listener();
	for (unsigned i = 0; i < LINK_GREETINGS_MAX; i++)
		raw_open(&raws[i], "g1");
	WAIT(b.link->greetings_n == LINK_GREETINGS_MAX);
	cr_expect_eq(b.stats.refused_total, 0);
	raw_open(&raws[LINK_GREETINGS_MAX], "g1");
	WAIT(raws[0].is_closed);
	cr_expect_eq(b.stats.refused_total, 1);
	cr_expect_eq(b.link->greetings_n, LINK_GREETINGS_MAX);
	raw_greet(&raws[LINK_GREETINGS_MAX]);
	WAIT(b.ups == 1);
	cr_expect_eq(b.stats.refused_total, 1);
	cr_expect_not(raws[1].is_closed);
	for (unsigned i = 0; i <= LINK_GREETINGS_MAX; i++)
		raw_close(&raws[i]);
}

/* ---- words at the wrong time */

Test(link_raw, a_batch_before_the_proof_is_malformed)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send_hello(&raw);
	raw_send_batch(&raw, 1, 1, 0);
	check_refused(&raw, true);
	cr_expect_eq(b.calls_n, 0);
}

Test(link_raw, a_proof_before_the_hello_is_malformed)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send_proof(&raw);
	check_refused(&raw, true);
}

Test(link_raw, a_second_hello_is_malformed)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send_hello(&raw);
	raw_send_hello(&raw);
	check_refused(&raw, true);
}

Test(link_raw, a_long_frame_of_a_stranger_is_not_unpacked)
{
	char bytes[LINK_GREETING_BYTES_MAX + 1] = { 0 };
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_send(&raw, slice_make(bytes, sizeof(bytes)));
	check_refused(&raw, true);
}

/* What an established peer may not say: it closes its stream, not that of another, and
 * what came before was handled. The dialer may come again and goes on. */
static void check_malformed(void (*say)(struct raw *raw))
{
	struct raw good;
	struct raw bad;
	uint64_t session;

	open_listener();
	raw_open(&good, "good");
	raw_greet(&good);
	raw_open(&bad, "bad");
	raw_greet(&bad);
	WAIT(b.ups == 2);
	raw_send_batch(&bad, 1, 2, 0);
	say(&bad);
	WAIT(bad.is_closed);
	cr_expect_eq(b.calls_n, 2);
	cr_expect_eq(b.stats.malformed_total, 1);
	cr_expect_eq(b.downs, 1);
	session = bad.session;
	raw_close(&bad);
	raw_open(&bad, "bad");
	bad.session = session;
	raw_greet(&bad);
	WAIT(b.ups == 3);
	cr_expect_eq(b.news, 2, "the session goes on");
	raw_send_batch(&bad, 3, 1, 0);
	raw_send_batch(&good, 1, 1, 0);
	WAIT(b.calls_n == 4);
	raw_close(&bad);
	raw_close(&good);
}

static void say_garbage(struct raw *raw)
{
	raw_send(raw, SLICE("\xff\xff\xff"));
}

static void say_an_unknown_frame(struct raw *raw)
{
	raw_send(raw, SLICE("\x7a\x01x")); /* field 15 */
}

static void say_gap(struct raw *raw)
{
	raw_send_batch(raw, 4, 1, 0);
}

static void say_ack_of_the_future(struct raw *raw)
{
	raw_send_batch(raw, 3, 1, 1);
}

Test(link_raw, garbage_closes_one_stream)
{
	check_malformed(say_garbage);
}

Test(link_raw, an_unknown_frame_closes_one_stream)
{
	check_malformed(say_an_unknown_frame);
}

Test(link_raw, a_second_greeting_closes_one_stream)
{
	check_malformed(raw_send_hello);
}

Test(link_raw, a_second_proof_closes_one_stream)
{
	check_malformed(raw_send_proof);
}

Test(link_raw, a_gap_in_the_numbers_closes_one_stream)
{
	check_malformed(say_gap);
}

Test(link_raw, an_acknowledgement_of_what_was_not_sent_closes_one_stream)
{
	check_malformed(say_ack_of_the_future);
}

Test(link_raw, an_unknown_message_is_handed_over_and_counts)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw_greet(&raw);
	/* A batch numbered 1 with one envelope of field 200: from a newer release. */
	raw_send(&raw, SLICE("\x1a\x07\x08\x01\x1a\x03\xc2\x0c\x00"));
	WAIT(b.calls_n == 1 && raw.acked_seq == 1);
	cr_expect_eq(b.stats.malformed_total, 0);
	raw_close(&raw);
}

/* ---- sessions over several streams */

Test(link_raw, a_stream_may_replace_one_that_is_still_open)
{
	struct raw old;
	struct raw new;

	open_listener();
	raw_open(&old, "g1");
	raw_greet(&old);
	raw_send_batch(&old, 1, 3, 0);
	WAIT(b.calls_n == 3);
	raw_open(&new, "g1");
	new.session = old.session;
	raw_greet(&new);
	cr_expect_eq(new.told, old.session);
	raw_send_batch(&new, 2, 4, 0); /* 2 and 3 again */
	WAIT(b.calls_n == 5 && old.is_closed && new.acked_seq == 5);
	cr_expect_eq(b.calls[4], 5);
	cr_expect_eq(b.stats.duplicate_total, 2);
	cr_expect_eq(b.losts + b.downs, 0);
	cr_expect_eq(b.stats.peers_up, 1);
	raw_close(&old);
	raw_close(&new);
}

/* The hello was written before the old stream brought the rest. */
Test(link_raw, what_the_old_stream_brought_since_the_hello_is_not_handled_twice)
{
	struct raw old;
	struct raw new;

	open_listener();
	raw_open(&old, "g1");
	raw_greet(&old);
	WAIT(b.ups == 1);
	raw_open(&new, "g1");
	new.session = old.session;
	raw_send_hello(&new);
	WAIT(new.has_proof);
	raw_send_batch(&old, 1, 3, 0);
	WAIT(b.calls_n == 3);
	raw_send_proof(&new);
	raw_send_batch(&new, 1, 4, 0);
	WAIT(new.acked_seq == 4);
	cr_expect_eq(b.calls_n, 4);
	cr_expect_eq(b.news, 1);
	raw_close(&old);
	raw_close(&new);
}

Test(link_raw, a_session_that_one_side_does_not_know_starts_over_on_both)
{
	struct raw old;
	struct raw new;

	open_listener();
	raw_open(&old, "g1");
	raw_greet(&old);
	raw_send_batch(&old, 1, 3, 0);
	WAIT(b.calls_n == 3);
	raw_open(&new, "g1");
	new.session = old.session + 1;
	raw_greet(&new);
	WAIT(b.ups == 2);
	cr_expect_eq(new.told, old.session);
	cr_expect_neq(new.session, old.session);
	cr_expect_eq(b.news, 2);
	cr_expect_eq(b.losts, 1);
	raw_send_batch(&new, 1, 1, 0);
	WAIT(b.calls_n == 4);
	raw_close(&old);
	raw_close(&new);
}

/* Two greetings at once: the first to end begins the session that the other has not
 * heard of. */
Test(link_raw, a_greeting_that_another_overtook_is_refused)
{
	struct raw slow;
	struct raw fast;

	open_listener();
	raw_open(&slow, "g1");
	raw_send_hello(&slow);
	WAIT(slow.has_proof);
	raw_open(&fast, "g1");
	raw_greet(&fast);
	WAIT(b.ups == 1);
	raw_send_proof(&slow);
	WAIT(slow.is_closed);
	cr_expect_eq(b.ups, 1);
	cr_expect_eq(b.losts, 0);
	cr_expect_eq(b.stats.refused_total, 1);
	cr_expect_not(fast.is_closed);
	raw_close(&slow);
	raw_close(&fast);
}

Test(link_raw, a_count_that_cannot_be_ends_the_session_on_both_sides)
{
	struct raw raw;
	uint64_t session;

	open_listener();
	raw_open(&raw, "g1");
	raw_greet(&raw);
	WAIT(b.ups == 1);
	session = raw.session;
	raw_close(&raw);
	raw_open(&raw, "g1");
	raw.session = session;
	raw.handled_seq = 1; /* nothing was sent */
	raw_greet(&raw);
	WAIT(raw.is_closed);
	cr_expect_eq(b.stats.malformed_total, 1);
	cr_expect_eq(b.ups, 1);
	raw_close(&raw);
	raw_open(&raw, "g1");
	raw.session = session;
	raw_greet(&raw);
	WAIT(b.ups == 2);
	cr_expect_eq(raw.told, 0, "it says that it has nothing");
	cr_expect_eq(b.news, 2);
	cr_expect_eq(b.losts, 1);
	raw_close(&raw);
}

/* ---- silence */

Test(link_raw, a_silent_peer_is_given_up)
{
	struct raw raw;

	b.options.ping_interval_ms = 20;
	b.options.stream_timeout_ms = 100;
	b.options.peer_timeout_ms = 100;
	open_listener();
	raw_open(&raw, "g1");
	raw_greet(&raw);
	WAIT(b.ups == 1);
	WAIT(b.downs == 1);
	WAIT(b.losts == 1);
	cr_expect_eq(b.stats.refused_total + b.stats.malformed_total, 0);
	WAIT(raw.is_closed);
	raw_close(&raw);
}
