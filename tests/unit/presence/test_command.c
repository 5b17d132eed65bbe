/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command is answered exactly once, whatever happens first: by whom it was put to,
 * by its loss, by time, by the end of presence. Peers are made as the link makes them,
 * and their sessions read and acknowledged here in place of a stream.
 */
#include "presence/command.h"

#include <criterion/criterion.h>

#include "presence/on_peer.h"
#include "presence/presence.h"
#include "presence/store_memory.h"
#include "proto/link/link_limits.h"
#include "proto/link/link_private.h"

#define COMMANDS_N 4
#define COMMANDS_MAX 3
#define TURNS_MAX 1000

static struct presence presence;
static struct presence_conf conf;
static struct process *g1;
static struct process *r1;
static struct process *r2;
static struct command commands[COMMANDS_N];
static enum err answers[COMMANDS_N];
static int answers_n[COMMANDS_N];
static uint64_t sizes[COMMANDS_N]; /* what came with the answer */
static struct command *also;	   /* is canceled by the next answer */

static struct process *expect(Link__Role role, const char *name)
{
	struct link_peer *peer = link_expect(presence.link, role, name);

	peer->incarnation = 7; /* as after a greeting */
	process_new(&presence.processes, peer);
	return process_of(peer);
}

static void setup(void)
{
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.name = "p1",
		.incarnation = 1,
		.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = 1000,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 5000,
		.ops = &presence_link_ops,
		.owner = &presence,
		.stats = &presence.metrics.link,
	};

	const struct store_memory_options store_options = { .sessions_max = 1,
							    .events_max = 1,
							    .seed = 1 };

	conf.link.lease_ms = 60000;
	conf.commands_max = COMMANDS_MAX;
	conf.command_timeout_ms = 60000;
	presence.conf = &conf;
	presence.loop = loop_new();
	presence.link = link_new(presence.loop, &options);
	processes_init(&presence.processes, &presence);
	presence.store = store_memory_new(presence.loop, &store_options);
	resharding_init(&presence.resharding, &presence);
	topology_init(&presence.topology, &presence, 60000);
	commands_init(&presence.commands, 12345);
	g1 = expect(LINK__ROLE__ROLE_GATEWAY, "g1");
	r1 = expect(LINK__ROLE__ROLE_ROUTER, "r1");
	r2 = expect(LINK__ROLE__ROLE_ROUTER, "r2");
}

