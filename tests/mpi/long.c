/* A long run leaves nothing behind: between any two steps no request is pending, and
 * over thousands of steps neither memory nor open files grow. Run by mpiexec (usage:
 * long [STEPS]). */
#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "run/launch.h"
#include "run/run.h"
#include "schedules/catalogue.h"

/* --- what a rank has at the moment ----------------------------------------------- */

/* What leaks, leaks in every interval; what only grows once, such as a list of buffers
 * that MPI keeps, does not. */
enum { INTERVALS = 4 };

struct moment {
    long heap;  /* bytes, as malloc counts what is in use */
    long data;  /* bytes of addresses, as the kernel counts */
    long files; /* open */
};

static struct {
    int rank, interval; /* steps between moments */
    int steps, pending; /* begun; requests begun and not over */
    int moments, failures;
    struct moment at[INTERVALS + 1];
} seen;

static long count_files(void)
{
    long count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

static long count_data(void)
{
    char line[256];
    long data = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmData: %ld", &data);
    if (status)
        fclose(status);
    return data * 1024;
}

static struct moment look(void)
{
    struct mallinfo2 heap = mallinfo2();
    return (struct moment){(long)(heap.uordblks + heap.hblkhd), count_data(),
                           count_files()};
}

/* --- MPI, listened to -------------------------------------------------------------
 * These stand before MPI's own, which go on as PMPI_…. */

static int tag_limit; /* 0: MPI's own */

int MPI_Comm_get_attr(MPI_Comm comm, int key, void *value, int *found)
{
    int status = PMPI_Comm_get_attr(comm, key, value, found);
    int *limit = &tag_limit;
    if (key == MPI_TAG_UB && tag_limit > 0)
        memcpy(value, &limit, sizeof limit);
    return status;
}

int MPI_Isend(const void *buffer, int count, MPI_Datatype type, int to, int tag,
              MPI_Comm comm, MPI_Request *request)
{
    seen.pending++;
    return PMPI_Isend(buffer, count, type, to, tag, comm, request);
}

int MPI_Irecv(void *buffer, int count, MPI_Datatype type, int from, int tag,
              MPI_Comm comm, MPI_Request *request)
{
    seen.pending++;
    return PMPI_Irecv(buffer, count, type, from, tag, comm, request);
}

int MPI_Ibcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request *request)
{
    seen.pending++;
    return PMPI_Ibcast(buffer, count, type, root, comm, request);
}

int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                   MPI_Comm comm, MPI_Request *request)
{
    seen.pending++;
    return PMPI_Iallreduce(from, to, count, type, op, comm, request);
}

int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    bool pending = *request != MPI_REQUEST_NULL;
    int result = PMPI_Test(request, done, status);
    seen.pending -= pending && *done;
    return result;
}

/* Each step begins with a barrier. */
int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    if (seen.pending != 0 && seen.failures++ == 0)
        printf("FAILED rank %d: %d requests are pending as step %d begins\n", seen.rank,
               seen.pending, seen.steps + 1);
    if (seen.steps++ % seen.interval == seen.interval / 2 && seen.moments <= INTERVALS)
        seen.at[seen.moments++] = look();
    seen.pending++;
    return PMPI_Ibarrier(comm, request);
}

/* --- the test --------------------------------------------------------------------- */

/* most: what the least growth may be. */
static void expect_steady(const char *what, size_t offset, long most)
{
    long least = LONG_MAX;
    for (int i = 0; i < INTERVALS; i++) {
        long before, after;
        memcpy(&before, (const char *)&seen.at[i] + offset, sizeof before);
        memcpy(&after, (const char *)&seen.at[i + 1] + offset, sizeof after);
        least = after - before < least ? after - before : least;
    }
    if (least <= most)
        return;
    seen.failures++;
    printf("FAILED rank %d: %s grew by %ld or more in each of %d intervals of %d "
           "steps\n",
           seen.rank, what, least, INTERVALS, seen.interval);
}

