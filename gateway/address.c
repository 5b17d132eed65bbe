/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists are read anew each time they are asked: they are short, and only requests ask.
 */
#include "gateway/address.h"

#include <arpa/inet.h>
#include <assert.h>

#define BITS 128
#define MAPPED_BYTES 12 /* 10 zeros and two 0xff stand before an IPv4 address */
#define CLIENT_BYTES 8	/* of an IPv6 address: a /64 */

static const uint8_t mapped[MAPPED_BYTES] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_mapped(const struct address *address)
{
	return memcmp(address->bytes, mapped, MAPPED_BYTES) == 0;
}

/* Without a port. */
static enum err parse_host(struct slice text, struct address *address)
{
	char copy[INET6_ADDRSTRLEN];

	/* A NUL would end the copy early. */
	if (text.len == 0 || text.len >= sizeof(copy) || slice_find(text, '\0') >= 0)
		return ERR_MALFORMED;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, address->bytes) == 1)
		return OK;
	memcpy(address->bytes, mapped, MAPPED_BYTES);
	return inet_pton(AF_INET, copy, address->bytes + MAPPED_BYTES) == 1
		       ? OK
		       : ERR_MALFORMED;
}

static bool is_port(struct slice text)
{
	int64_t port;

	return text.len > 0 && text.ptr[0] != '-' && slice_to_int64(text, &port) == OK &&
	       port <= UINT16_MAX;
}

enum err address_parse(struct slice text, struct address *address)
{
	struct slice host;
	struct slice rest = text;

	assert(address != NULL);
	if (text.len > 0 && text.ptr[0] == '[') {
		rest = slice_from(text, 1);
		host = slice_cut(&rest, ']');
		/* The brackets are of IPv6, and behind them is the port or nothing. */
		if (rest.ptr == NULL || slice_find(host, ':') < 0 ||
		    (rest.len > 0 &&
		     (rest.ptr[0] != ':' || !is_port(slice_from(rest, 1)))))
			return ERR_MALFORMED;
		return parse_host(host, address);
	}
	host = slice_cut(&rest, ':');
	if (rest.ptr == NULL || slice_find(rest, ':') >= 0)
		return parse_host(text, address);
	return is_port(rest) ? parse_host(host, address) : ERR_MALFORMED;
}

struct slice address_client(const struct address *address)
{
	return slice_make((const char *)address->bytes,
			  is_mapped(address) ? sizeof(address->bytes) : CLIENT_BYTES);
}

/* ---- networks */

struct network {
	struct address address;
	unsigned bits;
};

static enum err parse_network(struct slice text, struct network *network)
{
	const struct slice host = slice_cut(&text, '/');
	int64_t bits;
	int64_t bits_max;

	if (parse_host(host, &network->address) != OK)
		return ERR_MALFORMED;
	bits_max = slice_find(host, ':') >= 0 ? BITS : 32;
	bits = bits_max;
	if (text.ptr != NULL &&
	    (slice_to_int64(text, &bits) != OK || bits < 0 || bits > bits_max))
		return ERR_MALFORMED;
	network->bits = (unsigned)(bits + (BITS - bits_max));
	return OK;
}

static bool network_has(const struct network *network, const struct address *address)
{
	const size_t whole = network->bits / 8;
	const unsigned left = network->bits % 8;
	const unsigned mask = 0xffu << (8 - left) & 0xffu;

	assert(network->bits <= BITS);
	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return left == 0 ||
	       ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool address_is_list(const char *list)
{
	struct slice rest = slice_from_str(list);
	struct network network;

	while (rest.len > 0) {
		if (parse_network(slice_trim(slice_cut(&rest, ',')), &network) != OK)
			return false;
	}
	return true;
}

bool address_list_has(const char *list, const struct address *address)
{
	struct slice rest = slice_from_str(list);
	struct network network;

	while (rest.len > 0) {
		if (parse_network(slice_trim(slice_cut(&rest, ',')), &network) == OK &&
		    network_has(&network, address))
			return true;
	}
	return false;
}
