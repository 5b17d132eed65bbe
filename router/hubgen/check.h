/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a parser cannot see: do the names mean something, and does everything have a name
 * of its own in C and TypeScript?
 */
#ifndef ROUTER_HUBGEN_CHECK_H
#define ROUTER_HUBGEN_CHECK_H

#include "router/hubgen/model.h"

/* Completes what parse_model() has left; ERR_MALFORMED. */
MUST_CHECK enum err check_model(struct model *model, struct problem *problem);

#endif
