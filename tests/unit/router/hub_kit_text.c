/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router sends, as the lines that tests compare.
 */
#include "proto/wire/hub_json.h"
#include "tests/unit/router/hub_kit.h"

static const char *kind_name(Link__Kind kind)
{
	static const char *const names[] = { "none", "group", "user", "connection",
					     "all" };

	cr_assert_lt((size_t)kind, sizeof(names) / sizeof(names[0]));
	return names[kind];
}

static void write_word(struct buf *out, ProtobufCBinaryData word)
{
	buf_append_byte(out, ' ');
	buf_append_slice(out, link_slice(word));
}

/* JSON without the byte that ends it, MessagePack as hexadecimal digits. */
static void write_frame(struct buf *out, ProtobufCBinaryData frame)
{
	buf_append_byte(out, ' ');
	if (frame.len == 0) {
		buf_append_byte(out, '-');
		return;
	}
	if (frame.data[frame.len - 1] != HUB_JSON_END) {
		for (size_t i = 0; i < frame.len; i++)
			buf_appendf(out, "%02x", frame.data[i]);
		return;
	}
	buf_append(out, frame.data, frame.len - 1);
}

static void write_payloads(struct buf *out, Link__Kind kind, ProtobufCBinaryData name,
			   Link__Payload *const *payloads, size_t n)
{
	buf_appendf(out, " %s", kind_name(kind));
	if (name.len > 0)
		write_word(out, name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_append_str(out, " and");
		write_frame(out, payloads[i]->frame);
	}
}

static void write_excluded(struct buf *out, const ProtobufCBinaryData *excluded, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_append_str(out, " without");
		write_word(out, excluded[i]);
	}
}

static void write_send(struct kit *kit, struct buf *out, const Link__Send *send)
{
	buf_append_str(out, "send");
	write_payloads(out, send->kind, send->name, send->payloads, send->n_payloads);
	write_excluded(out, send->excluded, send->n_excluded);
	kit->call = send->call;
}

static void write_deliver(struct buf *out, const Link__Deliver *deliver)
{
	buf_append_str(out, "deliver");
	write_payloads(out, deliver->kind, deliver->name, deliver->payloads,
		       deliver->n_payloads);
	write_excluded(out, deliver->excluded, deliver->n_excluded);
}

static void write_complete(struct buf *out, const Link__Complete *complete)
{
	buf_append_str(out, "complete");
	write_word(out, complete->connection);
	buf_appendf(out, " %u", (unsigned)complete->call);
	write_frame(out, complete->frame);
}

static void write_join(struct kit *kit, struct buf *out, const Link__Join *join)
{
	buf_append_str(out, join->is_leave ? "leave" : "join");
	write_word(out, join->connection);
	write_word(out, join->group);
	kit->call = join->call;
}

static void write_members(struct buf *out, const Link__Members *members)
{
	buf_appendf(out, "members %s", err_name((enum err)members->rc));
	for (size_t i = 0; i < members->n_members; i++) {
		write_word(out, members->members[i]->connection);
		write_word(out, members->members[i]->user_id);
	}
	if (members->next.len > 0) {
		buf_append_str(out, " next");
		write_word(out, members->next);
	}
}

static void write_done(struct kit *kit, struct buf *out, const Link__CommandDone *done)
{
	buf_appendf(out, "done %s", err_name((enum err)done->rc));
	if (done->size > 0)
		buf_appendf(out, " of %u", (unsigned)done->size);
	for (size_t i = 0; i < done->n_groups; i++) {
		write_word(out, done->groups[i]->name);
		buf_appendf(out, "=%u", (unsigned)done->groups[i]->members);
	}
	for (size_t i = 0; i < done->n_members; i++)
		write_word(out, done->members[i]->connection);
	if (done->next.len > 0) {
		buf_append_str(out, " next");
		write_word(out, done->next);
	}
	kit->call = done->call;
}

static void write_state(struct buf *out, const Link__State *state)
{
	static const char *const ops[] = { "none", "append", "read",   "put", "get",
					   "list", "remove", "forget", "end", "changed" };

	cr_assert_lt((size_t)state->op, sizeof(ops) / sizeof(ops[0]));
	buf_appendf(out, "state %s", ops[state->op]);
	write_word(out, state->key);
	if (state->name.len > 0)
		write_word(out, state->name);
	if (state->value.len > 0)
		write_word(out, state->value);
	if (state->is_expecting)
		buf_appendf(out, " expects %u", (unsigned)state->expected);
	if (state->first > 1)
		buf_appendf(out, " from %u", (unsigned)state->first);
	if (state->before > 0)
		buf_appendf(out, " before %u", (unsigned)state->before);
	if (state->entries_max > 0)
		buf_appendf(out, " max %u", state->entries_max);
	if (state->wait_ms > 0)
		buf_appendf(out, " waits %u", (unsigned)state->wait_ms);
}

