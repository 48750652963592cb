/* A conversation: lines of standard input, each of which the model answers. What was
 * said before stands in front of each, as plain text, as far as the context reaches. */
#ifndef PP_CLI_CONVERSATION_H
#define PP_CLI_CONVERSATION_H

#include "generate/prompts.h"

struct pp_conversation {
    struct pp_prompts *prompts; /* a line and its answer each; borrowed */
    char *text;                 /* [bytes] all that was said before this line, and it */
    size_t bytes, capacity;
    size_t said;  /* of text: where the line begins */
    bool asking;  /* the line is waited for */
    bool whole;   /* it has ended */
    bool over;    /* there is no more input */
    bool greeted; /* how it goes on and ends was said */
    int answered; /* the first so many answers are in the text */
};

/* The source of it, that reads standard input while nothing else is to be done, and
 * shows on standard output when a line is wanted. The conversation is initialised. */
struct pp_source pp_conversation_source(struct pp_conversation *conversation,
                                        struct pp_prompts *prompts);
void pp_conversation_release(struct pp_conversation *conversation);

#endif
