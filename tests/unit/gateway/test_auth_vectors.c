/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of headers and claims, each signed well, that must be taken or refused. No
 * refusal may be for the wrong reason: the table says which.
 */
#include <criterion/criterion.h>

#include "tests/unit/gateway/auth_kit.h"

/* ---- headers */

struct vector {
	struct slice text;
	enum err rc;
};

/* clang-format off */
#define V(text, rc) { { text, sizeof(text) - 1 }, rc },

static const struct vector HEADERS[] = {
	V(HEADER, OK)
	V("{\"alg\":\"HS256\"}", OK)
	V("{\"typ\":\"jwt\",\"alg\":\"HS256\"}", OK)
	V("{\"alg\":\"HS256\",\"kid\":\"2024\"}", OK)
	V("{\"alg\":\"HS256\",\"cty\":\"x\"}", OK)
	V("{\"alg\":\"none\"}", ERR_MALFORMED)
	V("{\"alg\":\"None\"}", ERR_MALFORMED)
	V("{\"alg\":\"nOnE\"}", ERR_MALFORMED)
	V("{\"alg\":\"NONE\"}", ERR_MALFORMED)
	V("{\"alg\":\"\"}", ERR_MALFORMED)
	V("{\"alg\":\"hs256\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256 \"}", ERR_MALFORMED)
	V("{\"alg\":\"HS384\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS512\"}", ERR_MALFORMED)
	V("{\"alg\":\"RS256\"}", ERR_MALFORMED)
	V("{\"alg\":\"ES256\"}", ERR_MALFORMED)
	V("{\"alg\":\"EdDSA\"}", ERR_MALFORMED)
	V("{\"alg\":256}", ERR_MALFORMED)
	V("{\"alg\":null}", ERR_MALFORMED)
	V("{\"alg\":[\"HS256\"]}", ERR_MALFORMED)
	V("{\"Alg\":\"HS256\"}", ERR_MALFORMED)
	V("{\"typ\":\"JWT\"}", ERR_MALFORMED)
	V("{}", ERR_MALFORMED)
	V("[]", ERR_MALFORMED)
	V("\"HS256\"", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"alg\":\"HS256\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"alg\":\"none\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"typ\":\"JWS\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"typ\":1}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"typ\":null}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"crit\":[\"x\"]}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"crit\":[]}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"b64\":false}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"jku\":\"https://a\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"x5u\":\"https://a\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"x5c\":[]}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"zip\":\"DEF\"}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"kid\":1}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\"}x", ERR_MALFORMED)
	V("{\"alg\":\"HS256\"}\0", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",}", ERR_MALFORMED)
	V("{\"alg\":\"HS256\"", ERR_MALFORMED)
	V("{\"alg\":\"HS256\",\"x\":\"\xff\"}", ERR_MALFORMED)
	V("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	  "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"alg\":\"HS256\"}", OK)
	V("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	  "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"alg\":\"HS256\"}", ERR_LIMIT)
};

/* ---- claims */

