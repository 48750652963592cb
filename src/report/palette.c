#include "report/palette.h"

#include <string.h>

const struct pp_colour pp_palette[PP_KINDS] = {
    [PP_F] = {{0x56B4E9, 0xAADAF4}, {74, 153}},
    [PP_B] = {{0xE69F00, 0xF3CF80}, {214, 222}},
    [PP_I] = {{0xD55E00, 0xEAAF80}, {173, 217}},
    [PP_W] = {{0x009E73, 0x80CFB9}, {36, 115}},
};

static bool is_prefill(const struct pp_class *of_class)
{
    return strcmp(of_class->label, pp_prefill) == 0;
}

bool pp_is_lighter(const struct pp_schedule *schedule, struct pp_op op)
{
    if (pp_decodes(schedule))
        return is_prefill(pp_class_of(schedule, op.microbatch));
    return schedule->chunk_of[pp_op_place(schedule, op)] % 2;
}

const char *pp_lighter_name(const struct pp_schedule *schedule)
{
    for (int c = 0; c < schedule->class_count; c++) {
        if (is_prefill(&schedule->classes[c]))
            return "prefill";
    }
    if (schedule->held == 1 || pp_decodes(schedule))
        return NULL;
    return schedule->chunks > 1 ? "odd chunks" : "other weight copy";
}
