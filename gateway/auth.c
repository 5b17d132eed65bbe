/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token is checked from the outside in: size, three parts, base64url, header, shape of
 * the claims, signature, and only then what the claims say. libjwt is the judge of the
 * signature alone; it sees nothing that these checks have not passed, so neither its idea
 * of algorithms nor its JSON parser is exposed to strangers.
 */
#include "gateway/auth.h"

#include <assert.h>
#include <jwt.h>
#include <stdlib.h>

#include "proto/base/arena.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"
#include "proto/wire/json.h"

#define DEPTH_MAX 16
#define HEADER_MEMBERS_MAX 16
#define SIGNATURE_LEN 43 /* 32 bytes of HMAC-SHA256 in base64url */

#define CLAIM_NAME_ID                                                                    \
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
#define CLAIM_NAME "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
#define CLAIM_ROLE "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"

struct auth {
	struct buf key; /* owned */
};

struct member {
	struct slice name;
	struct slice raw;
};

/* A JSON object's members, each name once. */
struct members {
	struct member items[AUTH_CLAIMS_MAX];
	size_t n;
};

struct auth *auth_new(struct slice key)
{
	struct auth *auth = MEM_NEW(struct auth);

	buf_append_slice(&auth->key, key);
	return auth;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	secret_fini(&auth->key);
	mem_free(auth);
}

/* ---- JSON */

static const struct slice *members_find(const struct members *members, struct slice name)
{
	for (size_t i = 0; i < members->n; i++) {
		if (slice_equal(members->items[i].name, name))
			return &members->items[i].raw;
	}
	return NULL;
}

static enum err members_read(struct members *members, size_t members_max,
			     struct slice text, struct arena *arena)
{
	struct json_cursor cursor = { text.ptr, text.ptr + text.len, DEPTH_MAX };
	bool is_first = true;
	bool more;
	enum err rc = json_open(&cursor, '{');

	members->n = 0;
	while (!rc) {
		struct member member;

		rc = json_next_member(&cursor, arena, &is_first, &member.name, &more);
		if (rc || !more)
			break;
		rc = json_skip(&cursor, &member.raw);
		if (rc)
			break;
		if (members->n == members_max)
			return ERR_LIMIT;
		if (members_find(members, member.name))
			return ERR_MALFORMED;
		members->items[members->n++] = member;
	}
	if (!rc && !json_is_done(&cursor))
		return ERR_MALFORMED;
	return rc;
}

/* An absent member is no error and leaves `*text` empty. */
static enum err text_read(const struct members *members, struct slice name,
			  struct arena *arena, struct slice *text)
{
	const struct slice *raw = members_find(members, name);
	struct json_cursor cursor;

	*text = SLICE_NONE;
	if (!raw)
		return OK;
	cursor = (struct json_cursor){ raw->ptr, raw->ptr + raw->len, DEPTH_MAX };
	return json_text(&cursor, arena, text);
}

/* Whole seconds, digits only: a fraction or an exponent has no business in a date. */
static enum err time_read(const struct members *members, struct slice name,
			  bool *is_there, int64_t *value)
{
	const struct slice *raw = members_find(members, name);

	*is_there = raw != NULL;
	if (!raw)
		return OK;
	if (slice_to_int64(*raw, value) || *value < 0)
		return ERR_MALFORMED;
	return OK;
}

/* ---- the outside */

static enum err part_decode(struct slice part, struct arena *arena, struct slice *text)
{
	struct buf bytes = BUF_INIT;
	enum err rc =
		part.len > 0 ? crypto_base64url_decode(&bytes, part) : ERR_MALFORMED;

	if (!rc)
		*text = arena_dup(arena, buf_slice(&bytes));
	buf_fini(&bytes);
	return rc;
}

