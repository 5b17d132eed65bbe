/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a Hello, and chooses the version: see link_hello.h, and docs/LINK.md (Versions).
 */
#include "proto/link/link_hello.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/link/link_limits.h"
#include "proto/link/link_send.h"

enum err link_hello_read(const Link__Hello *hello, struct stream_hello *said)
{
	const struct slice name = link_slice(hello->name);

	if (!link_name_is_valid(name) || hello->incarnation == 0 ||
	    hello->nonce.len != LINK_NONCE_BYTES)
		return ERR_MALFORMED;
	memcpy(said->name, name.ptr, name.len);
	said->name[name.len] = '\0';
	said->role = hello->role;
	said->incarnation = hello->incarnation;
	said->session_number = hello->session;
	said->handled_seq = hello->handled_seq;
	/* Who knows no newest one speaks one version. */
	said->versions = (struct link_versions){
		.min = hello->version,
		.max = hello->version_max != 0 ? hello->version_max : hello->version,
	};
	return OK;
}

uint32_t link_versions_agree(struct link_versions ours, struct link_versions theirs)
{
	const uint32_t newest = ours.max < theirs.max ? ours.max : theirs.max;

	return newest >= ours.min && newest >= theirs.min ? newest : 0;
}

void link_versions_print(char text[LINK_VERSIONS_TEXT_BYTES], struct link_versions ours,
			 struct link_versions theirs)
{
	(void)snprintf(/* it fits */ text, LINK_VERSIONS_TEXT_BYTES,
		       "version ours=%" PRIu32 "-%" PRIu32 " theirs=%" PRIu32 "-%" PRIu32,
		       ours.min, ours.max, theirs.min, theirs.max);
}
