/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /dev/token: anybody may be anyone, for demos and for trying things. Served in dev
 * mode only, which refuses to listen beyond loopback.
 */
#ifndef GATEWAY_DEV_H
#define GATEWAY_DEV_H

#include <stdbool.h>

#include "proto/base/http_server.h"

struct gateway;

/* {"userId", "name"?, "roles"?} is answered with {"token"}. False: another path, nothing
 * sent. */
bool dev_respond(struct gateway *gateway, struct http_conn *conn,
		 const struct http_request *request);

#endif
