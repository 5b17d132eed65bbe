/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway adds to health.h: when it is ready, and a port for each worker.
 */
#include "gateway/admin.h"

#include "gateway/gateway.h"
#include "proto/base/log.h"

static const char *why_not_ready(void *owner)
{
	const struct gateway *gateway = owner;

	if (proc_is_draining(gateway->proc))
		return "draining\n";
	for (size_t i = 0; i < gateway->shards.n; i++) {
		if (!link_peer_is_up(gateway->routers[i].peer))
			return "a router is not connected\n";
	}
	return NULL;
}

void admin_open(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	struct buf address = BUF_INIT;
	struct slice host;
	uint16_t port;
	struct health_options options = {
		.metrics = &gateway_metrics_table,
		.values = &gateway->metrics,
		.why_not_ready = why_not_ready,
		.owner = gateway,
	};

	if (conf->admin_listen[0] == '\0')
		return;
	if (gateway_conf_address(conf->admin_listen, &host, &port))
		fatal("admin_listen = %s: expected address:port", conf->admin_listen);
	/* Worker i adds i, unless the kernel chooses. */
	gateway_conf_address_print(&address, host, port == 0 ? 0 : port + conf->worker);
	options.address = address.ptr;
	gateway->admin = health_open(gateway->loop, &options);
	buf_fini(&address);
}

void admin_close(struct gateway *gateway)
{
	health_close(gateway->admin);
	gateway->admin = NULL;
}
