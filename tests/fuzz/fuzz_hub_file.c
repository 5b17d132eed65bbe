/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface file of a hub. What is refused has a reason on a line of the file; of
 * what is taken both sides are made, the same each time.
 */
#include <string.h>

#include "router/hubgen/check.h"
#include "router/hubgen/emit.h"
#include "router/hubgen/parse.h"
#include "tests/fuzz/fuzz.h"

static unsigned lines_of(struct slice text)
{
	unsigned lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	return lines;
}

/* False: it is refused. */
static bool make(struct slice text, struct buf *c, struct buf *ts)
{
	struct problem problem = { 0 };
	struct model model;
	const bool is_fine = parse_model(&model, text, &problem) == OK &&
			     check_model(&model, &problem) == OK;

	assert(is_fine == (problem.text[0] == '\0'));
	assert(problem.line <= lines_of(text));
	if (is_fine) {
		emit_c(c, &model, SLICE("fuzz.hub"));
		emit_ts(ts, &model, SLICE("fuzz.hub"));
	}
	model_fini(&model);
	return is_fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = fuzz_slice(data, size);
	struct buf c = BUF_INIT;
	struct buf ts = BUF_INIT;
	struct buf c_again = BUF_INIT;
	struct buf ts_again = BUF_INIT;

	if (make(text, &c, &ts)) {
		assert(make(text, &c_again, &ts_again));
		assert(slice_equal(buf_slice(&c), buf_slice(&c_again)));
		assert(slice_equal(buf_slice(&ts), buf_slice(&ts_again)));
	}
	buf_fini(&c);
	buf_fini(&ts);
	buf_fini(&c_again);
	buf_fini(&ts_again);
	return 0;
}
