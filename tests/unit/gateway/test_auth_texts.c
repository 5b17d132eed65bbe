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
	enum auth_rc rc;
};

/* clang-format off */
#define V(text, rc) { { text, sizeof(text) - 1 }, rc },

static const struct vector HEADERS[] = {
	V(HEADER, AUTH_OK)
	V("{\"alg\":\"HS256\"}", AUTH_OK)
	V("{\"typ\":\"jwt\",\"alg\":\"HS256\"}", AUTH_OK)
	V("{\"alg\":\"HS256\",\"kid\":\"2024\"}", AUTH_OK)
	V("{\"alg\":\"HS256\",\"cty\":\"x\"}", AUTH_OK)
	V("{\"alg\":\"none\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"None\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"nOnE\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"NONE\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"hs256\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"HS256 \"}", AUTH_ALGORITHM)
	V("{\"alg\":\"HS384\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"HS512\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"RS256\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"ES256\"}", AUTH_ALGORITHM)
	V("{\"alg\":\"EdDSA\"}", AUTH_ALGORITHM)
	V("{\"alg\":256}", AUTH_ALGORITHM)
	V("{\"alg\":null}", AUTH_ALGORITHM)
	V("{\"alg\":[\"HS256\"]}", AUTH_ALGORITHM)
	V("{\"Alg\":\"HS256\"}", AUTH_ALGORITHM)
	V("{\"typ\":\"JWT\"}", AUTH_ALGORITHM)
	V("{}", AUTH_ALGORITHM)
	V("[]", AUTH_MALFORMED)
	V("\"HS256\"", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",\"alg\":\"HS256\"}", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",\"alg\":\"none\"}", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",\"typ\":\"JWS\"}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"typ\":1}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"typ\":null}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"crit\":[\"x\"]}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"crit\":[]}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"b64\":false}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"jku\":\"https://a\"}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"x5u\":\"https://a\"}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"x5c\":[]}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"zip\":\"DEF\"}", AUTH_HEADER)
	V("{\"alg\":\"HS256\",\"kid\":1}", AUTH_HEADER)
	V("{\"alg\":\"HS256\"}x", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\"}\0", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",}", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\"", AUTH_MALFORMED)
	V("{\"alg\":\"HS256\",\"x\":\"\xff\"}", AUTH_MALFORMED)
	V("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	  "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"alg\":\"HS256\"}", AUTH_OK)
	V("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
	  "\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"alg\":\"HS256\"}", AUTH_LIMIT)
};

/* ---- claims */