static const struct vector CLAIMS_VECTORS[] = {
	V(CLAIMS, OK)
	V("{" EXP "}", OK)
	V(" { " EXP " } ", OK)
	V("{\"sub\":\"u1\"}", ERR_MALFORMED)
	V("{}", ERR_MALFORMED)
	V("{\"exp\":1699999941}", OK)
	V("{\"exp\":1699999940}", ERR_TIMEOUT)
	V("{\"exp\":0}", ERR_TIMEOUT)
	V("{\"exp\":9223372036854775807}", OK)
	V("{\"exp\":9223372036854775808}", ERR_DENIED)
	V("{\"exp\":-1}", ERR_MALFORMED)
	V("{\"exp\":-9223372036854775808}", ERR_MALFORMED)
	V("{\"exp\":\"1700000100\"}", ERR_MALFORMED)
	V("{\"exp\":1700000100.5}", ERR_MALFORMED)
	V("{\"exp\":1700000100.0}", ERR_MALFORMED)
	V("{\"exp\":17e8}", ERR_MALFORMED)
	V("{\"exp\":1e400}", ERR_DENIED)
	V("{\"exp\":null}", ERR_MALFORMED)
	V("{\"exp\":true}", ERR_MALFORMED)
	V("{\"exp\":[1700000100]}", ERR_MALFORMED)
	V("{\"exp\":{}}", ERR_MALFORMED)
	V("{\"exp\":01700000100}", ERR_MALFORMED)
	V("{\"exp\":+1700000100}", ERR_MALFORMED)
	V("{\"Exp\":1700000100}", ERR_MALFORMED)
	V("{" EXP "," EXP "}", ERR_MALFORMED)
	V("{\"exp\":0," EXP "}", ERR_MALFORMED)
	V("{" EXP ",\"e\\u0078p\":0}", ERR_MALFORMED)
	V("{" EXP ",\"nbf\":1700000060}", OK)
	V("{" EXP ",\"nbf\":1700000061}", ERR_TIMEOUT)
	V("{" EXP ",\"nbf\":\"0\"}", ERR_MALFORMED)
	V("{" EXP ",\"nbf\":-5}", ERR_MALFORMED)
	V("{" EXP ",\"nbf\":1.5}", ERR_MALFORMED)
	V("{" EXP ",\"iat\":1700000060}", OK)
	V("{" EXP ",\"iat\":1700000061}", ERR_TIMEOUT)
	V("{" EXP ",\"iat\":\"now\"}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":1}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":null}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":[\"u1\"]}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":\"u1\",\"nameid\":7}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":\"a\",\"sub\":\"b\"}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":\"a\\u0000b\"}", ERR_DENIED)
	V("{" EXP ",\"sub\":\"\\ud800\"}", ERR_MALFORMED)
	V("{" EXP ",\"sub\":\"\xc0\x80\"}", ERR_MALFORMED)
	V("{" EXP ",\"name\":{}}", ERR_MALFORMED)
	V("{" EXP ",\"role\":1}", ERR_MALFORMED)
	V("{" EXP ",\"role\":null}", ERR_MALFORMED)
	V("{" EXP ",\"roles\":[1]}", ERR_MALFORMED)
	V("{" EXP ",\"roles\":[[\"a\"]]}", ERR_MALFORMED)
	V("{" EXP ",\"roles\":{\"a\":1}}", ERR_MALFORMED)
	V("{" EXP ",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", OK)
	V("{" EXP ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", ERR_LIMIT)
	V("[" EXP "]", ERR_MALFORMED)
	V("null", ERR_MALFORMED)
	V("{" EXP "}{}", ERR_MALFORMED)
	V("{" EXP "}\0", ERR_MALFORMED)
	V("{" EXP ",\"x\":NaN}", ERR_MALFORMED)
	V("{" EXP ",\"x\":'a'}", ERR_MALFORMED)
	V("{" EXP ",}", ERR_MALFORMED)
	V("{" EXP, ERR_MALFORMED)
	V("\xef\xbb\xbf{" EXP "}", ERR_MALFORMED)
};
/* clang-format on */

Test(auth_vectors, headers)
{
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		enum err rc = auth_check_texts(HEADERS[i].text, SLICE(CLAIMS));

		cr_expect_eq(rc, HEADERS[i].rc, "%s: %s for %s", HEADERS[i].text.ptr,
			     err_name(rc), err_name(HEADERS[i].rc));
	}
}

Test(auth_vectors, claims)
{
	for (size_t i = 0; i < sizeof(CLAIMS_VECTORS) / sizeof(CLAIMS_VECTORS[0]); i++) {
		const struct vector *vector = &CLAIMS_VECTORS[i];
		enum err rc = auth_check_texts(SLICE(HEADER), vector->text);

		cr_expect_eq(rc, vector->rc, "%s: %s for %s", vector->text.ptr,
			     err_name(rc), err_name(vector->rc));
	}
}
