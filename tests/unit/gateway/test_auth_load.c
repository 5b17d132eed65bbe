/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files to keys: every line of data/key_vectors.txt, who may read a file, and what a
 * reload that fails leaves.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/auth_private.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "tests/unit/gateway/auth_files.h"
#include "tests/unit/gateway/auth_kit.h"

#define VECTORS_MIN 152

static struct auth_conf conf_of(struct slice kind, char *path)
{
	struct auth_conf conf = auth_conf_usual();
	enum auth_algorithm algorithm = AUTH_HS256;

	if (slice_equal(kind, SLICE("set"))) {
		conf.jwks_file = path;
		return conf;
	}
	cr_assert(auth_algorithm_find(kind, &algorithm), "%.*s", SLICE_FMT(kind));
	conf.key_file = path;
	conf.algorithm = algorithm;
	return conf;
}

/* ---- what files hold */

static bool says(const char *error, struct slice part)
{
	return memmem(error, strlen(error), part.ptr, part.len) != NULL;
}

/* The outcome is "ok" and the number of keys, or what the error must say. */
static void check_outcome(struct slice name, struct slice kind, const char *path,
			  struct slice outcome)
{
	char copy[64];
	char error[AUTH_ERROR_MAX];
	struct auth_conf conf;
	struct auth *auth = NULL;
	int64_t keys_n = 0;
	enum err rc;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	conf = conf_of(kind, copy);
	rc = auth_load(&conf, SLICE_NONE, &auth, error);
	if (slice_starts_with(outcome, SLICE("ok "))) {
		cr_assert_eq(slice_to_int64(slice_from(outcome, 3), &keys_n), OK);
		cr_expect_eq(rc, OK, "%.*s: %s", SLICE_FMT(name), error);
		cr_expect(rc != OK || auth->keys.n == (size_t)keys_n, "%.*s: %zu keys",
			  SLICE_FMT(name), auth->keys.n);
	} else {
		cr_expect_neq(rc, OK, "%.*s: taken", SLICE_FMT(name));
		cr_expect_null(auth);
		cr_expect(says(error, outcome), "%.*s: %s", SLICE_FMT(name), error);
		cr_expect(says(error, slice_from_str(path)), "%.*s: %s", SLICE_FMT(name),
			  error);
		cr_expect(slice_starts_with(slice_from_str(error),
					    slice_equal(kind, SLICE("set"))
						    ? SLICE("auth_jwks_file = ")
						    : SLICE("auth_key_file = ")));
	}
	auth_free(auth);
}

static void check_line(struct slice line)
{
	const struct slice name = slice_cut(&line, '\t');
	const struct slice kind = slice_cut(&line, '\t');
	const struct slice outcome = slice_cut(&line, '\t');
	struct buf text = auth_unescape(line);
	struct auth_file file;

	auth_file_init(&file, buf_slice(&text));
	check_outcome(name, kind, file.path, outcome);
	auth_file_fini(&file);
	buf_fini(&text);
}

Test(auth_load, every_line_has_its_outcome)
{
	struct buf text = auth_file_read(AUTH_DATA "key_vectors.txt");
	struct slice rest = buf_slice(&text);
	size_t n = 0;

	while (rest.ptr != NULL) {
		const struct slice line = slice_cut(&rest, '\n');

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		check_line(line);
		n++;
	}
	cr_expect_geq(n, VECTORS_MIN);
	buf_fini(&text);
}

/* The public set, made longer by white space. */
static void check_set_bytes(size_t bytes, const char *outcome)
{
	struct buf text = auth_file_read(AUTH_DATA "test_only_public.json");
	struct auth_file file;

	while (text.len < bytes)
		buf_append_byte(&text, ' ');
	auth_file_init(&file, buf_slice(&text));
	check_outcome(SLICE("bytes"), SLICE("set"), file.path, slice_from_str(outcome));
	auth_file_fini(&file);
	buf_fini(&text);
}

