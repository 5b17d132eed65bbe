/* SPDX-License-Identifier: Apache-2.0 */
/* The API, its clients and its peers. */
#include "tests/unit/presence/admin_kit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "presence/on_peer.h"
#include "presence/store_memory.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define TURNS_MAX 5000

static char address[] = "127.0.0.1:0";
static char none[] = "";

static void on_event(void *owner, const struct store_event *event)
{
	struct presence *presence = owner;

	feed_on_event(&presence->feed, event);
}

void admin_kit_init(struct admin_kit *kit)
{
	const struct store_memory_options store_options = { .sessions_max = 100,
							    .events_max = 10,
							    .seed = 1 };
	struct presence *presence = &kit->presence;

	*kit = (struct admin_kit){ .conf = { .admin_listen = address,
					     .admin_token_file = none,
					     .admin_tls_cert = none,
					     .admin_tls_key = none,
					     .admin_tls_client_ca = none,
					     .admin_body_max = 4096,
					     .events_watchers_max = 2,
					     .events_queue_max = 4096,
					     .commands_max = 100,
					     .command_timeout_ms = 5000,
					     .page_max = 3 } };
	kit->http.loop = loop_new();
	presence->loop = kit->http.loop;
	presence->conf = &kit->conf;
	kit->conf.link.lease_ms = 60000;
	presence->store = store_memory_new(presence->loop, &store_options);
	presence->started_ms = loop_now_ms(presence->loop);
	processes_init(&presence->processes, presence);
	resharding_init(&presence->resharding, presence);
	homes_init(&presence->homes, presence);
	feed_init(&presence->feed, presence);
	upkeep_init(&presence->upkeep, presence, false);
	topology_init(&presence->topology, presence, 60000);
	commands_init(&presence->commands, 1);
	presence->store->watcher =
		(struct store_watcher){ .on_event = on_event, .owner = presence };
	kit->client.fd = -1;
}

void admin_kit_fini(struct admin_kit *kit)
{
	struct presence *presence = &kit->presence;

	http_client_close(&kit->client);
	admin_close(presence->admin);
	commands_fini(presence);
	topology_fini(&presence->topology);
	upkeep_fini(&presence->upkeep);
	homes_fini(&presence->homes);
	processes_fini(&presence->processes);
	resharding_fini(&presence->resharding);
	feed_fini(&presence->feed);
	for (size_t i = 0; i < kit->peers_n; i++)
		link_free(kit->peers[i].link);
	if (presence->link != NULL)
		link_free(presence->link);
	presence->store->ops->free(presence->store);
	if (kit->token_path[0] != '\0')
		unlink(kit->token_path);
	loop_free(presence->loop);
}

void admin_kit_use_tokens(struct admin_kit *kit, const char *text)
{
	FILE *file;

	if (kit->token_path[0] == '\0') {
		strcpy(kit->token_path, "/tmp/heliograph-token-XXXXXX");
		close(mkstemp(kit->token_path));
	}
	file = fopen(kit->token_path, "w");
	cr_assert_not_null(file);
	cr_assert(fputs(text, file) >= 0);
	cr_assert_eq(fclose(file), 0);
	kit->conf.admin_token_file = kit->token_path;
}

struct kit_call {
	struct store_call call;
	uint64_t registration;
};

static void on_stored(struct store_call *call, const struct store_answer *answer)
{
	cr_assert_eq(answer->rc, OK);
	CONTAINER_OF(call, struct kit_call, call)->registration = answer->registration;
}

/* Of a gateway by that name; one is enough. */
static uint64_t registration_of(struct admin_kit *kit, const char *gateway)
{
	const struct session_gateway_id id = { slice_from_str(gateway), 1 };
	struct store *store = kit->presence.store;
	struct kit_call made;
	size_t i = 0;

	while (i < kit->registrations_n &&
	       strcmp(kit->registrations[i].gateway, gateway) != 0)
		i++;
	if (i < kit->registrations_n)
		return kit->registrations[i].number;
	store_call_init(&made.call, on_stored);
	store->ops->gateway_new(store, &id, 60000, &made.call);
	kit->registrations[i].gateway = gateway;
	kit->registrations[i].number = made.registration;
	kit->registrations_n++;
	return made.registration;
}

void admin_kit_remove(struct admin_kit *kit, const char *gateway, struct slice connection)
{
	const uint64_t registration = registration_of(kit, gateway);
	struct store *store = kit->presence.store;
	struct kit_call removed;

	store_call_init(&removed.call, on_stored);
	store->ops->remove(store, registration, SLICE("chat"), connection, &removed.call);
}

void admin_kit_add(struct admin_kit *kit, const char *gateway, struct slice connection,
		   struct slice user)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = connection,
					   .user_id = user };
	const uint64_t registration = registration_of(kit, gateway);
	struct store *store = kit->presence.store;
	struct kit_call added;

	store_call_init(&added.call, on_stored);
	store->ops->add(store, registration, &info, &added.call);
}

/* ---- peers */

static void on_up(struct link_peer *to, bool is_new)
{
	struct kit_peer *peer = link_owner(link_peer_link(to));

	peer->news_n += is_new ? 1 : 0;
}

static void on_down(struct link_peer *peer)
{
	(void)peer;
}

