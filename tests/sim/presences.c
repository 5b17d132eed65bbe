/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/presences.h"

#include <assert.h>
#include <stdlib.h>

#include "tests/sim/history.h"
#include "tests/sim/sim.h"

enum word { WORD_NONE, WORD_ONLINE, WORD_OFFLINE };

static enum word words[HISTORY_USERS];

void presences_reset(void)
{
	for (unsigned i = 0; i < HISTORY_USERS; i++)
		words[i] = WORD_NONE;
	sim_trace("presence starts over");
}

/* "user-3" */
static unsigned user_of(struct slice name)
{
	int64_t user = -1;

	if (slice_starts_with(name, SLICE("user-")) &&
	    slice_to_int64(slice_from(name, 5), &user) == OK && user >= 0 &&
	    user < HISTORY_USERS)
		return (unsigned)user;
	sim_fail("presence tells of %.*s, whom nobody knows", SLICE_FMT(name));
}

void presences_changed(struct slice name, bool is_online)
{
	const enum word word = is_online ? WORD_ONLINE : WORD_OFFLINE;
	const unsigned user = user_of(name);

	sim_trace("user %u is %s", user, is_online ? "online" : "offline");
	sim_expect(words[user] != word, "presence told twice that user %u is %s", user,
		   is_online ? "online" : "offline");
	words[user] = word;
}

bool presences_is_online(unsigned user)
{
	return words[user] == WORD_ONLINE;
}
