/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of an interface file into its model. docs/HUBS.md has the grammar.
 */
#ifndef ROUTER_HUBGEN_PARSE_H
#define ROUTER_HUBGEN_PARSE_H

#include "router/hubgen/model.h"

/* Reads all of `text`, which may go afterwards; what names mean is check_model()'s.
 * `model` is overwritten and needs model_fini() in any case. ERR_MALFORMED. */
MUST_CHECK enum err parse_model(struct model *model, struct slice text,
				struct problem *problem);

void model_fini(struct model *model);

#endif
