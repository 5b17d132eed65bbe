/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invocations and streams have ids of their call's number, "i7" and "u7", so that each
 * message of the router tells which call it is about.
 */
#include "tests/unit/router/hub_sim.h"

#include <stdio.h>

/* ---- the hub */

static enum hub_rc count_to(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 1; rc == HUB_OK && i <= hub_arg_int(call, 0); i++) {
		hub_scratch(call);
		rc = hub_await_item(call, hub_int(call, i));
		if (rc == HUB_OK && i % 7 == 0)
			rc = hub_await_sleep(call, 0);
	}
	return rc;
}

static enum hub_rc for_ever(struct hub_call *call)
{
	return hub_await_cancel(call, -1);
}

static enum hub_rc sum(struct hub_call *call)
{
	const struct value *item;
	int64_t total = 0;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK)
		total += item->integer;
	hub_return(call, hub_int(call, total));
	return rc == HUB_END ? HUB_OK : rc;
}

/* Takes an item up and hands an item down, each by its own pace. */
static enum hub_rc pipe_through(struct hub_call *call)
{
	const struct value *item;
	int64_t n = 0;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK) {
		rc = hub_await_item(call, hub_int(call, ++n));
		if (rc != HUB_OK)
			return rc;
	}
	return rc == HUB_END ? HUB_OK : rc;
}

static enum hub_rc ask(struct hub_call *call)
{
	const struct value *result;

	return hub_await_client(call, hub_arg_string(call, 0), SLICE("ask"),
				hub_array(call), 0, &result);
}

static enum hub_rc say_and_join(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("said"), hub_array(call));
	return hub_await_join(call, SLICE("g"));
}

static enum hub_rc come(struct hub_call *call)
{
	const enum hub_rc rc = hub_await_sleep(call, 0);

	if (slice_equal(hub_user_id(call), SLICE("unwanted")))
		return HUB_FAILED;
	return rc;
}

static enum hub_rc go(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("gone"), hub_array(call));
	return hub_await_sleep(call, 0);
}

static const struct hub_method methods[] = {
	{ .name = "CountTo", .fn = count_to, .arguments = "i", .is_stream = true },
	{ .name = "ForEver", .fn = for_ever, .arguments = "", .is_stream = true },
	{ .name = "Sum", .fn = sum, .arguments = "~" },
	{ .name = "Pipe", .fn = pipe_through, .arguments = "~", .is_stream = true },
	{ .name = "Ask", .fn = ask, .arguments = "s" },
	{ .name = "SayAndJoin", .fn = say_and_join, .arguments = "" },
};

const struct hub_module sim_hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = come,
	.on_disconnected = go,
};

/* ---- who there is */

uint64_t sim_random(struct sim *sim, uint64_t below)
{
	sim->rng ^= sim->rng << 13;
	sim->rng ^= sim->rng >> 7;
	sim->rng ^= sim->rng << 17;
	return (sim->rng >> 11) % below;
}

bool sim_is_alive(const struct sim_call *call)
{
	return call->conn != NULL && call->conn->is_open &&
	       call->life == call->conn->life && !call->is_completed && !call->is_void;
}

struct sim_conn *sim_conn_find(struct sim *sim, const char *id)
{
	for (size_t i = 0; i < SIM_CONNS; i++) {
		if (strcmp(sim->conns[i].id, id) == 0)
			return &sim->conns[i];
	}
	cr_assert_fail("no connection %s", id);
	return NULL;
}

struct sim_call *sim_pick_call(struct sim *sim)
{
	struct sim_call *call;

	if (sim->kit->last_invoke == 0)
		return NULL;
	call = &sim->calls[1 + sim_random(sim, sim->kit->last_invoke)];
	return sim_is_alive(call) ? call : NULL;
}

static unsigned call_number(const struct sim *sim, const struct sim_call *call)
{
	return (unsigned)(call - sim->calls);
}

static const char *call_id(struct sim *sim, const struct sim_call *call, char kind)
{
	return kit_text(sim->kit, "%c%u", kind, call_number(sim, call));
}

/* ---- clients */

void sim_open(struct sim *sim, struct sim_conn *conn)
{
	conn->is_open = true;
	conn->life++;
	kit_connect(sim->kit, conn->gateway, conn->id,
		    sim_random(sim, 10) == 0 ? "unwanted" : "ann");
}

