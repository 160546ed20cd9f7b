#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

/* trace: the subcommand that runs a model and writes what it gave (core/model/capture.h) to a
 * file.
 *
 *     cutaway trace MODEL [--text T]... [--ids 1,2,3]... [--decoder-text T]
 *                   -o OUT.safetensors
 *
 * Texts are called t0, t1 ..., lists of ids i0, i1 ... The top 10 are those of the last token,
 * in a masked language model those of the first mask token if there is one. The decoder of an
 * encoder-decoder reads its start token and then the decoder text, for every input alike.
 * Returns the exit status. */
int trace_main(int argc, char **argv);

#endif
