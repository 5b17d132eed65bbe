/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway would know from the token and the request stands in the words.
 */
#include "router/hubtest/act_connect.h"

#define ROLES_MAX 32
#define HEADERS_MAX 32

/* The message that announces it, while its words are read. */
struct arrival {
	struct world *world;
	struct player *player;
	Link__Connected connected;
	Link__User user;
	ProtobufCBinaryData roles[ROLES_MAX];
	Link__Header headers[HEADERS_MAX];
	Link__Header *header_pointers[HEADERS_MAX];
};

static bool take_user(struct arrival *arrival, struct slice value)
{
	arrival->player->user_id = arena_dup(&arrival->world->arena, value);
	return true;
}

static bool take_name(struct arrival *arrival, struct slice value)
{
	arrival->player->user_name = arena_dup(&arrival->world->arena, value);
	return true;
}

/* "admin,ops" are two. */
static bool take_role(struct arrival *arrival, struct slice value)
{
	while (value.len > 0) {
		if (arrival->user.n_roles == ROLES_MAX)
			return false;
		arrival->roles[arrival->user.n_roles++] =
			link_bytes(slice_trim(slice_cut(&value, ',')));
	}
	return true;
}

static bool take_claims(struct arrival *arrival, struct slice value)
{
	struct value *claims;

	arrival->user.claims = link_bytes(value);
	return value_decode_json(value, &arrival->world->scratch, &claims) == OK &&
	       claims->type == VALUE_MAP;
}

static bool take_query(struct arrival *arrival, struct slice value)
{
	arrival->connected.query = link_bytes(value);
	return true;
}

static bool take_transport(struct arrival *arrival, struct slice value)
{
	if (slice_equal_nocase(value, SLICE("WebSockets")))
		arrival->connected.transport = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS;
	else if (slice_equal_nocase(value, SLICE("ServerSentEvents")))
		arrival->connected.transport =
			LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS;
	else if (slice_equal_nocase(value, SLICE("LongPolling")))
		arrival->connected.transport = LINK__TRANSPORT__TRANSPORT_LONG_POLLING;
	else
		return false;
	return true;
}

static bool take_protocol(struct arrival *arrival, struct slice value)
{
	const struct hub_codec *codec = hub_codec_named(value);

	if (codec != NULL)
		arrival->player->codec = codec;
	return codec != NULL;
}

static bool take_header(struct arrival *arrival, struct slice name, struct slice value)
{
	const size_t n = arrival->connected.n_headers;

	if (n == HEADERS_MAX || name.len == 0)
		return false;
	arrival->headers[n] = (Link__Header)LINK__HEADER__INIT;
	arrival->headers[n].name = link_bytes(name);
	arrival->headers[n].value = link_bytes(value);
	arrival->header_pointers[n] = &arrival->headers[n];
	arrival->connected.n_headers = n + 1;
	return true;
}

/* ---- words */

static const struct {
	const char *name;
	bool (*take)(struct arrival *arrival, struct slice value);
} members[] = {
	{ "user", take_user },	       { "name", take_name },
	{ "role", take_role },	       { "claims", take_claims },
	{ "query", take_query },       { "transport", take_transport },
	{ "protocol", take_protocol },
};

/* A quoted value is what it says. */
static bool unquote(struct arena *arena, struct slice *value)
{
	struct value *decoded;

	if (value->len == 0 || value->ptr[0] != '"')
		return true;
	if (value_decode_json(*value, arena, &decoded) != OK)
		return false;
	*value = decoded->bytes;
	return true;
}

static bool take_word(struct arrival *arrival, struct slice word)
{
	static const struct slice prefix = { "header.", 7 };
	const struct slice name = slice_cut(&word, '=');

	if (word.ptr == NULL || !unquote(&arrival->world->scratch, &word))
		return false;
	if (slice_starts_with(name, prefix))
		return take_header(arrival, slice_from(name, prefix.len), word);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (slice_equal(slice_from_str(members[i].name), name))
			return members[i].take(arrival, word);
	}
	return false;
}

/* ---- the arrival */

/* The user's key first, so that on_connected reaches it. */
static void announce(struct arrival *arrival)
{
	struct player *player = arrival->player;
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	arrival->user.id = link_bytes(player->user_id);
	arrival->user.name = link_bytes(player->user_name);
	arrival->user.roles = arrival->roles;
	arrival->connected.hub = link_bytes(player->hub);
	arrival->connected.connection = link_bytes(player->name);
	arrival->connected.user = &arrival->user;
	arrival->connected.protocol = player->codec->protocol;
	arrival->connected.headers = arrival->header_pointers;
	player->is_open = true;
	if (player->user_id.len > 0)
		world_member(arrival->world, player, LINK__KIND__KIND_USER,
			     player->user_id, false);
	envelope.body_case = LINK__ENVELOPE__BODY_CONNECTED;
	envelope.connected = &arrival->connected;
	world_hear(arrival->world, &envelope);
}

enum err act_connect(struct world *world, const struct slice *words, size_t n,
		     struct buf *why)
{
	struct arrival arrival = {
		.world = world,
		.connected = LINK__CONNECTED__INIT,
		.user = LINK__USER__INIT,
	};

	if (n == 0 || world_player(world, words[0]) != NULL) {
		buf_append_str(why, "a name that nobody connected has is wanted");
		return ERR_MALFORMED;
	}
	arrival.player = world_player_add(world, words[0]);
	if (arrival.player == NULL) {
		buf_appendf(why, "more than %d have come", WORLD_PLAYERS_MAX);
		return ERR_MALFORMED;
	}
	arrival.player->hub = world->hub;
	arrival.connected.transport = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS;
	for (size_t i = 1; i < n; i++) {
		if (take_word(&arrival, words[i]))
			continue;
		buf_append_slice(why, words[i]);
		buf_append_str(why, " is none of user=, name=, role=, claims={}, query=, "
				    "transport=, protocol=, header.NAME=");
		return ERR_MALFORMED;
	}
	announce(&arrival);
	return OK;
}