static void write_state_done(struct buf *out, const Link__StateDone *done)
{
	buf_appendf(out, "state_done %s", err_name((enum err)done->rc));
	if (done->number > 0)
		buf_appendf(out, " is %u", (unsigned)done->number);
	for (size_t i = 0; i < done->n_entries; i++) {
		const Link__StateEntry *entry = done->entries[i];

		buf_appendf(out, " %u:", (unsigned)entry->number);
		if (entry->name.len > 0)
			buf_appendf(out, "%.*s=", SLICE_FMT(link_slice(entry->name)));
		buf_append_slice(out, link_slice(entry->value));
	}
	if (done->last > 0)
		buf_appendf(out, " last %u", (unsigned)done->last);
	if (done->is_more)
		buf_append_str(out, " more");
}

static void write_credit(struct buf *out, const Link__Credit *credit)
{
	buf_append_str(out, "credit");
	write_word(out, credit->connection);
	write_word(out, credit->stream_id);
	buf_appendf(out, " %u", credit->items);
}

static void write_question(struct kit *kit, struct buf *out,
			   const Link__Question *question)
{
	buf_append_str(out, "question");
	write_word(out, question->connection);
	write_word(out, question->target);
	write_word(out, question->arguments);
	buf_appendf(out, " %u", (unsigned)question->timeout_ms);
	kit->call = question->call;
}

static void write_answer(struct buf *out, const Link__Answer *answer)
{
	buf_appendf(out, "answer %u %s", (unsigned)answer->call,
		    err_name((enum err)answer->rc));
	if (answer->result.len > 0)
		write_word(out, answer->result);
	if (answer->has_error)
		write_word(out, answer->error);
}

static void write_request(struct buf *out, const Link__Request *request)
{
	buf_appendf(out, "request %d", (int)request->kind);
	write_word(out, request->connection);
	buf_appendf(out, " %u of", (unsigned)request->call);
	write_word(out, request->origin);
	write_word(out, request->body);
	if (request->good_ms > 0)
		buf_append_str(out,
			       request->at_ms > 0 && request->good_ms <= KIT_LEFT_MS_MAX
				       ? " in time"
				       : " with too much time");
}

static void write_response(struct buf *out, const Link__Response *response)
{
	buf_appendf(out, "response %u to", response->status);
	write_word(out, response->origin);
	buf_appendf(out, " %u", (unsigned)response->call);
	write_word(out, response->connection);
	write_word(out, response->gateway);
	write_word(out, response->body);
}

static void write_tunnel(struct buf *out, const Link__Tunnel *tunnel)
{
	buf_append_str(out, "tunnel");
	write_word(out, tunnel->connection);
	buf_appendf(out, " %u from", (unsigned)tunnel->call);
	write_word(out, tunnel->origin);
	write_word(out, tunnel->data);
	if (tunnel->is_end)
		buf_append_str(out, tunnel->is_error ? " error" : " end");
}

/* To presence. */
static void write_presence(struct buf *out, const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_LEASE) {
		buf_appendf(out, "lease %u%s", (unsigned)envelope->lease->connections,
			    envelope->lease->is_home ? " home" : "");
		return;
	}
	buf_append_str(out, "watch");
	write_word(out, envelope->watch->after);
}

/* From one gateway to another: false, it is none of these. */
static bool write_handover(struct buf *out, const Link__Envelope *envelope)
{
	const Link__HandoverTaken *taken = envelope->handover_taken;

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_HANDOVER:
		buf_appendf(out, "handover %u", (unsigned)envelope->handover->call);
		write_word(out, envelope->handover->connection);
		write_word(out, envelope->handover->origin);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_TAKEN:
		buf_appendf(out, "taken %u %s%s", (unsigned)taken->call,
			    err_name((enum err)taken->rc), taken->is_done ? " done" : "");
		write_word(out, taken->gateway);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_MOVED:
		buf_appendf(out, "moved %u %s", (unsigned)envelope->handover_moved->call,
			    err_name((enum err)envelope->handover_moved->rc));
		for (size_t i = 0; i < envelope->handover_moved->n_keys; i++)
			write_word(out, envelope->handover_moved->keys[i]->name);
		return true;
	case LINK__ENVELOPE__BODY_HANDOVER_REST:
		buf_appendf(out, "rest %u%s", (unsigned)envelope->handover_rest->call,
			    envelope->handover_rest->is_failed ? " failed" : "");
		return true;
	default:
		return false;
	}
}

/* From one gateway to another. */
static void write_between(struct buf *out, const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_REQUEST)
		write_request(out, envelope->request);
	else if (envelope->body_case == LINK__ENVELOPE__BODY_RESPONSE)
		write_response(out, envelope->response);
	else
		write_tunnel(out, envelope->tunnel);
}

