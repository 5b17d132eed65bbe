/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full link means presence is away or far behind: what does not fit is dropped, and the
 * link is started over so that the replay sets things right.
 */
#include "gateway/presence.h"

#include "proto/base/log.h"

static void presence_behind(struct gateway *gateway)
{
	gateway->metrics.lease_refused_total++;
	log_warn("presence.resync", "peer=%s", link_peer_name(gateway->presence));
	link_peer_reset(gateway->presence);
}

enum err presence_send_opened(const struct conn *conn)
{
	const struct user *user = conn->user;
	ProtobufCBinaryData roles[USER_ROLES_MAX];
	Link__User who = LINK__USER__INIT;
	Link__Opened opened = LINK__OPENED__INIT;

	who.id = link_bytes(user->id);
	who.name = link_bytes(user->name);
	who.roles = roles;
	for (size_t i = 0; i < user->roles_n; i++)
		roles[who.n_roles++] = link_bytes(user->roles[i]);
	opened.hub = link_bytes(slice_from_str(conn->hub->name));
	opened.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	opened.user = &who;
	opened.protocol = conn->protocol;
	opened.transport = conn->transport->ops->kind;
	opened.remote = link_bytes(slice_from_str(conn->remote));
	opened.user_agent = link_bytes(slice_from_str(conn->user_agent));
	opened.opened_unix_ms = conn->opened_unix_ms;
	return link_send_opened(conn->gateway->presence, &opened, NULL);
}

/* Until presence has come up there is nothing to keep: the replay will say it all. */
static bool presence_is_known(const struct gateway *gateway)
{
	return gateway->presence != NULL && link_peer_incarnation(gateway->presence) != 0;
}

void presence_opened(struct conn *conn)
{
	if (presence_is_known(conn->gateway) && presence_send_opened(conn) != OK)
		presence_behind(conn->gateway);
}

void presence_closed(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	Link__Closed closed = LINK__CLOSED__INIT;

	closed.hub = link_bytes(slice_from_str(conn->hub->name));
	closed.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	if (presence_is_known(gateway) &&
	    link_send_closed(gateway->presence, &closed, NULL) != OK)
		presence_behind(gateway);
}

void presence_lease(struct gateway *gateway)
{
	Link__Lease lease = LINK__LEASE__INIT;

	if (gateway->presence == NULL)
		return;
	lease.lease_ms = gateway->conf->link.lease_ms;
	lease.connections = gateway->metrics.connections;
	if (link_peer_is_up(gateway->presence) &&
	    link_send_lease(gateway->presence, &lease, NULL) != OK)
		presence_behind(gateway);
	loop_timer_start(gateway->loop, &gateway->lease_timer,
			 gateway->conf->link.lease_ms / 3);
}

void presence_on_lease_timer(struct timer *timer)
{
	presence_lease(CONTAINER_OF(timer, struct gateway, lease_timer));
}
