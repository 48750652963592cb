/* Programs that are run to see whether they can be. */
#ifndef PP_DOCTOR_TRIAL_H
#define PP_DOCTOR_TRIAL_H

#include "doctor/check.h"

struct pp_trial {
    int status; /* as a shell has it: 124 out of time, 127 not found, 128 + a signal */
    double seconds;
    char text[4096]; /* the beginning of what it said */
};

/* Runs the program, found in PATH, with its input empty, for so many seconds at most.
 * Returns -1 with the finding wrong where that cannot be done. A signal that ends this
 * process ends it here, tidily. */
int pp_try(struct pp_patient *patient, char *const *arguments, int seconds,
           struct pp_trial *trial, struct pp_finding *finding);

/* The line of its text that says why it failed: the first behind "ppsim: ", else the
 * first at all. Cuts the text there. */
const char *pp_trial_reason(struct pp_trial *trial);

#endif
