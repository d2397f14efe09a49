/* verdict.h - every fate of a packet, one name each.
 *
 * A packet starts at the worst verdict and is upgraded while checks succeed, so the list
 * rises in trust. Each value has one counter, one trace name and one named test.
 * The list is an X-macro so that enum, names and help texts can never drift apart. */
#ifndef TRK_WIRE_VERDICT_H
#define TRK_WIRE_VERDICT_H

#define TRK_VERDICTS(X)                                                                            \
    /* not a segment of ours: found by wire */                                                     \
    X(SHORT,            "short",             "truncated before its headers ended")                 \
    X(NOT_IP,           "not-ip",            "neither IPv4 nor IPv6, or a bad header length")      \
    X(FRAGMENT,         "fragment",          "an IP fragment; we set DF and never make one")       \
    X(NOT_TCP,          "not-tcp",           "another transport protocol")                         \
    X(BAD_CHECKSUM,     "bad-checksum",      "IP or TCP checksum wrong")                           \
    X(UNMARKED,         "unmarked",          "TCP without our option first")                       \
    X(BAD_FLAGS,        "bad-flags",         "TCP flags that no message of ours carries")          \
    X(BAD_VERSION,      "bad-version",       "another version of the wire format")                 \
    X(BAD_FORM,         "bad-form",          "unknown form, or one for the other direction")       \
    X(TRUNCATED,        "truncated",         "message ends before its fields do")                  \
    X(BAD_FIELD,        "bad-field",         "a field outside its bounds")                         \
    /* server: proves nothing */                                                                   \
    X(UNKNOWN_EPOCH,    "unknown-epoch",     "sealed under a key epoch we never had")              \
    X(RETIRED_EPOCH,    "retired-epoch",     "sealed under an epoch that is gone")                 \
    X(BAD_ADDRESS,      "bad-address",       "grant sealed for another client address or port")    \
    X(BAD_SEAL,         "bad-seal",          "grant MAC wrong")                                    \
    X(BAD_PROOF,        "bad-proof",         "nonce sum does not prove the reported ranges")       \
    X(BAD_CONTINUATION, "bad-continuation",  "user continuation MAC wrong, or of another connection") \
    /* server: proven, but may not be honoured as it stands */                                     \
    X(NOT_ADJOINING,    "not-adjoining",     "the part's numbers are not covered by its grants")   \
    X(BEYOND_RECOVERY,  "beyond-recovery",   "a recovery spends numbers above R")                  \
    X(CUT_SPENT,        "cut-spent",         "a cut grant may only restart")                       \
    X(TOO_MANY,         "too-many",          "the answer would exceed 256 packets")                \
    X(WRONG_DOMAIN,     "wrong-domain",      "grant of another filter domain")                     \
    X(TOO_EARLY,        "too-early",         "restart attempt before its age")                     \
    X(ATTEMPTS,         "attempts",          "restart attempt above 12")                           \
    X(OLD_GENERATION,   "old-generation",    "a newer generation was honoured already")            \
    X(LOSS_SPENT,       "loss-spent",        "reports a number lost that was spent")               \
    X(REPLAYED,         "replayed",          "every number was spent before")                      \
    X(NO_ROOM,          "no-room",           "the answer does not fit what may be sent")           \
    /* server: honoured */                                                                         \
    X(DROPPED,          "dropped",           "the application dropped the event")                  \
    X(RESET,            "reset",             "the application reset the connection")               \
    X(CLOSED,           "closed",            "CLOSE accepted")                                     \
    X(REFRESHED,        "refreshed",         "too old or of a retiring epoch: answered by a refresh") \
    X(ANSWERED,         "answered",          "answered in full")                                   \
    /* client */                                                                                   \
    X(FOREIGN,          "foreign",           "not of this connection")                             \
    X(RST_HINT,         "rst-hint",          "RST without proof: ignored")                         \
    X(TCP_ONLY,         "tcp-only",          "SYN|ACK without our option: a TCP-only server")      \
    X(REFUSED,          "refused",           "RST in answer to the SYN")                           \
    X(STALE,            "stale",             "of an older generation or attempt: data used only")  \
    X(UNPREDICTED,      "unpredicted",       "a number that was not predicted: data used only")    \
    X(MISPREDICTED,     "mispredicted",      "digest differs from the prediction: data used only") \
    X(DUPLICATE,        "duplicate",         "a number that was received before")                  \
    X(OUT_OF_WINDOW,    "out-of-window",     "data beyond the receive buffer: data dropped")       \
    X(VERDICT_HEARD,    "verdict-heard",     "the server's verdict on a request")                  \
    X(RST_PROVEN,       "rst-proven",        "RST with the connection id")                         \
    X(TERMINAL,         "terminal",          "a retransmission without continuation accepted")     \
    X(ACCEPTED,         "accepted",          "accepted in full")

enum trk_verdict {
#define X(name, text, why) TRK_V_##name,
    TRK_VERDICTS(X)
#undef X
    TRK_V_COUNT
};

/* "bad-seal" for TRK_V_BAD_SEAL; "?" outside the range. Never NULL. */
const char *trk_verdict_name(enum trk_verdict v);
/* The sentence that explains it to an operator. Never NULL. */
const char *trk_verdict_why(enum trk_verdict v);

#endif
