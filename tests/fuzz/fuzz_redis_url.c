/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a Redis is, as an operator may write it. What is taken can be written down again
 * as an address that is taken, too, and means the same.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/redis_url.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const struct redis_address *address)
{
	char text[REDIS_ADDRESS_TEXT_BYTES];
	char again[sizeof("redis://") + sizeof(text)];
	const char *problem = NULL;
	struct redis_url url;

	assert(strlen(address->host) <= REDIS_HOST_BYTES_MAX);
	assert(address->host[0] != '\0');
	assert(redis_address_is_path(address) == (address->port == 0));
	snprintf(again, sizeof(again), "%s%s",
		 redis_address_is_path(address) ? "unix://" : "redis://",
		 redis_address_text(address, text));
	assert(redis_url_parse(slice_from_str(again), &url, &problem) == OK);
	assert(strcmp(url.addresses[0].host, address->host) == 0);
	assert(url.addresses[0].port == address->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redis_url url;
	const char *problem = NULL;
	const enum err rc = redis_url_parse(fuzz_slice(data, size), &url, &problem);

	if (rc != OK) {
		assert(rc == ERR_ARGUMENT);
		assert(problem != NULL && problem[0] != '\0');
		return 0;
	}
	assert(problem == NULL);
	assert(url.addresses_n >= 1 && url.addresses_n <= REDIS_SENTINELS_MAX);
	assert(url.addresses_n == 1 || url.master[0] != '\0');
	assert(url.db <= REDIS_DB_MAX);
	assert(strlen(url.user) <= REDIS_USER_BYTES_MAX);
	assert(strlen(url.master) <= REDIS_MASTER_BYTES_MAX);
	for (size_t i = 0; i < url.addresses_n; i++)
		check_address(&url.addresses[i]);
	return 0;
}