static void on_envelope(struct link_peer *to, const Link__Envelope *envelope)
{
	struct kit_peer *peer = link_owner(link_peer_link(to));
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;

	if (envelope->body_case != LINK__ENVELOPE__BODY_COMMAND)
		return;
	peer->commands_n++;
	if (!peer->fn(peer, envelope->command, &done))
		return;
	done.call = envelope->command->call;
	cr_assert_eq(link_send_command_done(to, &done, NULL), OK);
}

static struct link *link_open(struct admin_kit *kit, Link__Role role, const char *name,
			      void *owner, struct link_stats *stats)
{
	static const struct link_ops peer_ops = {
		.on_up = on_up,
		.on_down = on_down,
		.on_lost = on_down,
		.on_envelope = on_envelope,
	};
	const bool is_presence = role == LINK__ROLE__ROLE_PRESENCE;
	const struct link_options options = {
		.role = role,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY | 1u << LINK__ROLE__ROLE_ROUTER,
		.name = name,
		.incarnation = 1 + kit->peers_n,
		.keys = &SECRETS_OF(SLICE(KEY)),
		.window_bytes_max = 1 << 20,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 60000,
		.ops = is_presence ? &presence_link_ops : &peer_ops,
		.owner = owner,
		.stats = stats,
	};

	return link_new(kit->presence.loop, &options);
}

static void listen_for_peers(struct admin_kit *kit)
{
	struct presence *presence = &kit->presence;

	presence->link = link_open(kit, LINK__ROLE__ROLE_PRESENCE, "p1", presence,
				   &presence->metrics.link);
	cr_assert_eq(link_listen(presence->link, "tcp://127.0.0.1:0"), OK);
	(void)snprintf(kit->link_url, sizeof(kit->link_url), "%s",
		       link_listen_url(presence->link));
}

struct kit_peer *admin_kit_peer(struct admin_kit *kit, Link__Role role, const char *name,
				kit_peer_fn *fn)
{
	struct kit_peer *peer = &kit->peers[kit->peers_n];

	if (kit->presence.link == NULL)
		listen_for_peers(kit);
	peer->fn = fn;
	peer->link = link_open(kit, role, name, peer, &peer->stats);
	peer->presence =
		link_dial(peer->link, LINK__ROLE__ROLE_PRESENCE, "p1", kit->link_url);
	kit->peers_n++;
	for (int i = 0; i < TURNS_MAX; i++) {
		if (peer->news_n > 0 &&
		    kit->presence.metrics.link.peers_up == (int64_t)kit->peers_n)
			return peer;
		loop_turn(kit->presence.loop, 2);
	}
	cr_assert_fail("%s never came up", name);
	return NULL;
}

/* ---- requests */

static void client_open(struct admin_kit *kit)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *port;

	if (kit->presence.admin == NULL)
		kit->presence.admin = admin_open(&kit->presence);
	port = strrchr(admin_address(kit->presence.admin), ':') + 1;
	http_client_close(&kit->client);
	kit->client = (struct http_client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	in.sin_port = htons((uint16_t)atoi(port));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(kit->client.fd, (struct sockaddr *)&in, sizeof(in)), 0);
}

void admin_kit_say(struct admin_kit *kit, const char *method, const char *target,
		   const char *headers, const char *body)
{
	struct buf text = BUF_INIT;

	client_open(kit);
	buf_appendf(&text, "%s %s HTTP/1.1\r\nConnection: close\r\n", method, target);
	if (strstr(headers, "Host:") == NULL)
		buf_append_str(&text, "Host: 127.0.0.1\r\n");
	if (body != NULL)
		buf_appendf(&text, "Content-Length: %zu\r\n", strlen(body));
	buf_appendf(&text, "%s\r\n%s", headers, body != NULL ? body : "");
	http_client_send(&kit->client, text.ptr, text.len);
	buf_fini(&text);
}

int admin_kit_wait(struct admin_kit *kit)
{
	http_client_wait_end(&kit->http, &kit->client);
	cr_assert_gt(kit->client.in.len, 12);
	return atoi(kit->client.in.ptr + strlen("HTTP/1.1 "));
}

int admin_kit_ask(struct admin_kit *kit, const char *method, const char *target,
		  const char *body)
{
	admin_kit_say(kit, method, target,
		      body != NULL ? "Content-Type: application/json\r\n" : "", body);
	return admin_kit_wait(kit);
}

int admin_kit_get(struct admin_kit *kit, const char *target)
{
	return admin_kit_ask(kit, "GET", target, NULL);
}

bool admin_kit_has(const struct admin_kit *kit, const char *text)
{
	return http_client_has(&kit->client, text);
}

bool admin_kit_is_problem(const struct admin_kit *kit, const char *name)
{
	char type[96];

	(void)snprintf(type, sizeof(type), "{\"type\":\"urn:heliograph:problem:%s\",",
		       name);
	return admin_kit_has(kit, "Content-Type: application/problem+json\r\n") &&
	       admin_kit_has(kit, type);
}

struct slice admin_kit_next(const struct admin_kit *kit)
{
	const char *next = strstr(kit->client.in.ptr, "\"next\":\"");

	if (next == NULL)
		return SLICE_NONE;
	next += strlen("\"next\":\"");
	return slice_make(next, strcspn(next, "\""));
}
