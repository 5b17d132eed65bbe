/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command is "connect NAME ...", "wait 5s" and the like; anything else begins with the
 * name of a player, and a verb.
 */
#include "router/hubtest/act.h"

#include <inttypes.h>

#include "proto/base/conf_value.h"
#include "router/hubtest/act_connect.h"
#include "router/hubtest/words.h"

#define STREAMS_MAX 16
#define WAIT_MS_MAX (366LL * 24 * 3600 * 1000)

/* One command under way. */
struct act {
	struct world *world;
	struct player *player;	   /* NULL: it is nobody's */
	const struct slice *words; /* behind the verb */
	size_t n;
	struct buf *why;
};

static enum err refuse(const struct act *act, const char *text)
{
	buf_append_str(act->why, text);
	return ERR_MALFORMED;
}

/* A word that may be quoted. */
static enum err read_text(const struct act *act, struct slice word, struct slice *text)
{
	struct value *value;

	*text = word;
	if (word.len == 0 || word.ptr[0] != '"')
		return OK;
	if (value_decode_json(word, &act->world->scratch, &value) != OK)
		return refuse(act, "a text that is no JSON string");
	*text = value->bytes;
	return OK;
}

/* All words from `first` on, a quoted one as what it says. */
static enum err read_rest(const struct act *act, size_t first, struct slice *text)
{
	if (first == act->n) {
		*text = SLICE("");
		return OK;
	}
	if (first + 1 == act->n)
		return read_text(act, act->words[first], text);
	*text = slice_make(act->words[first].ptr,
			   (size_t)(act->words[act->n - 1].ptr +
				    act->words[act->n - 1].len - act->words[first].ptr));
	return OK;
}

/* A JSON value, in the player's protocol. */
static enum err read_value(const struct act *act, struct slice word, struct buf *raw)
{
	struct value *value;

	if (value_decode_json(word, &act->world->scratch, &value) != OK) {
		buf_append_str(act->why, "no JSON: ");
		buf_append_slice(act->why, word);
		return ERR_MALFORMED;
	}
	act->player->codec->encode_value(raw, value);
	return OK;
}

static void hear(const struct act *act, Link__Envelope__BodyCase body_case, void *body)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	envelope.body_case = body_case;
	envelope.invoke = body; /* a union of pointers */
	world_hear(act->world, &envelope);
}

/* ---- calling */

/* What an Invoke is made of: arguments, and the streams that "~name" words open. */
struct call_parts {
	struct value *arguments;
	ProtobufCBinaryData stream_ids[STREAMS_MAX];
	size_t streams_n;
};

static enum err add_stream(const struct act *act, struct slice name,
			   struct call_parts *parts)
{
	const struct slice id = world_number(act->world);

	if (parts->streams_n == STREAMS_MAX ||
	    player_upload_add(act->player, id, name) != OK)
		return refuse(act, "too many streams");
	parts->stream_ids[parts->streams_n++] = link_bytes(id);
	return OK;
}

static enum err read_parts(const struct act *act, struct call_parts *parts)
{
	struct arena *scratch = &act->world->scratch;
	struct value *value;
	enum err rc = OK;

	*parts = (struct call_parts){ .arguments = value_array(scratch) };
	for (size_t i = 1; i < act->n && rc == OK; i++) {
		const struct slice word = act->words[i];

		if (word.ptr[0] == '~') {
			rc = add_stream(act, word, parts);
		} else if (value_decode_json(word, scratch, &value) == OK) {
			value_add(parts->arguments, value);
		} else {
			buf_append_str(act->why, "an argument that is no JSON: ");
			buf_append_slice(act->why, word);
			rc = ERR_MALFORMED;
		}
	}
	return rc;
}

