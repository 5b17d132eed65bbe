# file: gateway/resend.c
# bug: a new socket of a stateful client gets only what is new
/^uint64_t resend_again/,/^}/s/resend->next_id = resend->first_id;/(void)resend->next_id;/
