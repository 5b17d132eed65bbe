/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as clients write them, ISO 8601: "2026-11-22T10:00:00.123Z". Pure.
 */
#ifndef ROUTER_HUBS_ISO_TIME_H
#define ROUTER_HUBS_ISO_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/slice.h"

#define ISO_TIME_BYTES sizeof("2026-11-22T10:00:00.123Z")

/*
 * Date and time of the years 1 to 9999 with "Z" or an offset ("+02:00"). Seconds may have
 * a fraction of 1 to 9 digits, of which milliseconds are kept. False: it is none.
 */
bool iso_time_read(struct slice text, int64_t *unix_ms);

/* In UTC, with milliseconds. */
void iso_time_write(int64_t unix_ms, char out[ISO_TIME_BYTES]);

#endif
