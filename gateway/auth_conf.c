/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of auth_conf.h cannot say.
 */
#include "gateway/auth_conf.h"

#include "gateway/auth_claims.h"
#include "gateway/auth_key.h"

const char *const auth_conf_algorithms[] = {
#define ALGORITHM_CHOICE(name, text, bytes_min) text,
	AUTH_ALGORITHM_LIST(ALGORITHM_CHOICE)
#undef ALGORITHM_CHOICE
		NULL
};

_Static_assert(AUTH_NAMES_MAX == 8, "the sentence says so");

const char *auth_conf_problem(const struct auth_conf *conf)
{
	struct auth_names roles;

	if (auth_names_read(&roles, conf->role_claims) != OK)
		return "auth_role_claims: up to 8 names with commas between them";
	return "";
}
