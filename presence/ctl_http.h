/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the admin API and its answer, over a connection of its own. It blocks,
 * as nothing else here may: a program for a terminal has nothing better to do. Every step
 * has a deadline.
 */
#ifndef PRESENCE_CTL_HTTP_H
#define PRESENCE_CTL_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define CTL_HTTP_ERROR_BYTES 512
#define CTL_HTTP_TOO_LONG "the answer is too long"

struct ctl_http;

/* Where and how; all borrowed. */
struct ctl_endpoint {
	const char *host;
	const char *port;
	struct slice token;	 /* empty: none is sent */
	int64_t step_timeout_ms; /* to connect, and to read or write anything */
	bool is_tls;
	const char *tls_ca; /* as in tls_dial.h */
	const char *tls_cert;
	const char *tls_key;
};

struct ctl_request {
	const char *method;
	struct slice target;  /* path and query, encoded */
	struct slice body;    /* JSON; ptr NULL: none */
	struct slice headers; /* more of them, whole lines */
};

/*
 * Connects, sends it and reads the head of the answer. On an error `error` says what
 * failed, for people: ERR_NOT_FOUND (no such host), ERR_IO, ERR_CLOSED, ERR_TIMEOUT,
 * ERR_MALFORMED, ERR_LIMIT (what answers speaks no HTTP of ours), those of
 * tls_dial_open().
 */
MUST_CHECK enum err ctl_http_open(const struct ctl_endpoint *endpoint,
				  const struct ctl_request *request,
				  struct ctl_http **http,
				  char error[CTL_HTTP_ERROR_BYTES]);

int ctl_http_status(const struct ctl_http *http);

/* From now on; false: it cannot be set. */
bool ctl_http_set_timeout(struct ctl_http *http, int64_t step_timeout_ms);

/*
 * Appends what comes next of the body to `out`, which the caller may empty between calls.
 * Waits for it; `*is_done` after the last. Errors as above; ERR_CLOSED: it was cut off.
 */
MUST_CHECK enum err ctl_http_read(struct ctl_http *http, struct buf *out, bool *is_done);

void ctl_http_close(struct ctl_http *http); /* NULL is legal */

#endif
