/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use the API: token files, where pages are from, and requests over real sockets.
 */
#include "presence/admin_auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/presence/admin_kit.h"

#define T1 "0123456789abcdef0123456789abcde1"
#define T2 "0123456789abcdef0123456789abcde2"
#define T3 "0123456789abcdef0123456789abcde3"

static struct admin_kit kit;

static void setup(void)
{
	admin_kit_init(&kit);
}

static void teardown(void)
{
	admin_kit_fini(&kit);
}

TestSuite(admin_auth, .init = setup, .fini = teardown, .timeout = 60);

/* ---- token files */

static size_t parse(const char *text)
{
	struct secrets tokens = SECRETS_INIT;
	const char *problem = NULL;
	enum err rc;
	size_t n;

	buf_append_str(&tokens.text, text);
	rc = admin_tokens_parse(&tokens, &problem);
	n = rc == OK ? tokens.n : 0;
	cr_expect_eq(rc == OK, problem == NULL, "%s", text);
	secrets_fini(&tokens);
	return n;
}

/* secret.h has the rules of lines. */
Test(admin_auth, a_file_has_one_to_three_tokens)
{
	cr_expect_eq(parse(T1), 1);
	cr_expect_eq(parse("\n" T1 "\r\n\n" T2 "\n\n"), 2);
	cr_expect_eq(parse(T1 "\n" T2 "\n" T3), 3);
	cr_expect_eq(parse(T1 "\n" T2 "\n" T3 "\n" T1), 0);
	cr_expect_eq(parse(""), 0);
}

Test(admin_auth, a_token_has_its_limits)
{
	char text[4098];

	memset(text, 'x', sizeof(text));
	text[32] = '\0';
	cr_expect_eq(parse(text), 1);
	text[31] = '\0';
	cr_expect_eq(parse(text), 0);
	text[31] = text[32] = 'x';
	text[4096] = '\0';
	cr_expect_eq(parse(text), 1);
	text[4096] = 'x';
	text[4097] = '\0';
	cr_expect_eq(parse(text), 0);
	cr_expect_eq(parse("0123456789abcdef 0123456789abcdef"), 0);
	cr_expect_eq(parse("0123456789abcdef\xc3\xbc"
			   "0123456789abcdef"),
		     0);
}

static int status_with(const char *headers)
{
	admin_kit_say(&kit, "GET", "/api/v1/processes", headers, NULL);
	return admin_kit_wait(&kit);
}

Test(admin_auth, either_token_will_do_until_it_is_taken_away)
{
	admin_kit_use_tokens(&kit, T1 "\n" T2 "\n");
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 200);
	cr_expect_eq(status_with("Authorization: Bearer " T2 "\r\n"), 200);
	cr_expect_eq(status_with("Authorization: Bearer " T3 "\r\n"), 401);
	admin_kit_use_tokens(&kit, T2 "\n" T3 "\n");
	cr_expect(admin_reload(kit.presence.admin));
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 401);
	cr_expect_eq(status_with("Authorization: Bearer " T2 "\r\n"), 200);
	cr_expect_eq(status_with("Authorization: Bearer " T3 "\r\n"), 200);
}

Test(admin_auth, a_file_that_will_not_do_changes_nothing)
{
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 200);
	admin_kit_use_tokens(&kit, "short");
	cr_expect_not(admin_reload(kit.presence.admin));
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 200);
	cr_expect_eq(status_with("Authorization: Bearer short\r\n"), 401);
	cr_expect_eq(status_with(""), 401);
}

/* As after a file of options that is empty for a moment: all it says are defaults. */
static int status_without_tokens(const char *listen)
{
	static char address[32];
	static char none[] = "";

	(void)snprintf(address, sizeof(address), "%s", listen);
	kit.conf.admin_listen = address;
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 200);
	kit.conf.admin_token_file = none;
	admin_reload(kit.presence.admin);
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"), 200);
	return status_with("");
}

Test(admin_auth, beyond_loopback_the_last_token_stays)
{
	cr_expect_eq(status_without_tokens("0.0.0.0:0"), 401);
	cr_expect_eq(kit.presence.metrics.reload.secret_failed_total, 1);
	cr_expect_neq(kit.presence.metrics.admin_token_fingerprint, 0);
}

Test(admin_auth, on_loopback_it_may_go)
{
	cr_expect_eq(status_without_tokens("127.0.0.1:0"), 200);
	cr_expect_eq(kit.presence.metrics.reload.secret_failed_total, 0);
	cr_expect_eq(kit.presence.metrics.admin_token_fingerprint, 0);
}

Test(admin_auth, a_file_without_a_token_keeps_it_from_starting, .exit_code = 1)
{
	admin_kit_use_tokens(&kit, "\n");
	kit.presence.admin = admin_open(&kit.presence);
}