static void teardown(void)
{
	commands_fini(&presence);
	topology_fini(&presence.topology);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	link_free(presence.link);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(command, .init = setup, .fini = teardown, .timeout = 60);

static void on_answer(struct command *command, const struct command_answer *answer)
{
	const ptrdiff_t i = command - commands;

	cr_expect_eq(answer->done != NULL, answer->rc == OK);
	sizes[i] = answer->done != NULL ? answer->done->size : 0;
	answers[i] = answer->rc;
	answers_n[i]++;
	if (also != NULL)
		command_cancel(also);
}

static enum err put_text(int i, Link__Role role, const char *name, struct slice text)
{
	Link__Command message = LINK__COMMAND__INIT;

	message.command = LINK__COMMAND_KIND__COMMAND_DRAIN;
	message.text = link_bytes(text);
	return command_send(&presence, &commands[i], role, slice_from_str(name), &message,
			    on_answer);
}

static enum err put(int i, Link__Role role, const char *name)
{
	return put_text(i, role, name, SLICE_NONE);
}

static void put_to_r1(int i)
{
	cr_assert_eq(put(i, LINK__ROLE__ROLE_ROUTER, "r1"), OK);
}

/* The number of the next command that waits for the peer; 0: there is none. Fills
 * `*timeout_ms`. */
static uint64_t next_command(const struct process *process, uint64_t *timeout_ms)
{
	struct slice run;
	uint64_t first_seq;
	uint64_t call;
	Link__Batch *batch;

	if (session_next(&process->peer->session, 1, &first_seq, &run) == 0)
		return 0;
	batch = link__batch__unpack(NULL, run.len, (const uint8_t *)run.ptr);
	cr_assert_not_null(batch);
	cr_assert_eq(batch->n_envelopes, 1);
	cr_assert_eq(batch->envelopes[0]->body_case, LINK__ENVELOPE__BODY_COMMAND);
	call = batch->envelopes[0]->command->call;
	*timeout_ms = batch->envelopes[0]->command->timeout_ms;
	link__batch__free_unpacked(batch, NULL);
	return call;
}

/* All that waits for it is sent; `has_handled`: and acknowledged. */
static int take(const struct process *process, bool has_handled)
{
	struct session *session = &process->peer->session;
	uint64_t timeout_ms;
	int n = 0;

	while (next_command(process, &timeout_ms) != 0)
		n++;
	if (has_handled)
		cr_assert_eq(session_on_ack(session, session->sent_seq), OK);
	return n;
}

static void hear_done(const struct process *from, uint64_t call, enum err rc,
		      uint64_t size)
{
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	done.call = call;
	done.rc = rc;
	done.size = size;
	envelope.body_case = LINK__ENVELOPE__BODY_COMMAND_DONE;
	envelope.command_done = &done;
	presence_link_ops.on_envelope(from->peer, &envelope);
}

static void expect_answer(int i, enum err rc)
{
	cr_expect_eq(answers_n[i], 1, "command %d has %d answers", i, answers_n[i]);
	cr_expect_eq(answers[i], rc, "command %d: %s", i, err_name(answers[i]));
}

static void expect_none(int i)
{
	cr_expect_eq(answers_n[i], 0, "command %d: %s", i, err_name(answers[i]));
}

/* It comes back as another process, as in link.c. */
static void restart(struct process **process)
{
	struct link_peer *peer = (*process)->peer;
	struct session_kept kept;

	session_reset(&peer->session, LINK_VERSION, &kept);
	peer->incarnation++;
	presence_link_ops.on_lost(peer);
	presence_link_ops.on_up(peer, true);
	session_restore(&peer->session, &kept);
	*process = process_of(peer);
}

/* ---- answers */

Test(command, an_answer_finds_its_command)
{
	uint64_t timeout_ms = 0;

	put_to_r1(0);
	put_to_r1(1);
	cr_expect_eq(next_command(r1, &timeout_ms), commands[0].number);
	cr_expect_eq(timeout_ms, 60000);
	cr_expect_eq(presence.metrics.commands, 2);
	hear_done(r1, commands[1].number, OK, 17);
	expect_answer(1, OK);
	cr_expect_eq(sizes[1], 17);
	expect_none(0);
	cr_expect_eq(presence.metrics.commands, 1);
	cr_expect_eq(presence.metrics.command_total, 2);
}

Test(command, a_gateway_answers_too)
{
	cr_assert_eq(put(0, LINK__ROLE__ROLE_GATEWAY, "g1"), OK);
	cr_expect_eq(take(g1, true), 1);
	hear_done(g1, commands[0].number, ERR_NOT_FOUND, 0);
	expect_answer(0, ERR_NOT_FOUND);
	cr_expect_eq(presence.metrics.command_failed_total, 1);
	cr_expect_eq(presence.metrics.envelope_unknown_total, 0);
}

Test(command, only_who_was_asked_may_answer)
{
	put_to_r1(0);
	hear_done(g1, commands[0].number, OK, 0);
	expect_none(0);
	cr_expect_eq(presence.metrics.command_late_total, 1);
	hear_done(r1, commands[0].number, OK, 0);
	expect_answer(0, OK);
}

Test(command, a_second_answer_is_nobodys)
{
	uint64_t number;

	put_to_r1(0);
	number = commands[0].number;
	hear_done(r1, number, OK, 0);
	hear_done(r1, number, ERR_LIMIT, 0);
	expect_answer(0, OK);
	cr_expect_eq(presence.metrics.command_late_total, 1);
}

Test(command, it_may_be_sent_again_when_it_is_over)
{
	put_to_r1(0);
	hear_done(r1, commands[0].number, OK, 0);
	put_to_r1(0);
	hear_done(r1, commands[0].number, ERR_DENIED, 0);
	cr_expect_eq(answers_n[0], 2);
	cr_expect_eq(answers[0], ERR_DENIED);
}

Test(command, numbers_do_not_start_where_the_last_process_did)
{
	struct commands next;

	commands_init(&next, 12347);
	cr_expect_neq(next.last_number, presence.commands.last_number);
	cr_expect_neq(next.last_number, 0);
	map_fini(&next.by_number);
}

Test(command, time_answers)
{
	conf.command_timeout_ms = 10;
	put_to_r1(0);
	for (int i = 0; i < TURNS_MAX && answers_n[0] == 0; i++)
		loop_turn(presence.loop, 100);
	expect_answer(0, ERR_TIMEOUT);
	cr_expect_eq(presence.metrics.command_timeout_total, 1);
}

Test(command, the_end_of_presence_answers_all)
{
	put_to_r1(0);
	put_to_r1(1);
	commands_fini(&presence);
	expect_answer(0, ERR_CANCELED);
	expect_answer(1, ERR_CANCELED);
}

/* ---- whom it goes to */

Test(command, who_has_no_lease_is_not_found)
{
	cr_expect_eq(put(0, LINK__ROLE__ROLE_GATEWAY, "g2"), ERR_NOT_FOUND);
	cr_expect_eq(put(0, LINK__ROLE__ROLE_GATEWAY, "r1"), ERR_NOT_FOUND);
	cr_expect_eq(put(0, LINK__ROLE__ROLE_ROUTER, "g1"), ERR_NOT_FOUND);
	expect_none(0);
	cr_expect_eq(presence.metrics.commands, 0);
}

/* Those in `up` have a stream, for the time of the call. */
static enum err put_any(int i, struct process *up, struct process *up_too)
{
	static struct link_stream stream;
	Link__Command message = LINK__COMMAND__INIT;
	enum err rc;

	up->peer->stream = &stream;
	up_too->peer->stream = &stream;
	rc = command_send_any(&presence, &commands[i], &message, on_answer);
	up->peer->stream = NULL;
	up_too->peer->stream = NULL;
	command_cancel(&commands[i]);
	return rc;
}

Test(command, routers_take_turns)
{
	for (int i = 0; i < 6; i++)
		cr_assert_eq(put_any(0, r1, r2), OK);
	cr_expect_eq(take(r1, false), 3);
	cr_expect_eq(take(r2, false), 3);
	cr_expect_eq(take(g1, false), 0);
}

Test(command, a_router_without_a_stream_has_no_turn)
{
	for (int i = 0; i < 4; i++)
		cr_assert_eq(put_any(0, r2, r2), OK);
	cr_expect_eq(take(r1, false), 0);
	cr_expect_eq(take(r2, false), 4);
}

Test(command, without_routers_there_is_none_to_ask)
{
	cr_expect_eq(put_any(0, g1, g1), ERR_NOT_FOUND);
}

/* ---- limits */

Test(command, more_than_commands_max_are_refused)
{
	for (int i = 0; i < COMMANDS_MAX; i++)
		put_to_r1(i);
	cr_expect_eq(put(COMMANDS_MAX, LINK__ROLE__ROLE_ROUTER, "r1"), ERR_LIMIT);
	cr_expect_eq(presence.metrics.command_refused_total, 1);
	hear_done(r1, commands[0].number, OK, 0);
	put_to_r1(COMMANDS_MAX);
}

Test(command, one_that_does_not_fit_the_link_is_refused)
{
	static char text[2000];

	cr_expect_eq(put_text(0, LINK__ROLE__ROLE_ROUTER, "r1",
			      slice_make(text, sizeof(text))),
		     ERR_LIMIT);
	expect_none(0);
	cr_expect_eq(presence.metrics.command_refused_total, 1);
	cr_expect_eq(presence.metrics.commands, 0);
	put_to_r1(0);
}

/* ---- loss */

Test(command, of_what_was_taken_and_not_answered_the_outcome_is_unknown)
{
	put_to_r1(0);
	cr_assert_eq(put(1, LINK__ROLE__ROLE_ROUTER, "r2"), OK);
	cr_expect_eq(take(r1, true), 1);
	cr_expect_eq(take(r2, true), 1);
	expect_none(0);
	restart(&r1);
	expect_answer(0, ERR_OUTCOME);
	expect_none(1);
}

Test(command, of_what_was_on_its_way_it_is_unknown_too)
{
	put_to_r1(0);
	cr_expect_eq(take(r1, false), 1);
	restart(&r1);
	expect_answer(0, ERR_OUTCOME);
}

Test(command, what_was_never_sent_goes_to_the_next_process_of_that_name)
{
	put_to_r1(0);
	restart(&r1);
	expect_none(0);
	cr_expect_eq(take(r1, true), 1);
	hear_done(r1, commands[0].number, OK, 0);
	expect_answer(0, OK);
}

/* One that dialed in and was away for too long, as in link.c. */
static void gone(struct link_peer *peer)
{
	peer->timer.fn(&peer->timer);
}

static struct link_peer *dialed_in(const char *name)
{
	struct link_peer *peer = link_peer_new(presence.link, LINK__ROLE__ROLE_ROUTER,
					       slice_from_str(name));

	peer->incarnation = 9;
	presence_link_ops.on_up(peer, true);
	return peer;
}

Test(command, what_was_never_sent_to_a_peer_that_is_forgotten_was_not_done)
{
	struct link_peer *r3 = dialed_in("r3");

	cr_assert_eq(put(0, LINK__ROLE__ROLE_ROUTER, "r3"), OK);
	gone(r3);
	expect_answer(0, ERR_CLOSED);
	cr_expect_eq(put(1, LINK__ROLE__ROLE_ROUTER, "r3"), ERR_NOT_FOUND);
}

Test(command, of_what_a_peer_had_that_is_forgotten_the_outcome_is_unknown)
{
	struct link_peer *r3 = dialed_in("r3");

	cr_assert_eq(put(0, LINK__ROLE__ROLE_ROUTER, "r3"), OK);
	cr_expect_eq(take(process_of(r3), true), 1);
	gone(r3);
	expect_answer(0, ERR_OUTCOME);
}

/* ---- taking back */

Test(command, who_takes_it_back_is_not_called)
{
	uint64_t number;

	put_to_r1(0);
	number = commands[0].number;
	command_cancel(&commands[0]);
	command_cancel(&commands[0]);
	command_cancel(&commands[1]); /* that never was */
	hear_done(r1, number, OK, 0);
	cr_expect_eq(take(r1, true), 1);
	restart(&r1);
	expect_none(0);
	cr_expect_eq(presence.metrics.commands, 0);
}

Test(command, an_answer_may_take_back_another_that_is_lost_with_it)
{
	put_to_r1(0);
	put_to_r1(1);
	put_to_r1(2);
	cr_expect_eq(take(r1, true), 3);
	also = &commands[1];
	restart(&r1);
	expect_answer(0, ERR_OUTCOME);
	expect_none(1);
	expect_answer(2, ERR_OUTCOME);
}