Test(auth_load, a_set_at_its_limit_and_one_past)
{
	check_set_bytes(AUTH_JWKS_BYTES_MAX, "ok 2");
	check_set_bytes(AUTH_JWKS_BYTES_MAX + 1, "too long");
}

Test(auth_load, a_file_and_a_set_go_together)
{
	struct auth_conf conf = auth_conf_usual();
	char set[] = AUTH_DATA "test_only_public.json";
	struct auth_file key;
	struct auth *auth;

	auth_file_init(&key, SLICE(KEY));
	conf.key_file = key.path;
	conf.jwks_file = set;
	auth = auth_load_good(&conf);
	cr_expect_eq(auth->keys.n, 3);
	cr_expect_eq(auth->minter, auth->keys.items[0]);
	auth_free(auth);
	auth_file_fini(&key);
}

Test(auth_load, no_file_is_no_key)
{
	struct auth_conf conf = auth_conf_usual();
	struct auth *auth = auth_load_good(&conf);

	cr_expect_eq(auth->keys.n, 0);
	cr_expect_null(auth->minter);
	auth_free(auth);
}

/* ---- who may read them, and whether they are files */

static void check_open_to(mode_t mode, struct slice kind, struct slice text,
			  const char *outcome)
{
	struct auth_file file;

	auth_file_init(&file, text);
	cr_assert_eq(chmod(file.path, mode), 0);
	check_outcome(kind, kind, file.path, slice_from_str(outcome));
	auth_file_fini(&file);
}

Test(auth_load, files_with_secrets_are_their_owners_alone)
{
	static const mode_t modes[] = { 0640, 0620, 0604, 0602, 0610, 0601 };
	struct buf set = auth_file_read(AUTH_DATA "test_only_set.json");

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		check_open_to(modes[i], SLICE("HS256"), SLICE(KEY), "chmod 600");
		check_open_to(modes[i], SLICE("set"), buf_slice(&set), "chmod 600");
	}
	buf_fini(&set);
}

Test(auth_load, public_keys_may_be_open_to_all)
{
	struct buf pem = auth_file_read(AUTH_DATA "test_only_rs256.pem");
	struct buf set = auth_file_read(AUTH_DATA "test_only_public.json");

	check_open_to(0644, SLICE("RS256"), buf_slice(&pem), "ok 1");
	check_open_to(0644, SLICE("set"), buf_slice(&set), "ok 2");
	buf_fini(&pem);
	buf_fini(&set);
}

Test(auth_load, what_is_no_file_is_refused_at_once)
{
	char pipe[] = "/tmp/heliograph-auth-pipe-XXXXXX";

	cr_assert_not_null(mkdtemp(pipe));
	check_outcome(SLICE("folder"), SLICE("set"), pipe, SLICE("not a regular file"));
	cr_assert_eq(rmdir(pipe), 0);
	cr_assert_eq(mkfifo(pipe, 0600), 0);
	check_outcome(SLICE("pipe"), SLICE("HS256"), pipe, SLICE("not a regular file"));
	cr_assert_eq(unlink(pipe), 0);
	check_outcome(SLICE("nothing"), SLICE("HS256"), pipe, SLICE("No such file"));
	check_outcome(SLICE("nothing"), SLICE("set"), pipe, SLICE("No such file"));
}

/* ---- dev mode's key */

static const struct auth_identity ADA = {
	.id = { "ada", 3 }, .name = { "Ada", 3 }, .issued_s = NOW, .expires_s = NOW + 60
};

static struct auth *load_dev(const struct auth_conf *conf)
{
	char error[AUTH_ERROR_MAX];
	struct auth *auth = NULL;

	cr_assert_eq(auth_load(conf, SLICE(KEY), &auth, error), OK, "%s", error);
	return auth;
}

static void check_minted(const struct auth *auth)
{
	struct buf token = BUF_INIT;
	struct user *user = NULL;

	cr_assert_eq(auth_mint(auth, &ADA, &token), OK);
	cr_assert_eq(auth_check(auth, buf_slice(&token), NOW, &user), AUTH_OK);
	cr_expect(slice_equal(user_id(user), ADA.id));
	cr_expect(slice_equal(user_name(user), ADA.name));
	user_free(user);
	buf_fini(&token);
}

