/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/token.h"

#include <criterion/criterion.h>

/* As another implementation of HS256 signs the same claims. */
Test(token, is_a_signed_json_web_token)
{
	struct buf out = BUF_INIT;

	buf_append_str(&out, "Bearer ");
	token_mint(&out, SLICE("0123456789abcdef0123456789abcdef"), SLICE("user-7"),
		   1700000000);
	cr_assert(slice_equal(
		buf_slice(&out),
		SLICE("Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
		      "eyJzdWIiOiJ1c2VyLTciLCJuYmYiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA4NjQwMH"
		      "0.NE7Ka_SeNrmeeaG_6wQpe3BGLrLVBwtLOdOKFTyocrA")));
	buf_fini(&out);
}
