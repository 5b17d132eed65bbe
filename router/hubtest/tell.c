/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames are decoded by the codecs that encoded them, so that lines show values, not
 * bytes: in JSON, whatever the player's protocol.
 */
#include "router/hubtest/tell.h"

#include <inttypes.h>

#include "router/hub_private.h"
#include "router/hubtest/words.h"

/* ---- a line */

static void say(struct world *world, struct buf *line)
{
	lines_add(world->lines, buf_slice(line));
	buf_fini(line);
}

/* The player's name and a blank. */
static struct buf line_of(const struct player *player)
{
	struct buf line = BUF_INIT;

	buf_append_slice(&line, player->name);
	buf_append_byte(&line, ' ');
	return line;
}

/* A raw value of that protocol as JSON. */
static void write_raw(struct world *world, struct buf *line,
		      const struct hub_codec *codec, struct slice raw)
{
	struct value *value;

	if (codec->decode_value(raw, &world->scratch, &value) == OK)
		value_encode_json(line, value);
	else
		buf_append_str(line, "(no value)");
}

/* Each of the arguments, with a blank before it. */
static void write_arguments(struct world *world, struct buf *line,
			    const struct hub_codec *codec, struct slice raw)
{
	struct value *value;

	if (codec->decode_value(raw, &world->scratch, &value) != OK ||
	    value->type != VALUE_ARRAY) {
		buf_append_str(line, " (no arguments)");
		return;
	}
	for (const struct value *item = value->first; item != NULL; item = item->next) {
		buf_append_byte(line, ' ');
		value_encode_json(line, item);
	}
}

static void write_text(struct buf *line, struct slice text)
{
	if (text.len == 0)
		return;
	buf_append_byte(line, ' ');
	buf_append_slice(line, text);
}

/* ---- one frame for one player */

static bool frame_read(struct world *world, const struct hub_codec *codec,
		       ProtobufCBinaryData frame, struct hub_message *message)
{
	const char *reason = NULL;
	struct slice inside;

	return codec->cut(link_slice(frame), SIZE_MAX / 2, &inside) > 0 &&
	       codec->decode(inside, &world->scratch, message, &reason) == OK;
}

static void say_invocation(struct world *world, struct player *player,
			   const struct hub_codec *codec,
			   const struct hub_message *message)
{
	struct buf line = line_of(player);

	if (message->invocation_id.len > 0 &&
	    player_question_add(player, message->invocation_id, message->target) != OK)
		buf_append_str(&line, "cannot answer so much: ");
	buf_append_str(&line, message->invocation_id.len > 0 ? "asked " : "got ");
	words_write(&line, message->target);
	write_arguments(world, &line, codec, message->arguments);
	say(world, &line);
}

static struct slice label_of(const struct player *player,
			     const struct hub_message *message)
{
	const struct player_call *call = player_call_of(player, message->invocation_id);

	return call != NULL ? call->label : SLICE("(unknown)");
}

static void say_item(struct world *world, const struct player *player,
		     const struct hub_codec *codec, const struct hub_message *message)
{
	struct buf line = line_of(player);

	buf_append_slice(&line, label_of(player, message));
	buf_append_str(&line, " item ");
	write_raw(world, &line, codec, message->payload);
	say(world, &line);
}

static void say_completion(struct world *world, struct player *player,
			   const struct hub_codec *codec,
			   const struct hub_message *message)
{
	struct buf line = line_of(player);

	buf_append_slice(&line, label_of(player, message));
	if (message->has_error) {
		buf_append_str(&line, " failed");
		write_text(&line, message->error);
	} else if (message->has_result) {
		buf_append_str(&line, " returned ");
		write_raw(world, &line, codec, message->payload);
	} else {
		buf_append_str(&line, " ended");
	}
	player_call_remove(player, message->invocation_id);
	say(world, &line);
}

static void say_frame(struct world *world, struct player *player,
		      const struct hub_codec *codec, ProtobufCBinaryData frame)
{
	struct hub_message message;
	struct buf line;

	if (!frame_read(world, codec, frame, &message)) {
		line = line_of(player);
		buf_append_str(&line, "got bytes that are no message");
		say(world, &line);
	} else if (message.type == HUB_MESSAGE_INVOCATION) {
		say_invocation(world, player, codec, &message);
	} else if (message.type == HUB_MESSAGE_STREAM_ITEM) {
		say_item(world, player, codec, &message);
	} else if (message.type == HUB_MESSAGE_COMPLETION) {
		say_completion(world, player, codec, &message);
	}
}

/* ---- to many */

static bool is_excluded(const Link__Deliver *deliver, const struct player *player)
{
	for (size_t i = 0; i < deliver->n_excluded; i++) {
		if (slice_equal(link_slice(deliver->excluded[i]), player->name))
			return true;
	}
	return false;
}

