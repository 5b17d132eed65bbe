/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options about claims: which ones make the user, how much time is forgiven, and the
 * lists of names. What claims refuse a token stands in data/jwt_vectors.txt.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "gateway/auth_claims.h"
#include "tests/unit/gateway/auth_files.h"
#include "tests/unit/gateway/auth_kit.h"

#define ID_URI "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
#define NAME_URI "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"

static enum auth_rc check(const struct auth_conf *conf, const char *text, int64_t now_s,
			  struct user **user)
{
	struct arena arena = ARENA_INIT;
	struct auth_object claims;
	struct auth_rules rules;
	enum auth_rc rc;

	*user = NULL;
	auth_rules_init(&rules, conf);
	cr_assert_eq(auth_object_read(&claims, AUTH_OBJECT_MEMBERS_MAX,
				      slice_from_str(text), &arena),
		     OK);
	rc = auth_claims_check(&rules, &claims, slice_from_str(text), now_s, &arena,
			       user);
	auth_rules_fini(&rules);
	arena_fini(&arena);
	return rc;
}

static struct user *user_of(const struct auth_conf *conf, const char *text)
{
	struct user *user;

	cr_assert_eq(check(conf, text, NOW, &user), AUTH_OK, "%s", text);
	return user;
}

static void expect(struct slice text, const char *expected)
{
	cr_expect(slice_equal(text, slice_from_str(expected)), "%.*s for %s",
		  SLICE_FMT(text), expected);
}

/* ---- the user */

Test(auth_claims, the_users_claim_can_be_named)
{
	struct auth_conf conf = auth_conf_usual();
	char claim[] = "https://example.com/uid";
	struct user *user;

	conf.user_claim = claim;
	user = user_of(&conf,
		       "{" EXP ",\"sub\":\"s\",\"https://example.com/uid\":\"u7\"}");
	expect(user_id(user), "u7");
	user_free(user);
	cr_expect_eq(check(&conf, "{" EXP ",\"sub\":\"s\"}", NOW, &user), AUTH_CLAIMS);
	cr_expect_null(user);
}

Test(auth_claims, a_sub_of_another_type_is_not_read_then)
{
	struct auth_conf conf = auth_conf_usual();
	char claim[] = "uid";
	struct user *user;

	conf.user_claim = claim;
	user = user_of(&conf, "{" EXP ",\"sub\":7,\"uid\":\"u7\"}");
	expect(user_id(user), "u7");
	user_free(user);
}

Test(auth_claims, no_id_is_no_refusal_by_default)
{
	struct auth_conf conf = auth_conf_usual();
	struct user *user = user_of(&conf, "{" EXP "}");

	cr_expect_eq(user_id(user).len, 0);
	cr_expect_eq(user->expires_unix_s, 1700000100);
	user_free(user);
}

Test(auth_claims, the_name_is_the_usual_claim_or_the_named_one)
{
	struct auth_conf conf = auth_conf_usual();
	char claim[] = "nickname";
	struct user *user = user_of(&conf, "{" EXP ",\"" NAME_URI "\":\"Ada\"}");

	expect(user_name(user), "Ada");
	user_free(user);
	conf.name_claim = claim;
	user = user_of(&conf, "{" EXP ",\"name\":\"Ada\",\"nickname\":\"ad\"}");
	expect(user_name(user), "ad");
	user_free(user);
	user = user_of(&conf, "{" EXP ",\"name\":\"Ada\"}");
	expect(user_name(user), "");
	user_free(user);
}

Test(auth_claims, roles_are_those_of_the_named_claims_in_their_order)
{
	struct auth_conf conf = auth_conf_usual();
	char claims[] = "groups, scope";
	struct user *user;

	conf.role_claims = claims;
	user = user_of(&conf, "{" EXP ",\"role\":\"no\",\"scope\":\"c\","
			      "\"groups\":[\"a\",\"b\"]}");
	cr_assert_eq(user->roles_n, 3);
	expect(user_role(user, 0), "a");
	expect(user_role(user, 1), "b");
	expect(user_role(user, 2), "c");
	user_free(user);
}

