/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTER_HUBGEN_CHECK_NAMES_H
#define ROUTER_HUBGEN_CHECK_NAMES_H

#include "router/hubgen/model.h"

/* Gives everything its name in C. ERR_MALFORMED: two would have the same one, there or in
 * TypeScript. */
MUST_CHECK enum err check_names(struct model *model, struct problem *problem);

#endif
