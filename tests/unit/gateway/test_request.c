/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which request is taken from whom: every transport against every kind of request, on a
 * gateway without sockets.
 */
#include "gateway/request.h"

#include <criterion/criterion.h>

#include "gateway/transport_lp.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/reply_kit.h"

#define CHANGED "Cannot change transports mid-connection"
#define UNKNOWN "No Connection with that ID"
#define NO_POST "POST requests are not allowed for WebSocket connections."
#define NO_DELETE "Cannot terminate this connection using the DELETE endpoint."

#define WEB_SOCKET LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET
#define EVENTS LINK__REQUEST_KIND__REQUEST_KIND_EVENTS
#define POLL LINK__REQUEST_KIND__REQUEST_KIND_POLL
#define POST LINK__REQUEST_KIND__REQUEST_KIND_POST
#define DELETE LINK__REQUEST_KIND__REQUEST_KIND_DELETE

struct rig {
	struct kit kit;
	struct hub *hub;
};

static void rig_up(struct rig *rig)
{
	struct gateway *gateway;

	kit_init(&rig->kit);
	rig->kit.conf->poll_timeout_ms = 90000;
	rig->kit.conf->disconnect_timeout_ms = 15000;
	rig->kit.conf->post_bytes_max = 1000;
	kit_start(&rig->kit);
	gateway = rig->kit.gateway;
	gateway->lp = lp_host_new(gateway->loop, gateway->conf, &gateway->metrics, 1);
	rig->hub = hubs_find(&gateway->hubs, SLICE("chat"));
}

static void rig_stop(struct rig *rig)
{
	struct lp_host *lp = rig->kit.gateway->lp;
	struct map_node *node = map_next(&rig->kit.gateway->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&rig->kit.gateway->conns, node);
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	}
	lp_host_free(lp);
	rig->kit.gateway->lp = NULL;
	kit_stop(&rig->kit);
}

static void ask(struct rig *rig, struct asked *asked, char letter, Link__RequestKind kind,
		const char *body)
{
	request_handle(rig->kit.gateway, rig->hub, kit_id(letter), kind,
		       slice_from_str(body), asked_new(asked));
}

static void expect(struct rig *rig, char letter, Link__RequestKind kind, int status,
		   const char *text)
{
	struct asked asked;

	ask(rig, &asked, letter, kind, "");
	asked_expect(&asked, status, text);
}

/* A long polling client before its handshake. */
static struct conn *dial_lp(struct rig *rig, char letter)
{
	struct transport *transport =
		transport_lp_new(rig->kit.gateway->lp, rig->hub, kit_id(letter));
	struct conn *conn = conn_new(rig->kit.gateway, rig->hub, kit_id(letter).ptr,
				     user_anonymous(), transport, "10.0.0.9:1");
	struct asked first;

	transport_lp_poll(transport, asked_new(&first));
	asked_expect(&first, 200, "");
	return conn;
}

Test(request, who_is_nowhere_is_unknown)
{
	struct rig rig;

	rig_up(&rig);
	cr_expect_not(request_is_here(rig.kit.gateway, rig.hub, kit_id('A')));
	expect(&rig, 'A', POLL, 404, UNKNOWN);
	expect(&rig, 'A', POST, 404, UNKNOWN);
	expect(&rig, 'A', DELETE, 404, UNKNOWN);
	rig_stop(&rig);
}

Test(request, a_websocket_takes_none)
{
	struct rig rig;
	struct wire *wire;

	rig_up(&rig);
	wire = kit_open(&rig.kit, 'A', NULL);
	cr_expect(request_is_here(rig.kit.gateway, rig.hub, kit_id('A')));
	expect(&rig, 'A', WEB_SOCKET, 409, "");
	cr_expect_eq(rig.kit.metrics->id_taken_total, 1);
	expect(&rig, 'A', EVENTS, 400, CHANGED);
	expect(&rig, 'A', POLL, 400, CHANGED);
	expect(&rig, 'A', POST, 405, NO_POST);
	expect(&rig, 'A', DELETE, 400, NO_DELETE);
	cr_expect(wire_is_open(wire));
	rig_stop(&rig);
}

