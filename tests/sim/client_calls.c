/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients do, and what became of it.
 */
#include <assert.h>
#include <string.h>

#include "tests/sim/client.h"
#include "tests/sim/steps.h"

#define IN_FLIGHT_SPARE 8u

static struct {
	bool is_acting;
	int64_t mean;
} acting;

void clients_act(bool is_acting, int64_t mean)
{
	acting.is_acting = is_acting;
	acting.mean = mean;
}

void client_act_later(struct client *client)
{
	if (client->state == CLIENT_OPEN && acting.is_acting)
		sim_after(&client->act, sim_between(SIM_CLIENTS, 1, 2 * acting.mean));
}

/* ---- calls */

static struct call *call_find(struct client *client, unsigned id)
{
	for (unsigned i = 0; i < CLIENT_CALLS_MAX; i++) {
		struct call *call = &client->calls[i];

		if (call->kind != CALL_NONE && call->id == id)
			return call;
	}
	return NULL;
}

static struct call *call_new(struct client *client, enum call_kind kind, unsigned what)
{
	for (unsigned i = 0; i < CLIENT_CALLS_MAX; i++) {
		struct call *call = &client->calls[i];

		if (call->kind != CALL_NONE)
			continue;
		*call = (struct call){ kind, ++client->calls_last, what };
		client->calls_n++;
		return call;
	}
	assert(false);
	return NULL;
}

static bool has_room(const struct client *client, unsigned spare)
{
	return client->calls_n + spare < CLIENT_CALLS_MAX && client_may_say(client);
}

static void call_end(struct client *client, struct call *call)
{
	call->kind = CALL_NONE;
	client->calls_n--;
}

void client_calls_forget(struct client *client)
{
	memset(client->calls, 0, sizeof(client->calls));
	memset(client->places, 0, sizeof(client->places));
	client->calls_n = 0;
	client->calls_last = 0;
}

static void on_changed(struct client *client, const struct call *call, bool is_error)
{
	history_changed(client->session, call->what,
			is_error ? OUTCOME_ERROR : OUTCOME_OK);
	if (is_error)
		client->places[call->what] = PLACE_UNKNOWN;
	else
		client->places[call->what] =
			call->kind == CALL_JOIN ? PLACE_IN : PLACE_OUT;
}

void client_on_completion(struct client *client, unsigned id, bool is_error)
{
	struct call *call = call_find(client, id);

	sim_expect(call != NULL, "client %u: call %u of session %u was completed twice",
		   client->index, id, client->session);
	sim_expect(!is_error || !client->is_stateful || !steps_is_rolling(),
		   "client %u: call %u of session %u failed over a restart",
		   client->index, id, client->session);
	if (call->kind == CALL_SEND)
		history_completed(call->what, is_error ? OUTCOME_ERROR : OUTCOME_OK);
	else
		on_changed(client, call, is_error);
	call_end(client, call);
}

/* ---- what they do */

static void call(struct client *client, const struct call *made, const char *method,
		 const char *arguments)
{
	struct buf text = BUF_INIT;

	buf_appendf(&text,
		    "{\"type\":1,\"invocationId\":\"%u\",\"target\":\"%s\",\"arguments\":"
		    "[%s]}",
		    made->id, method, arguments);
	client_say(client, buf_slice(&text));
	buf_fini(&text);
}

static void change_group(struct client *client, unsigned group)
{
	const enum place place = client->places[group];
	const bool is_join = place != PLACE_IN;
	char arguments[32];
	struct buf text = BUF_INIT;

	if (place == PLACE_CHANGING || !has_room(client, IN_FLIGHT_SPARE))
		return;
	client->places[group] = PLACE_CHANGING;
	if (is_join)
		history_joins(client->session, group);
	else
		history_leaves(client->session, group);
	buf_appendf(&text, "%u", group);
	memcpy(arguments, text.ptr, text.len);
	arguments[text.len] = '\0';
	buf_fini(&text);
	call(client, call_new(client, is_join ? CALL_JOIN : CALL_LEAVE, group),
	     is_join ? "Join" : "Leave", arguments);
}

static void send_to(struct client *client, enum history_kind kind, unsigned index,
		    bool is_probe)
{
	const struct history_target target = { kind, index };
	struct buf arguments = BUF_INIT;
	unsigned message;

	if (!has_room(client, is_probe ? 0 : IN_FLIGHT_SPARE))
		return;
	message = history_sends(client->session, target, is_probe);
	buf_appendf(&arguments, "%d,%u,%u", (int)kind, index, message);
	buf_append_byte(&arguments, '\0');
	call(client, call_new(client, CALL_SEND, message), "Send", arguments.ptr);
	buf_fini(&arguments);
}

static unsigned any_group(void)
{
	return (unsigned)sim_below(SIM_CLIENTS, HISTORY_GROUPS);
}

void client_act(struct client *client)
{
	const unsigned dice = (unsigned)sim_below(SIM_CLIENTS, 100);

	if (dice < 60)
		send_to(client, TO_GROUP, any_group(), false);
	else if (dice < 72)
		send_to(client, TO_USER, (unsigned)sim_below(SIM_CLIENTS, HISTORY_USERS),
			false);
	else if (dice < 76)
		send_to(client, TO_ALL, 0, false);
	else if (dice < 80)
		send_to(client, TO_CALLER, 0, false);
	else
		change_group(client, any_group());
}

void client_storm(struct client *client, unsigned n)
{
	const unsigned group = any_group();

	for (unsigned i = 0; i < n && client_is_open(client); i++)
		send_to(client, TO_GROUP, group, false);
}

void client_probe(struct client *client)
{
	for (unsigned i = 0; i < HISTORY_GROUPS; i++)
		send_to(client, TO_GROUP, i, true);
	for (unsigned i = 0; i < HISTORY_USERS; i++)
		send_to(client, TO_USER, i, true);
	send_to(client, TO_ALL, 0, true);
	send_to(client, TO_CALLER, 0, true);
}
