# file: proto/link/session.c
# bug: a resumed stream leaves out the first message that is not acknowledged
/^enum err session_resume/,/^}/s/session_on_ack(session, seq)/session_on_ack(session, seq < session->tried_seq ? seq + 1 : seq)/
