/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard: "/" and the files beside it, "/dashboard/...", which are part of this
 * program (presence/dashboard/). They hold nothing that is secret and ask for no token;
 * the page does all it does by the admin API, which may.
 */
#ifndef PRESENCE_DASHBOARD_H
#define PRESENCE_DASHBOARD_H

#include <stdbool.h>

#include "proto/base/http_server.h"

/* Answers when the path is one of the dashboard's; false: not ours, nothing sent. */
bool dashboard_respond(struct http_conn *conn, const struct http_request *request);

#endif