static enum err call_method(const struct act *act, bool is_answered, bool is_stream)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;
	struct buf arguments = BUF_INIT;
	struct call_parts parts;
	struct slice id;
	enum err rc;

	if (act->n == 0)
		return refuse(act, "the name of a method is missing");
	rc = read_parts(act, &parts);
	if (rc != OK)
		return rc;
	id = world_number(act->world);
	if (is_answered && player_call_add(act->player, id, act->words[0]) != OK)
		return refuse(act, "too many calls under way");
	act->player->codec->encode_value(&arguments, parts.arguments);
	invoke.hub = link_bytes(act->player->hub);
	invoke.connection = link_bytes(act->player->name);
	invoke.call = act->world->last_number;
	invoke.protocol = act->player->codec->protocol;
	if (is_answered)
		invoke.invocation_id = link_bytes(id);
	invoke.target = link_bytes(act->words[0]);
	invoke.arguments = link_bytes(buf_slice(&arguments));
	invoke.is_stream = is_stream;
	invoke.stream_ids = parts.stream_ids;
	invoke.n_stream_ids = parts.streams_n;
	hear(act, LINK__ENVELOPE__BODY_INVOKE, &invoke);
	buf_fini(&arguments);
	return OK;
}

static enum err on_invoke(const struct act *act)
{
	return call_method(act, true, false);
}

static enum err on_send(const struct act *act)
{
	return call_method(act, false, false);
}

static enum err on_stream(const struct act *act)
{
	return call_method(act, true, true);
}

/* ---- streams */

static enum err on_cancel(const struct act *act)
{
	Link__Cancel cancel = LINK__CANCEL__INIT;
	const struct player_call *call =
		act->n == 1 ? player_call_named(act->player, act->words[0]) : NULL;

	if (call == NULL)
		return refuse(act, "the name of a call under way is wanted");
	cancel.hub = link_bytes(act->player->hub);
	cancel.connection = link_bytes(act->player->name);
	cancel.invocation_id = link_bytes(call->id);
	hear(act, LINK__ENVELOPE__BODY_CANCEL, &cancel);
	return OK;
}

static const struct player_upload *upload_of(const struct act *act)
{
	return act->n == 0 ? NULL : player_upload_named(act->player, act->words[0]);
}

static enum err on_item(const struct act *act)
{
	const struct player_upload *upload = upload_of(act);
	Link__StreamItem item = LINK__STREAM_ITEM__INIT;
	struct buf raw = BUF_INIT;
	enum err rc;

	if (upload == NULL || act->n != 2)
		return refuse(act, "a stream under way, ~name, and a value are wanted");
	rc = read_value(act, act->words[1], &raw);
	if (rc == OK) {
		item.hub = link_bytes(act->player->hub);
		item.connection = link_bytes(act->player->name);
		item.stream_id = link_bytes(upload->id);
		item.protocol = act->player->codec->protocol;
		item.item = link_bytes(buf_slice(&raw));
		hear(act, LINK__ENVELOPE__BODY_STREAM_ITEM, &item);
	}
	buf_fini(&raw);
	return rc;
}

/* Ends a stream, or answers a question; `raw` or `error` with ptr NULL: it has none. */
static void complete(const struct act *act, struct slice id, struct slice raw,
		     struct slice error)
{
	Link__ClientCompletion completion = LINK__CLIENT_COMPLETION__INIT;

	completion.hub = link_bytes(act->player->hub);
	completion.connection = link_bytes(act->player->name);
	completion.id = link_bytes(id);
	completion.protocol = act->player->codec->protocol;
	completion.has_result = raw.ptr != NULL;
	completion.result = link_bytes(raw);
	completion.has_error = error.ptr != NULL;
	completion.error = link_bytes(error);
	hear(act, LINK__ENVELOPE__BODY_CLIENT_COMPLETION, &completion);
}

static enum err on_end(const struct act *act)
{
	const struct player_upload *upload = upload_of(act);
	struct slice error = SLICE_NONE;
	struct slice id;

	if (upload == NULL)
		return refuse(act, "a stream under way, ~name, is wanted");
	if (act->n > 1 && read_rest(act, 1, &error) != OK)
		return ERR_MALFORMED;
	id = upload->id;
	player_upload_remove(act->player, id);
	complete(act, id, SLICE_NONE, error);
	return OK;
}

