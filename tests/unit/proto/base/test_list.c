/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intrusive list: order, removal at any time, splicing.
 */
#include "proto/base/list.h"

#include <criterion/criterion.h>

struct item {
	int number;
	struct list node;
};

static struct list head;
static struct item items[4];

static void setup(void)
{
	list_init(&head);
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_init(&items[i].node);
	}
}

static void fill(struct list *list, int from, int to)
{
	for (int i = from; i < to; i++)
		list_append(list, &items[i].node);
}

/* The numbers in order as one decimal number, read forwards and checked backwards. */
static int digits(struct list *list)
{
	int forwards = 0;
	int backwards = 0;
	int power = 1;

	LIST_EACH (it, list)
		forwards =
			forwards * 10 + CONTAINER_OF(it, struct item, node)->number + 1;
	for (struct list *it = list->prev; it != list; it = it->prev) {
		backwards += power * (CONTAINER_OF(it, struct item, node)->number + 1);
		power *= 10;
	}
	cr_assert_eq(forwards, backwards, "both directions tell the same");
	return forwards;
}

Test(list, starts_empty, .init = setup)
{
	cr_assert(list_is_empty(&head));
	cr_assert_null(list_shift(&head));
	cr_assert_eq(digits(&head), 0);
}

Test(list, append_keeps_order, .init = setup)
{
	fill(&head, 0, 4);
	cr_assert_eq(digits(&head), 1234);
	cr_assert(list_is_linked(&items[0].node));
}

Test(list, remove_first_middle_last, .init = setup)
{
	fill(&head, 0, 4);
	list_remove(&items[1].node);
	cr_assert_eq(digits(&head), 134);
	list_remove(&items[0].node);
	cr_assert_eq(digits(&head), 34);
	list_remove(&items[3].node);
	cr_assert_eq(digits(&head), 3);
	cr_assert_not(list_is_linked(&items[3].node));
}

Test(list, remove_twice_is_harmless, .init = setup)
{
	fill(&head, 0, 2);
	list_remove(&items[0].node);
	list_remove(&items[0].node);
	cr_assert_eq(digits(&head), 2);
}

Test(list, shift_takes_the_first_and_unlinks_it, .init = setup)
{
	fill(&head, 0, 2);
	cr_assert_eq(list_shift(&head), &items[0].node);
	cr_assert_not(list_is_linked(&items[0].node));
	cr_assert_eq(digits(&head), 2);
}

Test(list, splice_moves_all_behind, .init = setup)
{
	struct list other;

	list_init(&other);
	fill(&head, 0, 2);
	fill(&other, 2, 4);
	list_splice(&head, &other);
	cr_assert_eq(digits(&head), 1234);
	cr_assert(list_is_empty(&other));
}

Test(list, splice_of_and_into_empty, .init = setup)
{
	struct list other;

	list_init(&other);
	list_splice(&head, &other);
	cr_assert(list_is_empty(&head));
	fill(&other, 0, 2);
	list_splice(&head, &other);
	cr_assert_eq(digits(&head), 12);
	list_splice(&head, &other);
	cr_assert_eq(digits(&head), 12);
}

Test(list, each_lets_its_node_be_removed, .init = setup)
{
	int seen = 0;

	fill(&head, 0, 4);
	LIST_EACH (it, &head) {
		list_remove(it);
		seen++;
	}
	cr_assert_eq(seen, 4);
	cr_assert(list_is_empty(&head));
}