static const struct vector CLAIMS_VECTORS[] = {
	V(CLAIMS, AUTH_OK)
	V("{" EXP "}", AUTH_OK)
	V(" { " EXP " } ", AUTH_OK)
	V("{\"sub\":\"u1\"}", AUTH_CLAIMS)
	V("{}", AUTH_CLAIMS)
	V("{\"exp\":1699999941}", AUTH_OK)
	V("{\"exp\":1699999940}", AUTH_EXPIRED)
	V("{\"exp\":0}", AUTH_EXPIRED)
	V("{\"exp\":253402300799}", AUTH_OK)
	V("{\"exp\":253402300800}", AUTH_CLAIMS)
	V("{\"exp\":9223372036854775807}", AUTH_CLAIMS)
	V("{\"exp\":9223372036854775808}", AUTH_CLAIMS)
	V("{\"exp\":-1}", AUTH_CLAIMS)
	V("{\"exp\":-9223372036854775808}", AUTH_CLAIMS)
	V("{\"exp\":\"1700000100\"}", AUTH_CLAIMS)
	V("{\"exp\":1700000100.5}", AUTH_CLAIMS)
	V("{\"exp\":1700000100.0}", AUTH_CLAIMS)
	V("{\"exp\":17e8}", AUTH_CLAIMS)
	V("{\"exp\":1e400}", AUTH_CLAIMS)
	V("{\"exp\":null}", AUTH_CLAIMS)
	V("{\"exp\":true}", AUTH_CLAIMS)
	V("{\"exp\":[1700000100]}", AUTH_CLAIMS)
	V("{\"exp\":{}}", AUTH_CLAIMS)
	V("{\"exp\":01700000100}", AUTH_MALFORMED)
	V("{\"exp\":+1700000100}", AUTH_MALFORMED)
	V("{\"Exp\":1700000100}", AUTH_CLAIMS)
	V("{" EXP "," EXP "}", AUTH_MALFORMED)
	V("{\"exp\":0," EXP "}", AUTH_MALFORMED)
	V("{" EXP ",\"e\\u0078p\":0}", AUTH_MALFORMED)
	V("{" EXP ",\"nbf\":1700000060}", AUTH_OK)
	V("{" EXP ",\"nbf\":1700000061}", AUTH_NOT_YET)
	V("{" EXP ",\"nbf\":\"0\"}", AUTH_CLAIMS)
	V("{" EXP ",\"nbf\":-5}", AUTH_CLAIMS)
	V("{" EXP ",\"nbf\":1.5}", AUTH_CLAIMS)
	V("{" EXP ",\"iat\":1700000060}", AUTH_OK)
	V("{" EXP ",\"iat\":1700000061}", AUTH_NOT_YET)
	V("{" EXP ",\"iat\":\"now\"}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":1}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":null}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":[\"u1\"]}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":\"u1\",\"nameid\":7}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":\"a\",\"sub\":\"b\"}", AUTH_MALFORMED)
	V("{" EXP ",\"sub\":\"a\\u0000b\"}", AUTH_CLAIMS)
	V("{" EXP ",\"sub\":\"\\ud800\"}", AUTH_MALFORMED)
	V("{" EXP ",\"sub\":\"\xc0\x80\"}", AUTH_MALFORMED)
	V("{" EXP ",\"name\":{}}", AUTH_CLAIMS)
	V("{" EXP ",\"role\":1}", AUTH_CLAIMS)
	V("{" EXP ",\"role\":null}", AUTH_CLAIMS)
	V("{" EXP ",\"roles\":[1]}", AUTH_CLAIMS)
	V("{" EXP ",\"roles\":[[\"a\"]]}", AUTH_CLAIMS)
	V("{" EXP ",\"roles\":{\"a\":1}}", AUTH_CLAIMS)
	V("{" EXP ",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", AUTH_OK)
	V("{" EXP ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", AUTH_LIMIT)
	V("[" EXP "]", AUTH_MALFORMED)
	V("null", AUTH_MALFORMED)
	V("{" EXP "}{}", AUTH_MALFORMED)
	V("{" EXP "}\0", AUTH_MALFORMED)
	V("{" EXP ",\"x\":NaN}", AUTH_MALFORMED)
	V("{" EXP ",\"x\":'a'}", AUTH_MALFORMED)
	V("{" EXP ",}", AUTH_MALFORMED)
	V("{" EXP, AUTH_MALFORMED)
	V("\xef\xbb\xbf{" EXP "}", AUTH_MALFORMED)
};
/* clang-format on */

Test(auth_texts, headers)
{
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		enum auth_rc rc = auth_check_texts(HEADERS[i].text, SLICE(CLAIMS));

		cr_expect_eq(rc, HEADERS[i].rc, "%s: %s for %s", HEADERS[i].text.ptr,
			     auth_rc_name(rc), auth_rc_name(HEADERS[i].rc));
	}
}

Test(auth_texts, claims)
{
	for (size_t i = 0; i < sizeof(CLAIMS_VECTORS) / sizeof(CLAIMS_VECTORS[0]); i++) {
		const struct vector *vector = &CLAIMS_VECTORS[i];
		enum auth_rc rc = auth_check_texts(SLICE(HEADER), vector->text);

		cr_expect_eq(rc, vector->rc, "%s: %s for %s", vector->text.ptr,
			     auth_rc_name(rc), auth_rc_name(vector->rc));
	}
}
