# file: proto/link/session.c
# bug: a ticket is called as soon as its message is sent
/^enum err session_append/,/^}/s/list_append(&session->tickets, &ticket->node);/ticket->seq = session->acked_seq + 1, list_append(\&session->tickets, \&ticket->node);/
