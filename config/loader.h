/*
 * loader.h - a file set in, a checked conf out; or every error, and no conf.
 *
 * Relative paths in the config (certificates, spool, run_dir ...) begin at the
 * folder of the file that is loaded. The caller inits and releases the errors.
 * Safe to call while another conf is in use: nothing is shared.
 */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "common/base/rc.h"
#include "config/conf.h"
#include "config/errors.h"

/* Which of the files that a config names must be there: a worker host has no
 * TLS certificate or account passwords, a desk where a config is written may
 * have none at all. With CONF_FILES_NONE, and for workers, the passwords of
 * password_file are not read (password_hash stays NULL). */
enum conf_files { CONF_FILES_ALL, CONF_FILES_WORKER, CONF_FILES_NONE };

/* Everything checked, files too. RC_OK: *conf is one reference, give it back
 * with conf_release(). RC_SYNTAX: *conf is untouched, *errors says why. */
enum rc conf_load(const char *path, struct conf **conf,
                  struct conf_errors *errors) must_check;

enum rc conf_load_for(const char *path, enum conf_files files,
                      struct conf **conf,
                      struct conf_errors *errors) must_check;

/* From memory, without includes and without looking at any file; relative
 * paths begin at "/". `name` stands for the file in places. */
enum rc conf_load_text(const char *name, struct slice text, struct conf **conf,
                       struct conf_errors *errors) must_check;

#endif
