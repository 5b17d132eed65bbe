/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger at the edges of its window, and against a naive model that remembers
 * everything.
 */
#include "bench/ledger.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static enum ledger_verdict note(struct ledger *ledger, uint32_t seq)
{
	return ledger_note(ledger, 1, 2, 3, seq);
}

Test(ledger, in_order_nothing_is_missing)
{
	struct ledger *ledger = ledger_new(10);

	for (uint32_t seq = 1; seq <= 1000; seq++)
		cr_assert_eq(note(ledger, seq), LEDGER_NEXT);
	cr_assert_eq(ledger_missing(ledger), 0);
	ledger_free(ledger);
}

Test(ledger, the_first_due_is_one)
{
	struct ledger *ledger = ledger_new(10);

	cr_assert_eq(note(ledger, 2), LEDGER_GAP);
	cr_assert_eq(ledger_missing(ledger), 1);
	cr_assert_eq(note(ledger, 1), LEDGER_LATE);
	cr_assert_eq(ledger_missing(ledger), 0);
	cr_assert_eq(note(ledger, 1), LEDGER_DUPLICATE);
	cr_assert_eq(note(ledger, 2), LEDGER_DUPLICATE);
	cr_assert_eq(note(ledger, 3), LEDGER_NEXT);
	ledger_free(ledger);
}

Test(ledger, number_nought_was_never_due)
{
	struct ledger *ledger = ledger_new(10);

	cr_assert_eq(note(ledger, 0), LEDGER_DUPLICATE);
	cr_assert_eq(note(ledger, 1), LEDGER_NEXT);
	cr_assert_eq(note(ledger, 0), LEDGER_DUPLICATE);
	cr_assert_eq(ledger_missing(ledger), 0);
	ledger_free(ledger);
}

Test(ledger, sixty_four_behind_is_late_and_one_more_is_stale)
{
	struct ledger *ledger = ledger_new(10);

	cr_assert_eq(note(ledger, 66), LEDGER_GAP);
	cr_assert_eq(ledger_missing(ledger), 65);
	cr_assert_eq(note(ledger, 2), LEDGER_LATE);
	cr_assert_eq(note(ledger, 2), LEDGER_DUPLICATE);
	cr_assert_eq(note(ledger, 1), LEDGER_STALE);
	cr_assert_eq(ledger_missing(ledger), 64);
	ledger_free(ledger);
}

/* Jumps by 63, 64 and 65: what was the highest stays known as long as it is in sight. */
Test(ledger, jumps_as_wide_as_the_window)
{
	static const struct {
		uint32_t to;
		enum ledger_verdict one_again;
	} rows[] = {
		{ 64, LEDGER_DUPLICATE },
		{ 65, LEDGER_DUPLICATE },
		{ 66, LEDGER_STALE },
		{ UINT32_MAX, LEDGER_STALE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ledger *ledger = ledger_new(10);

		cr_assert_eq(note(ledger, 1), LEDGER_NEXT);
		cr_assert_eq(note(ledger, rows[i].to), LEDGER_GAP);
		cr_assert_eq(note(ledger, 1), rows[i].one_again, "to %u", rows[i].to);
		cr_assert_eq(ledger_missing(ledger), rows[i].to - 2);
		ledger_free(ledger);
	}
}

Test(ledger, begin_makes_only_what_follows_due)
{
	struct ledger *ledger = ledger_new(10);

	ledger_begin(ledger, 1, 2, 3, 1000);
	cr_assert_eq(note(ledger, 1001), LEDGER_NEXT);
	cr_assert_eq(note(ledger, 1000), LEDGER_DUPLICATE);
	cr_assert_eq(ledger_missing(ledger), 0);
	ledger_free(ledger);
}

Test(ledger, begin_again_keeps_what_was_missing)
{
	struct ledger *ledger = ledger_new(10);

	cr_assert_eq(note(ledger, 3), LEDGER_GAP);
	ledger_begin(ledger, 1, 2, 3, 10);
	cr_assert_eq(ledger_missing(ledger), 2);
	cr_assert_eq(note(ledger, 2), LEDGER_DUPLICATE);
	cr_assert_eq(note(ledger, 11), LEDGER_NEXT);
	cr_assert_eq(ledger_missing(ledger), 2);
	ledger_free(ledger);
}

Test(ledger, each_part_of_the_key_tells_rows_apart)
{
	struct ledger *ledger = ledger_new(10);

	cr_assert_eq(ledger_note(ledger, 0, 0, 0, 1), LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, 1, 0, 0, 1), LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, 0, 1, 0, 1), LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, 0, 0, 1, 1), LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX, 1),
		     LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, 0, 0, 0, 1), LEDGER_DUPLICATE);
	ledger_free(ledger);
}

