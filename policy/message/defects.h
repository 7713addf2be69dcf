/*
 * defects - what can be wrong with the headers of a message, so that not all of it could be counted.
 */
#ifndef RCPTGUARD_DEFECTS_H
#define RCPTGUARD_DEFECTS_H

/* A defect of the headers; several may be set. */
enum defect {
    DEFECT_SYNTAX = 1,   /* the two readings of a header differed; the union is counted */
    DEFECT_LIMIT = 2,    /* beyond a bound: see recipients.h, and DOMAINS_LIMIT in exposure.h (malformed) */
    DEFECT_UNPARSED = 4, /* something was there and nothing could be read (malformed) */
    DEFECT_CUT = 8,      /* the MTA cut a header (truncated) */
};

/* Name of one defect bit: "syntax", "limit", "unparsed", "cut". */
const char *defect_name(enum defect defect);

#endif
