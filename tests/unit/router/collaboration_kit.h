/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of the hub collaboration in a router of its own: clients on one gateway, all
 * in the document "d", and what each of their calls made the router say. Ids, epochs and
 * times are chance: expectations are patterns in which '*' stands for anything.
 */
#ifndef TESTS_UNIT_ROUTER_COLLABORATION_KIT_H
#define TESTS_UNIT_ROUTER_COLLABORATION_KIT_H

#include "tests/unit/router/hub_kit.h"

#define HEARD_MAX 64

struct collaboration_kit {
	struct kit *kit;
	const char *heard[HEARD_MAX]; /* of the last call, its completion last */
	size_t heard_n;
};

extern struct collaboration_kit collab;

void collab_setup(void);
/* With an option of the hub set. */
void collab_setup_with(const char *option, const char *value);
void collab_teardown(void);

/* A client that has connected, and one that has joined the document, too. */
void collab_connect(const char *id, const char *user);
void collab_enter(const char *id, const char *user);
/* A member of the document's group that is connected by another router. */
void collab_hear_of(const char *id, const char *user);
/* It joins, again perhaps. */
void collab_join(const char *id, const char *user);
/* It joins, which fails like that, and is in the group no more. */
void collab_expect_no_join(const char *id, const char *user, const char *pattern);
void collab_leave(const char *id, const char *user);

/* Calls and hears everything that comes of it. */
void collab_call(const char *id, const char *target, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* SendOperation, answered with that version. */
void collab_insert(const char *id, int position, const char *content, int base);
void collab_delete(const char *id, int position, int length, int base);

/* Hears what has come without a call. */
void collab_listen(void);

/* The last call failed with a hub error that matches. */
void collab_expect_error(const char *pattern);
void collab_expect_heard(size_t index, const char *pattern);
void collab_expect_result(const char *pattern);
/* Somebody who joins gets this text and version. */
void collab_expect_text(const char *text, int version);

#endif
