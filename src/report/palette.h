/* The colours of everything that is drawn: Okabe & Ito's, which the colour-blind tell
 * apart (https://jfly.uni-koeln.de/color). */
#ifndef PP_REPORT_PALETTE_H
#define PP_REPORT_PALETTE_H

#include "schedule/schedule.h"

/* The colour of a kind of op, [0], and a lighter one (pp_is_lighter), [1]: as 0xRRGGBB,
 * and the nearest of a terminal's 256 colours, on which black text is legible. */
struct pp_colour {
    int rgb[2];
    int terminal[2];
};

/* [enum pp_kind] */
extern const struct pp_colour pp_palette[PP_KINDS];

/* Which ops are drawn lighter: those of odd chunks; in decoding, pieces of prompts. */
bool pp_is_lighter(const struct pp_schedule *schedule, struct pp_op op);
/* What they are, in words; NULL where there are none. */
const char *pp_lighter_name(const struct pp_schedule *schedule);

enum { PP_COLOUR_BUBBLE = 0xDDDDDD, PP_COLOUR_IN_FLIGHT = 0x0072B2 };

#endif
