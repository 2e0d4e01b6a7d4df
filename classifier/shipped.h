/*
 * shipped.h - the model that ships, as it stands in the program.
 */
#ifndef CLASSIFIER_SHIPPED_H
#define CLASSIFIER_SHIPPED_H

#include "common/base/slice.h"

/* The bytes of classifier/models/base.syc, aligned to 8; see model.h. */
struct slice shipped_model(void);

#endif
