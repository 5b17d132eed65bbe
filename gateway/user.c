/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users: one allocation with everything behind the struct.
 */
#define _GNU_SOURCE /* memmem */
#include "gateway/user.h"

#include <assert.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/base/mem.h"

/* Who has no token. */
static struct user anonymous;

/* Where in the claims the same bytes are; -1: nowhere. */
static ssize_t find(struct slice claims, struct slice s)
{
	const char *found = NULL;

	if (s.len > 0 && claims.len > 0)
		found = memmem(claims.ptr, claims.len, s.ptr, s.len);
	return found != NULL ? found - claims.ptr : -1;
}

static size_t missing_bytes(struct slice claims, struct slice s)
{
	return find(claims, s) < 0 ? s.len : 0;
}

/* Behind what is there, of which `*len` counts all bytes. */
static struct user_text put(struct user *user, size_t *len, struct slice s)
{
	const size_t at = *len;

	if (s.len > 0)
		memcpy((char *)user + at, s.ptr, s.len);
	*len += s.len;
	return (struct user_text){ (uint32_t)at, (uint32_t)s.len };
}

/* What the claims say in the same bytes is not kept a second time. */
static struct user_text put_once(struct user *user, size_t *len, struct slice s)
{
	const ssize_t found = find(user_claims(user), s);

	if (found < 0)
		return put(user, len, s);
	return (struct user_text){ user->claims.at + (uint32_t)found, (uint32_t)s.len };
}

struct user *user_new(struct slice id, struct slice name, struct slice claims,
		      const struct slice *roles, size_t roles_n)
{
	size_t len = offsetof(struct user, roles) + roles_n * sizeof(struct user_text);
	size_t text_len =
		claims.len + missing_bytes(claims, id) + missing_bytes(claims, name);
	struct user *user;

	assert(roles || roles_n == 0);
	assert(roles_n <= USER_ROLES_MAX);
	for (size_t i = 0; i < roles_n; i++)
		text_len += missing_bytes(claims, roles[i]);
	assert(len + text_len <= UINT32_MAX);
	text_len += len;
	user = mem_zalloc(text_len);
	user->roles_n = (uint32_t)roles_n;
	user->claims = put(user, &len, claims);
	user->id = put_once(user, &len, id);
	user->name = put_once(user, &len, name);
	for (size_t i = 0; i < roles_n; i++)
		user->roles[i] = put_once(user, &len, roles[i]);
	assert(len == text_len);
	return user;
}

struct user *user_anonymous(void)
{
	return &anonymous;
}

void user_free(struct user *user)
{
	if (user != &anonymous)
		mem_free(user);
}
