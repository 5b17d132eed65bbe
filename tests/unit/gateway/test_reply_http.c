/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply over HTTP: its answers' bytes, a client that goes away, and a socket taken over
 * long after its request.
 */
#include "gateway/reply_http.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/unit/proto/base/http_kit.h"

struct rig {
	struct http_kit kit;
	struct http_client client;
	struct reply *reply; /* of the last request */
	bool is_events;
	int asked_n;
	int gone_n;
};

static void on_gone(struct reply *reply)
{
	struct rig *rig = reply->owner;

	rig->gone_n++;
	rig->reply = NULL;
}

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	struct rig *rig = http_server_owner(server);

	(void)request;
	rig->reply = reply_http_new(conn, SLICE("X-Mine: yes\r\n"), rig->is_events);
	rig->reply->on_gone = on_gone;
	rig->reply->owner = rig;
	rig->asked_n++;
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .asked_n = 0 };
	http_kit_init(&rig->kit);
	rig->kit.options.on_request = on_request;
	rig->kit.options.on_gone = reply_http_on_gone;
	rig->kit.options.owner = rig;
	http_kit_open(&rig->kit);
	http_client_open(&rig->kit, &rig->client);
}

static void rig_fini(struct rig *rig)
{
	http_client_close(&rig->client);
	http_kit_fini(&rig->kit);
}

static void ask(struct rig *rig)
{
	const int n = rig->asked_n + 1;

	http_client_say(&rig->client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	http_kit_wait_int(&rig->kit, &rig->asked_n, n);
}

static void answer(struct rig *rig, int status, bool is_binary, const char *body)
{
	const struct reply_answer answer = { .status = status,
					     .is_binary = is_binary,
					     .body = slice_from_str(body) };

	rig->reply->ops->answer(rig->reply, &answer);
	rig->reply = NULL;
}

Test(reply_http, answers_carry_their_headers_type_and_body)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	answer(&rig, 200, true, "bytes");
	http_client_wait(&rig.kit, &rig.client, "bytes", 1);
	cr_expect(http_client_has(&rig.client, "HTTP/1.1 200 OK\r\n"));
	cr_expect(http_client_has(&rig.client,
				  "Content-Type: application/octet-stream\r\n"));
	cr_expect(http_client_has(&rig.client, "Content-Length: 5\r\n"));
	cr_expect(http_client_has(&rig.client, "X-Mine: yes\r\n"));
	ask(&rig);
	answer(&rig, 404, false, "none here");
	http_client_wait(&rig.kit, &rig.client, "none here", 1);
	cr_expect(http_client_has(&rig.client, "Content-Type: text/plain\r\n"));
	rig_fini(&rig);
}

Test(reply_http, no_content_has_no_type)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	answer(&rig, 204, true, "");
	http_client_wait(&rig.kit, &rig.client, "\r\n\r\n", 1);
	cr_expect(http_client_has(&rig.client, "HTTP/1.1 204 No Content\r\n"));
	cr_expect_not(http_client_has(&rig.client, "\r\nContent-Type"));
	cr_expect(http_client_has(&rig.client, "X-Mine: yes\r\n"));
	rig_fini(&rig);
}

Test(reply_http, who_is_busy_says_when_to_come_again)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	answer(&rig, 503, false, "");
	http_client_wait(&rig.kit, &rig.client, "Retry-After: 5\r\n", 1);
	rig_fini(&rig);
}

Test(reply_http, who_asks_for_events_is_not_made_to_come_again)
{
	struct rig rig;

	rig_init(&rig);
	rig.is_events = true;
	ask(&rig);
	answer(&rig, 503, false, "busy");
	http_client_wait(&rig.kit, &rig.client, "\r\n\r\nbusy", 1);
	cr_expect(http_client_has(&rig.client, "HTTP/1.1 404 Not Found\r\n"));
	ask(&rig);
	answer(&rig, 409, false, "taken");
	http_client_wait(&rig.kit, &rig.client, "\r\n\r\ntaken", 1);
	cr_expect(http_client_has(&rig.client, "HTTP/1.1 409 Conflict\r\n"));
	rig_fini(&rig);
}

Test(reply_http, a_client_that_went_away_is_told_of)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	http_client_close(&rig.client);
	http_kit_wait_int(&rig.kit, &rig.gone_n, 1);
	http_client_open(&rig.kit, &rig.client);
	rig_fini(&rig);
}

Test(reply_http, one_that_was_answered_is_not)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	answer(&rig, 200, false, "done");
	http_client_wait(&rig.kit, &rig.client, "done", 1);
	http_client_close(&rig.client);
	http_kit_wait_open(&rig.kit, 0);
	cr_expect_eq(rig.gone_n, 0);
	http_client_open(&rig.kit, &rig.client);
	rig_fini(&rig);
}

Test(reply_http, a_server_that_closes_tells_of_all)
{
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	rig_fini(&rig);
	cr_expect_eq(rig.gone_n, 1);
}

Test(reply_http, the_socket_may_be_taken_turns_later)
{
	struct buf rest = BUF_INIT;
	struct sock sock;
	struct rig rig;

	rig_init(&rig);
	ask(&rig);
	http_client_say(&rig.client, "behind it");
	for (int i = 0; i < 5; i++)
		http_client_turn(&rig.kit, &rig.client);
	reply_http_take_over(rig.reply, &sock, &rest);
	cr_expect(slice_equal(buf_slice(&rest), SLICE("behind it")));
	http_kit_wait_open(&rig.kit, 0);
	cr_expect_eq(rig.gone_n, 0);
	sock_fini(&sock);
	buf_fini(&rest);
	rig_fini(&rig);
}
