/* How the turns of a chat become one text. */
#ifndef PP_SERVE_TURNS_H
#define PP_SERVE_TURNS_H

enum pp_turns {
    PP_TURNS_AUTO,   /* joined where the tokenizer has an end token, else plain */
    PP_TURNS_JOINED, /* the end token between them: the model goes on with the last */
    PP_TURNS_ENDED,  /* the end token behind each */
    PP_TURNS_PLAIN   /* a new line between them */
};

#endif
