/* Ranks are started as a run starts them, and train. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/check.h"
#include "doctor/trial.h"
#include "report/export/json.h"

enum { SECONDS = 60 };

/* Trains a tiny model on so many ranks; hosts: NULL, or a file. Returns -1 with the
 * finding set where that fails. */
static int train(struct pp_patient *patient, int ranks, const char *hosts,
                 struct pp_report *report, double *seconds, struct pp_finding *finding)
{
    struct pp_error error = {0};
    struct pp_trial trial;
    char *json = patient->folder.path
                     ? pp_folder_file(&patient->folder, "report.json", &error)
                     : NULL;
    char count[16];
    snprintf(count, sizeof count, "%d", ranks);
    const char *words[] = {patient->program,
                           "run",
                           "--ranks",
                           count,
                           "--layers",
                           count,
                           "--steps",
                           "3",
                           "--warmup-steps",
                           "1",
                           "--d-model",
                           "16",
                           "--heads",
                           "2",
                           "--seq-len",
                           "8",
                           "--microbatch-size",
                           "1",
                           "--microbatches",
                           "4",
                           "--quiet",
                           "--json",
                           json ? json : "-",
                           hosts ? "--hosts" : NULL,
                           hosts,
                           NULL};
    int status = pp_try(patient, (char *const *)words, SECONDS, &trial, finding);
    if (status == 0 && trial.status == 124) {
        pp_find(finding, PP_WRONG, "%d ranks had not trained after %d s", ranks,
                SECONDS);
        status = -1;
    } else if (status == 0 && trial.status != 0) {
        pp_find(finding, PP_WRONG, "%s", pp_trial_reason(&trial));
        status = -1;
    } else if (status == 0 && pp_report_read_json(report, json, &error) != 0) {
        pp_find(finding, PP_WRONG, "%s", error.text);
        status = -1;
    }
    *seconds = trial.seconds;
    free(json);
    return status;
}

/* How two processes of this host pass messages, as launch.c sets it. */
static const char *transport(void)
{
    const char *chosen = getenv("OMPI_MCA_btl");
    return chosen ? chosen : "shared memory";
}

void pp_check_ranks(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { RANKS = 2 };
    const struct pp_report *report = &patient->report;
    double seconds;
    if (train(patient, RANKS, NULL, &patient->report, &seconds, finding) != 0) {
        pp_advise(finding,
                  "mend what is wrong below first; 'ppsim --ranks 2' shows all "
                  "that mpiexec says (Debian: apt-get install openmpi-bin)");
        return;
    }
    patient->ran = true;
    pp_find(finding, PP_FINE,
            "%s: 2 ranks%s started, trained and ended in %.1f s; a message by %s takes "
            "%.1f us",
            report->environment.mpi, geteuid() == 0 ? ", as root," : "", seconds,
            transport(), report->link_latency_s * 1e6);
}

void pp_check_binding(struct pp_patient *patient, struct pp_finding *finding)
{
    const struct pp_report *report = &patient->report;
    if (!patient->ran)
        return;
    const char *first = report->ranks[0].cpuset, *second = report->ranks[1].cpuset;
    if (report->environment.oversubscribed)
        pp_find(finding, PP_FINE,
                "2 ranks share CPUs %s, so the virtual clock measures them", first);
    else if (strcmp(first, second) != 0)
        pp_find(finding, PP_FINE, "each rank has its own core: CPUs %s and %s", first,
                second);
    else {
        pp_find(finding, PP_DOUBTFUL, "ranks cannot be bound: both may use CPUs %s",
                first);
        pp_advise(finding, "on the wall clock they may disturb each other: allow "
                           "sched_setaffinity, or use '--clock virtual'");
    }
}

void pp_check_blas(struct pp_patient *patient, struct pp_finding *finding)
{
    static const char *const chosen[] = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"};
    const char *blas = patient->report.environment.blas;
    if (!patient->ran)
        return;
    pp_find(finding, PP_FINE, "%s, with the kernels that it chose for this CPU", blas);
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        const char *value = getenv(chosen[i]);
        if (!value)
            continue;
        pp_find(finding, PP_DOUBTFUL, "%s, with kernels chosen by %s=%s", blas,
                chosen[i], value);
        pp_advise(finding,
                  "unset %s, unless you want the speed and the bits of those "
                  "kernels",
                  chosen[i]);
    }
}

/* A file with the same hosts, each for one rank; the caller frees its path. */
static char *one_slot_each(struct pp_patient *patient, struct pp_finding *finding)
{
    struct pp_error error = {0};
    char *path = pp_folder_file(&patient->folder, "hosts", &error);
    FILE *file = path ? fopen(path, "we") : NULL;
    for (int i = 0; file && i < patient->hosts.count; i++)
        fprintf(file, "%s slots=1\n", patient->hosts.names[i]);
    if (file && fclose(file) == 0)
        return path;
    pp_find(finding, PP_WRONG, "cannot write a file of hosts: %s", strerror(errno));
    free(path);
    return NULL;
}

void pp_check_all_hosts(struct pp_patient *patient, struct pp_finding *finding)
{
    struct pp_report report = {0};
    double seconds;
    int count = patient->hosts.count;
    char *path =
        patient->folder.path && count > 1 ? one_slot_each(patient, finding) : NULL;
    if (!path)
        return;
    if (train(patient, count, path, &report, &seconds, finding) == 0)
        pp_find(finding, PP_FINE,
                "a rank on each of %d hosts: started, trained and ended in %.1f s; a "
                "message takes %.1f us, at %.3g MB/s",
                count, seconds, report.link_latency_s * 1e6,
                report.link_bandwidth / 1e6);
    else
        pp_advise(finding,
                  "mend what is wrong with a host above; open the firewall "
                  "between them; name one network with "
                  "OMPI_MCA_btl_tcp_if_include and OMPI_MCA_oob_tcp_if_include");
    pp_report_release(&report);
    free(path);
}
