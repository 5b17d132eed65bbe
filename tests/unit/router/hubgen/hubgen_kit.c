/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/hubgen/hubgen_kit.h"

#include <stdio.h>

const char *hubgen_problem(struct slice text)
{
	static char said[1024];
	struct problem problem = { 0 };
	struct model model;
	enum err rc = parse_model(&model, text, &problem);

	if (rc == OK)
		rc = check_model(&model, &problem);
	cr_assert_eq(rc == OK, problem.text[0] == '\0', "%s", problem.text);
	(void)snprintf(said, sizeof(said), "%u: %s", problem.line, problem.text);
	model_fini(&model);
	return rc == OK ? "" : said;
}

typedef void emit_fn(struct buf *out, const struct model *model, struct slice source);

static const char *emitted(struct slice text, emit_fn *emit)
{
	static char made[65536];
	struct problem problem = { 0 };
	struct buf out = BUF_INIT;
	struct model model;

	cr_assert_eq(parse_model(&model, text, &problem), OK, "%s", problem.text);
	cr_assert_eq(check_model(&model, &problem), OK, "%s", problem.text);
	emit(&out, &model, SLICE("x.hub"));
	cr_assert_lt(out.len, sizeof(made));
	memcpy(made, out.ptr, out.len);
	made[out.len] = '\0';
	buf_fini(&out);
	model_fini(&model);
	return made;
}

const char *hubgen_c(struct slice text)
{
	return emitted(text, emit_c);
}

const char *hubgen_ts(struct slice text)
{
	return emitted(text, emit_ts);
}
