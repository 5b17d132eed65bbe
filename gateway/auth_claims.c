/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims are read with one strictness whatever is configured: a registered claim of a
 * wrong type refuses the token even where nobody compares it.
 */
#include "gateway/auth_claims.h"

#include <assert.h>

#define URI_ID "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
#define URI_NAME "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
#define USERS_USUAL "sub,nameid," URI_ID
#define NAMES_USUAL "name," URI_NAME

/* ---- the rules */

enum err auth_names_read(struct auth_names *names, const char *text)
{
	struct slice rest = slice_from_str(text);

	names->n = 0;
	if (rest.len == 0)
		return OK;
	while (rest.ptr != NULL) {
		const struct slice name = slice_trim(slice_cut(&rest, ','));

		if (name.len == 0)
			return ERR_ARGUMENT;
		if (names->n == AUTH_NAMES_MAX)
			return ERR_LIMIT;
		names->items[names->n++] = name;
	}
	return OK;
}

static size_t text_add(struct buf *text, const char *value)
{
	const size_t at = text->len;

	buf_append_str(text, value);
	buf_append_byte(text, '\0');
	return at;
}

/* One claim, or else the usual list. */
static void names_choose(struct auth_names *names, const char *claim, const char *usual)
{
	enum err rc = OK;

	names->items[0] = slice_from_str(claim);
	names->n = 1;
	if (claim[0] == '\0')
		rc = auth_names_read(names, usual);
	assert(rc == OK);
}

void auth_rules_init(struct auth_rules *rules, const struct auth_conf *conf)
{
	struct buf *text = &rules->text;
	size_t issuer;
	size_t audience;
	size_t user;
	size_t name;
	size_t roles;
	enum err rc;

	*rules = (struct auth_rules){ .text = BUF_INIT };
	issuer = text_add(text, conf->issuer);
	audience = text_add(text, conf->audience);
	user = text_add(text, conf->user_claim);
	name = text_add(text, conf->name_claim);
	roles = text_add(text, conf->role_claims);
	/* From here on it does not grow, and may be pointed into. */
	rules->issuer = slice_from_str(text->ptr + issuer);
	rules->audience = slice_from_str(text->ptr + audience);
	names_choose(&rules->users, text->ptr + user, USERS_USUAL);
	names_choose(&rules->names, text->ptr + name, NAMES_USUAL);
	rc = auth_names_read(&rules->roles, text->ptr + roles);
	assert(rc == OK);
	rules->is_user_needed = conf->user_claim[0] != '\0';
	rules->leeway_s = (conf->leeway_ms + 999) / 1000;
}

void auth_rules_fini(struct auth_rules *rules)
{
	buf_fini(&rules->text);
}

/* ---- times */

/* Whole seconds, digits only: a fraction or an exponent has no business in a date. */
static bool time_read(const struct auth_object *claims, struct slice name, bool *is_there,
		      int64_t *value)
{
	const struct slice *raw = auth_object_find(claims, name);

	*is_there = raw != NULL;
	*value = 0;
	if (raw == NULL)
		return true;
	return slice_to_int64(*raw, value) == OK && *value >= 0 &&
	       *value <= AUTH_TIME_MAX_S;
}

static enum auth_rc begin_check(const struct auth_object *claims, struct slice name,
				int64_t latest_s)
{
	bool is_there;
	int64_t time_s;

	if (!time_read(claims, name, &is_there, &time_s))
		return AUTH_CLAIMS;
	return is_there && time_s > latest_s ? AUTH_NOT_YET : AUTH_OK;
}

static enum auth_rc times_check(const struct auth_rules *rules,
				const struct auth_object *claims, int64_t now_s,
				int64_t *expires_s)
{
	bool is_there;
	enum auth_rc rc;

	if (!time_read(claims, SLICE("exp"), &is_there, expires_s) || !is_there)
		return AUTH_CLAIMS;
	if (*expires_s <= now_s - rules->leeway_s)
		return AUTH_EXPIRED;
	rc = begin_check(claims, SLICE("nbf"), now_s + rules->leeway_s);
	if (rc == AUTH_OK)
		rc = begin_check(claims, SLICE("iat"), now_s + rules->leeway_s);
	return rc;
}

