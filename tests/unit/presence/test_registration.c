/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations without connections; store_kit_gateways.c has the rest. */
#include "presence/registration.h"

#include <criterion/criterion.h>

static struct registrations registrations;

static void setup(void)
{
	registrations_init(&registrations, 1);
}

static void teardown(void)
{
	registrations_fini(&registrations);
}

TestSuite(registration, .init = setup, .fini = teardown);

static uint64_t new (const char *name, uint64_t incarnation, int64_t end_ms)
{
	const struct session_gateway_id id = { slice_from_str(name), incarnation };

	return registration_new(&registrations, &id, end_ms)->number;
}

static bool is_live(uint64_t number)
{
	return registration_find(&registrations, number) != NULL;
}

Test(registration, each_has_a_number_of_its_own)
{
	const uint64_t first = new ("g1", 1, 100);
	const uint64_t second = new ("g1", 1, 100);

	cr_expect_neq(first, 0);
	cr_expect_gt(second, first);
	cr_expect(is_live(first));
	cr_expect(is_live(second));
	cr_expect_not(is_live(0));
	cr_expect_not(is_live(second + 1));
}

Test(registration, a_new_life_retires_the_one_before)
{
	const uint64_t before = new ("g1", 1, 100);
	const uint64_t other = new ("g10", 1, 100);
	const uint64_t after = new ("g1", 2, 100);

	cr_expect_not(is_live(before));
	cr_expect(is_live(other));
	cr_expect(is_live(after));
	/* It held nothing. */
	cr_expect_null(registration_first_retired(&registrations));
}

Test(registration, its_lease_ends_in_its_last_millisecond)
{
	const uint64_t number = new ("g1", 1, 100);

	(void)new ("g2", 1, 300);
	cr_expect_null(registration_expired(&registrations, 99));
	cr_assert_not_null(registration_expired(&registrations, 100));
	cr_expect_eq(registration_expired(&registrations, 100)->number, number);
}

Test(registration, a_retired_one_stays_until_it_is_empty)
{
	const uint64_t number = new ("g1", 1, 100);
	struct registration *registration = registration_find(&registrations, number);
	struct list entry;

	list_init(&entry);
	list_append(&registration->entries, &entry);
	registration_retire(&registrations, registration);
	cr_expect_not(is_live(number));
	cr_expect_eq(registration_first_retired(&registrations), registration);
	registration_shrunk(registration);
	cr_expect_eq(registration_first_retired(&registrations), registration);
	list_remove(&entry);
	registration_shrunk(registration);
	cr_expect_null(registration_first_retired(&registrations));
}

Test(registration, earlier_ones_of_the_same_gateway_are_retired)
{
	const uint64_t first = new ("g1", 1, 100);
	const uint64_t other = new ("g2", 1, 100);
	const uint64_t second = new ("g1", 1, 100);

	registration_retire_earlier(&registrations,
				    registration_find(&registrations, second));
	cr_expect_not(is_live(first));
	cr_expect(is_live(second));
	cr_expect(is_live(other));
}
