/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One act on every connection that a user has: the store tells them page by page, each is
 * put to whom it concerns, a few at a time, and the request is answered when all are
 * done. What fails for some does not keep the others from being done.
 */
#ifndef PRESENCE_ADMIN_EACH_H
#define PRESENCE_ADMIN_EACH_H

#include "presence/admin_task.h"

enum admin_each_kind { ADMIN_EACH_DISCONNECT, ADMIN_EACH_JOIN, ADMIN_EACH_LEAVE };

struct admin_each_options {
	enum admin_each_kind kind;
	struct slice user;
	struct slice hub;    /* of JOIN and LEAVE; empty: whichever */
	struct slice group;  /* of JOIN and LEAVE */
	struct slice reason; /* of DISCONNECT */
	bool allow_reconnect;
};

/* What the options hold is copied. */
void admin_each_start(struct admin *admin, const struct admin_request *request,
		      const struct admin_each_options *options);

#endif
