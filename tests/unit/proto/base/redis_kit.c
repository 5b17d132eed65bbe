/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "tests/unit/proto/base/redis_kit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MS 20

/* ---- a client and its surroundings */

static void on_up(void *owner)
{
	struct redis_kit *kit = owner;

	kit->ups++;
}

static void on_down(void *owner, const char *why)
{
	struct redis_kit *kit = owner;

	kit->downs++;
	snprintf(kit->why, sizeof(kit->why), "%s", why);
}

void redis_kit_init(struct redis_kit *kit)
{
	*kit = (struct redis_kit){ .loop = loop_new() };
	strcpy(kit->dir, "/tmp/heliograph-redis.XXXXXX");
	cr_assert_not_null(mkdtemp(kit->dir));
	kit->options = (struct redis_options){
		.name = "test",
		.on_up = on_up,
		.on_down = on_down,
		.owner = kit,
		.stats = &kit->stats,
	};
}

static int remove_one(const char *path, const struct stat *stat, int type,
		      struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

void redis_kit_fini(struct redis_kit *kit)
{
	redis_free(kit->redis);
	loop_free(kit->loop);
	cr_expect_eq(kit->stats.waiting, 0);
	cr_expect_eq(kit->stats.in_flight, 0);
	cr_expect_eq(kit->stats.away, 0);
	nftw(kit->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void redis_kit_open(struct redis_kit *kit)
{
	kit->options.url = kit->url;
	kit->redis = redis_new(kit->loop, &kit->options);
}

void redis_kit_turn(struct redis_kit *kit, int64_t end_ms)
{
	loop_turn(kit->loop, TURN_MS);
	cr_assert_lt(loop_now_ms(kit->loop), end_ms, "waited in vain; last down: %s",
		     kit->why);
}

void redis_kit_wait_up(struct redis_kit *kit)
{
	REDIS_KIT_WAIT(kit, redis_is_up(kit->redis));
}

/* ---- calls */

static void copy(char *to, size_t size, struct slice from)
{
	const size_t len = from.len < size ? from.len : size - 1;

	if (len > 0)
		memcpy(to, from.ptr, len);
	to[len] = '\0';
}

static void on_done(struct redis_call *call, enum err rc, const struct redis_reply *reply)
{
	struct asked *asked = CONTAINER_OF(call, struct asked, call);
	const struct redis_reply *said = reply;

	cr_assert_eq(asked->rc, ERR_AGAIN, "ended twice");
	cr_assert_eq(rc == OK, reply != NULL);
	asked->rc = rc;
	asked->order = ++asked->kit->ended;
	if (reply != NULL) {
		asked->type = reply->type;
		asked->integer = reply->integer;
		asked->items_n = reply->items_n;
		if (reply->type == REDIS_ARRAY && reply->items_n > 0)
			said = &reply->items[0];
		copy(asked->text, sizeof(asked->text), said->text);
	}
	if (asked->then != NULL)
		asked->then(asked);
}

void redis_kit_prepare(struct redis_kit *kit, struct asked *asked)
{
	void (*then)(struct asked *) = asked->then;

	memset(asked, 0, sizeof(*asked));
	asked->kit = kit;
	asked->rc = ERR_AGAIN;
	asked->call.done = on_done;
	asked->then = then;
}

void redis_kit_ask(struct redis_kit *kit, struct asked *asked, ...)
{
	struct slice args[REDIS_KIT_ARGS_MAX];
	const char *word;
	size_t n = 0;
	va_list words;

	redis_kit_prepare(kit, asked);
	va_start(words, asked);
	while ((word = va_arg(words, const char *)) != NULL)
		args[n++] = slice_from_str(word);
	va_end(words);
	cr_assert_eq(redis_command(kit->redis, args, n, &asked->call), OK);
}

enum err redis_kit_try(struct redis_kit *kit, struct asked *asked, const char *word)
{
	const struct slice arg = slice_from_str(word);

	redis_kit_prepare(kit, asked);
	return redis_command(kit->redis, &arg, 1, &asked->call);
}

void redis_kit_run(struct redis_kit *kit, struct asked *asked, size_t script,
		   const char *key, const char *arg)
{
	const struct slice args[] = { slice_from_str(key), slice_from_str(arg) };

	redis_kit_prepare(kit, asked);
	cr_assert_eq(redis_script(kit->redis, script, 1, args, 2, &asked->call), OK);
}

void redis_kit_wait(struct redis_kit *kit, const struct asked *asked)
{
	REDIS_KIT_WAIT(kit, asked->rc != ERR_AGAIN);
}

/* ---- redis-server */

static int listen_loopback(int *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* In a process that does not outlive us. */
static pid_t run(const char *const *words)
{
	union {
		const char *const *given;
		char *const *wanted;
	} argv = { .given = words };
	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (freopen("/dev/null", "w", stdout) != NULL)
		execvp(argv.wanted[0], argv.wanted);
	_exit(127);
}

void redis_server_start(struct redis_kit *kit, struct redis_server *server, ...)
{
	const char *argv[REDIS_KIT_ARGS_MAX] = { "redis-server", "--save", "",
						 "--unixsocket" };
	size_t n = 4;
	char port[16];
	va_list words;

	/* The kernel's choice; that another takes it before the server does is unlikely.
	 */
	if (server->port == 0)
		close(listen_loopback(&server->port));
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", kit->dir);
	snprintf(kit->url, sizeof(kit->url), "unix://%s", server->socket);
	argv[n++] = server->socket;
	argv[n++] = "--port";
	argv[n++] = port;
	argv[n++] = "--bind";
	argv[n++] = "127.0.0.1";
	argv[n++] = "--dir";
	argv[n++] = kit->dir;
	va_start(words, server);
	while ((argv[n] = va_arg(words, const char *)) != NULL)
		n++;
	va_end(words);
	cr_assert_lt(n, REDIS_KIT_ARGS_MAX);
	server->pid = run(argv);
}

void redis_sentinel_start(struct redis_kit *kit, struct redis_server *sentinel,
			  int master_port)
{
	char path[96];
	FILE *conf;

	snprintf(path, sizeof(path), "%s/sentinel.conf", kit->dir);
	close(listen_loopback(&sentinel->port));
	conf = fopen(path, "w");
	cr_assert_not_null(conf);
	fprintf(conf,
		"port %d\nbind 127.0.0.1\ndir %s\n"
		"sentinel monitor hub 127.0.0.1 %d 1\n"
		"sentinel down-after-milliseconds hub 500\n"
		"sentinel failover-timeout hub 3000\n",
		sentinel->port, kit->dir, master_port);
	fclose(conf);
	snprintf(kit->url, sizeof(kit->url), "redis-sentinel://127.0.0.1:%d/hub",
		 sentinel->port);
	sentinel->pid =
		run((const char *const[]){ "redis-server", path, "--sentinel", NULL });
}

void redis_server_kill(struct redis_server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

/* ---- one that says what it is told to */

int redis_kit_connect(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ||
		  errno == EINPROGRESS);
	return fd;
}

void fake_open(struct redis_kit *kit, struct fake *fake)
{
	*fake = (struct fake){ .fd = -1 };
	fake->listener = listen_loopback(&fake->port);
	snprintf(kit->url, sizeof(kit->url), "redis://127.0.0.1:%d", fake->port);
}

void fake_hang_up(struct fake *fake)
{
	if (fake->fd >= 0)
		close(fake->fd);
	fake->fd = -1;
	buf_clear(&fake->in);
}

void fake_close(struct fake *fake)
{
	fake_hang_up(fake);
	if (fake->listener >= 0)
		close(fake->listener);
	fake->listener = -1;
	buf_fini(&fake->in);
}

void fake_wait_conn(struct redis_kit *kit, struct fake *fake)
{
	REDIS_KIT_WAIT(kit, (fake->fd = accept4(fake->listener, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
}

bool fake_is_left(struct fake *fake)
{
	char byte;
	ssize_t n;

	fake_read(fake);
	n = recv(fake->fd, &byte, 1, MSG_PEEK);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

size_t fake_read(struct fake *fake)
{
	ssize_t n;

	do {
		n = read(fake->fd, buf_reserve(&fake->in, 65536), 65535);
		if (n > 0)
			fake->in.len += (size_t)n;
	} while (n > 0);
	*buf_reserve(&fake->in, 1) = '\0';
	return fake->in.len;
}

static bool fake_has(struct fake *fake, const char *text)
{
	fake_read(fake);
	return strstr(fake->in.ptr, text) != NULL;
}

void fake_wait(struct redis_kit *kit, struct fake *fake, const char *text)
{
	REDIS_KIT_WAIT(kit, fake_has(fake, text));
}

void fake_say(struct fake *fake, const char *bytes, size_t len)
{
	/* All that is said fits into the socket's buffers, or the client is gone. */
	while (len > 0) {
		const ssize_t n = send(fake->fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

void fake_let_in(struct redis_kit *kit, struct fake *fake)
{
	const int ups = kit->ups;

	fake_wait_conn(kit, fake);
	fake_wait(kit, fake, "PING\r\n");
	FAKE_SAY(fake, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+PONG\r\n");
	REDIS_KIT_WAIT(kit, kit->ups > ups);
	buf_clear(&fake->in);
}
