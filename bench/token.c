/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/token.h"

#include "proto/base/crypto.h"

void token_mint(struct buf *out, struct slice key, struct slice user, int64_t now_s)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct buf claims = BUF_INIT;
	const size_t start = out->len;

	buf_appendf(&claims, "{\"sub\":\"%.*s\",\"nbf\":%lld,\"exp\":%lld}",
		    SLICE_FMT(user), (long long)now_s, (long long)now_s + TOKEN_LIFE_S);
	crypto_base64url_encode(out, SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
	buf_append_byte(out, '.');
	crypto_base64url_encode(out, buf_slice(&claims));
	crypto_hmac_sha256(key, slice_make(out->ptr + start, out->len - start), digest);
	buf_append_byte(out, '.');
	crypto_base64url_encode(out, slice_make((const char *)digest, sizeof(digest)));
	buf_fini(&claims);
}
