/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message on its way to many. It is wrapped when the first receiver of a protocol and
 * kind of transport needs it, and all others of that kind share the blob.
 */
#ifndef GATEWAY_PARCEL_H
#define GATEWAY_PARCEL_H

#include "gateway/conn.h"
#include "proto/base/list.h"

struct parcel {
	struct list node; /* sweep.c: in sweep->parcels */
	uint32_t arrival; /* sweep.c: its place among all that are kept */
	uint64_t reached; /* connections */
	size_t bytes;	  /* of memory, once it is kept */
	size_t len;	  /* of the longest frame */
	struct slice frames[HUB_PROTOCOLS]; /* empty: not said in this protocol */
	bool has_failed[HUB_PROTOCOLS];	    /* it cannot be said in it */
	struct blob *wrapped[HUB_PROTOCOLS][TRANSPORT_KINDS]; /* owned */
	char text[];					      /* of one that is kept */
};

/* Borrows from `deliver`. */
void parcel_init(struct parcel *parcel, const Link__Deliver *deliver);
void parcel_fini(struct parcel *parcel);

/* One that outlives it. */
struct parcel *parcel_new(const Link__Deliver *deliver);
void parcel_free(struct parcel *parcel);

/* The first of its protocol and transport; see parcel_wrapped(). */
struct blob *parcel_wrap(struct parcel *parcel, const struct conn *conn);

/* For this connection, borrowed. NULL: it cannot be said in its protocol. */
static inline struct blob *parcel_wrapped(struct parcel *parcel, const struct conn *conn)
{
	struct blob *wrapped = parcel->wrapped[conn->codec->protocol][conn->ops->kind];

	return wrapped != NULL ? wrapped : parcel_wrap(parcel, conn);
}

#endif
