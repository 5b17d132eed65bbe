# file: proto/link/session.c
# bug: what an earlier incarnation may have handled is sent to the next one
s/seq > session->tried_seq;/seq > session->acked_seq;/