/* One row too many: known ones go on, of new ones nobody can tell. */
Test(ledger, a_row_past_the_limit_is_stale)
{
	struct ledger *ledger = ledger_new(100);

	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(ledger_note(ledger, i, 0, 0, 1), LEDGER_NEXT);
	cr_assert_eq(ledger_note(ledger, 100, 0, 0, 1), LEDGER_STALE);
	ledger_begin(ledger, 100, 0, 0, 1);
	cr_assert_eq(ledger_note(ledger, 100, 0, 0, 2), LEDGER_STALE);
	cr_assert_eq(ledger_note(ledger, 99, 0, 0, 2), LEDGER_NEXT);
	cr_assert_eq(ledger_missing(ledger), 0);
	ledger_free(ledger);
}

Test(ledger, grows_and_keeps_what_it_knows)
{
	const uint32_t n = 100000;
	struct ledger *ledger = ledger_new(n);

	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(ledger_note(ledger, i % 1000, i / 1000, i % 7, 2),
			     LEDGER_GAP);
	cr_assert_eq(ledger_missing(ledger), n);
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(ledger_note(ledger, i % 1000, i / 1000, i % 7, 1),
			     LEDGER_LATE);
	cr_assert_eq(ledger_missing(ledger), 0);
	ledger_free(ledger);
}

/* ---- a naive model: every number of every row, for ever */

#define MODEL_ROWS 40
#define MODEL_SEQ_MAX 2000u

struct model {
	uint32_t high[MODEL_ROWS];
	bool seen[MODEL_ROWS][MODEL_SEQ_MAX + 1];
	uint64_t missing;
};

static enum ledger_verdict model_note(struct model *model, uint32_t row, uint32_t seq)
{
	const uint32_t high = model->high[row];

	if (seq > high) {
		model->high[row] = seq;
		model->seen[row][seq] = true;
		model->missing += seq - high - 1;
		return seq == high + 1 ? LEDGER_NEXT : LEDGER_GAP;
	}
	if (high - seq > 64)
		return LEDGER_STALE;
	if (model->seen[row][seq])
		return LEDGER_DUPLICATE;
	model->seen[row][seq] = true;
	model->missing--;
	return LEDGER_LATE;
}

static uint32_t random_below(uint64_t *state, uint32_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % below;
}

/* Mostly near the row's highest number: that is where the edges are. */
static uint32_t random_seq(uint64_t *random, uint32_t high)
{
	const uint32_t back = random_below(random, 80);
	const uint32_t on = random_below(random, 20) == 0 ? random_below(random, 80)
							  : random_below(random, 4);
	const uint32_t seq = high + on > back ? high + on - back : 1;

	if (random_below(random, 2) == 0)
		return high + on < MODEL_SEQ_MAX ? high + on + 1 : MODEL_SEQ_MAX;
	return seq < MODEL_SEQ_MAX ? seq : MODEL_SEQ_MAX;
}

static void compare_with_model(uint64_t seed)
{
	struct ledger *ledger = ledger_new(MODEL_ROWS);
	struct model *model = calloc(1, sizeof(*model));
	uint64_t random = seed;

	cr_assert_not_null(model);
	for (int i = 0; i < 40000; i++) {
		const uint32_t row = random_below(&random, MODEL_ROWS);
		const uint32_t seq = random_seq(&random, model->high[row]);
		const enum ledger_verdict expected = model_note(model, row, seq);

		cr_assert_eq(ledger_note(ledger, row, row / 3, row % 3, seq), expected,
			     "seed %lu, step %d, row %u, seq %u", (unsigned long)seed, i,
			     row, seq);
		cr_assert_eq(ledger_missing(ledger), model->missing);
	}
	free(model);
	ledger_free(ledger);
}

Test(ledger, agrees_with_one_that_remembers_everything)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		compare_with_model(seed);
}
