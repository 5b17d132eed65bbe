/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a gateway's links: what it was sent, as text.
 */
#include <criterion/criterion.h>

#include "gateway/on_router.h"
#include "tests/unit/gateway/conn_kit.h"

static struct slice bytes_of(ProtobufCBinaryData bytes)
{
	return link_slice(bytes);
}

#define BYTES(field) SLICE_FMT(bytes_of(field))
#define LETTER(field) ((field).len > 0 ? (field).data[0] : '?')

static void show_connected(struct buf *out, const Link__Connected *connected)
{
	buf_appendf(out, "Connected %c user=%.*s resumed=%d groups=",
		    LETTER(connected->connection), BYTES(connected->user->id),
		    connected->is_resumed);
	for (size_t i = 0; i < connected->n_groups; i++)
		buf_appendf(out, "%s%.*s", i > 0 ? "," : "", BYTES(connected->groups[i]));
	for (size_t i = 0; i < connected->n_items; i++)
		buf_appendf(out, " item %.*s", BYTES(connected->items[i]->name));
	if (connected->is_standby)
		buf_append_str(out, " standby");
}

static void show_member(struct buf *out, const Link__Member *member)
{
	buf_appendf(out, "Member %s %.*s %c%s",
		    member->kind == LINK__KIND__KIND_USER ? "user" : "group",
		    BYTES(member->name), LETTER(member->connection),
		    member->is_gone ? " gone" : "");
}

static void show_joined(struct buf *out, const Link__Joined *joined)
{
	buf_appendf(out, "Joined %c call=%d rc=%s %s %.*s origin=%.*s",
		    LETTER(joined->connection), (int)joined->call,
		    err_name((enum err)joined->rc), joined->is_leave ? "leave" : "join",
		    BYTES(joined->group), BYTES(joined->origin));
}

static void show_invoke(struct buf *out, const Link__Invoke *invoke)
{
	buf_appendf(out, "Invoke %c call=%d id=%.*s %.*s%.*s%s",
		    LETTER(invoke->connection), (int)invoke->call,
		    BYTES(invoke->invocation_id), BYTES(invoke->target),
		    BYTES(invoke->arguments), invoke->is_stream ? " stream" : "");
	for (size_t i = 0; i < invoke->n_stream_ids; i++)
		buf_appendf(out, " ~%.*s", BYTES(invoke->stream_ids[i]));
}

static void show_client_completion(struct buf *out, const Link__ClientCompletion *end)
{
	buf_appendf(out, "ClientCompletion %c %.*s", LETTER(end->connection),
		    BYTES(end->id));
	if (end->has_result)
		buf_appendf(out, " result=%.*s", BYTES(end->result));
	if (end->has_error)
		buf_appendf(out, " error=%.*s", BYTES(end->error));
}

uint64_t peer_good_ms;
uint64_t peer_poll_id;

static void show_request(struct buf *out, const Link__Request *request)
{
	static const char *const kinds[] = { "?",    "socket", "events", "poll",
					     "post", "delete", "gone",	 "poll-again" };

	peer_poll_id = request->poll_id;
	peer_good_ms = request->at_ms > 0 ? request->good_ms : 0;
	buf_appendf(out, "Request %c call=%d %s%s", LETTER(request->connection),
		    (int)request->call, kinds[request->kind],
		    request->may_claim ? " claim" : "");
	if (request->doubts > 0)
		buf_appendf(out, " doubts=%u", request->doubts);
	if (request->body.len > 0)
		buf_appendf(out, " body=%.*s", BYTES(request->body));
}

static void show_response(struct buf *out, const Link__Response *response)
{
	buf_appendf(out, "Response call=%d to=%.*s %d%s", (int)response->call,
		    BYTES(response->origin), (int)response->status,
		    response->is_binary ? " binary" : "");
	if (response->body.len > 0)
		buf_appendf(out, " body=%.*s", BYTES(response->body));
}

static void show_claim(struct buf *out, const Link__Claim *claim)
{
	buf_appendf(out, "Claim %c%s fresh=%d", LETTER(claim->connection),
		    claim->is_gone ? " gone" : "", (int)claim->fresh_ms);
}

/* Data of more than a few bytes by its length. */
static void show_tunnel(struct buf *out, const Link__Tunnel *tunnel)
{
	buf_appendf(out, "Tunnel %c call=%d to=%.*s", LETTER(tunnel->connection),
		    (int)tunnel->call, BYTES(tunnel->gateway));
	if (tunnel->data.len > 64)
		buf_appendf(out, " bytes=%zu", tunnel->data.len);
	else if (tunnel->data.len > 0)
		buf_appendf(out, " data=%.*s", BYTES(tunnel->data));
	if (tunnel->taken > 0)
		buf_appendf(out, " taken=%d", (int)tunnel->taken);
	buf_appendf(out, "%s%s%s", tunnel->is_end ? " end" : "",
		    tunnel->is_error ? " error" : "",
		    tunnel->is_malformed ? " malformed" : "");
}