void sim_close(struct sim *sim, struct sim_conn *conn)
{
	if (conn->is_open)
		kit_disconnect(sim->kit, conn->gateway, conn->id);
	conn->is_open = false;
}

static struct sim_call *call_new(struct sim *sim, struct sim_conn *conn, bool is_stream,
				 bool is_upload)
{
	struct sim_call *call = &sim->calls[sim->kit->last_invoke + 1];

	call->conn = conn;
	call->life = conn->life;
	call->is_stream = is_stream;
	call->is_upload = is_upload;
	return call;
}

static void client_invoke(struct sim *sim, struct sim_conn *conn, const char *target,
			  const char *arguments)
{
	const char *id = call_id(sim, call_new(sim, conn, false, false), 'i');

	kit_invoke(sim->kit, conn->gateway, conn->id, id, target, arguments);
}

static void client_stream(struct sim *sim, struct sim_conn *conn, const char *target,
			  const char *arguments)
{
	const char *id = call_id(sim, call_new(sim, conn, true, false), 'i');

	kit_stream(sim->kit, conn->gateway, conn->id, id, target, arguments);
}

static void client_upload(struct sim *sim, struct sim_conn *conn)
{
	struct sim_call *call = call_new(sim, conn, false, true);

	kit_upload(sim->kit, conn->gateway, conn->id, call_id(sim, call, 'i'), "Sum",
		   "[]", call_id(sim, call, 'u'));
}

static void client_pipe(struct sim *sim, struct sim_conn *conn)
{
	struct sim_call *call = call_new(sim, conn, true, true);
	Link__Invoke message = LINK__INVOKE__INIT;
	const char *id = call_id(sim, call, 'i');
	ProtobufCBinaryData stream = link_bytes(slice_from_str(call_id(sim, call, 'u')));

	message.hub = link_bytes(slice_from_str("hub"));
	message.connection = link_bytes(slice_from_str(conn->id));
	message.call = ++sim->kit->last_invoke;
	message.invocation_id = link_bytes(slice_from_str(id));
	message.target = link_bytes(SLICE("Pipe"));
	message.arguments = link_bytes(SLICE("[]"));
	message.is_stream = true;
	message.stream_ids = &stream;
	message.n_stream_ids = 1;
	message.protocol = sim->kit->protocol;
	kit_hear_invoke(sim->kit, conn->gateway, &message);
}

void sim_call_any(struct sim *sim, struct sim_conn *conn)
{
	switch (sim_random(sim, 8)) {
	case 0:
	case 1:
		client_stream(sim, conn, "CountTo",
			      kit_text(sim->kit, "[%d]", (int)sim_random(sim, 60)));
		break;
	case 2:
		client_stream(sim, conn, "ForEver", "[]");
		sim->calls[sim->kit->last_invoke].is_endless = true;
		break;
	case 3:
		client_upload(sim, conn);
		break;
	case 4:
		client_pipe(sim, conn);
		break;
	case 5:
		client_invoke(sim, conn, "SayAndJoin", "[]");
		break;
	case 6:
		client_invoke(sim, conn, "Missing", "[]");
		break;
	default:
		client_invoke(sim, conn, "Ask",
			      kit_text(sim->kit, "[\"%s\"]",
				       sim->conns[sim_random(sim, SIM_CONNS)].id));
	}
}

void sim_send_up(struct sim *sim, struct sim_call *call)
{
	const int item = (int)sim_random(sim, 1000);

	if (!call->is_upload || call->is_ended)
		return;
	call->sent++;
	call->total += item;
	kit_item(sim->kit, call->conn->gateway, call->conn->id, call_id(sim, call, 'u'),
		 kit_text(sim->kit, "%d", item));
}

void sim_end_upload(struct sim *sim, struct sim_call *call)
{
	if (!call->is_upload || call->is_ended)
		return;
	call->is_ended = true;
	kit_completion(sim->kit, call->conn->gateway, call->conn->id,
		       call_id(sim, call, 'u'), NULL, NULL);
}

void sim_cancel(struct sim *sim, struct sim_call *call)
{
	call->is_canceled = true;
	kit_cancel(sim->kit, call->conn->gateway, call->conn->id,
		   call_id(sim, call, 'i'));
}
