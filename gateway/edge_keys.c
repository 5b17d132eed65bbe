/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that stand keep what they were let in with; a token is looked at with the
 * keys of the moment.
 */
#include "gateway/edge_keys.h"

#include "gateway/auth.h"
#include "gateway/gateway.h"
#include "gateway/token.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

static void token_key_make(struct gateway *gateway)
{
	token_key_fini(gateway->token_key);
	token_key_init(gateway->token_key, &gateway->token_secrets);
	gateway->metrics.token_key_fingerprint =
		gateway->conf->token_key_file[0] != '\0'
			? secrets_fingerprint(&gateway->token_secrets)
			: 0;
}

void edge_keys_open(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	const struct slice spare = slice_make(conf->spare_keys[0], SECRET_BYTES_MIN);

	if (conf->token_key_file[0] != '\0')
		secrets_read(&gateway->token_secrets, "token_key_file",
			     conf->token_key_file);
	else
		secrets_copy(&gateway->token_secrets, &SECRETS_OF(spare));
	gateway->token_key = MEM_NEW(struct token_key);
	token_key_make(gateway);
	gateway->auth = auth_open(&conf->jwt, gateway_conf_dev_secret(conf));
	gateway->metrics.auth_key_fingerprint = auth_fingerprint(gateway->auth);
}

static bool token_key_reload(struct gateway *gateway)
{
	const char *path = gateway->conf->token_key_file;
	bool is_changed;

	if (path[0] == '\0')
		return true;
	if (secrets_reload(&gateway->token_secrets, "token_key_file", path,
			   SECRET_BYTES_MIN, &is_changed) != OK) {
		gateway->metrics.reload.secret_failed_total++;
		return false;
	}
	if (is_changed)
		token_key_make(gateway);
	return true;
}

bool edge_keys_reload(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	bool is_good = token_key_reload(gateway);

	if (auth_reload(&gateway->auth, &conf->jwt, gateway_conf_dev_secret(conf)) !=
	    OK) {
		gateway->metrics.auth_reload_failed_total++;
		is_good = false;
	}
	gateway->metrics.auth_key_fingerprint = auth_fingerprint(gateway->auth);
	return is_good;
}

void edge_keys_close(struct gateway *gateway)
{
	auth_free(gateway->auth);
	if (gateway->token_key != NULL)
		token_key_fini(gateway->token_key);
	mem_free(gateway->token_key);
	secrets_fini(&gateway->token_secrets);
	gateway->auth = NULL;
	gateway->token_key = NULL;
}