static void show_command_done(struct buf *out, const Link__CommandDone *done)
{
	buf_appendf(out, "CommandDone %d %s", (int)done->call,
		    err_name((enum err)done->rc));
	for (size_t i = 0; i < done->n_groups; i++)
		buf_appendf(out, " %.*s/%.*s", BYTES(done->groups[i]->hub),
			    BYTES(done->groups[i]->name));
	buf_appendf(out, " size=%d", (int)done->size);
	if (done->next.len > 0)
		buf_appendf(out, " next=%.*s", BYTES(done->next));
}

static void show_shards(struct buf *out, const Link__Shards *shards)
{
	buf_appendf(out, "Shards %d %s%s", (int)shards->epoch,
		    shard_phase_name((enum shard_phase)shards->phase),
		    shards->is_done ? " done" : "");
}

static void show_handover(struct buf *out, const Link__Handover *handover)
{
	buf_appendf(out, "Handover %c call=%d user=%.*s", LETTER(handover->connection),
		    (int)handover->call, BYTES(handover->user->id));
	for (size_t i = 0; i < handover->n_calls; i++)
		buf_appendf(out, " %d:%.*s", (int)handover->calls[i]->call,
			    BYTES(handover->calls[i]->invocation_id));
	for (size_t i = 0; i < handover->n_uploads; i++)
		buf_appendf(out, " ~%.*s", BYTES(handover->uploads[i]->stream_id));
}

static void show_taken(struct buf *out, const Link__HandoverTaken *taken)
{
	buf_appendf(out, "Taken %c call=%d rc=%s%s", LETTER(taken->connection),
		    (int)taken->call, err_name((enum err)taken->rc),
		    taken->is_done ? " done" : "");
}

static void show_move(struct buf *out, const Link__HandoverMove *move)
{
	buf_appendf(out, "Move %c call=%d to=%.*s", LETTER(move->connection),
		    (int)move->call, BYTES(move->gateway));
	for (size_t i = 0; i < move->n_keys; i++)
		buf_appendf(out, " %.*s", BYTES(move->keys[i]->name));
}

/* Frames of more than a few bytes by their length. */
static void show_rest(struct buf *out, const Link__HandoverRest *rest)
{
	buf_appendf(out, "Rest %c call=%d", LETTER(rest->connection), (int)rest->call);
	for (size_t i = 0; i < rest->n_frames; i++) {
		if (rest->frames[i].len > 64)
			buf_appendf(out, " bytes=%zu", rest->frames[i].len);
		else
			buf_appendf(out, " %.*s", BYTES(rest->frames[i]));
	}
	if (rest->is_last)
		buf_appendf(out, " last first=%d received=%d%s", (int)rest->first_id,
			    (int)rest->received, rest->is_blocked ? " blocked" : "");
	for (size_t i = 0; i < rest->n_calls; i++)
		buf_appendf(out, " %d", (int)rest->calls[i]->call);
	for (size_t i = 0; i < rest->n_uploads; i++)
		buf_appendf(out, " ~%.*s=%d", BYTES(rest->uploads[i]->stream_id),
			    (int)rest->uploads[i]->waiting);
	buf_append_str(out, rest->is_failed ? " failed" : "");
}

/* What a router alone is told of connections that go over. */
static bool show_moving(struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_HANDOVER:
		show_handover(out, envelope->handover);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_TAKEN:
		show_taken(out, envelope->handover_taken);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_MOVE:
		show_move(out, envelope->handover_move);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_REST:
		show_rest(out, envelope->handover_rest);
		return true;
	default:
		return false;
	}
}

/* What presence alone is told. */
static void show_presence(struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_OPENED:
		buf_appendf(out, "Opened %c user=%.*s remote=%.*s agent=%.*s%s",
			    LETTER(envelope->opened->connection),
			    BYTES(envelope->opened->user->id),
			    BYTES(envelope->opened->remote),
			    BYTES(envelope->opened->user_agent),
			    envelope->opened->is_told ? " told" : "");
		buf_append_str(out, envelope->opened->is_moved ? " moved" : "");
		break;
	case LINK__ENVELOPE__BODY_CLOSED:
		buf_appendf(out, "Closed %c", LETTER(envelope->closed->connection));
		break;
	case LINK__ENVELOPE__BODY_LEASE:
		buf_appendf(out, "Lease %d connections=%d%s%s",
			    (int)envelope->lease->lease_ms,
			    (int)envelope->lease->connections,
			    envelope->lease->is_home ? " home" : "",
			    envelope->lease->is_last ? " last" : "");
		break;
	case LINK__ENVELOPE__BODY_COMMAND_DONE:
		show_command_done(out, envelope->command_done);
		break;
	default:
		buf_appendf(out, "message %d", (int)envelope->body_case);
	}
}