/* Steps, held-out losses and checkpoints. */
static int run(int ranks, int steps, const char *checkpoint, struct pp_error *error)
{
    struct pp_shape shape = {.ranks = ranks, .chunks = 1, .microbatches = 4};
    struct pp_schedule schedule = {0};
    struct pp_run_result result = {0};
    int layers_of[64];
    for (int s = 0; s < ranks; s++)
        layers_of[s] = 1;
    json_t *numbers = json_object();
    struct pp_run_config config = {
        .schedule = &schedule,
        .model = {.layers = ranks,
                  .d_model = 8,
                  .heads = 2,
                  .seq_len = 4,
                  .microbatch_size = 1,
                  .vocab = 16},
        .layers_of = layers_of,
        .optimizer = {PP_ADAMW, {.most = 0.001}, 0.9, 0.999, 1e-8, 0.01},
        .clip_norm = 1,
        .seed = 1,
        .steps = steps,
        .warmup_steps = steps - 1,
        .eval_every = 10,
        .eval_microbatches = 3,
        .checkpoint = checkpoint,
        .checkpoint_every = steps / 20,
        .keep = 2,
        .numbers = numbers,
        .clock = PP_CHOOSE_VIRTUAL,
        .link_latency_s = 0,
        .link_bandwidth = (double)INFINITY,
        .threads = 1,
    };
    int status = pp_schedule_build(&schedule, pp_catalogue_find("1f1b"), &shape, error);
    if (status == 0)
        status = pp_run(&config, &result, error);
    pp_run_result_release(&result);
    pp_schedule_release(&schedule);
    json_decref(numbers);
    return status;
}

static void train(int ranks, const char *checkpoint)
{
    enum { CHUNK = 32 }; /* bytes: the least that malloc gives */
    struct pp_error error = {0};
    if (run(ranks, seen.interval * (INTERVALS + 1), checkpoint, &error) != 0) {
        printf("FAILED rank %d: %s\n", seen.rank, error.text);
        seen.failures++;
        return;
    }
    if (seen.moments != INTERVALS + 1) {
        printf("FAILED rank %d: %d moments\n", seen.rank, seen.moments);
        seen.failures++;
        return;
    }
#ifndef SANITIZED /* which keeps what was freed, and looks for leaks itself */
    expect_steady("the heap", offsetof(struct moment, heap), CHUNK * seen.interval - 1);
    expect_steady("memory", offsetof(struct moment, data), CHUNK * seen.interval - 1);
#endif
    expect_steady("the number of open files", offsetof(struct moment, files), 0);
    printf("rank %d: heap %ld to %ld bytes, data %ld to %ld, files %ld to %ld\n",
           seen.rank, seen.at[0].heap, seen.at[INTERVALS].heap, seen.at[0].data,
           seen.at[INTERVALS].data, seen.at[0].files, seen.at[INTERVALS].files);
}

/* A schedule that needs more tags than MPI has is refused before it starts. */
static void expect_too_few_tags(int ranks)
{
    struct pp_error error = {0};
    tag_limit = 8;
    if (run(ranks, 20, NULL, &error) == 0 || !strstr(error.text, "message tags")) {
        printf("FAILED rank %d: too few tags gave '%s'\n", seen.rank, error.text);
        seen.failures++;
    }
    tag_limit = 0;
}

int main(int argc, char **argv)
{
    struct pp_error error = {0};
    struct pp_folder folder = {0};
    char checkpoint[512] = "";
    int ranks;
    seen.interval = (argc > 1 ? atoi(argv[1]) : 2000) / (INTERVALS + 1);
    if (pp_world_enter("test", &seen.rank, &ranks, &error) != 0)
        return pp_world_leave(PP_ENVIRONMENT);
    if (seen.rank == 0 && pp_folder_init(&folder, "long", &error) == 0)
        snprintf(checkpoint, sizeof checkpoint, "%s/c", folder.path);
    MPI_Bcast(checkpoint, sizeof checkpoint, MPI_CHAR, 0, MPI_COMM_WORLD);
    train(ranks, checkpoint);
    expect_too_few_tags(ranks);
    MPI_Barrier(MPI_COMM_WORLD);
    pp_folder_release(&folder);
    return pp_world_leave(pp_world_agree(seen.failures > 0 ? -1 : 0, &error) != 0);
}
