/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply that writes down what it is answered with, and can go away before.
 */
#ifndef TESTS_UNIT_GATEWAY_REPLY_KIT_H
#define TESTS_UNIT_GATEWAY_REPLY_KIT_H

#include "gateway/reply.h"

struct asked {
	struct reply reply;
	int status; /* 0: not answered yet */
	bool is_binary;
	bool is_gone;
	char body[256];
	size_t body_len; /* may be more than is kept */
};

/* Ready to be given away, once more too. */
struct reply *asked_new(struct asked *asked);

/* Who asked goes away. */
void asked_go(struct asked *asked);

/* Answered so; `body` NULL: of no interest. */
void asked_expect(const struct asked *asked, int status, const char *body);
void asked_expect_waiting(const struct asked *asked);

#endif
