/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each method is as short as the generated functions allow. Also a file for hub_module,
 * with TYPED_HUB_FILE defined.
 */
#include "tests/unit/router/typed_hub.h"

#include "tests/unit/router/typed.gen.h"

/* ---- there and back */

static enum hub_rc typed_on_echo(struct hub_call *call,
				 const struct typed_everything *everything,
				 struct typed_everything *result)
{
	(void)call; /* nothing is made */
	*result = *everything;
	return HUB_OK;
}

static enum hub_rc typed_on_echo_options(struct hub_call *call,
					 const struct typed_options *options,
					 struct typed_options *result)
{
	(void)call; /* the same */
	*result = *options;
	return HUB_OK;
}

static enum hub_rc typed_on_echo_bytes(struct hub_call *call, struct slice data,
				       struct slice *result)
{
	(void)call; /* the same */
	*result = data;
	return HUB_OK;
}

static enum hub_rc typed_on_echo_levels(struct hub_call *call,
					const enum typed_level *levels, size_t levels_n,
					const enum typed_level **result, size_t *result_n)
{
	(void)call; /* the same */
	*result = levels;
	*result_n = levels_n;
	return HUB_OK;
}

static enum hub_rc typed_on_echo_any(struct hub_call *call, const struct value *extra,
				     const struct value **result)
{
	(void)call; /* the same */
	*result = extra;
	return HUB_OK;
}

static enum hub_rc typed_on_echo_deep(struct hub_call *call, const struct typed_d16 *deep,
				      struct typed_d16 *result)
{
	(void)call; /* the same */
	*result = *deep;
	return HUB_OK;
}

/* ---- events */

static enum hub_rc typed_on_tell(struct hub_call *call,
				 const struct typed_everything *everything)
{
	typed_heard(call, hub_to_caller(), everything);
	return HUB_OK;
}

static enum hub_rc typed_on_tell_options(struct hub_call *call,
					 const struct typed_options *options,
					 bool has_whole, int64_t whole,
					 const struct typed_position *position)
{
	typed_optional(call, hub_to_caller(), options, has_whole, whole, position);
	return HUB_OK;
}

static enum hub_rc typed_on_tell_nothing(struct hub_call *call)
{
	typed_nothing(call, hub_to_caller());
	return HUB_OK;
}

static enum hub_rc typed_on_rest(struct hub_call *call, struct slice first,
				 const struct typed_position *positions,
				 size_t positions_n, int64_t *result)
{
	if (first.len == 0)
		return hub_fail(call, "The first is empty.");
	for (size_t i = 0; i < positions_n; i++)
		*result += positions[i].line;
	return HUB_OK;
}

/* What no compiler finds. */
static enum hub_rc typed_on_misuse(struct hub_call *call, enum typed_mistake mistake)
{
	struct typed_options options = { .flag = true };

	switch (mistake) {
	case TYPED_MISTAKE_CHOICE:
		options.has_level = true;
		options.level = (enum typed_level)3;
		break;
	case TYPED_MISTAKE_ARRAY:
		typed_heard(call, hub_to_caller(),
			    &(struct typed_everything){ .texts_n = 2 });
		break;
	case TYPED_MISTAKE_OBJECTS:
		typed_heard(call, hub_to_caller(),
			    &(struct typed_everything){ .rows_n = 1 });
		break;
	case TYPED_MISTAKE_OBJECT:
		typed_heard(call, hub_to_caller(), NULL);
		break;
	}
	typed_optional(call, hub_to_caller(), &options, false, 0, NULL);
	return HUB_OK;
}

static enum hub_rc typed_on_secret(struct hub_call *call)
{
	typed_nothing(call, hub_to_others());
	return HUB_OK;
}

/* ---- streams */

static enum hub_rc typed_on_count(struct hub_call *call, int64_t n)
{
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 0; rc == HUB_OK && i < n; i++) {
		const struct typed_position position = { .line = i, .column = -i };

		rc = typed_await_count_item(call, &position);
	}
	return rc;
}

static enum hub_rc typed_on_count_texts(struct hub_call *call, int64_t n)
{
	const struct slice texts[] = { SLICE("one"), SLICE("two") };
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 0; rc == HUB_OK && i < n; i++)
		rc = typed_await_count_texts_item(call, texts, (size_t)i % 3);
	return rc;
}

static enum hub_rc typed_on_sum(struct hub_call *call, int64_t factor, int64_t *result)
{
	struct typed_position position;
	int64_t more;
	enum hub_rc rc;

	while ((rc = typed_await_sum_positions(call, &position)) == HUB_OK)
		*result += factor * position.line;
	if (rc != HUB_END)
		return rc;
	while ((rc = typed_await_sum_more(call, &more)) == HUB_OK)
		*result += more;
	return rc == HUB_END ? HUB_OK : rc;
}

/* ---- questions */

static enum hub_rc typed_on_ask_level(struct hub_call *call, struct slice connection_id,
				      enum typed_level *result)
{
	return typed_await_which_level(call, connection_id, SLICE("How much?"), 0,
				       result);
}

static enum hub_rc typed_on_ask_where(struct hub_call *call, struct slice connection_id,
				      const struct typed_position *at, int64_t *result)
{
	const struct typed_position *positions;
	size_t n;
	enum hub_rc rc;

	rc = typed_await_where(call, connection_id, at, 0, &positions, &n);
	if (rc != HUB_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		*result += positions[i].line;
	return HUB_OK;
}

const struct hub_module typed_hub = {
	.api_version = HUB_API_VERSION,
	.name = "typed",
	.methods = typed_methods,
	.methods_n = sizeof(typed_methods) / sizeof(typed_methods[0]),
};

#ifdef TYPED_HUB_FILE
HUB_EXPORT(&typed_hub);
#endif
