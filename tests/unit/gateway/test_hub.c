/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hubs of a configuration.
 */
#include "gateway/hub.h"

#include <criterion/criterion.h>

#include "gateway/conf.h"
#include "proto/base/mem.h"

static struct gateway_conf conf;
static struct hubs hubs;

static void init(char *list)
{
	static char none[] = "";

	conf = (struct gateway_conf){ .hubs = list,
				      .cors_origins = none,
				      .keepalive_interval_ms = 7 };
	conf_scoped_init(&gateway_conf_table, &conf);
	hubs_init(&hubs, &conf.hub_confs);
}

static void fini(void)
{
	hubs_fini(&hubs);
	conf_scoped_fini(&gateway_conf_table, &conf);
}

static void set_path(size_t i, const char *path)
{
	struct hub_conf *hub_conf = conf.hub_confs.items[i].values;

	mem_free(hub_conf->path);
	hub_conf->path = mem_dup(path, strlen(path));
}

TestSuite(hub, .fini = fini);

Test(hub, there_is_one_for_each_scope)
{
	init((char[]){ "relay, chat" });
	cr_assert_eq(hubs.n, 2);
	cr_expect_str_eq(hubs.items[0].name, "relay");
	cr_expect_str_eq(hubs.items[1].name, "chat");
	cr_expect_str_eq(hubs.items[1].conf->path, "/hubs/chat");
	cr_expect_eq(hubs.items[1].conf->keepalive_interval_ms, 7);
	cr_expect(list_is_empty(&hubs.items[1].conns));
}

Test(hub, is_found_without_regard_to_case)
{
	init((char[]){ "relay,Chat" });
	cr_expect_str_eq(hubs.items[1].name, "chat");
	cr_expect_eq(hubs_find(&hubs, SLICE("CHAT")), &hubs.items[1]);
	cr_expect_eq(hubs_find(&hubs, SLICE("relay")), &hubs.items[0]);
	cr_expect_null(hubs_find(&hubs, SLICE("chat2")));
	cr_expect_null(hubs_find(&hubs, SLICE("")));
}

static void expect_route(const char *path, const struct hub *hub, const char *rest)
{
	struct slice found;

	cr_expect_eq(hubs_route(&hubs, slice_from_str(path), &found), hub, "%s", path);
	cr_expect(hub == NULL || slice_equal(found, slice_from_str(rest)), "%s", path);
}

Test(hub, is_found_by_the_start_of_a_path)
{
	init((char[]){ "relay,chat,deep" });
	set_path(0, "/a");
	set_path(2, "/a/B");
	expect_route("/a", &hubs.items[0], "");
	expect_route("/A/", &hubs.items[0], "/");
	expect_route("/a/negotiate", &hubs.items[0], "/negotiate");
	expect_route("/a/b", &hubs.items[2], "");
	expect_route("/a/b/negotiate", &hubs.items[2], "/negotiate");
	expect_route("/a/bc", &hubs.items[0], "/bc");
	expect_route("/ab", NULL, "");
	expect_route("/", NULL, "");
	expect_route("", NULL, "");
	expect_route("/hubs/relay", NULL, "");
	expect_route("/HUBS/Chat", &hubs.items[1], "");
}
