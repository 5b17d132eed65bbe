/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening of a WebSocket: an HTTP request that asks for one and the 101 that grants
 * it (RFC 6455, section 4.2). No extension and no subprotocol is ever agreed to. Pure.
 */
#ifndef GATEWAY_WS_OPENING_H
#define GATEWAY_WS_OPENING_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/http_parse.h"

/* True when the request means to open a WebSocket, well or badly. */
bool ws_opening_is_meant(const struct http_request *request);

/*
 * 0: `*key`, a slice of the request, may be accepted. Otherwise the status to refuse
 * with: 426 for another version than 13, 400 for all else.
 */
int ws_opening_check(const struct http_request *request, struct slice *key);

/* Appends the response head. */
void ws_opening_accept(struct buf *out, struct slice key);

#endif
