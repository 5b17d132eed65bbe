/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks and answers the opening request of a WebSocket.
 */
#include "gateway/ws_opening.h"

#include <assert.h>

#include "proto/base/crypto.h"

#define KEY_LEN 24 /* 16 bytes in base64 */
#define KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

bool ws_opening_is_meant(const struct http_request *request)
{
	return http_header_has_token(request, SLICE("Upgrade"), SLICE("websocket"));
}

/* What 16 bytes look like: 22 characters, the last of which has four bits of no use,
 * "==". */
static bool is_key(struct slice key)
{
	static const char accepted[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";

	if (key.len != KEY_LEN || key.ptr[KEY_LEN - 1] != '=' ||
	    key.ptr[KEY_LEN - 2] != '=')
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++) {
		if (!memchr(accepted, key.ptr[i], sizeof(accepted) - 1))
			return false;
	}
	return true;
}

int ws_opening_check(const struct http_request *request, struct slice *key)
{
	assert(request && key);
	if (!slice_equal(request->method, SLICE("GET")) || request->minor_version < 1 ||
	    !request->is_upgrade || !ws_opening_is_meant(request) ||
	    request->content_length > 0 || request->is_chunked)
		return 400;
	/* RFC 6455 4.2.1 wants one of each; two readers would take different ones. */
	if (http_header_count(request, SLICE("Sec-WebSocket-Version")) > 1 ||
	    http_header_count(request, SLICE("Sec-WebSocket-Key")) > 1)
		return 400;
	if (!slice_equal(http_header_find(request, SLICE("Sec-WebSocket-Version")),
			 SLICE("13")))
		return 426;
	*key = http_header_find(request, SLICE("Sec-WebSocket-Key"));
	return is_key(*key) ? 0 : 400;
}

void ws_opening_accept(struct buf *out, struct slice key)
{
	struct buf text = BUF_INIT;
	uint8_t digest[CRYPTO_SHA1_BYTES];

	assert(is_key(key));
	buf_append_slice(&text, key);
	buf_append_str(&text, KEY_GUID);
	crypto_sha1(buf_slice(&text), digest);
	buf_fini(&text);
	buf_append_str(out, "HTTP/1.1 101 Switching Protocols\r\n"
			    "Upgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: ");
	crypto_base64_encode(out, slice_make((const char *)digest, sizeof(digest)));
	buf_append_str(out, "\r\n\r\n");
}
