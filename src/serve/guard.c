#include "serve/guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/input.h"

static int take_key(struct pp_guard *guard, const char *path, const char *bytes,
                    size_t size, struct pp_error *error)
{
    size_t length = 0;
    while (length < size && bytes[length] > ' ' && bytes[length] < 127)
        length++;
    if (length < PP_KEY_LEAST || length > PP_KEY_MOST ||
        (length < size && bytes[length] != '\n' && bytes[length] != '\r'))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': the first line should be a key: %d to %d letters, digits "
                       "or signs, without spaces",
                       path, PP_KEY_LEAST, PP_KEY_MOST);
    memcpy(guard->key, bytes, length);
    guard->key[length] = '\0';
    return 0;
}

int pp_guard_read_key(struct pp_guard *guard, const char *path, struct pp_error *error)
{
    struct pp_input input;
    struct stat status;
    if (pp_input_open(&input, path, error) != 0)
        return -1;
    int result = 0;
    size_t size = input.size < 2 * PP_KEY_MOST ? input.size : 2 * PP_KEY_MOST;
    char bytes[2 * PP_KEY_MOST];
    if (fstat(input.fd, &status) != 0)
        result = pp_fail(error, PP_ENVIRONMENT, "cannot read '%s': %s", path,
                         strerror(errno));
    else if (status.st_mode & (S_IRWXG | S_IRWXO))
        result = pp_fail(error, PP_BAD_INPUT,
                         "'%s': others may read this key: 'chmod 600' the file", path);
    else
        result = pp_input_read(&input, 0, bytes, size, error);
    if (result == 0)
        result = take_key(guard, path, bytes, size, error);
    pp_input_close(&input);
    return result;
}

bool pp_guard_is_local(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(host, "localhost") == 0;
}

/* Is the text this name, and behind it nothing or a port? */
static bool names(const char *text, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(text, name, length) != 0)
        return false;
    text += length;
    if (*text == '\0')
        return true;
    if (*text != ':' || !isdigit((unsigned char)text[1]))
        return false;
    for (text++; isdigit((unsigned char)*text); text++)
        ;
    return *text == '\0';
}

/* Any port will do: a tunnel (ssh -L) has another one, and the name is what another
 * site's page cannot have. */
bool pp_guard_knows(const struct pp_guard *guard, const char *host)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    char bracketed[256] = "[";
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (names(host, own[i]))
            return true;
    }
    if (!guard->host || strlen(guard->host) > sizeof bracketed - 3)
        return false;
    if (!strchr(guard->host, ':'))
        return names(host, guard->host);
    strcat(bracketed, guard->host);
    return names(host, strcat(bracketed, "]"));
}

bool pp_guard_is_json(const char *type)
{
    static const char json[] = "application/json";
    if (strncasecmp(type, json, sizeof json - 1) != 0)
        return false;
    type += sizeof json - 1;
    return *type == '\0' || *type == ';' || *type == ' ' || *type == '\t';
}

bool pp_guard_has_key(const struct pp_guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    unsigned char different = 0;
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *given = authorization + sizeof scheme - 1;
    while (*given == ' ')
        given++;
    size_t length = strlen(guard->key);
    if (strlen(given) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        different |= (unsigned char)(given[i] ^ guard->key[i]);
    return different == 0;
}

/* The header's value where it stands there once; NULL otherwise. */
struct search {
    const char *name, *value;
    int count;
};

static enum MHD_Result look(void *cls, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    struct search *search = cls;
    (void)kind;
    if (strcasecmp(name, search->name) == 0) {
        search->value = value;
        search->count++;
    }
    return MHD_YES;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    struct search search = {.name = name};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &search);
    return search.count == 1 ? search.value : NULL;
}

void pp_guard_check(const struct pp_guard *guard, struct MHD_Connection *connection,
                    const char *method, bool open, struct pp_refusal *refusal)
{
    const char *host = header(connection, MHD_HTTP_HEADER_HOST);
    const char *key = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!guard->key[0] && (!host || !pp_guard_knows(guard, host)))
        pp_refuse_with(refusal, MHD_HTTP_FORBIDDEN,
                       "the header 'Host' should name this server: localhost, "
                       "127.0.0.1, [::1] or its '--host'");
    else if (guard->key[0] && !open && (!key || !pp_guard_has_key(guard, key)))
        pp_refuse_with(refusal, MHD_HTTP_UNAUTHORIZED,
                       "the header 'Authorization' should be 'Bearer' and the key of "
                       "this server");
    else if (strcmp(method, MHD_HTTP_METHOD_POST) == 0 &&
             (!type || !pp_guard_is_json(type)))
        pp_refuse_with(refusal, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                       "the header 'Content-Type' should be application/json");
}
