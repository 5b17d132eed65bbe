// SPDX-License-Identifier: Apache-2.0
/*
 * A worse network:  nfqd QUEUE DELAY_US JITTER_US LOSS_PPM REORDER SEED
 *
 * Holds the packets that netfilter queues (iptables -j NFQUEUE --queue-num QUEUE) for
 * DELAY_US, give or take JITTER_US, and loses LOSS_PPM of a million. REORDER 1 lets a
 * packet overtake those with a longer delay, 0 keeps their order. The n-th packet gets
 * the n-th draw of a generator that begins at SEED. Prints "ready" once it has the queue;
 * at TERM it lets go of all it holds and prints what it did. Speaks netlink itself, so it
 * needs no library.
 *
 * The kernel's tc netem would do this, but not every kernel has it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Behind netinet/in.h, which they know to share names with. */
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

/* The kernel holds no more for us; what comes past it passes unharmed (QUEUE's
 * fail-open). */
enum { HELD_MAX = 65536 };
enum { RECV_BYTES = 65536, SOCKET_BYTES = 8 << 20 };
#define US_MAX 10000000LL /* of a delay, ten seconds */
#define PPM 1000000LL
/* The kernel's own names for these are negative numbers of a signed type. */
#define ATTRIBUTE_BYTES sizeof(struct nlattr)
#define PADDED(len) (((size_t)(len) + 3) & ~(size_t)3)

struct packet {
	int64_t due_us;
	uint64_t number; /* packets due at the same time leave as they came */
	uint32_t id;
};