static enum err header_check(struct slice text, struct arena *arena)
{
	/* They name or bring keys, or change what is signed; our key is configured. */
	static const struct slice refused[] = {
		{ "crit", 4 }, { "b64", 3 }, { "jku", 3 }, { "jwk", 3 },
		{ "x5u", 3 },  { "x5c", 3 }, { "zip", 3 }, { "enc", 3 },
	};
	struct members header;
	struct slice value;
	enum err rc = members_read(&header, HEADER_MEMBERS_MAX, text, arena);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (members_find(&header, refused[i]))
			return ERR_MALFORMED;
	}
	if (text_read(&header, SLICE("alg"), arena, &value) ||
	    !slice_equal(value, SLICE("HS256")))
		return ERR_MALFORMED;
	if (members_find(&header, SLICE("typ")) &&
	    (text_read(&header, SLICE("typ"), arena, &value) ||
	     !slice_equal_nocase(value, SLICE("JWT"))))
		return ERR_MALFORMED;
	return text_read(&header, SLICE("kid"), arena, &value);
}

/* Everything but the signature itself. */
static enum err shape_check(struct slice token, struct arena *arena,
			    struct members *claims, struct slice *payload)
{
	struct slice rest = token;
	struct slice header = slice_cut(&rest, '.');
	struct slice body = slice_cut(&rest, '.');
	struct slice text;
	enum err rc;

	if (rest.len != SIGNATURE_LEN || part_decode(rest, arena, &text))
		return ERR_MALFORMED;
	if (part_decode(header, arena, &text) || part_decode(body, arena, payload))
		return ERR_MALFORMED;
	rc = header_check(text, arena);
	return rc ? rc : members_read(claims, AUTH_CLAIMS_MAX, *payload, arena);
}

static enum err signature_check(const struct auth *auth, struct slice token,
				struct arena *arena)
{
	struct slice text = arena_dup(arena, token);
	jwt_t *jwt = NULL;
	enum err rc = ERR_DENIED;

	if (auth->key.len == 0)
		return ERR_DENIED;
	if (jwt_decode(&jwt, text.ptr, (const unsigned char *)auth->key.ptr,
		       (int)auth->key.len) == 0 &&
	    jwt_get_alg(jwt) == JWT_ALG_HS256)
		rc = OK;
	jwt_free(jwt);
	return rc;
}

/* ---- the claims */

static enum err times_check(const struct members *claims, int64_t now_s)
{
	bool is_there;
	int64_t time = 0;

	if (time_read(claims, SLICE("exp"), &is_there, &time) || !is_there)
		return ERR_MALFORMED;
	if (now_s - AUTH_LEEWAY_S >= time)
		return ERR_TIMEOUT;
	if (time_read(claims, SLICE("nbf"), &is_there, &time))
		return ERR_MALFORMED;
	if (is_there && time > now_s + AUTH_LEEWAY_S)
		return ERR_TIMEOUT;
	if (time_read(claims, SLICE("iat"), &is_there, &time))
		return ERR_MALFORMED;
	return is_there && time > now_s + AUTH_LEEWAY_S ? ERR_TIMEOUT : OK;
}

/* The first of the names that is there with a text. All that are there must be texts. */
static enum err first_text(const struct members *claims, const struct slice *names,
			   size_t n, struct arena *arena, struct slice *text)
{
	struct slice value;

	*text = SLICE_NONE;
	for (size_t i = 0; i < n; i++) {
		if (text_read(claims, names[i], arena, &value))
			return ERR_MALFORMED;
		if (text->len == 0)
			*text = value;
	}
	return OK;
}

struct roles {
	struct slice items[USER_ROLES_MAX];
	size_t n;
};

static enum err role_add(struct roles *roles, struct json_cursor *cursor,
			 struct arena *arena)
{
	struct slice role;

	if (json_text(cursor, arena, &role))
		return ERR_MALFORMED;
	if (roles->n == USER_ROLES_MAX)
		return ERR_LIMIT;
	roles->items[roles->n++] = role;
	return OK;
}

/* A text or a list of texts. */
static enum err roles_add(struct roles *roles, const struct slice *raw,
			  struct arena *arena)
{
	struct json_cursor cursor = { raw->ptr, raw->ptr + raw->len, DEPTH_MAX };
	bool is_first = true;
	bool more = true;
	enum err rc;

