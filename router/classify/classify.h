/*
 * classify.h - `sendyard classify`: what a message is, and models for it.
 *
 *     classify [--config FILE] [--account NAME] [--model FILE] [--json]
 *              [--declared STREAM] FILE...|FOLDER|-
 *     classify train --out FILE [--base FILE] [--folds N] [--date TEXT]
 *              [--force] transactional=PATH bulk=PATH personal=PATH
 *              corpus=FOLDER ...
 *     classify eval [--model FILE] [--headers mixed|stripped|adversarial]
 *              [--json] FOLDER
 *     classify diff MODEL MODEL FOLDER
 *     classify report [--config FILE] [--since TIME] [--json] [LOG...]
 *     classify --teach KIND [--config FILE] ID|FILE...
 *
 * Judging runs the code that live mail runs (judging.h). Train, eval and diff
 * work on labelled mail: folders and mailboxes of one class each, or a corpus,
 * which is a folder with a manifest (corpus.h).
 */
#ifndef ROUTER_CLASSIFY_CLASSIFY_H
#define ROUTER_CLASSIFY_CLASSIFY_H

#include <stdio.h>

int command_classify(int argc, char *const *argv, FILE *out, FILE *err);

#endif
