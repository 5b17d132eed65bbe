/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an operation of a client becomes the newest of its document: transformed against
 * all that the client did not know, appended if none came in between, else once more.
 */
#ifndef ROUTER_HUBS_SUBMISSION_H
#define ROUTER_HUBS_SUBMISSION_H

#include "router/hubs/document.h"

/*
 * Puts the caller's operation behind all others and tells those in the document. One that
 * is in the log already, by its id, is not done again. `epoch`: of the document that the
 * caller knows; empty: of any. Calls hub_scratch(), as the next does.
 */
enum hub_rc submission_await(struct hub_call *call, struct document *document,
			     const struct collaboration_operation *asked,
			     struct slice epoch,
			     struct collaboration_applied_operation *result);

/* Reads the document as it is, and does the rest of an operation that a router has left
 * undone. */
enum hub_rc submission_await_whole(struct hub_call *call, struct document *document);

#endif
