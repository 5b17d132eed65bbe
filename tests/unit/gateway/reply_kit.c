/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway/reply_kit.h"

#include <criterion/criterion.h>

#include "proto/base/list.h"

static void on_answer(struct reply *reply, const struct reply_answer *answer)
{
	struct asked *asked = CONTAINER_OF(reply, struct asked, reply);

	cr_assert_eq(asked->status, 0, "answered twice");
	cr_assert_not(asked->is_gone, "answered, and nobody waits");
	asked->status = answer->status;
	asked->is_binary = answer->is_binary;
	asked->body_len = answer->body.len;
	if (answer->body.len > 0 && answer->body.len < sizeof(asked->body))
		memcpy(asked->body, answer->body.ptr, answer->body.len);
}

static const struct reply_ops asked_ops = { .answer = on_answer };

struct reply *asked_new(struct asked *asked)
{
	memset(asked, 0, sizeof(*asked));
	asked->reply.ops = &asked_ops;
	return &asked->reply;
}

void asked_go(struct asked *asked)
{
	cr_assert_eq(asked->status, 0);
	cr_assert_not_null(asked->reply.on_gone);
	asked->is_gone = true;
	asked->reply.on_gone(&asked->reply);
}

void asked_expect(const struct asked *asked, int status, const char *body)
{
	cr_expect_eq(asked->status, status, "answered %d, not %d", asked->status, status);
	if (body != NULL)
		cr_expect_str_eq(asked->body, body);
}

void asked_expect_waiting(const struct asked *asked)
{
	cr_expect_eq(asked->status, 0, "answered %d already", asked->status);
}
