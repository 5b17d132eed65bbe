/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a connection begins that another gateway has opened.
 */
#ifndef GATEWAY_CONN_ARRIVAL_H
#define GATEWAY_CONN_ARRIVAL_H

#include "gateway/conn.h"

/* As another gateway has it. */
struct conn_arrival {
	struct hub *hub;
	struct slice id; /* CONN_ID_LEN bytes */
	struct user *user;
	struct slice remote;
	const struct hub_codec *codec;
};

/* One that another gateway has opened: open, without a transport, and arriving. Its
 * user becomes its own. */
struct conn *conn_new_arriving(struct gateway *gateway,
			       const struct conn_arrival *arrival);

#endif