	if (json_peek(&cursor) != '[')
		return role_add(roles, &cursor, arena);
	rc = json_open(&cursor, '[');
	while (!rc && more) {
		rc = json_next_element(&cursor, &is_first, &more);
		if (!rc && more)
			rc = role_add(roles, &cursor, arena);
	}
	return rc;
}

static enum err user_read(const struct members *claims, struct slice payload,
			  struct arena *arena, struct user **user)
{
	static const struct slice ids[] = { { "sub", 3 },
					    { "nameid", 6 },
					    { CLAIM_NAME_ID,
					      sizeof(CLAIM_NAME_ID) - 1 } };
	static const struct slice names[] = { { "name", 4 },
					      { CLAIM_NAME, sizeof(CLAIM_NAME) - 1 } };
	static const struct slice role_names[] = {
		{ "role", 4 }, { "roles", 5 }, { CLAIM_ROLE, sizeof(CLAIM_ROLE) - 1 }
	};
	struct roles roles = { .n = 0 };
	struct slice id;
	struct slice name = SLICE_NONE;
	enum err rc = first_text(claims, ids, sizeof(ids) / sizeof(ids[0]), arena, &id);

	if (!rc)
		rc = first_text(claims, names, sizeof(names) / sizeof(names[0]), arena,
				&name);
	for (size_t i = 0; !rc && i < sizeof(role_names) / sizeof(role_names[0]); i++) {
		const struct slice *raw = members_find(claims, role_names[i]);

		if (raw)
			rc = roles_add(&roles, raw, arena);
	}
	if (!rc)
		*user = user_new(id, name, payload, roles.items, roles.n);
	return rc;
}

enum err auth_check(const struct auth *auth, struct slice token, int64_t now_s,
		    struct user **user)
{
	struct arena arena = ARENA_INIT;
	struct members claims;
	struct slice payload;
	enum err rc;

	assert(auth && user);
	if (token.len > AUTH_TOKEN_BYTES_MAX)
		return ERR_LIMIT;
	rc = shape_check(token, &arena, &claims, &payload);
	if (!rc)
		rc = signature_check(auth, token, &arena);
	if (!rc)
		rc = times_check(&claims, now_s);
	if (!rc)
		rc = user_read(&claims, payload, &arena, user);
	arena_fini(&arena);
	return rc;
}

/* ---- making one */

static void claims_write(struct buf *out, const struct auth_identity *identity)
{
	buf_append_str(out, "{\"sub\":");
	json_write_string(out, identity->id);
	if (identity->name.len > 0) {
		buf_append_str(out, ",\"name\":");
		json_write_string(out, identity->name);
	}
	if (identity->roles_n > 0) {
		buf_append_str(out, ",\"role\":[");
		for (size_t i = 0; i < identity->roles_n; i++) {
			if (i > 0)
				buf_append_byte(out, ',');
			json_write_string(out, identity->roles[i]);
		}
		buf_append_byte(out, ']');
	}
	buf_append_str(out, ",\"iat\":");
	buf_append_int64(out, identity->issued_s);
	buf_append_str(out, ",\"exp\":");
	buf_append_int64(out, identity->expires_s);
	buf_append_str(out, "}");
	buf_append_byte(out, '\0');
}

enum err auth_mint(const struct auth *auth, const struct auth_identity *identity,
		   struct buf *token)
{
	struct buf claims = BUF_INIT;
	jwt_t *jwt = NULL;
	char *text = NULL;
	enum err rc = ERR_ARGUMENT;

	assert(auth && identity && token);
	assert(identity->roles || identity->roles_n == 0);
	if (auth->key.len == 0)
		return ERR_DENIED;
	claims_write(&claims, identity);
	if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims.ptr) == 0 &&
	    jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)auth->key.ptr,
			(int)auth->key.len) == 0)
		text = jwt_encode_str(jwt);
	if (text) {
		buf_append_str(token, text);
		rc = OK;
	}
	free(text); /* libjwt's, from malloc */
	jwt_free(jwt);
	buf_fini(&claims);
	return rc;
}
