/* Prints which BLAS computes, with which kernels. */
#include <stdio.h>

#include "model/blas.h"

int main(void)
{
    char text[64];
    return puts(pp_blas_description(text, sizeof text)) < 0;
}
