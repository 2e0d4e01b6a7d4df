/* scores.c - counts of right and wrong verdicts, as people and programs read. */
#include "router/classify/scores.h"

void scores_print_head(FILE *out)
{
    (void)fprintf(out, "%-20s %-8s %-17s %-17s %-17s %-10s %-8s %-8s %s\n",
                  "headers", "macro-F1", "transactional P/R/F", "bulk P/R/F",
                  "personal P/R/F", "bulk prot.", "kept out", "to bulk", "ECE");
}

void scores_print(const char *name, const struct tally *tally, FILE *out)
{
    (void)fprintf(out, "%-20s %-8.3f", name, tally_macro_f1(tally));
    for (unsigned kind = 0; kind < MODEL_CLASSES; kind++)
        (void)fprintf(out, " %.3f/%.3f/%.3f",
                      tally_precision(tally, (enum judge_kind)kind),
                      tally_recall(tally, (enum judge_kind)kind),
                      tally_f1(tally, (enum judge_kind)kind));
    (void)fprintf(out, " %6.2f %%   %5.2f %%  %5.2f %%  %.3f\n",
                  100 * tally_protected(tally, KIND_BULK),
                  100 - 100 * tally_protected(tally, KIND_TRANSACTIONAL),
                  100 * tally_to_bulk(tally, KIND_TRANSACTIONAL),
                  tally_calibration_error(tally));
}

static void add_share(struct json *json, const char *key, double share)
{
    json_key(json, key);
    json_decimal(json, share);
}

void scores_add(const struct tally *tally, struct json *json)
{
    add_share(json, "macro_f1", tally_macro_f1(tally));
    json_key(json, "classes");
    json_begin_object(json);
    for (unsigned kind = 0; kind < JUDGE_KIND_COUNT; kind++) {
        const enum judge_kind is = (enum judge_kind)kind;
        if (tally_of(tally, is) == 0)
            continue;
        json_key(json, judge_kind_name(is));
        json_begin_object(json);
        json_add_number(json, "count", tally_of(tally, is));
        add_share(json, "precision", tally_precision(tally, is));
        add_share(json, "recall", tally_recall(tally, is));
        add_share(json, "f1", tally_f1(tally, is));
        json_end(json);
    }
    json_end(json);
    add_share(json, "bulk_protected", tally_protected(tally, KIND_BULK));
    add_share(json, "transactional_kept_out",
              1 - tally_protected(tally, KIND_TRANSACTIONAL));
    add_share(json, "transactional_to_bulk",
              tally_to_bulk(tally, KIND_TRANSACTIONAL));
    add_share(json, "calibration_error", tally_calibration_error(tally));
}
