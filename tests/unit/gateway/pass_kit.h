/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the first router passes on to the gateway under test for another one, g2.
 */
#ifndef TESTS_UNIT_GATEWAY_PASS_KIT_H
#define TESTS_UNIT_GATEWAY_PASS_KIT_H

#include "gateway/reply.h"
#include "tests/unit/gateway/conn_kit.h"

#define WEB_SOCKET LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET
#define POLL LINK__REQUEST_KIND__REQUEST_KIND_POLL
#define POST LINK__REQUEST_KIND__REQUEST_KIND_POST
#define DELETE LINK__REQUEST_KIND__REQUEST_KIND_DELETE
#define GONE LINK__REQUEST_KIND__REQUEST_KIND_GONE
#define POLL_AGAIN LINK__REQUEST_KIND__REQUEST_KIND_POLL_AGAIN

/* How a tunnel's message ends it. */
enum pass_end { PASS_ON, PASS_CLOSED, PASS_FAILED, PASS_MALFORMED };

/* A long polling connection that is past its handshake: its client may go on at g2. The
 * first makes kit->gateway->lp, which is the caller's to free. */
struct conn *pass_open_lp(struct kit *kit, char letter);

/* '~' in the body stands for the end byte. */
void pass_request(struct kit *kit, char letter, uint64_t call, Link__RequestKind kind,
		  const char *body);

/* A POST that is not to be handled when it is older. */
void pass_request_good_for(struct kit *kit, char letter, uint64_t call, uint64_t good_ms,
			   const char *body);

/* By router `i`; good for poll.wait_ms, if that is not 0. */
void pass_poll(struct kit *kit, size_t i, char letter, uint64_t call,
	       struct reply_poll poll);

/* From router `i`, for `hub`; the id as it is. */
void pass_request_from(struct kit *kit, size_t i, const char *hub, struct slice id,
		       uint64_t call, Link__RequestKind kind);

void pass_response(struct kit *kit, char letter, uint64_t call, unsigned status,
		   const char *body);

void pass_tunnel(struct kit *kit, char letter, uint64_t call, const char *data,
		 uint64_t taken, enum pass_end end);
void pass_tunnel_bytes(struct kit *kit, char letter, uint64_t call, struct slice data);

/* From gateway `origin`. */
void pass_tunnel_from(struct kit *kit, const char *origin, char letter, uint64_t call,
		      const char *data);

#endif