static bool is_receiver(const Link__Deliver *deliver, const struct player *player)
{
	const struct slice name = link_slice(deliver->name);

	if (!player->is_open || is_excluded(deliver, player) ||
	    !slice_equal_nocase(link_slice(deliver->hub), player->hub))
		return false;
	switch ((int)deliver->kind) {
	case LINK__KIND__KIND_ALL:
		return true;
	case LINK__KIND__KIND_GROUP:
		return player_is_in(player, name);
	case LINK__KIND__KIND_USER:
		return slice_equal(player->user_id, name);
	case LINK__KIND__KIND_CONNECTION:
		return slice_equal(player->name, name);
	default:
		return false;
	}
}

/* That in the player's protocol, or the only one there is: a gateway would translate. */
static const Link__Payload *payload_for(const Link__Deliver *deliver,
					const struct player *player)
{
	for (size_t i = 0; i < deliver->n_payloads; i++) {
		if (deliver->payloads[i]->protocol == player->codec->protocol)
			return deliver->payloads[i];
	}
	return deliver->payloads[0];
}

static void on_deliver(struct world *world, const Link__Deliver *deliver)
{
	for (size_t i = 0; i < world->players_n && deliver->n_payloads > 0; i++) {
		struct player *player = world->players[i];
		const Link__Payload *payload = payload_for(deliver, player);
		const struct hub_codec *codec =
			hub_codec((enum hub_protocol)payload->protocol);

		if (codec != NULL && is_receiver(deliver, player))
			say_frame(world, player, codec, payload->frame);
	}
}

/* ---- the rest */

static void answer_join(struct world *world, const Link__Join *join, enum err rc)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Joined joined = LINK__JOINED__INIT;

	joined.hub = join->hub;
	joined.connection = join->connection;
	joined.call = join->call;
	joined.rc = rc;
	joined.group = join->group;
	joined.is_leave = join->is_leave;
	joined.origin = join->origin;
	envelope.body_case = LINK__ENVELOPE__BODY_JOINED;
	envelope.joined = &joined;
	world_hear(world, &envelope);
}

/* Twice is the same as once, and nothing to see. */
static void on_join(struct world *world, const Link__Join *join)
{
	struct player *player = world_player(world, link_slice(join->connection));
	const struct slice group = link_slice(join->group);
	struct buf line;
	enum err rc;

	if (player == NULL) {
		answer_join(world, join, ERR_NOT_FOUND);
		return;
	}
	rc = join->is_leave ? player_leave(player, group) : player_join(player, group);
	if (rc == OK) {
		world_member(world, player, LINK__KIND__KIND_GROUP, group,
			     join->is_leave);
		line = line_of(player);
		buf_append_str(&line, join->is_leave ? "left " : "joined ");
		words_write(&line, group);
		say(world, &line);
	}
	answer_join(world, join, rc == ERR_LIMIT ? ERR_LIMIT : OK);
}

static void on_abort(struct world *world, const Link__Abort *abort)
{
	struct player *player = world_player(world, link_slice(abort->connection));
	struct buf line;

	if (player == NULL)
		return;
	line = line_of(player);
	buf_append_str(&line, "closed");
	write_text(&line, link_slice(abort->error));
	say(world, &line);
	world_disconnect(world, player, SLICE_NONE);
}

static void on_frame(struct world *world, ProtobufCBinaryData connection,
		     ProtobufCBinaryData frame)
{
	struct player *player = world_player(world, link_slice(connection));

	if (player != NULL && frame.len > 0)
		say_frame(world, player, player->codec, frame);
}

void tell_envelope(struct world *world, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_DELIVER:
		on_deliver(world, envelope->deliver);
		break;
	case LINK__ENVELOPE__BODY_COMPLETE:
		on_frame(world, envelope->complete->connection,
			 envelope->complete->frame);
		break;
	case LINK__ENVELOPE__BODY_PUSH:
		on_frame(world, envelope->push->connection, envelope->push->frame);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		on_join(world, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_ABORT:
		on_abort(world, envelope->abort);
		break;
	default:
		break; /* credit, which players do not wait for */
	}
}

/* ---- what hubs tell operators */

void tell_counted(struct world *world)
{
	const struct router *router = world->stage.router;
	const struct hub_runtime *hubs = router->hubs;
	const struct metric_counter *counters = router->metrics.hub_counted.items;

	for (size_t i = 0; i < hubs->served_n; i++) {
		const struct hub_served *hub = &hubs->served[i];

		for (size_t j = 0; j < hub->module->counters_n; j++) {
			const size_t at = hub->counters + j;
			struct buf line = BUF_INIT;

			if (counters[at].value == world->counted[at])
				continue;
			buf_appendf(&line, "counted %s.%s %" PRIu64, hub->module->name,
				    hub->module->counters[j],
				    counters[at].value - world->counted[at]);
			world->counted[at] = counters[at].value;
			say(world, &line);
		}
	}
}

bool tell_logged(struct world *world, enum log_level level, const char *id,
		 const char *pairs)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct slice rest = slice_from_str(id);
	struct buf line = BUF_INIT;

	/* "hub.slow" and the like are the router's. */
	if (!slice_starts_with(rest, SLICE("hub.")) ||
	    slice_find(slice_from(rest, 4), '.') < 0)
		return false;
	buf_appendf(&line, "logged %s %s", levels[level], id + 4);
	write_text(&line, slice_from_str(pairs));
	say(world, &line);
	return true;
}
