/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/log.h"

static char taken[256]; /* what the tap was shown */

/* Takes what hubs log. */
static bool take(struct log_tap *tap, enum log_level level, const char *id,
		 const char *pairs)
{
	(void)tap; /* there is one */
	(void)snprintf(taken, sizeof(taken), "%d %s %s", (int)level, id,
		       pairs); /* it fits */
	return strncmp(id, "hub.", 4) == 0;
}

static struct log_tap tap = { .take = take };

/* On stderr, up to a line that is written here. */
static const char *written(void)
{
	static char text[4096];
	size_t len = 0;

	fputs("end", stderr);
	fflush(stderr);
	while (len < 3 || strcmp(text + len - 3, "end") != 0) {
		cr_assert_lt(len, sizeof(text) - 1);
		cr_assert_eq(fread(text + len, 1, 1, cr_get_redirected_stderr()), 1);
		text[++len] = '\0';
	}
	return text;
}

static void setup(void)
{
	cr_redirect_stderr();
	log_open(LOG_LOGFMT, LOG_WARN, "n");
	log_tap(&tap);
}

TestSuite(log_tap, .init = setup);

Test(log_tap, what_it_takes_is_not_written)
{
	log_warn("hub.poll.full", "room=%s", "lobby");
	cr_expect_str_eq(taken, "2 hub.poll.full room=lobby");
	cr_expect_null(strstr(written(), "hub.poll.full"));
}

Test(log_tap, what_it_leaves_is_written)
{
	log_warn("link.lost", "peer=%s", "r2");
	cr_expect_str_eq(taken, "2 link.lost peer=r2");
	cr_expect_not_null(strstr(written(), "link.lost"));
}

Test(log_tap, is_asked_no_more_when_it_is_gone)
{
	log_tap(NULL);
	log_warn("hub.poll.full", "room=%s", "lobby");
	cr_expect_str_eq(taken, "");
	cr_expect_not_null(strstr(written(), "hub.poll.full"));
}

Test(log_tap, it_is_shown_what_is_below_the_level)
{
	log_debug("hub.poll.idle", "n=%d", 5);
	cr_expect_str_eq(taken, "0 hub.poll.idle n=5");
}

Test(log_tap, it_is_shown_what_is_over_the_rate)
{
	for (int i = 0; i <= 2 * LOG_BURST; i++)
		log_warn("link.lost", "n=%d", i);
	cr_expect_str_eq(taken, "2 link.lost n=40");
}

Test(log_tap, what_is_too_long_is_cut)
{
	static char text[8192];

	memset(text, 'x', sizeof(text) - 1);
	log_warn("hub.poll.long", "%s", text);
	cr_expect_eq(strncmp(taken, "2 hub.poll.long xxx", 19), 0);
}