/* ---- who made it, for whom */

static enum auth_rc issuer_check(const struct auth_rules *rules,
				 const struct auth_object *claims, struct arena *arena)
{
	struct slice issuer;

	if (auth_object_text(claims, SLICE("iss"), arena, &issuer) != OK)
		return AUTH_CLAIMS;
	if (rules->issuer.len > 0 && !slice_equal(issuer, rules->issuer))
		return AUTH_ISSUER;
	return AUTH_OK;
}

static enum auth_rc rc_of(enum err rc)
{
	if (rc == OK)
		return AUTH_OK;
	return rc == ERR_LIMIT ? AUTH_LIMIT : AUTH_CLAIMS;
}

static enum auth_rc audience_check(const struct auth_rules *rules,
				   const struct auth_object *claims, struct arena *arena)
{
	const struct slice *raw = auth_object_find(claims, SLICE("aud"));
	struct slice audiences[AUTH_AUDIENCES_MAX];
	size_t n = 0;
	enum err rc = OK;

	if (raw != NULL)
		rc = auth_texts_read(*raw, arena, audiences, AUTH_AUDIENCES_MAX, &n);
	if (rc != OK)
		return rc_of(rc);
	if (rules->audience.len == 0)
		return AUTH_OK;
	for (size_t i = 0; i < n; i++) {
		if (slice_equal(audiences[i], rules->audience))
			return AUTH_OK;
	}
	return AUTH_AUDIENCE;
}

/* ---- who it speaks for */

/* The first that is there and not empty. All that are there must be texts. */
static enum err first_text(const struct auth_object *claims,
			   const struct auth_names *names, struct arena *arena,
			   struct slice *text)
{
	struct slice value;

	*text = SLICE_NONE;
	for (size_t i = 0; i < names->n; i++) {
		if (auth_object_text(claims, names->items[i], arena, &value) != OK)
			return ERR_MALFORMED;
		if (text->len == 0)
			*text = value;
	}
	return OK;
}

static enum auth_rc user_read(const struct auth_rules *rules,
			      const struct auth_object *claims, struct slice payload,
			      struct arena *arena, struct user **user)
{
	struct slice roles[USER_ROLES_MAX];
	struct slice id;
	struct slice name = SLICE_NONE;
	size_t n = 0;
	enum err rc = first_text(claims, &rules->users, arena, &id);

	if (rc == OK && rules->is_user_needed && id.len == 0)
		return AUTH_CLAIMS;
	if (rc == OK)
		rc = first_text(claims, &rules->names, arena, &name);
	for (size_t i = 0; rc == OK && i < rules->roles.n; i++) {
		const struct slice *raw = auth_object_find(claims, rules->roles.items[i]);

		if (raw != NULL)
			rc = auth_texts_read(*raw, arena, roles, USER_ROLES_MAX, &n);
	}
	if (rc == OK)
		*user = user_new(id, name, payload, roles, n);
	return rc_of(rc);
}

enum auth_rc auth_claims_check(const struct auth_rules *rules,
			       const struct auth_object *claims, struct slice payload,
			       int64_t now_s, struct arena *arena, struct user **user)
{
	int64_t expires_s = 0;
	enum auth_rc rc;

	assert(rules != NULL && claims != NULL && user != NULL);
	rc = times_check(rules, claims, now_s, &expires_s);
	if (rc == AUTH_OK)
		rc = issuer_check(rules, claims, arena);
	if (rc == AUTH_OK)
		rc = audience_check(rules, claims, arena);
	if (rc == AUTH_OK)
		rc = user_read(rules, claims, payload, arena, user);
	if (rc == AUTH_OK)
		(*user)->expires_unix_s = expires_s;
	return rc;
}
