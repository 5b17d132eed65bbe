/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said first, with each option, and each answer that is not good enough.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/base/redis_login.h"

static const struct redis_script scripts[] = { { "one", "return 1" },
					       { "two", "return 2" } };
static const char one[] = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
static const char two[] = "7f923f79fe76194c868d7e1d0820de36700eb649";

static struct redis_login_options options;
static struct redis_login login;
static struct buf said;

static void setup(void)
{
	options = (struct redis_login_options){ .user = "" };
	said = BUF_INIT;
}

static void teardown(void)
{
	buf_fini(&said);
}

TestSuite(redis_login, .init = setup, .fini = teardown);

static void expect_said(enum redis_step first, const char *text)
{
	buf_clear(&said);
	redis_login_start(&login, &options, first, &said);
	cr_expect(slice_equal(buf_slice(&said), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&said)));
}

static struct redis_reply status(const char *text)
{
	return (struct redis_reply){ .type = REDIS_STRING, .text = slice_from_str(text) };
}

static struct redis_reply error(const char *text)
{
	return (struct redis_reply){ .type = REDIS_ERROR, .text = slice_from_str(text) };
}

static struct redis_reply role(const char *text)
{
	static struct redis_reply item;

	item = status(text);
	return (struct redis_reply){ .type = REDIS_ARRAY, .items = &item, .items_n = 1 };
}

static void take(struct redis_reply reply)
{
	cr_assert_not(redis_login_is_done(&login));
	cr_expect_eq(redis_login_answer(&login, &reply), OK, "%s", login.problem);
}

/* The answer that comes next is not good enough; a good one still is. */
static void refuse(struct redis_reply reply, const char *why)
{
	const struct redis_login before = login;

	cr_expect_eq(redis_login_answer(&login, &reply), ERR_DENIED);
	cr_expect_str_eq(login.problem, why);
	login = before;
}

#define ROLE_PING "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n"

Test(redis_login, says_only_what_is_needed)
{
	expect_said(REDIS_STEP_AUTH, ROLE_PING);
	take(role("master"));
	take(status("PONG"));
	cr_expect(redis_login_is_done(&login));
}

Test(redis_login, says_all_there_is)
{
	options.user = "me";
	options.password = SLICE("pw");
	options.db = 12;
	options.scripts = scripts;
	options.scripts_n = 2;
	expect_said(REDIS_STEP_AUTH,
		    "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n"
		    "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n" ROLE_PING
		    "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n"
		    "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 2\r\n");
	take(status("OK"));
	take(status("OK"));
	take(role("master"));
	take(status("PONG"));
	take(status(one));
	take(status(two));
	cr_expect(redis_login_is_done(&login));
}

Test(redis_login, has_a_password_without_a_user)
{
	options.password = SLICE("pw");
	expect_said(REDIS_STEP_AUTH, "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n" ROLE_PING);
}

/* It does not log in as another one. */
Test(redis_login, has_a_user_without_a_password)
{
	options.user = "me";
	expect_said(REDIS_STEP_AUTH,
		    "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$0\r\n\r\n" ROLE_PING);
}

Test(redis_login, loads_scripts_alone)
{
	options.password = SLICE("pw");
	options.scripts = scripts;
	options.scripts_n = 1;
	expect_said(REDIS_STEP_SCRIPTS,
		    "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n");
	take(status(one));
	cr_expect(redis_login_is_done(&login));
}

Test(redis_login, says_what_is_wrong)
{
	options.password = SLICE("pw");
	options.db = 1;
	options.scripts = scripts;
	options.scripts_n = 1;
	redis_login_start(&login, &options, REDIS_STEP_AUTH, &said);
	refuse(error("WRONGPASS no"), "it refused the user or the password");
	refuse(status("QUEUED"), "it refused the user or the password");
	take(status("OK"));
	refuse(error("ERR DB index is out of range"), "it has no such database");
	refuse(error("NOPERM no"), "the user may not do all that is needed (ACL)");
	take(status("OK"));
	refuse(role("slave"), "it is no master");
	refuse(role("sentinel"), "it is no master");
	refuse(error("ERR unknown command"), "it is no master");
	refuse(error("NOAUTH no"), "it wants a password");
	refuse((struct redis_reply){ .type = REDIS_ARRAY }, "it is no master");
	refuse((struct redis_reply){ .type = REDIS_INTEGER }, "it is no master");
	take(role("master"));
	refuse(error("LOADING no"), "it is loading its data");
	refuse(error("MASTERDOWN no"), "it is no master");
	refuse(status("PING"), "it does not answer PING");
	take(status("PONG"));
	refuse(status(two), "it refused a script");
	refuse(error("ERR Error compiling script"), "it refused a script");
	refuse(error("LOADING no"), "it is loading its data");
	take(status(one));
	refuse(status("OK"), "it answered what was not asked");
}
