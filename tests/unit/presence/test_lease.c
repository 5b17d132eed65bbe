/* SPDX-License-Identifier: Apache-2.0 */
/* Leases on a clock of the test's: who runs out when. */
#include "presence/lease.h"

#include <criterion/criterion.h>

static struct leases leases;
static struct lease a;
static struct lease b;

static void setup(void)
{
	leases_init(&leases);
	lease_init(&a, 1, SLICE("g1"), 11);
	lease_init(&b, 2, SLICE("r1"), 12);
}

TestSuite(lease, .init = setup);

Test(lease, without_any_nothing_is_due)
{
	cr_expect_eq(leases_due_ms(&leases), -1);
	cr_expect_null(leases_expired(&leases, INT64_MAX));
}

Test(lease, it_runs_out_a_lease_after_the_last_word)
{
	leases_add(&leases, &a, 1000, 50);
	cr_expect_eq(leases_due_ms(&leases), 1050);
	cr_expect_null(leases_expired(&leases, 1049));
	cr_expect_eq(leases_expired(&leases, 1050), &a);
	lease_touch(&a, 60);
	cr_expect_null(leases_expired(&leases, 1059));
}

Test(lease, the_first_to_run_out_is_due)
{
	leases_add(&leases, &a, 1000, 0);
	leases_add(&leases, &b, 300, 100);
	cr_expect_eq(leases_due_ms(&leases), 400);
	cr_expect_eq(leases_expired(&leases, 400), &b);
	leases_remove(&leases, &b);
	cr_expect_eq(leases_due_ms(&leases), 1000);
	cr_expect_eq(leases.n, 1);
}

Test(lease, a_renewal_says_how_long_and_how_many)
{
	leases_add(&leases, &a, 1000, 0);
	lease_renew(&a, 200, 7, 500);
	cr_expect_eq(a.connections, 7);
	cr_expect_eq(a.seen_ms, 500);
	cr_expect_eq(leases_due_ms(&leases), 700);
}

Test(lease, the_length_stays_in_its_range)
{
	leases_add(&leases, &a, LEASE_MS_MIN, 0);
	cr_expect_eq(a.lease_ms, LEASE_MS_MIN);
	lease_renew(&a, LEASE_MS_MIN - 1, 0, 0);
	cr_expect_eq(a.lease_ms, LEASE_MS_MIN);
	lease_renew(&a, INT64_MIN, 0, 0);
	cr_expect_eq(a.lease_ms, LEASE_MS_MIN);
	lease_renew(&a, LEASE_MS_MAX, 0, 0);
	cr_expect_eq(a.lease_ms, LEASE_MS_MAX);
	lease_renew(&a, INT64_MAX, 0, 0);
	cr_expect_eq(a.lease_ms, LEASE_MS_MAX);
}

Test(lease, there_are_no_fewer_connections_than_none)
{
	leases_add(&leases, &a, 1000, 0);
	lease_renew(&a, 1000, -1, 0);
	cr_expect_eq(a.connections, 0);
}

Test(lease, a_name_may_be_as_long_as_it_has_room)
{
	char name[LEASE_NAME_MAX];

	memset(name, 'n', sizeof(name));
	lease_init(&a, 1, slice_make(name, sizeof(name)), 1);
	cr_expect_eq(strlen(a.name), LEASE_NAME_MAX);
}

Test(lease, when_we_stood_still_all_are_forgiven)
{
	leases_add(&leases, &a, 1000, 0);
	leases_add(&leases, &b, 1000, 0);
	leases_forgive(&leases, 5000);
	cr_expect_null(leases_expired(&leases, 5999));
	cr_expect_not_null(leases_expired(&leases, 6000));
}

Test(lease, processes_are_counted_by_role)
{
	leases_add(&leases, &a, 1000, 0);
	leases_add(&leases, &b, 1000, 0);
	cr_expect_eq(leases_count(&leases, 1), 1);
	cr_expect_eq(leases_count(&leases, 2), 1);
	cr_expect_eq(leases_count(&leases, 3), 0);
}
