#include "serve/outlet.h"

#include <poll.h>
#include <string.h>
#include <time.h>

double pp_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void pp_outlet_open(struct pp_outlet *outlet, struct pp_outlets *all,
                    struct MHD_Connection *connection, bool stream)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    outlet->all = all;
    outlet->connection = connection;
    outlet->socket = info ? info->connect_fd : -1;
    outlet->stream = stream;
    outlet->left = outlet->ended = all->closed;
    outlet->spoken = pp_now_s();
    outlet->previous = NULL;
    outlet->next = all->first;
    if (all->first)
        all->first->previous = outlet;
    all->first = outlet;
    all->count++;
}

void pp_outlet_close(struct pp_outlet *outlet)
{
    if (!outlet->connection)
        return;
    if (outlet->previous)
        outlet->previous->next = outlet->next;
    else
        outlet->all->first = outlet->next;
    if (outlet->next)
        outlet->next->previous = outlet->previous;
    outlet->all->count--;
    outlet->connection = NULL;
    pp_bytes_release(&outlet->out);
}

void pp_outlet_sleep(struct pp_outlet *outlet)
{
    /* Who is cut off is not woken again, and MHD may not end while somebody sleeps. */
    if (outlet->left)
        return;
    outlet->asleep = true;
    MHD_suspend_connection(outlet->connection);
}

void pp_outlet_wake(struct pp_outlet *outlet)
{
    if (!outlet->left &&
        (outlet->out.failed || pp_bytes_count(&outlet->out) > outlet->most)) {
        pp_outlet_cut(outlet);
        return;
    }
    outlet->spoken = pp_now_s();
    if (outlet->asleep) {
        outlet->asleep = false;
        MHD_resume_connection(outlet->connection);
    }
}

void pp_outlet_cut(struct pp_outlet *outlet)
{
    if (outlet->left)
        return;
    outlet->left = true;
    outlet->ended = true;
    if (outlet->on_left)
        outlet->on_left(outlet);
    pp_outlet_wake(outlet);
}

ssize_t pp_outlet_read(void *cls, uint64_t position, char *into, size_t most)
{
    struct pp_outlet *outlet = cls;
    ssize_t done = 0;
    (void)position;
    pthread_mutex_lock(outlet->all->lock);
    size_t count = pp_bytes_count(&outlet->out);
    if (outlet->left) {
        done = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (count > 0) {
        done = (ssize_t)(count < most ? count : most);
        memcpy(into, pp_bytes_at(&outlet->out), (size_t)done);
        pp_bytes_drop(&outlet->out, (size_t)done);
    } else if (outlet->ended) {
        done = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        pp_outlet_sleep(outlet); /* 0 alone would have MHD ask again at once */
    }
    pthread_mutex_unlock(outlet->all->lock);
    return done;
}

/* A client that has shut down its side is taken for gone: who waits for an answer keeps
 * its own side open. */
static bool has_left(const struct pp_outlet *outlet)
{
    struct pollfd client = {.fd = outlet->socket, .events = POLLRDHUP};
    return poll(&client, 1, 0) > 0 &&
           (client.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void pp_outlets_look(struct pp_outlets *outlets)
{
    const double silence_s = 1;
    static const char comment[] = ": ping\n\n";
    double now = pp_now_s();
    for (struct pp_outlet *outlet = outlets->first; outlet; outlet = outlet->next) {
        if (outlet->left)
            continue;
        if (has_left(outlet)) {
            pp_outlet_cut(outlet);
        } else if (outlet->stream && !outlet->ended &&
                   now - outlet->spoken >= silence_s &&
                   pp_bytes_count(&outlet->out) == 0) {
            pp_bytes_add(&outlet->out, comment, sizeof comment - 1);
            pp_outlet_wake(outlet);
        }
    }
}

void pp_outlets_close(struct pp_outlets *outlets)
{
    outlets->closed = true;
    for (struct pp_outlet *outlet = outlets->first; outlet; outlet = outlet->next)
        pp_outlet_cut(outlet);
}
