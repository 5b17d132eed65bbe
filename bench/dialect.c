/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/dialect.h"

#include <string.h>

static const struct dialect *const dialects[] = {
	&dialect_json,	   &dialect_messagepack, &dialect_plain,
	&dialect_socketio, &dialect_nats,
};

const struct dialect *dialect_named(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (strcmp(dialects[i]->name, name) == 0)
			return dialects[i];
	return NULL;
}