Test(auth_load, dev_mode_mints_beside_a_public_set)
{
	struct auth_conf conf = auth_conf_usual();
	char set[] = AUTH_DATA "test_only_public.json";
	struct auth *auth;

	conf.jwks_file = set;
	auth = load_dev(&conf);
	check_minted(auth);
	/* Without the kid of dev mode the secret is no key. */
	{
		struct buf token = auth_good_token();
		struct user *user = NULL;

		cr_expect_eq(auth_check(auth, buf_slice(&token), NOW, &user),
			     AUTH_ALGORITHM);
		buf_fini(&token);
	}
	auth_free(auth);
}

Test(auth_load, dev_mode_mints_what_the_rules_want)
{
	struct auth_conf conf = auth_conf_usual();
	char issuer[] = "https://id.example/";
	char audience[] = "heliograph";
	char user_claim[] = "email";
	char name_claim[] = "nick\"name";
	struct auth *auth;

	conf.issuer = issuer;
	conf.audience = audience;
	conf.user_claim = user_claim;
	conf.name_claim = name_claim;
	auth = load_dev(&conf);
	check_minted(auth);
	auth_free(auth);
}

Test(auth_load, a_configured_secret_wins_over_that_of_dev_mode)
{
	struct auth_conf conf = auth_conf_usual();
	struct auth_file key;
	struct auth *auth;

	auth_file_init(&key, SLICE("another secret of 32 bytes, or so"));
	conf.key_file = key.path;
	auth = load_dev(&conf);
	cr_expect_null(auth->dev);
	check_minted(auth);
	auth_free(auth);
	auth_file_fini(&key);
}

Test(auth_load, without_an_hmac_secret_nothing_is_minted)
{
	struct auth_conf conf = auth_conf_usual();
	char set[] = AUTH_DATA "test_only_public.json";
	struct buf token = BUF_INIT;
	struct auth *auth;

	conf.jwks_file = set;
	auth = auth_load_good(&conf);
	cr_expect_eq(auth_mint(auth, &ADA, &token), ERR_DENIED);
	auth_free(auth);
}

/* ---- a file with several secrets */

#define NEXT "fedcba9876543210fedcba9876543210"

static struct auth *load_lines(const char *text)
{
	struct auth_conf conf = auth_conf_usual();
	struct auth_file key;
	struct auth *auth;

	auth_file_init(&key, slice_from_str(text));
	conf.key_file = key.path;
	auth = auth_load_good(&conf);
	auth_file_fini(&key);
	return auth;
}

static enum auth_rc check_token_of(const char *signs, const char *checks)
{
	struct auth *signer = load_lines(signs);
	struct auth *checker = load_lines(checks);
	struct buf token = BUF_INIT;
	struct user *user = NULL;
	enum auth_rc rc;

	cr_assert_eq(auth_mint(signer, &ADA, &token), OK);
	rc = auth_check(checker, buf_slice(&token), NOW, &user);
	user_free(user);
	buf_fini(&token);
	auth_free(signer);
	auth_free(checker);
	return rc;
}

Test(auth_load, each_of_several_secrets_is_taken_and_the_first_signs)
{
	cr_expect_eq(check_token_of(KEY, NEXT "\n" KEY), AUTH_OK);
	cr_expect_eq(check_token_of(NEXT, KEY "\n" KEY "\n" NEXT), AUTH_OK);
	cr_expect_eq(check_token_of(NEXT "\n" KEY, NEXT), AUTH_OK);
	cr_expect_eq(check_token_of(NEXT "\n" KEY, KEY), AUTH_SIGNATURE);
	cr_expect_eq(check_token_of(KEY, NEXT), AUTH_SIGNATURE);
}

