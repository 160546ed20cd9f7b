#ifndef KERNEL_REFERENCE_H
#define KERNEL_REFERENCE_H

/* reference: the command table for those who document and test.
 *
 *     cutaway reference             all commands as a Markdown table, which README.md holds
 *     cutaway reference --zh        the same in Chinese, which README.zh-CN.md holds
 *     cutaway reference --names     their names, one a line
 *     cutaway reference --keywords  what an editor must know to colour a cell, as JSON
 *     cutaway reference NAME        a script for `cutaway run` that shows the command at work
 *
 * The keywords say of each command whether it takes a body, or may go without one, its
 * subcommands, and for each option its choices or its kind (switch, int, list, name, text).
 *
 * argv[0] is the subcommand. Returns the exit status: 0, 1 for an unknown name, 2 for wrong
 * usage. */
int reference_main(int argc, char **argv);

#endif
