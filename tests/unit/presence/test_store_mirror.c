/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "presence/store_mirror.h"

static struct mirror mirror;

static void setup(void)
{
	mirror_init(&mirror, 1);
}

static void teardown(void)
{
	mirror_fini(&mirror);
}

TestSuite(store_mirror, .init = setup, .fini = teardown);

static size_t walk(void)
{
	const struct map_node *node = NULL;
	size_t n = 0;

	while ((node = mirror_next(&mirror, node)) != NULL)
		n++;
	return n;
}

static void expect_users(size_t n)
{
	cr_expect_eq(mirror.n, n, "%zu users", mirror.n);
	cr_expect_eq(walk(), n, "%zu walked", walk());
}

Test(store_mirror, who_is_not_learned_is_not_kept)
{
	mirror_set(&mirror, SLICE("ann"), true);
	cr_expect_not(mirror_has(&mirror, SLICE("ann")));
	expect_users(0);
}

Test(store_mirror, pages_and_events_make_it_whole)
{
	mirror_load(&mirror);
	mirror_teach(&mirror, SLICE("ann"));
	mirror_teach(&mirror, SLICE("ben"));
	mirror_set(&mirror, SLICE("cid"), true);
	mirror_teach(&mirror, SLICE("cid"));
	mirror_loaded(&mirror);
	cr_expect_eq(mirror.state, MIRROR_WHOLE);
	cr_expect(mirror_has(&mirror, SLICE("ann")));
	cr_expect(mirror_has(&mirror, SLICE("cid")));
	cr_expect_not(mirror_has(&mirror, SLICE("dan")));
	expect_users(3);
}

Test(store_mirror, an_event_holds_against_the_page_behind_it)
{
	mirror_load(&mirror);
	mirror_set(&mirror, SLICE("ann"), false);
	mirror_teach(&mirror, SLICE("ann"));
	mirror_teach(&mirror, SLICE("ben"));
	mirror_set(&mirror, SLICE("ben"), false);
	mirror_set(&mirror, SLICE("ben"), false);
	mirror_set(&mirror, SLICE("cid"), false);
	mirror_set(&mirror, SLICE("cid"), true);
	cr_expect_not(mirror_has(&mirror, SLICE("ann")));
	expect_users(1);
	mirror_loaded(&mirror);
	expect_users(1);
	cr_expect(mirror_has(&mirror, SLICE("cid")));
}

Test(store_mirror, whole_it_follows_the_events)
{
	mirror_load(&mirror);
	mirror_loaded(&mirror);
	mirror_set(&mirror, SLICE("ann"), true);
	mirror_set(&mirror, SLICE("ann"), true);
	mirror_set(&mirror, SLICE("a\0n"), true);
	expect_users(2);
	mirror_set(&mirror, SLICE("ann"), false);
	mirror_set(&mirror, SLICE("ann"), false);
	expect_users(1);
	cr_expect(mirror_has(&mirror, SLICE("a\0n")));
}

Test(store_mirror, what_is_cleared_is_learned_anew)
{
	mirror_load(&mirror);
	mirror_teach(&mirror, SLICE("ann"));
	mirror_set(&mirror, SLICE("ben"), false);
	mirror_clear(&mirror);
	cr_expect_eq(mirror.state, MIRROR_NONE);
	expect_users(0);
	mirror_load(&mirror);
	mirror_teach(&mirror, SLICE("ben"));
	mirror_loaded(&mirror);
	cr_expect(mirror_has(&mirror, SLICE("ben")));
	expect_users(1);
}
