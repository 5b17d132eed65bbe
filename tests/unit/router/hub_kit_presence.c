/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence tells the kit's router.
 */
#include "tests/unit/router/hub_kit.h"

void kit_user(struct kit *kit, const char *id, Link__Change change, const char *user_id,
	      const char *user_name)
{
	Link__UserChange message = LINK__USER_CHANGE__INIT;

	message.id = link_bytes(slice_from_str(id));
	message.change = change;
	message.user_id = link_bytes(slice_from_str(user_id));
	message.user_name = link_bytes(slice_from_str(user_name));
	kit_hear_user_change(kit, kit->presence, &message);
}
