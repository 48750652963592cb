#include "run/checkpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/shard.h"

static void warn(const struct pp_machine *there, const struct pp_machine *here)
{
    char text[640];
    pp_resume_compare_machines(there, here, text, sizeof text);
    if (text[0])
        fprintf(stderr, "ppsim: warning: %s\n", text);
}

/* Rank 0. */
static int find_start(struct pp_checkpoints *checkpoints,
                      const struct pp_machine *machine, struct pp_error *error)
{
    const struct pp_run_config *config = checkpoints->config;
    if (pp_resume_describe(&checkpoints->here, config, error) != 0 ||
        pp_store_open(&checkpoints->store, config->checkpoint, config->keep, error) !=
            0)
        return -1;
    checkpoints->start =
        pp_resume_find(&checkpoints->found, config, &checkpoints->here, error);
    if (checkpoints->start < 0)
        return -1;
    checkpoints->here.machine = *machine;
    if (checkpoints->start > 0)
        warn(&checkpoints->found.machine, machine);
    /* What training once began from, although it was not given again. */
    if (checkpoints->start > 0 && !checkpoints->here.load) {
        checkpoints->here.load = checkpoints->found.load;
        checkpoints->found.load = NULL;
    }
    if (config->verify)
        checkpoints->store.held = checkpoints->start;
    return pp_store_clean(&checkpoints->store, checkpoints->start, error);
}

int pp_checkpoints_init(struct pp_checkpoints *checkpoints,
                        const struct pp_run_config *config,
                        const struct pp_machine *machine, const struct pp_world *world,
                        struct pp_error *error)
{
    *checkpoints = (struct pp_checkpoints){.config = config, .world = world};
    if (!config->checkpoint)
        return 0;
    int status = world->rank == 0 ? find_start(checkpoints, machine, error) : 0;
    if (pp_agree(world, status, error) != 0)
        return -1;
    pp_broadcast(world, &checkpoints->start, sizeof checkpoints->start, 0);
    if (checkpoints->start == 0)
        return 0;
    checkpoints->folder =
        pp_store_folder(config->checkpoint, checkpoints->start, error);
    return pp_agree(world, checkpoints->folder ? 0 : -1, error);
}

void pp_checkpoints_release(struct pp_checkpoints *checkpoints)
{
    pp_store_close(&checkpoints->store);
    pp_manifest_release(&checkpoints->here);
    pp_manifest_release(&checkpoints->found);
    free(checkpoints->folder);
    *checkpoints = (struct pp_checkpoints){0};
}

void pp_checkpoints_let_go(struct pp_checkpoints *checkpoints)
{
    if (checkpoints->store.held > 0)
        pp_store_let_go(&checkpoints->store);
}

bool pp_checkpoints_due(const struct pp_checkpoints *checkpoints, int step, bool last)
{
    const struct pp_run_config *config = checkpoints->config;
    if (!config->checkpoint)
        return false;
    return last ||
           (config->checkpoint_every > 0 && step % config->checkpoint_every == 0);
}

/* Rank 0 makes the folder and says its name, to be freed; NULL on error. */
static char *begin(struct pp_checkpoints *checkpoints, struct pp_error *error)
{
    const struct pp_world *world = checkpoints->world;
    struct pp_store *store = &checkpoints->store;
    bool leads = world->rank == 0;
    if (pp_agree(world, leads ? pp_store_begin(store, error) : 0, error) != 0)
        return NULL;
    int size = leads ? (int)strlen(store->writing) + 1 : 0;
    pp_broadcast(world, &size, sizeof size, 0);
    char *folder = leads ? strdup(store->writing) : calloc(1, (size_t)size);
    int status =
        folder ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory for a name");
    if (pp_agree(world, status, error) != 0) {
        free(folder);
        return NULL;
    }
    pp_broadcast(world, folder, size, 0);
    return folder;
}

/* Brings the ranks' files together in rank 0's list. */
static void gather(const struct pp_world *world, const struct pp_shard_file *mine,
                   struct pp_shard_file *all)
{
    if (world->rank != 0) {
        pp_send_bytes(world, mine, sizeof *mine, 0, PP_TAG_TENSOR);
        return;
    }
    assert(all); /* agreed on before */
    all[0] = *mine;
    for (int r = 1; r < world->size; r++)
        pp_receive_bytes(world, &all[r], sizeof *all, r, PP_TAG_TENSOR);
}

static int complete(struct pp_checkpoints *checkpoints, const struct pp_losses *losses,
                    struct pp_shard_file *files, struct pp_error *error)
{
    struct pp_manifest manifest = checkpoints->here;
    manifest.step = losses->steps;
    manifest.losses = losses->training;
    manifest.evaluations = losses->held_out;
    manifest.evaluation_count = losses->held_out_count;
    manifest.files = files;
    manifest.file_count = checkpoints->world->size;
    if (pp_manifest_write(&manifest, checkpoints->store.writing, error) != 0)
        return -1;
    return pp_store_publish(&checkpoints->store, losses->steps, error);
}

static int write_all(struct pp_checkpoints *checkpoints,
                     const struct pp_trainer *trainer, const char *folder,
                     const struct pp_losses *losses, struct pp_error *error)
{
    const struct pp_world *world = checkpoints->world;
    bool leads = world->rank == 0;
    struct pp_shard_file mine = {0};
    struct pp_shard_file *files =
        leads ? calloc((size_t)world->size, sizeof *files) : NULL;
    int status = leads && !files
                     ? pp_fail(error, PP_ENVIRONMENT, "out of memory for a checkpoint")
                     : pp_shard_write(trainer, folder, &mine, error);
    if (pp_agree(world, status, error) == 0) {
        gather(world, &mine, files);
        if (leads)
            status = complete(checkpoints, losses, files, error);
        status = pp_agree(world, status, error);
    } else {
        status = -1;
    }
    free(files);
    return status;
}

int pp_checkpoints_write(struct pp_checkpoints *checkpoints,
                         const struct pp_trainer *trainer,
                         const struct pp_losses *losses, struct pp_error *error)
{
    char *folder = begin(checkpoints, error);
    int status = -1;
    if (folder)
        status = write_all(checkpoints, trainer, folder, losses, error);
    free(folder);
    /* The folder could be written when training began: what fails now is the disk. */
    if (status != 0)
        error->status = PP_ENVIRONMENT;
    return status;
}
