#include "report/palette.h"

const struct pp_colour pp_palette[PP_KINDS] = {
    [PP_F] = {{0x56B4E9, 0xAADAF4}, {74, 153}},
    [PP_B] = {{0xE69F00, 0xF3CF80}, {214, 222}},
    [PP_I] = {{0xD55E00, 0xEAAF80}, {173, 217}},
    [PP_W] = {{0x009E73, 0x80CFB9}, {36, 115}},
};
