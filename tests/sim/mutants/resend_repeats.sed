# file: gateway/resend.c
# bug: what a stateful client says again is run again
/^bool resend_on_message/,/^}/s/if (resend->at <= resend->received)/if (resend->at == 0)/
