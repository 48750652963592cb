#include "serve/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"

void pp_wire_init(struct pp_wire *wire, int fd)
{
    *wire = (struct pp_wire){.fd = fd, .ended = fd < 0};
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
}

void pp_wire_release(struct pp_wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    pp_bytes_release(&wire->in);
    pp_bytes_release(&wire->out);
    *wire = (struct pp_wire){.fd = -1, .ended = true};
}

void pp_wire_add(struct pp_wire *wire, json_t *message)
{
    char *text = pp_json_dump(message, JSON_COMPACT);
    json_decref(message);
    if (text && !wire->ended) {
        pp_bytes_add(&wire->out, text, strlen(text));
        pp_bytes_add(&wire->out, "\n", 1);
    }
    /* Half a conversation is none. */
    if (!text || wire->out.failed)
        wire->ended = true;
    free(text);
}

bool pp_wire_waits(const struct pp_wire *wire)
{
    return !wire->ended && pp_bytes_count(&wire->out) > 0;
}

void pp_wire_write(struct pp_wire *wire, bool wait)
{
    while (pp_wire_waits(wire)) {
        ssize_t put = send(wire->fd, pp_bytes_at(&wire->out),
                           pp_bytes_count(&wire->out), MSG_NOSIGNAL);
        if (put >= 0)
            pp_bytes_drop(&wire->out, (size_t)put);
        else if (errno == EAGAIN && !wait)
            return;
        else if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = wire->fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            wire->ended = true;
    }
}

void pp_wire_read(struct pp_wire *wire)
{
    enum { PIECE = 1 << 16 };
    ssize_t got = 1;
    while (!wire->ended && got > 0) {
        char *room = pp_bytes_room(&wire->in, PIECE);
        if (!room) {
            wire->ended = true;
            return;
        }
        got = recv(wire->fd, room, PIECE, 0);
        if (got > 0)
            pp_bytes_grown(&wire->in, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            wire->ended = true;
    }
}

json_t *pp_wire_next(struct pp_wire *wire)
{
    size_t held = pp_bytes_count(&wire->in);
    const char *text = held > 0 ? pp_bytes_at(&wire->in) : NULL;
    const char *end = text ? memchr(text, '\n', held) : NULL;
    json_t *message = NULL;
    if (!end)
        return NULL;
    size_t length = (size_t)(end - text);
    if (pp_json_has_room(length))
        message = json_loadb(text, length, 0, NULL);
    pp_bytes_drop(&wire->in, length + 1);
    if (!message)
        wire->ended = true;
    return message;
}