Test(admin_auth, two_authorizations_are_none)
{
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(status_with("Authorization: Bearer " T1 "\r\n"
				 "Authorization: Bearer " T1 "\r\n"),
		     401);
	cr_expect(admin_kit_is_problem(&kit, "unauthorized"));
	cr_expect_eq(status_with("Authorization: Bearer " T1 ", Bearer " T1 "\r\n"), 401);
	cr_expect_eq(status_with("Authorization: Bearer\t" T1 "\r\n"), 401);
}

Test(admin_auth, a_token_in_the_query_is_none)
{
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/stats?access_token=" T1), 401);
}

Test(admin_auth, the_description_asks_for_no_token)
{
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(admin_kit_get(&kit, "/api/openapi.json"), 200);
	cr_expect(admin_kit_has(&kit, "{\n \"openapi\": \"3.1.0\""));
}

/* ---- pages */

Test(admin_auth, hosts_of_this_machine_are_known)
{
	cr_expect(admin_auth_is_loopback(SLICE("localhost")));
	cr_expect(admin_auth_is_loopback(SLICE("LocalHost:80")));
	cr_expect(admin_auth_is_loopback(SLICE("127.0.0.1")));
	cr_expect(admin_auth_is_loopback(SLICE("127.1.2.3:8090")));
	cr_expect(admin_auth_is_loopback(SLICE("[::1]")));
	cr_expect(admin_auth_is_loopback(SLICE("[::1]:8090")));
	cr_expect_not(admin_auth_is_loopback(SLICE("")));
	cr_expect_not(admin_auth_is_loopback(SLICE(":80")));
	cr_expect_not(admin_auth_is_loopback(SLICE("localhost.evil.example")));
	cr_expect_not(admin_auth_is_loopback(SLICE("127.0.0.1.evil.example:80")));
	cr_expect_not(admin_auth_is_loopback(SLICE("evil.example")));
	cr_expect_not(admin_auth_is_loopback(SLICE("[::1]x")));
	cr_expect_not(admin_auth_is_loopback(SLICE("[::2]:80")));
	cr_expect_not(admin_auth_is_loopback(SLICE("127.1")));
	cr_expect_not(admin_auth_is_loopback(SLICE("2130706433")));
}

Test(admin_auth, without_a_token_a_name_that_leads_here_is_refused)
{
	cr_expect_eq(status_with("Host: evil.example\r\n"), 403);
	cr_expect(admin_kit_is_problem(&kit, "foreign"));
	cr_expect_eq(status_with("Host: localhost:1\r\n"), 200);
	cr_expect_eq(kit.presence.metrics.admin_denied_total, 1);
}

Test(admin_auth, without_a_token_pages_of_others_are_refused)
{
	cr_expect_eq(status_with("Host: localhost\r\nOrigin: http://localhost\r\n"), 200);
	cr_expect_eq(status_with("Host: localhost:9\r\nOrigin: http://localhost:9\r\n"),
		     200);
	cr_expect_eq(status_with("Host: localhost:9\r\nOrigin: http://localhost:8\r\n"),
		     403);
	cr_expect_eq(status_with("Host: localhost\r\nOrigin: https://localhost\r\n"),
		     403);
	cr_expect_eq(status_with("Host: localhost\r\nOrigin: null\r\n"), 403);
	cr_expect_eq(status_with("Host: localhost\r\nOrigin: \r\n"), 403);
	cr_expect_eq(status_with("Host: localhost\r\nOrigin: http://localhost\r\n"
				 "Origin: http://localhost\r\n"),
		     403);
	cr_expect_eq(status_with("Sec-Fetch-Site: cross-site\r\n"), 403);
	cr_expect_eq(status_with("Sec-Fetch-Site: same-site\r\n"), 403);
	cr_expect_eq(status_with("Sec-Fetch-Site: same-origin\r\n"), 200);
	cr_expect_eq(status_with("Sec-Fetch-Site: none\r\n"), 200);
}

Test(admin_auth, a_token_is_taken_from_wherever_it_comes)
{
	admin_kit_use_tokens(&kit, T1);
	cr_expect_eq(
		status_with("Host: admin.example\r\nOrigin: https://admin.example\r\n"
			    "Authorization: Bearer " T1 "\r\n"),
		200);
}

Test(admin_auth, no_page_is_told_that_it_may)
{
	admin_kit_say(&kit, "OPTIONS", "/api/v1/stats",
		      "Origin: http://evil.example\r\n"
		      "Access-Control-Request-Method: DELETE\r\n",
		      NULL);
	cr_expect_eq(admin_kit_wait(&kit), 403);
	cr_expect_not(admin_kit_has(&kit, "Access-Control-"));
}