Test(request, events_take_posts_alone)
{
	struct rig rig;

	rig_up(&rig);
	(void)kit_dial_over(&rig.kit, &wire_other_ops, 'A', NULL);
	expect(&rig, 'A', WEB_SOCKET, 400, CHANGED);
	expect(&rig, 'A', EVENTS, 409, "");
	expect(&rig, 'A', POLL, 400, CHANGED);
	expect(&rig, 'A', DELETE, 400, NO_DELETE);
	rig_stop(&rig);
}

Test(request, long_polling_takes_polls_posts_and_delete)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	(void)dial_lp(&rig, 'A');
	expect(&rig, 'A', WEB_SOCKET, 400, CHANGED);
	expect(&rig, 'A', EVENTS, 400, CHANGED);
	ask(&rig, &asked, 'A', POST, "{\"protocol\":\"json\",\"version\":1}\x1e");
	asked_expect(&asked, 200, "");
	ask(&rig, &asked, 'A', POLL, "");
	kit_turn(&rig.kit);
	asked_expect(&asked, 200, "{}\x1e");
	ask(&rig, &asked, 'A', POLL, "");
	expect(&rig, 'A', DELETE, 202, "");
	asked_expect(&asked, 204, "");
	cr_expect_not(request_is_here(rig.kit.gateway, rig.hub, kit_id('A')));
	rig_stop(&rig);
}

Test(request, a_connection_is_of_one_hub)
{
	struct rig rig;
	struct asked asked;
	struct hub *other;

	rig_up(&rig);
	other = hubs_find(&rig.kit.gateway->hubs, SLICE("other"));
	(void)kit_open(&rig.kit, 'A', NULL);
	(void)dial_lp(&rig, 'B');
	cr_expect_not(request_is_here(rig.kit.gateway, other, kit_id('A')));
	cr_expect_not(request_is_here(rig.kit.gateway, other, kit_id('B')));
	request_handle(rig.kit.gateway, other, kit_id('B'), DELETE, SLICE(""),
		       asked_new(&asked));
	asked_expect(&asked, 404, UNKNOWN);
	rig_stop(&rig);
}

Test(request, who_has_ended_is_here_while_something_is_left_to_poll)
{
	struct rig rig;
	struct asked asked;
	struct conn *conn;

	rig_up(&rig);
	conn = dial_lp(&rig, 'A');
	ask(&rig, &asked, 'A', POST, "nonsense\x1e");
	asked_expect(&asked, 200, "");
	kit_turn(&rig.kit);
	(void)conn;
	cr_expect(request_is_here(rig.kit.gateway, rig.hub, kit_id('A')));
	expect(&rig, 'A', WEB_SOCKET, 400, CHANGED);
	expect(&rig, 'A', POST, 404, "");
	ask(&rig, &asked, 'A', POLL, "");
	kit_turn(&rig.kit);
	asked_expect(&asked, 200, NULL);
	cr_expect(asked.body_len > 0);
	ask(&rig, &asked, 'A', POLL, "");
	kit_turn(&rig.kit);
	asked_expect(&asked, 204, "");
	expect(&rig, 'A', POLL, 404, UNKNOWN);
	rig_stop(&rig);
}

Test(request, a_closed_websocket_is_not_here_while_its_shard_is_told)
{
	struct rig rig;
	struct wire *wire;

	rig_up(&rig);
	wire = kit_open(&rig.kit, 'A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	cr_expect_eq(rig.kit.metrics->connections_waiting, 1);
	cr_expect_not(request_is_here(rig.kit.gateway, rig.hub, kit_id('A')));
	expect(&rig, 'A', WEB_SOCKET, 404, UNKNOWN);
	rig_stop(&rig);
}
