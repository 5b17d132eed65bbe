# file: gateway/handover.c
# bug: the first of what is left with a connection that goes over stays behind
/^static void rest(/,/^}/s/uint32_t at = 0;/uint32_t at = stateful_resend(conn)->n > 1;/