/* A client whose socket is full takes no items of streams. */
static enum err flow(const struct act *act, bool is_blocked)
{
	Link__Flow flow = LINK__FLOW__INIT;

	flow.hub = link_bytes(act->player->hub);
	flow.connection = link_bytes(act->player->name);
	flow.is_blocked = is_blocked;
	hear(act, LINK__ENVELOPE__BODY_FLOW, &flow);
	return OK;
}

static enum err on_block(const struct act *act)
{
	return flow(act, true);
}

static enum err on_unblock(const struct act *act)
{
	return flow(act, false);
}

/* ---- questions */

static enum err on_answer(const struct act *act)
{
	struct player_question question;
	struct buf raw = BUF_INIT;
	enum err rc = OK;

	if (act->n > 1)
		return refuse(act, "one value is wanted, or none");
	if (act->n == 1)
		rc = read_value(act, act->words[0], &raw);
	if (rc == OK && !player_question_take(act->player, &question))
		rc = refuse(act, "nothing was asked");
	if (rc == OK)
		complete(act, question.id, buf_slice(&raw), SLICE_NONE);
	buf_fini(&raw);
	return rc;
}

static enum err on_refuse(const struct act *act)
{
	struct player_question question;
	struct slice error;

	if (read_rest(act, 0, &error) != OK)
		return ERR_MALFORMED;
	if (!player_question_take(act->player, &question))
		return refuse(act, "nothing was asked");
	complete(act, question.id, SLICE_NONE, error);
	return OK;
}

/* ---- of nobody, or of somebody who comes or goes */

static enum err on_connect(const struct act *act)
{
	return act_connect(act->world, act->words, act->n, act->why);
}

static enum err on_disconnect(const struct act *act)
{
	struct player *player =
		act->n == 0 ? NULL : world_player(act->world, act->words[0]);
	struct slice error;

	if (player == NULL)
		return refuse(act, "the name of somebody connected is wanted");
	if (read_rest(act, 1, &error) != OK)
		return ERR_MALFORMED;
	world_disconnect(act->world, player, error);
	return OK;
}

static enum err user_change(const struct act *act, Link__Change change)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__UserChange message = LINK__USER_CHANGE__INIT;
	struct slice id;
	struct slice name;

	if (act->n == 0)
		return refuse(act, "the id of a user is wanted");
	if (read_text(act, act->words[0], &id) != OK || read_rest(act, 1, &name) != OK)
		return ERR_MALFORMED;
	message.id = link_bytes(arena_printf(&act->world->scratch, "%020" PRIu64,
					     ++act->world->last_number));
	message.change = change;
	message.user_id = link_bytes(id);
	message.user_name = link_bytes(name.len > 0 ? name : id);
	envelope.body_case = LINK__ENVELOPE__BODY_USER_CHANGE;
	envelope.user_change = &message;
	stage_hear(act->world->stage.presence, &envelope);
	return OK;
}

static enum err on_online(const struct act *act)
{
	return user_change(act, LINK__CHANGE__CHANGE_ONLINE);
}

static enum err on_offline(const struct act *act)
{
	return user_change(act, LINK__CHANGE__CHANGE_OFFLINE);
}

static enum err on_wait(const struct act *act)
{
	struct {
		int64_t ms;
	} values = { 0 };
	const struct conf_option option = {
		.name = "wait", .type = CONF_MS, .min = 1, .max = WAIT_MS_MAX
	};

	if (act->n != 1)
		return refuse(act, "a time is wanted: 250ms, 5s, 2m");
	if (conf_value_set(&option, &values, act->words[0], act->why) != OK)
		return ERR_MALFORMED;
	return world_pass(act->world, values.ms);
}

static enum err on_hub(const struct act *act)
{
	const struct conf_scoped *hubs = &act->world->stage.router->conf->hub_confs;