static void show(struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_CONNECTED:
		show_connected(out, envelope->connected);
		break;
	case LINK__ENVELOPE__BODY_DISCONNECTED:
		buf_appendf(out, "Disconnected %c error=%.*s",
			    LETTER(envelope->disconnected->connection),
			    BYTES(envelope->disconnected->error));
		break;
	case LINK__ENVELOPE__BODY_INVOKE:
		show_invoke(out, envelope->invoke);
		break;
	case LINK__ENVELOPE__BODY_MEMBER:
		show_member(out, envelope->member);
		break;
	case LINK__ENVELOPE__BODY_STREAM_ITEM:
		buf_appendf(out, "StreamItem %c %.*s %.*s",
			    LETTER(envelope->stream_item->connection),
			    BYTES(envelope->stream_item->stream_id),
			    BYTES(envelope->stream_item->item));
		break;
	case LINK__ENVELOPE__BODY_CLIENT_COMPLETION:
		show_client_completion(out, envelope->client_completion);
		break;
	case LINK__ENVELOPE__BODY_CANCEL:
		buf_appendf(out, "Cancel %c %.*s", LETTER(envelope->cancel->connection),
			    BYTES(envelope->cancel->invocation_id));
		break;
	case LINK__ENVELOPE__BODY_FLOW:
		buf_appendf(out, "Flow %c%s", LETTER(envelope->flow->connection),
			    envelope->flow->is_blocked ? " blocked" : "");
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		buf_appendf(out, "Replayed %d", (int)envelope->replayed->connections);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		show_joined(out, envelope->joined);
		break;
	case LINK__ENVELOPE__BODY_REQUEST:
		show_request(out, envelope->request);
		break;
	case LINK__ENVELOPE__BODY_RESPONSE:
		show_response(out, envelope->response);
		break;
	case LINK__ENVELOPE__BODY_SHARDS:
		show_shards(out, envelope->shards);
		break;
	case LINK__ENVELOPE__BODY_RELEASE:
		buf_appendf(out, "Release %c", LETTER(envelope->release->connection));
		break;
	case LINK__ENVELOPE__BODY_CLAIM:
		show_claim(out, envelope->claim);
		break;
	case LINK__ENVELOPE__BODY_TUNNEL:
		show_tunnel(out, envelope->tunnel);
		break;
	default:
		if (!show_moving(out, envelope))
			show_presence(out, envelope);
	}
	buf_append_str(out, "; ");
}

void peer_expect(struct link_peer *peer, const char *sent)
{
	struct buf out = BUF_INIT;
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(peer)) != NULL) {
		if (envelope->body_case != LINK__ENVELOPE__BODY_REPORT &&
		    (envelope->body_case != LINK__ENVELOPE__BODY_SHARDS ||
		     peer->shows_shards))
			show(&out, envelope);
		link__envelope__free_unpacked(envelope, NULL);
	}
	cr_expect_str_eq(kit_shown(&out), sent);
	buf_fini(&out);
}

void peer_begin(struct link_peer *peer, struct slice id)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Began began = LINK__BEGAN__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_BEGAN;
	envelope.began = &began;
	began.hub = link_bytes(SLICE("chat"));
	began.connection = link_bytes(id);
	gateway_link_ops.on_envelope(peer, &envelope);
}

/* As a router does that has nothing else to do. */
static void begin(struct link_peer *peer, const Link__Connected *connected)
{
	if (!connected->is_resumed && !connected->is_standby)
		peer_begin(peer, link_slice(connected->connection));
}

void peer_handle(struct link_peer *peer)
{
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(peer)) != NULL) {
		if (envelope->body_case == LINK__ENVELOPE__BODY_CONNECTED)
			begin(peer, envelope->connected);
		link__envelope__free_unpacked(envelope, NULL);
	}
	fake_peer_ack(peer);
}

void peer_fill(struct link_peer *peer)
{
	Link__Connected connected = LINK__CONNECTED__INIT;

	while (link_send_connected(peer, &connected, NULL) == OK)
		;
}