Test(auth_load, secrets_are_told_apart)
{
	struct auth_conf conf = auth_conf_usual();
	struct auth *auth = load_lines(KEY "\n" NEXT);
	const int64_t before = auth_fingerprint(auth);

	cr_expect_neq(before, 0);
	auth_free(auth);
	auth = load_lines(NEXT "\n" KEY);
	cr_expect_neq(auth_fingerprint(auth), before);
	auth_free(auth);
	auth = auth_load_good(&conf);
	cr_expect_eq(auth_fingerprint(auth), 0);
	auth_free(auth);
}

/* ---- start and reload */

Test(auth_load, a_start_with_a_bad_file_ends_the_program, .exit_code = 1)
{
	struct auth_conf conf = auth_conf_usual();
	char nowhere[] = "/nonexistent/key";

	cr_redirect_stderr();
	conf.key_file = nowhere;
	auth_free(auth_open(&conf, SLICE_NONE));
}

static void expect_log(struct auth *(*act)(void), const char *first, const char *second)
{
	struct buf text = BUF_INIT;
	FILE *log;

	cr_redirect_stderr();
	log_open(LOG_LOGFMT, LOG_INFO, "g1");
	auth_free(act());
	(void)fflush(stderr); /* its failure shows below */
	log = cr_get_redirected_stderr();
	text.len = fread(buf_reserve(&text, 8192), 1, 8192, log);
	cr_expect(memmem(text.ptr, text.len, first, strlen(first)) != NULL, "%.*s",
		  (int)text.len, text.ptr);
	cr_expect(memmem(text.ptr, text.len, second, strlen(second)) != NULL, "%.*s",
		  (int)text.len, text.ptr);
	buf_fini(&text);
}

static struct auth *open_public(void)
{
	struct auth_conf conf = auth_conf_usual();
	char set[] = AUTH_DATA "test_only_public.json";

	conf.jwks_file = set;
	return auth_open(&conf, SLICE_NONE);
}

Test(auth_load, public_keys_without_an_audience_are_warned_of)
{
	expect_log(open_public, "event=auth.loaded node=g1 keys=2 skipped=0",
		   "level=warn event=auth.no_audience");
}

static struct auth *open_nothing(void)
{
	struct auth_conf conf = auth_conf_usual();

	return auth_open(&conf, SLICE_NONE);
}

Test(auth_load, no_key_is_warned_of)
{
	expect_log(open_nothing, "keys=0 skipped=0", "level=warn event=auth.no_key");
}

static struct auth *reload_bad(void)
{
	struct auth *auth = auth_of_secret(SLICE(KEY));
	struct auth *before = auth;
	struct auth_conf conf = auth_conf_usual();
	struct buf token = auth_good_token();
	struct user *user = NULL;
	char nowhere[] = "/nonexistent/\"key\"";

	conf.jwks_file = nowhere;
	cr_expect_eq(auth_reload(&auth, &conf, SLICE_NONE), ERR_IO);
	cr_expect_eq(auth, before);
	cr_expect_eq(auth_check(auth, buf_slice(&token), NOW, &user), AUTH_OK);
	user_free(user);
	buf_fini(&token);
	return auth;
}

Test(auth_load, a_bad_reload_leaves_the_old_keys)
{
	expect_log(reload_bad,
		   "level=error event=auth.reload_failed node=g1 "
		   "reason=\"auth_jwks_file = /nonexistent/'key': No such file",
		   "\"\n");
}

static struct auth *reload_good(void)
{
	struct auth *auth = auth_of_secret(SLICE(KEY));
	struct auth_conf conf = auth_conf_usual();
	struct buf token = auth_good_token();
	struct user *user = NULL;
	char set[] = AUTH_DATA "test_only_public.json";

	conf.jwks_file = set;
	cr_expect_eq(auth_reload(&auth, &conf, SLICE_NONE), OK);
	cr_expect_eq(auth_check(auth, buf_slice(&token), NOW, &user), AUTH_ALGORITHM);
	buf_fini(&token);
	return auth;
}

Test(auth_load, a_reload_takes_the_new_keys_alone)
{
	expect_log(reload_good, "level=info event=auth.reloaded node=g1 keys=2 skipped=0",
		   "event=auth.no_audience");
}
