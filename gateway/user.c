/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users: one allocation with everything behind the struct.
 */
#include "gateway/user.h"

#include <assert.h>

#include "proto/base/mem.h"

static struct slice put(char **at, struct slice s)
{
	char *start = *at;

	if (s.len > 0)
		memcpy(start, s.ptr, s.len);
	*at += s.len;
	return slice_make(start, s.len);
}

struct user *user_new(struct slice id, struct slice name, struct slice claims,
		      const struct slice *roles, size_t roles_n)
{
	size_t len = id.len + name.len + claims.len;
	struct user *user;
	char *at;

	assert(roles || roles_n == 0);
	assert(roles_n <= USER_ROLES_MAX);
	for (size_t i = 0; i < roles_n; i++)
		len += roles[i].len;
	len += sizeof(*user) + roles_n * sizeof(user->roles[0]);
	user = mem_zalloc(len);
	at = (char *)&user->roles[roles_n];
	user->id = put(&at, id);
	user->name = put(&at, name);
	user->claims = put(&at, claims);
	for (size_t i = 0; i < roles_n; i++)
		user->roles[i] = put(&at, roles[i]);
	user->roles_n = roles_n;
	assert(at == (char *)user + len);
	return user;
}

struct user *user_anonymous(void)
{
	return user_new(SLICE_NONE, SLICE_NONE, SLICE_NONE, NULL, 0);
}

void user_free(struct user *user)
{
	mem_free(user);
}
