/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway adds to health.h: when it is ready, its limit, and a port for each
 * worker.
 */
#include "gateway/admin.h"

#include "gateway/gateway.h"
#include "proto/base/log.h"
#include "proto/base/notify.h"

static bool has_router(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->routers.n; i++) {
		const struct gateway_router *router = gateway->routers.items[i];

		if (router->is_sender && link_peer_is_up(router->peer))
			return true;
	}
	return false;
}

/*
 * A router that goes away later is away for every gateway: were they all unready then, a
 * load balancer would have none left, and what the other routers own would suffer, too.
 */
static const char *why_not_ready(void *owner)
{
	const struct gateway *gateway = owner;

	if (proc_is_draining(gateway->proc))
		return "draining\n";
	if (!gateway_is_known(gateway))
		return "a router is not connected yet\n";
	return has_router(gateway) ? NULL : "no router is connected\n";
}

void admin_status(struct proc *proc, void *state, struct proc_status *status)
{
	const struct gateway *gateway = state;

	(void)proc; /* gateway->proc */
	status->not_ready = why_not_ready(state);
	status->connections = gateway->metrics.connections;
}

static void on_count(void *owner)
{
	struct gateway *gateway = owner;

	gateway->metrics.connections_max = gateway->conf->connections_max;
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
		.count = on_count,
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
