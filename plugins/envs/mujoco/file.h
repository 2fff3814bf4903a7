/* SPDX-License-Identifier: MIT
 *
 * Where models are. A bare name ("ant.xml") is one of those that came with the plugin: in the
 * folder `mujoco` beside the shared object (an installation), else in the folder of the build that
 * is compiled in. A name that begins with a slash, dot or tilde is a path, as in Gymnasium.
 */
#ifndef TB_MJ_FILE_H
#define TB_MJ_FILE_H

typedef struct tb_mj_file {
    char path[4096];
    char sha256[65]; /* "" = not found or not readable: `err` says why */
    char err[4400];
} tb_mj_file;

/* Finds the file of `model`, or of `xml_file` when that is empty, and hashes it. */
void tb_mj_file_find(tb_mj_file *file, const char *xml_file, const char *model);

#endif