Test(auth_claims, roles_may_be_switched_off)
{
	struct auth_conf conf = auth_conf_usual();
	char none[] = "";
	struct user *user;

	conf.role_claims = none;
	user = user_of(&conf, "{" EXP ",\"role\":\"admin\"}");
	cr_expect_eq(user->roles_n, 0);
	user_free(user);
}

Test(auth_claims, the_user_carries_all_claims_and_the_expiry)
{
	struct auth_conf conf = auth_conf_usual();
	const char *text = "{" EXP ",\"" ID_URI "\":\"u1\",\"tenant\":{\"id\":[7]}}";
	struct user *user = user_of(&conf, text);

	expect(user_id(user), "u1");
	expect(user_claims(user), text);
	cr_expect_eq(user->expires_unix_s, 1700000100);
	user_free(user);
}

/* ---- the leeway */

static void expect_leeway(int64_t leeway_ms, int64_t leeway_s)
{
	struct auth_conf conf = auth_conf_usual();
	struct user *user;

	conf.leeway_ms = leeway_ms;
	user = NULL;
	cr_expect_eq(check(&conf, CLAIMS, 1700000100 + leeway_s - 1, &user), AUTH_OK);
	user_free(user);
	cr_expect_eq(check(&conf, CLAIMS, 1700000100 + leeway_s, &user), AUTH_EXPIRED);
}

Test(auth_claims, the_leeway_is_in_whole_seconds_rounded_up)
{
	expect_leeway(0, 0);
	expect_leeway(1, 1);
	expect_leeway(1000, 1);
	expect_leeway(1001, 2);
	expect_leeway(AUTH_LEEWAY_MS_MAX, 60);
}

/* ---- lists of names */

Test(auth_claims, names_are_cut_at_commas_and_trimmed)
{
	struct auth_names names;

	cr_assert_eq(auth_names_read(&names, "a, b ,c d"), OK);
	cr_assert_eq(names.n, 3);
	expect(names.items[0], "a");
	expect(names.items[1], "b");
	expect(names.items[2], "c d");
	cr_expect_eq(auth_names_read(&names, ""), OK);
	cr_expect_eq(names.n, 0);
}

Test(auth_claims, empty_names_are_refused)
{
	struct auth_names names;

	cr_expect_eq(auth_names_read(&names, ","), ERR_ARGUMENT);
	cr_expect_eq(auth_names_read(&names, "a,"), ERR_ARGUMENT);
	cr_expect_eq(auth_names_read(&names, "a,,b"), ERR_ARGUMENT);
	cr_expect_eq(auth_names_read(&names, " "), ERR_ARGUMENT);
}

Test(auth_claims, names_at_their_limit_and_one_past)
{
	struct auth_conf conf = auth_conf_usual();
	char eight[] = "a,b,c,d,e,f,g,h";
	char nine[] = "a,b,c,d,e,f,g,h,i";
	struct auth_names names;

	cr_expect_eq(auth_names_read(&names, eight), OK);
	cr_expect_eq(names.n, AUTH_NAMES_MAX);
	cr_expect_eq(auth_names_read(&names, nine), ERR_LIMIT);
	conf.role_claims = eight;
	cr_expect_str_empty(auth_conf_problem(&conf));
	conf.role_claims = nine;
	cr_expect_str_eq(auth_conf_problem(&conf),
			 "auth_role_claims: up to 8 names with commas between them");
}

/* ---- what became of it */

Test(auth_claims, outcomes_have_names)
{
	cr_expect_str_eq(auth_rc_name(AUTH_OK), "ok");
	cr_expect_str_eq(auth_rc_name(AUTH_NO_KEY), "no_key");
	cr_expect_str_eq(auth_rc_name(AUTH_AUDIENCE), "audience");
}