/* What belongs to streams and to questions to clients. */
static void write_dialog(struct kit *kit, struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_PUSH:
		buf_append_str(out, "push");
		write_word(out, envelope->push->connection);
		write_frame(out, envelope->push->frame);
		break;
	case LINK__ENVELOPE__BODY_CREDIT:
		write_credit(out, envelope->credit);
		break;
	case LINK__ENVELOPE__BODY_QUESTION:
		write_question(kit, out, envelope->question);
		break;
	case LINK__ENVELOPE__BODY_ANSWER:
		write_answer(out, envelope->answer);
		break;
	case LINK__ENVELOPE__BODY_REQUEST:
	case LINK__ENVELOPE__BODY_RESPONSE:
	case LINK__ENVELOPE__BODY_TUNNEL:
		write_between(out, envelope);
		break;
	default:
		if (!write_handover(out, envelope))
			cr_assert_fail("message %d", (int)envelope->body_case);
	}
}

static void write_move(struct buf *out, const Link__StateMove *move)
{
	buf_append_str(out, move->is_last ? "state_move last" : "state_move");
	if (move->is_last)
		return;
	write_word(out, move->key);
	buf_append_str(out, move->is_log ? " log" : " fields");
	for (size_t i = 0; i < move->n_entries; i++) {
		write_word(out, move->entries[i]->name);
		buf_append_byte(out, '=');
		buf_append_slice(out,
				 slice_make((const char *)move->entries[i]->value.data,
					    move->entries[i]->value.len < 20
						    ? move->entries[i]->value.len
						    : 20));
	}
	if (move->is_more)
		buf_append_str(out, " more");
}

static void write_reshard(struct buf *out, const Link__Envelope *envelope)
{
	const Link__Shards *shards = envelope->shards;
	const Link__Released *released = envelope->released;

	if (envelope->body_case == LINK__ENVELOPE__BODY_SHARDS) {
		buf_appendf(out, "shards %d.%d%s", (int)shards->epoch, (int)shards->phase,
			    shards->is_done ? " done" : "");
		return;
	}
	if (envelope->body_case == LINK__ENVELOPE__BODY_STATE_MOVE) {
		write_move(out, envelope->state_move);
		return;
	}
	buf_append_str(out, "released");
	write_word(out, released->connection);
	for (size_t i = 0; i < released->n_items; i++)
		write_word(out, released->items[i]->name);
}

static void write_began(struct buf *out, const Link__Began *began)
{
	buf_append_str(out, "began");
	write_word(out, began->connection);
}

void kit_write(struct kit *kit, struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_COMPLETE:
		write_complete(out, envelope->complete);
		break;
	case LINK__ENVELOPE__BODY_ABORT:
		buf_append_str(out, "abort");
		write_word(out, envelope->abort->connection);
		write_word(out, envelope->abort->error);
		break;
	case LINK__ENVELOPE__BODY_BEGAN:
		write_began(out, envelope->began);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		write_join(kit, out, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		buf_append_str(out, "joined");
		write_word(out, envelope->joined->connection);
		buf_appendf(out, " %s", err_name((enum err)envelope->joined->rc));
		kit->call = envelope->joined->call;
		break;
	case LINK__ENVELOPE__BODY_SEND:
		write_send(kit, out, envelope->send);
		break;
	case LINK__ENVELOPE__BODY_SENT:
		buf_appendf(out, "sent %s", err_name((enum err)envelope->sent->rc));
		kit->call = envelope->sent->call;
		break;
	case LINK__ENVELOPE__BODY_DELIVER:
		write_deliver(out, envelope->deliver);
		break;
	case LINK__ENVELOPE__BODY_LIST_MEMBERS:
		buf_append_str(out, "list_members");
		write_word(out, envelope->list_members->group);
		if (envelope->list_members->cursor.len > 0) {
			buf_append_str(out, " after");
			write_word(out, envelope->list_members->cursor);
		}
		kit->call = envelope->list_members->call;
		break;
	case LINK__ENVELOPE__BODY_MEMBERS:
		write_members(out, envelope->members);
		kit->call = envelope->members->call;
		break;
	case LINK__ENVELOPE__BODY_STATE:
		write_state(out, envelope->state);
		kit->call = envelope->state->call;
		break;
	case LINK__ENVELOPE__BODY_STATE_DONE:
		write_state_done(out, envelope->state_done);
		kit->call = envelope->state_done->call;
		break;
	case LINK__ENVELOPE__BODY_COMMAND_DONE:
		write_done(kit, out, envelope->command_done);
		break;
	case LINK__ENVELOPE__BODY_SHARDS:
	case LINK__ENVELOPE__BODY_RELEASED:
	case LINK__ENVELOPE__BODY_STATE_MOVE:
		write_reshard(out, envelope);
		break;
	case LINK__ENVELOPE__BODY_FENCE:
		buf_append_str(out, "fence");
		break;
	case LINK__ENVELOPE__BODY_LEASE:
	case LINK__ENVELOPE__BODY_WATCH:
		write_presence(out, envelope);
		break;
	default:
		write_dialog(kit, out, envelope);
	}
}
