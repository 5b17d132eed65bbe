/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every line of data/jwt_vectors.txt: tokens that another implementation has signed, most
 * of them attacks, against the key sets and options of the table below. A refusal for
 * another reason than the expected one is a failure too.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/auth_key.h"
#include "tests/unit/gateway/auth_files.h"

#define VECTORS_MIN 316

struct key_set {
	const char *name;
	const char *key_file;
	enum auth_algorithm algorithm;
	const char *jwks_file;
	const char *issuer;
	const char *audience;
	const char *user_claim;
	int64_t leeway_ms;
};

/* clang-format off */
static const struct key_set SETS[] = {
	{ "none", "", AUTH_HS256, "", "", "", "", 60000 },
	{ "hs256", "test_only_hs256.key", AUTH_HS256, "", "", "", "", 60000 },
	{ "hs384", "test_only_hs384.key", AUTH_HS384, "", "", "", "", 60000 },
	{ "hs512", "test_only_hs512.key", AUTH_HS512, "", "", "", "", 60000 },
	{ "rs256", "test_only_rs256.pem", AUTH_RS256, "", "", "", "", 60000 },
	{ "es256", "test_only_es256.pem", AUTH_ES256, "", "", "", "", 60000 },
	{ "set", "", AUTH_HS256, "test_only_set.json", "", "", "", 60000 },
	{ "public", "", AUTH_HS256, "test_only_public.json", "", "", "", 60000 },
	{ "unnamed", "", AUTH_HS256, "test_only_unnamed.json", "", "", "", 60000 },
	{ "mixed", "", AUTH_HS256, "test_only_mixed.json", "", "", "", 60000 },
	{ "strict", "", AUTH_HS256, "test_only_set.json", "https://id.example/", "heliograph",
	  "", 60000 },
	{ "sharp", "test_only_hs256.key", AUTH_HS256, "", "", "", "", 0 },
	{ "email", "test_only_hs256.key", AUTH_HS256, "", "", "", "email", 60000 },
};
/* clang-format on */

#define SETS_N (sizeof(SETS) / sizeof(SETS[0]))

/* A private copy of a data file, and its path for the option; none for "". */
static char *copy_of(const char *name, struct auth_file *file)
{
	char path[128];
	struct buf text;

	file->path[0] = '\0';
	if (name[0] == '\0')
		return file->path;
	(void)snprintf(path, sizeof(path), AUTH_DATA "%s", name);
	text = auth_file_read(path);
	auth_file_init(file, buf_slice(&text));
	buf_fini(&text);
	return file->path;
}

/* struct auth_conf has the strings of a table, which are not constant there. */
static char *string(const char *text)
{
	return strdup(text);
}

static struct auth *open_set(const struct key_set *set)
{
	struct auth_conf conf = auth_conf_usual();
	struct auth_file key;
	struct auth_file jwks;
	struct auth *auth;

	conf.key_file = copy_of(set->key_file, &key);
	conf.algorithm = set->algorithm;
	conf.jwks_file = copy_of(set->jwks_file, &jwks);
	conf.issuer = string(set->issuer);
	conf.audience = string(set->audience);
	conf.user_claim = string(set->user_claim);
	conf.leeway_ms = set->leeway_ms;
	auth = auth_load_good(&conf);
	free(conf.issuer);
	free(conf.audience);
	free(conf.user_claim);
	if (key.path[0] != '\0')
		auth_file_fini(&key);
	if (jwks.path[0] != '\0')
		auth_file_fini(&jwks);
	return auth;
}

static const struct auth *find_set(struct auth *const auths[SETS_N], struct slice name)
{
	for (size_t i = 0; i < SETS_N; i++) {
		if (slice_equal(slice_from_str(SETS[i].name), name))
			return auths[i];
	}
	cr_assert_fail("no key set named %.*s", SLICE_FMT(name));
	return NULL;
}

static void check_line(struct auth *const auths[SETS_N], struct slice line)
{
	const struct slice name = slice_cut(&line, ' ');
	const struct auth *auth = find_set(auths, slice_cut(&line, ' '));
	const struct slice time = slice_cut(&line, ' ');
	const struct slice outcome = slice_cut(&line, ' ');
	struct buf token = auth_unescape(line);
	struct user *user = NULL;
	int64_t now_s = 0;
	enum auth_rc rc;

	cr_assert_eq(slice_to_int64(time, &now_s), OK);
	rc = auth_check(auth, buf_slice(&token), now_s, &user);
	cr_expect(slice_equal(slice_from_str(auth_rc_name(rc)), outcome),
		  "%.*s: %s for %.*s", SLICE_FMT(name), auth_rc_name(rc),
		  SLICE_FMT(outcome));
	cr_expect_eq(user != NULL, rc == AUTH_OK);
	user_free(user);
	buf_fini(&token);
}

Test(auth_vectors, every_line_has_its_outcome)
{
	struct buf text = auth_file_read(AUTH_DATA "jwt_vectors.txt");
	struct slice rest = buf_slice(&text);
	struct auth *auths[SETS_N];
	size_t n = 0;

	for (size_t i = 0; i < SETS_N; i++)
		auths[i] = open_set(&SETS[i]);
	while (rest.ptr != NULL) {
		const struct slice line = slice_cut(&rest, '\n');

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		check_line(auths, line);
		n++;
	}
	/* An empty file would pass all of it. */
	cr_expect_geq(n, VECTORS_MIN);
	for (size_t i = 0; i < SETS_N; i++)
		auth_free(auths[i]);
	buf_fini(&text);
}
