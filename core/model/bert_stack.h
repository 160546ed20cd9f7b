#ifndef CORE_MODEL_BERT_STACK_H
#define CORE_MODEL_BERT_STACK_H

#include "core/model/transformer.h"

/* bert_stack: what BERT and RoBERTa share: embeddings of words, positions and types, and blocks
 * whose norms come after the residual sums. */

/* Finds all of it, under names that begin with "bert." or "roberta." (`prefix`). */
void bert_stack_find(struct parts *parts, const struct config *config, const char *prefix,
                     struct stack *stack);

/* ERR_FORMAT, ERR_UNSUPPORTED: the configuration asks for what this does not compute (a
 * decoder, relative positions, no token types). */
int bert_stack_check(const struct config *config, struct err *err);

/* The output layer of a masked-word head, called NAME.decoder: the word embeddings once more
 * where the file has no weight of its own and the head is tied. Its bias also stands as
 * NAME.bias.
 */
struct op_dense bert_stack_decoder(struct parts *parts, const struct config *config,
                                   const struct stack *stack, const char *name);

#endif