struct nfqd {
	int fd;
	uint16_t queue;
	int64_t delay_us, jitter_us, loss_ppm;
	int keeps_order;
	uint64_t random;
	int64_t last_due_us;
	uint64_t seen, lost;
	size_t len; /* of the heap, the next one due first */
	struct packet heap[HELD_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "nfqd: %s: %m\n", what);
	exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* splitmix64: every seed is a good one. */
static uint64_t draw(struct nfqd *d)
{
	uint64_t z = (d->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int is_before(const struct packet *a, const struct packet *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void heap_push(struct nfqd *d, struct packet packet)
{
	size_t i = d->len++;

	assert(d->len <= HELD_MAX);
	for (; i > 0 && is_before(&packet, &d->heap[(i - 1) / 2]); i = (i - 1) / 2)
		d->heap[i] = d->heap[(i - 1) / 2];
	d->heap[i] = packet;
}

static struct packet heap_pop(struct nfqd *d)
{
	assert(d->len > 0);
	struct packet first = d->heap[0], last = d->heap[--d->len];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < d->len; i = child) {
		if (child + 1 < d->len && is_before(&d->heap[child + 1], &d->heap[child]))
			child++;
		if (!is_before(&d->heap[child], &last))
			break;
		d->heap[i] = d->heap[child];
	}
	d->heap[i] = last;
	return first;
}

/* A message to the kernel: a head and a few small attributes. */
struct request {
	struct nlmsghdr head;
	struct nfgenmsg queue;
	uint8_t attributes[32];
};

static void request_add(struct request *request, uint16_t type, const void *value,
			size_t len)
{
	const size_t at = request->head.nlmsg_len - offsetof(struct request, attributes);
	const struct nlattr head = { .nla_len = (uint16_t)(ATTRIBUTE_BYTES + len),
				     .nla_type = type };

	assert(at + ATTRIBUTE_BYTES + PADDED(len) <= sizeof request->attributes);
	memcpy(request->attributes + at, &head, sizeof head);
	memcpy(request->attributes + at + ATTRIBUTE_BYTES, value, len);
	request->head.nlmsg_len += (uint32_t)(ATTRIBUTE_BYTES + PADDED(len));
}

/* What changes the queue is answered, a verdict is not. */
static struct request request_make(const struct nfqd *d, uint16_t type)
{
	return (struct request){
		.head = { .nlmsg_len = offsetof(struct request, attributes),
			  .nlmsg_type = (uint16_t)((NFNL_SUBSYS_QUEUE << 8) | type),
			  .nlmsg_flags = (uint16_t)(type == NFQNL_MSG_CONFIG
							    ? NLM_F_REQUEST | NLM_F_ACK
							    : NLM_F_REQUEST) },
		.queue = { .version = NFNETLINK_V0, .res_id = htons(d->queue) },
	};
}

static void request_send(const struct nfqd *d, const struct request *request)
{
	if (send(d->fd, request, request->head.nlmsg_len, 0) < 0)
		die("netlink");
}

static void configure(struct nfqd *d, uint16_t attribute, const void *value, size_t len)
{
	struct request request = request_make(d, NFQNL_MSG_CONFIG);

	request_add(&request, attribute, value, len);
	request_send(d, &request);
}

static void say(struct nfqd *d, uint32_t id, uint32_t verdict)
{
	const struct nfqnl_msg_verdict_hdr value = { htonl(verdict), htonl(id) };
	struct request request = request_make(d, NFQNL_MSG_VERDICT);

	request_add(&request, NFQA_VERDICT_HDR, &value, sizeof value);
	request_send(d, &request);
}

/* Loses the packet, or keeps it until it is due. */
static void on_packet(struct nfqd *d, uint32_t id)
{
	uint64_t chance = draw(d), shift = draw(d);
	int64_t due = now_us() + d->delay_us;

	d->seen++;
	if ((int64_t)(chance % PPM) < d->loss_ppm) {
		d->lost++;
		say(d, id, NF_DROP);
		return;
	}
	if (d->jitter_us)
		due += (int64_t)(shift % (uint64_t)(2 * d->jitter_us + 1)) - d->jitter_us;
	if (d->keeps_order && due < d->last_due_us)
		due = d->last_due_us;
	d->last_due_us = due;
	if (d->len == HELD_MAX)
		say(d, id, NF_ACCEPT);
	else
		heap_push(d, (struct packet){ due, d->seen, id });
}

/* The id of the packet in a message; each message of the kernel is whole. */
static void on_message(struct nfqd *d, const struct nlmsghdr *head)
{
	size_t at = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	struct nfqnl_msg_packet_hdr packet;
	struct nlattr attribute;

	if (head->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
		return;
	for (; at + ATTRIBUTE_BYTES <= head->nlmsg_len; at += PADDED(attribute.nla_len)) {
		memcpy(&attribute, (const char *)head + at, sizeof attribute);
		if (attribute.nla_len < ATTRIBUTE_BYTES ||
		    at + attribute.nla_len > head->nlmsg_len)
			return;
		if ((attribute.nla_type & NLA_TYPE_MASK) != NFQA_PACKET_HDR ||
		    attribute.nla_len < ATTRIBUTE_BYTES + sizeof packet)
			continue;
		memcpy(&packet, (const char *)head + at + ATTRIBUTE_BYTES, sizeof packet);
		on_packet(d, ntohl(packet.packet_id));
		return;
	}
}

/* What there is to read. An answer to a request comes here, too: error 0 means done. */
static void on_readable(struct nfqd *d, int *answers)
{
	static struct nlmsghdr messages[RECV_BYTES / sizeof(struct nlmsghdr)];
	ssize_t n = recv(d->fd, messages, sizeof messages, MSG_DONTWAIT);
	struct nlmsghdr *head = messages;

	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		die("netlink");
	for (; n > 0 && NLMSG_OK(head, (uint32_t)n); head = NLMSG_NEXT(head, n)) {
		if (head->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *answer = NLMSG_DATA(head);

			/* A verdict on a packet whose device has gone is not missed. */
			if (answer->error && answer->msg.nlmsg_flags & NLM_F_ACK) {
				errno = -answer->error;
				die("the queue");
			}
			++*answers;
			continue;
		}
		on_message(d, head);
	}
}

/* Binds the queue: ids and no payload, as many as fit, and nothing lost when we are slow.
 */
static void queue_open(struct nfqd *d)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	struct nfqnl_msg_config_cmd bind_it = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = { 0, NFQNL_COPY_META };
	uint32_t len = htonl(HELD_MAX), flags = htonl(NFQA_CFG_F_FAIL_OPEN);
	int bytes = SOCKET_BYTES, on = 1, answers = 0;
	struct request request;

	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&any, sizeof any))
		die("netlink");
	/* The forced one needs a privilege; what is not got costs only under floods. */
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	(void)setsockopt(d->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
	configure(d, NFQA_CFG_CMD, &bind_it, sizeof bind_it);
	configure(d, NFQA_CFG_PARAMS, &params, sizeof params);
	configure(d, NFQA_CFG_QUEUE_MAXLEN, &len, sizeof len);
	request = request_make(d, NFQNL_MSG_CONFIG);
	request_add(&request, NFQA_CFG_MASK, &flags, sizeof flags);
	request_add(&request, NFQA_CFG_FLAGS, &flags, sizeof flags);
	request_send(d, &request);
	for (struct pollfd ready = { .fd = d->fd, .events = POLLIN }; answers < 4;) {
		if (poll(&ready, 1, 5000) <= 0)
			die("no answer about the queue");
		on_readable(d, &answers);
	}
}

static int64_t number(const char *text, int64_t max)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (!*text || *end || value < 0 || value > max) {
		fprintf(stderr, "nfqd: %s is not a number from 0 to %lld\n", text,
			(long long)max);
		exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
	}
	return value;
}

int main(int argc, char **argv)
{
	static struct nfqd d;
	int answers = 0;
	sigset_t ends;

	if (argc != 7) {
		fprintf(stderr,
			"usage: nfqd QUEUE DELAY_US JITTER_US LOSS_PPM REORDER SEED\n");
		return 2;
	}
	d.queue = (uint16_t)number(argv[1], UINT16_MAX);
	d.delay_us = number(argv[2], US_MAX);
	d.jitter_us = number(argv[3], d.delay_us);
	d.loss_ppm = number(argv[4], PPM);
	d.keeps_order = !number(argv[5], 1);
	d.random = (uint64_t)number(argv[6], INT64_MAX);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* best effort: the lab ends it, too */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &ends, NULL))
		die("signals");
	queue_open(&d);
	printf("ready\n");
	fflush(stdout);

	struct pollfd ready[] = { { .fd = d.fd, .events = POLLIN },
				  { .fd = signalfd(-1, &ends, SFD_CLOEXEC),
				    .events = POLLIN } };
	while (!(ready[1].revents & POLLIN)) {
		int64_t wait_us = d.len ? d.heap[0].due_us - now_us() : 0;
		struct timespec wait = { .tv_sec = wait_us / 1000000,
					 .tv_nsec = wait_us % 1000000 * 1000 };

		if (wait_us < 0)
			wait = (struct timespec){ 0 };
		if (ppoll(ready, 2, d.len ? &wait : NULL, NULL) < 0 && errno != EINTR)
			die("poll");
		if (ready[0].revents)
			on_readable(&d, &answers);
		for (int64_t now = now_us(); d.len && d.heap[0].due_us <= now;)
			say(&d, heap_pop(&d).id, NF_ACCEPT);
	}
	while (d.len)
		say(&d, heap_pop(&d).id, NF_ACCEPT);
	printf("seen=%llu lost=%llu\n", (unsigned long long)d.seen,
	       (unsigned long long)d.lost);
	return 0;
}
