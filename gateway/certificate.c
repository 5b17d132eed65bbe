/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads tls_cert and tls_key at start-up and at each SIGHUP. A worker reads them for
 * itself. Connections keep the certificate they were made with, so nothing here touches
 * them.
 */
#include "gateway/certificate.h"

#include <inttypes.h>

#include "gateway/gateway.h"
#include "proto/base/http_server.h"
#include "proto/base/log.h"

#define DAY_S 86400
/* Who renews by a program does so a month or a few weeks ahead. */
#define ENDS_SOON_DAYS 7

/* Full days to come; negative: it is over. */
static int64_t days_left(const struct gateway *gateway, const struct tls *tls)
{
	int64_t left_s = tls_not_after_s(tls) - loop_unix_ms(gateway->loop) / 1000;

	return left_s < 0 ? -1 - -left_s / DAY_S : left_s / DAY_S;
}

static void note_end(struct gateway *gateway, const struct tls *tls)
{
	int64_t days = days_left(gateway, tls);

	gateway->metrics.tls_not_after_seconds = tls_not_after_s(tls);
	if (days < ENDS_SOON_DAYS)
		log_warn("tls.ends_soon", "days=%" PRId64, days);
}

struct tls *certificate_load(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	char error[TLS_ERROR_BYTES];
	struct tls *tls;

	if (conf->tls_cert[0] == '\0')
		return NULL;
	if (tls_new(conf->tls_cert, conf->tls_key, &tls, error) != OK)
		fatal("tls_cert, tls_key: %s", error);
	note_end(gateway, tls);
	return tls;
}

/* Whole, unlike log_quote(): the path is ours, the rest is OpenSSL's. */
static void log_reload_failed(char error[TLS_ERROR_BYTES])
{
	for (char *at = error; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			*at = '\'';
	}
	log_error("tls.reload_failed", "reason=\"%s\"", error);
}

bool certificate_reload(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	char error[TLS_ERROR_BYTES];
	struct tls *tls;

	if (conf->tls_cert[0] == '\0')
		return true;
	if (tls_new(conf->tls_cert, conf->tls_key, &tls, error) != OK) {
		gateway->metrics.tls_reload_failed_total++;
		log_reload_failed(error);
		return false;
	}
	http_server_set_tls(gateway->server, tls);
	log_info("tls.reloaded", "days=%" PRId64, days_left(gateway, tls));
	note_end(gateway, tls);
	tls_unref(tls); /* the server has its own reference */
	return true;
}
