/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario.h"

#include <stddef.h>
#include <string.h>

#include "bench/scenario_list.h"

const struct scenario *const scenarios[] = {
	&scenario_connect,
	&scenario_churn,
	&scenario_idle,
	&scenario_hold,
	&scenario_echo,
	&scenario_broadcast,
	&scenario_group,
	&scenario_user,
	&scenario_connection,
	&scenario_join_leave,
	&scenario_stream,
	&scenario_upload,
	&scenario_ask,
	&scenario_mixed,
	&scenario_beside,
	&scenario_recorded,
	NULL,
};

const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; scenarios[i] != NULL; i++)
		if (strcmp(scenarios[i]->name, name) == 0)
			return scenarios[i];
	return NULL;
}
