/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two numbers of the process.
 */
#include "proto/base/stall.h"

static struct stalls counted;

void stall_note(int64_t took_ms)
{
	if (took_ms < STALL_MS)
		return;
	counted.n++;
	counted.ms += (uint64_t)took_ms;
}

struct stalls stalls_counted(void)
{
	return counted;
}
