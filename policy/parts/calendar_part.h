/*
 * calendar_part - who is in a calendar: ATTENDEE and ORGANIZER, EMAIL= and mailto: of any other line (RFC 5545, RFC
 * 7986, vCalendar 1.0).
 *
 * Lines are scanned rather than parsed, so that a parameter without its quotes hides nobody; what only looks like an
 * address, such as a UID, is left alone.
 */
#ifndef RCPTGUARD_CALENDAR_PART_H
#define RCPTGUARD_CALENDAR_PART_H

#include "policy/parts/part_scan.h"

struct calendar_part {
    struct part_scan *scan;
    bool people; /* the line that goes on is one of those */
};

/* Takes a content line; for content_lines.h, with a struct calendar_part. */
void calendar_part_line(void *data, const char *line, size_t length, bool goes_on);

#endif
