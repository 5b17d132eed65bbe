/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence told of who came and who left, and its rule: a user comes online and goes
 * offline in turn. A presence that starts over says so, and knows nobody.
 */
#ifndef TESTS_SIM_PRESENCES_H
#define TESTS_SIM_PRESENCES_H

#include <stdbool.h>

#include "proto/base/slice.h"

void presences_reset(void);
void presences_changed(struct slice user, bool is_online);
bool presences_is_online(unsigned user);

#endif
