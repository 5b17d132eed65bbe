/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gateways say about connections, taken to the store; what came of it is counted.
 */
#ifndef PRESENCE_ONLINE_H
#define PRESENCE_ONLINE_H

#include "presence/store_answer.h"
#include "proto/link/link.h"

struct presence;

void online_opened(struct presence *presence, uint64_t registration,
		   const Link__Opened *opened);
void online_closed(struct presence *presence, uint64_t registration,
		   const Link__Closed *closed);
void online_replayed(struct presence *presence, uint64_t registration);
void online_renew(struct presence *presence, uint64_t registration, int64_t lease_ms);
void online_retire(struct presence *presence, uint64_t registration);

/* The store failed: counted and logged. */
void online_failed(struct presence *presence, enum err rc);

/* Brings the gauges up to date as soon as the store answers. */
void online_count(struct presence *presence);

#endif