	if (act->n != 1 || conf_scoped_find(hubs, act->words[0]) == NULL)
		return refuse(act, "the name of a hub that is served is wanted");
	act->world->hub = arena_dup(&act->world->arena, act->words[0]);
	return OK;
}

static enum err redis_answer(const struct act *act)
{
	struct play_redis *redis = &act->world->redis;
	struct value *answer;
	struct slice error;

	if (slice_equal(act->words[0], SLICE("answer")) && act->n == 2 &&
	    value_decode_json(act->words[1], &act->world->scratch, &answer) == OK)
		return play_redis_answer(redis, answer, &act->world->scratch)
			       ? OK
			       : refuse(act, "nothing was asked");
	if (slice_equal(act->words[0], SLICE("refuse")) &&
	    read_rest(act, 1, &error) == OK)
		return play_redis_refuse(redis, error) ? OK
						       : refuse(act, "nothing was asked");
	if (slice_equal(act->words[0], SLICE("lose")) && act->n == 1)
		return play_redis_lose(redis) ? OK : refuse(act, "nothing was asked");
	return refuse(act, "redis may: on, answer JSON, refuse TEXT, lose");
}

static enum err on_redis(const struct act *act)
{
	if (act->n == 0)
		return refuse(act, "redis may: on, answer JSON, refuse TEXT, lose");
	if (!slice_equal(act->words[0], SLICE("on")))
		return redis_answer(act);
	if (play_redis_is_open(&act->world->redis))
		return refuse(act, "it is on");
	play_redis_open(&act->world->redis, act->world->stage.router, act->world->lines);
	return OK;
}

/* ---- which command it is */

struct verb {
	const char *name;
	enum err (*fn)(const struct act *act);
};

static const struct verb commands[] = {
	{ "connect", on_connect }, { "disconnect", on_disconnect },
	{ "online", on_online },   { "offline", on_offline },
	{ "wait", on_wait },	   { "hub", on_hub },
	{ "redis", on_redis },
};

static const struct verb verbs[] = {
	{ "invoke", on_invoke }, { "send", on_send },	    { "stream", on_stream },
	{ "cancel", on_cancel }, { "item", on_item },	    { "end", on_end },
	{ "block", on_block },	 { "unblock", on_unblock }, { "answer", on_answer },
	{ "refuse", on_refuse },
};

#define TABLE_N(table) (sizeof(table) / sizeof((table)[0]))

static const struct verb *verb_find(const struct verb *table, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_equal(slice_from_str(table[i].name), name))
			return &table[i];
	}
	return NULL;
}

static void list_names(const struct verb *table, size_t n, struct buf *why)
{
	for (size_t i = 0; i < n; i++)
		buf_appendf(why, "%s %s", i == 0 ? "" : ",", table[i].name);
}

static enum err refuse_name(const struct act *act, struct slice name)
{
	buf_append_slice(act->why, name);
	buf_append_str(act->why, " is nobody connected, nor one of:");
	list_names(commands, TABLE_N(commands), act->why);
	return ERR_MALFORMED;
}

enum err act_run(struct world *world, struct slice line, struct buf *why)
{
	struct words words;
	struct act act = { .world = world, .why = why };
	const struct verb *verb;

	if (words_split(line, &words) != OK)
		return refuse(&act,
			      "a quote or bracket is not closed, or too many words");
	if (words.n == 0)
		return refuse(&act, "nothing to do");
	act.words = words.items + 1;
	act.n = words.n - 1;
	verb = verb_find(commands, TABLE_N(commands), words.items[0]);
	if (verb != NULL)
		return verb->fn(&act);
	act.player = world_player(world, words.items[0]);
	if (act.player == NULL)
		return refuse_name(&act, words.items[0]);
	verb = words.n < 2 ? NULL : verb_find(verbs, TABLE_N(verbs), words.items[1]);
	if (verb == NULL) {
		buf_append_str(why, "players may:");
		list_names(verbs, TABLE_N(verbs), why);
		return ERR_MALFORMED;
	}
	act.words++;
	act.n--;
	return verb->fn(&act);
}
