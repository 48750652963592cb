#include "run/version.h"

#include <string.h>
#include <unistd.h>

#include "base/words.h"

/* What the ranks tell each other. Every version has to understand that of any other:
 * these sizes, and the order of the calls below, do not change. */
struct card {
    char version[32];
    char host[96];
};

static struct card receive_card(MPI_Comm comm, const struct card *mine, int from)
{
    struct card card = *mine;
    MPI_Bcast(&card, sizeof card, MPI_CHAR, from, comm);
    card.version[sizeof card.version - 1] = '\0';
    card.host[sizeof card.host - 1] = '\0';
    return card;
}

int pp_version_agree(MPI_Comm comm, const char *version, struct pp_error *error)
{
    struct card mine = {""};
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    pp_assign(mine.version, sizeof mine.version, "%s", version);
    gethostname(mine.host, sizeof mine.host - 1);
    struct card first = receive_card(comm, &mine, 0);
    int other = strcmp(mine.version, first.version) == 0 ? size : rank;
    MPI_Allreduce(MPI_IN_PLACE, &other, 1, MPI_INT, MPI_MIN, comm);
    if (other == size)
        return 0;
    struct card second = receive_card(comm, &mine, other);
    return pp_fail(
        error, PP_ENVIRONMENT,
        "rank %d on host '%s' runs ppsim %s, rank 0 on '%s' runs %s: install "
        "the same version on every host",
        other, second.host, second.version, first.host, first.version);
}
