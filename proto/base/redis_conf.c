/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Redis is, checked as the client would check it.
 */
#include "proto/base/redis_conf.h"

#include <string.h>

#include "proto/base/log.h"
#include "proto/base/redis_url.h"
#include "proto/base/secret.h"

#define PASSWORD_BYTES_MIN 1

bool redis_prefix_is_good(const char *prefix)
{
	const size_t len = strlen(prefix);

	for (size_t i = 0; i < len; i++) {
		const char c = prefix[i];
		const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && strchr(".:_-", c) == NULL)
			return false;
	}
	return len > 0 && len <= REDIS_PREFIX_BYTES_MAX;
}

const char *redis_conf_problem(const struct redis_conf *conf)
{
	struct redis_url url;
	const char *what;

	if (conf->url[0] != '\0' &&
	    redis_url_parse(slice_from_str(conf->url), &url, &what) != OK)
		return "redis: expected redis://host:port/db, unix:///path or "
		       "redis-sentinel://host:port,host:port/master";
	if (!redis_prefix_is_good(conf->prefix))
		return "redis_prefix: expected letters, digits, and .:_-";
	return "";
}

static void password_read(const char *option, const char *path, struct secrets *password)
{
	const char *problem = NULL;

	if (path[0] != '\0' &&
	    secrets_load(password, path, PASSWORD_BYTES_MIN, &problem) != OK)
		fatal("%s = %s: %s", option, path, problem);
}

void redis_secrets_read(const struct redis_conf *conf, struct redis_secrets *secrets)
{
	*secrets = (struct redis_secrets){ .password = SECRETS_INIT };
	password_read("redis_password_file", conf->password_file, &secrets->password);
	password_read("redis_sentinel_password_file", conf->sentinel_password_file,
		      &secrets->sentinel_password);
}

static enum err password_reload(const char *option, const char *path,
				struct secrets *password)
{
	bool is_changed;

	if (path[0] == '\0')
		return OK;
	return secrets_reload(password, option, path, PASSWORD_BYTES_MIN, &is_changed);
}

enum err redis_secrets_reload(const struct redis_conf *conf,
			      struct redis_secrets *secrets)
{
	const enum err rc = password_reload("redis_password_file", conf->password_file,
					    &secrets->password);
	const enum err sentinel_rc = password_reload("redis_sentinel_password_file",
						     conf->sentinel_password_file,
						     &secrets->sentinel_password);

	return rc != OK ? rc : sentinel_rc;
}

void redis_secrets_fini(struct redis_secrets *secrets)
{
	secrets_fini(&secrets->password);
	secrets_fini(&secrets->sentinel_password);
}
