/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interface files as texts: what is wrong with them, and what is made of them.
 */
#ifndef TESTS_UNIT_ROUTER_HUBGEN_HUBGEN_KIT_H
#define TESTS_UNIT_ROUTER_HUBGEN_HUBGEN_KIT_H

#include <criterion/criterion.h>

#include "router/hubgen/check.h"
#include "router/hubgen/emit.h"
#include "router/hubgen/parse.h"

/* "12: type Usr is not declared (User?)", "" when all is fine; until the next call. */
const char *hubgen_problem(struct slice text);

#define expect_problem(text, want)                                                       \
	do {                                                                             \
		const char *got = hubgen_problem(SLICE(text));                           \
		cr_expect_str_eq(got, want, "%s\nsays: %s\nwant: %s", text, got, want);  \
	} while (0)
#define expect_fine(text) expect_problem(text, "")

/* What a declaration behind `hub x;` in the same line says is wrong with it. */
#define expect_wrong(text, want) expect_problem("hub x; " text, want)
#define expect_right(text) expect_problem("hub x; " text, "")

/* The C header (or the TypeScript) of a text without a fault; until the next call. */
const char *hubgen_c(struct slice text);
const char *hubgen_ts(struct slice text);

#define expect_in(text, part)                                                            \
	cr_expect_not_null(strstr((text), (part)), "%s\nis not in\n%s", (part), (text))

#endif
