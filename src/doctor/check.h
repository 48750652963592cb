/* The checks, and what they share. A check sets its finding, which is zeroed before;
 * one that sets nothing is left out. */
#ifndef PP_DOCTOR_CHECK_H
#define PP_DOCTOR_CHECK_H

#include <stdbool.h>

#include "base/folder.h"
#include "doctor/finding.h"
#include "report/report.h"
#include "run/hosts.h"

struct pp_patient {
    const char *version; /* of this program */
    char program[4096];  /* path of this program */
    struct pp_folder
        folder; /* for files of the checks; path NULL: none could be made */
    struct pp_error no_folder;
    struct pp_report report; /* of two ranks, where they ran */
    bool ran;
    struct pp_hosts hosts; /* those of the question */
};

/* ranks.c */
void pp_check_ranks(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_binding(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_blas(struct pp_patient *patient, struct pp_finding *finding);
/* All hosts together. */
void pp_check_all_hosts(struct pp_patient *patient, struct pp_finding *finding);

/* machine.c */
void pp_check_cores(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_memory(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_shared_memory(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_temporary(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_files(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_locked_memory(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_gnuplot(struct pp_patient *patient, struct pp_finding *finding);

/* time.c */
void pp_check_clock(struct pp_patient *patient, struct pp_finding *finding);
void pp_check_cpu_time(struct pp_patient *patient, struct pp_finding *finding);

/* ssh.c: one of the hosts */
void pp_check_host(struct pp_patient *patient, const char *host,
                   struct pp_finding *finding);

#endif
