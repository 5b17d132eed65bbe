# file: proto/link/session.c
# bug: what comes again behind a break is handled again
s/\*seen = next - first_seq < n ? (size_t)(next - first_seq) : n;/*seen = 0;/
