/* findings.c - declarations and findings, added up by account. */
#include "router/classify/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#define ACCOUNTS_FIRST 16u

void findings_init(struct findings *findings)
{
    *findings = (struct findings){ .count = 0 };
}

void findings_release(struct findings *findings)
{
    mem_free(findings->accounts);
    findings_init(findings);
}

/* The value of "name=value" or "name" among the words of `reasons`. */
static bool find_reason(struct slice reasons, struct slice name,
                        struct slice *value)
{
    while (reasons.len > 0) {
        struct slice word = slice_head(reasons, slice_find(reasons, ' '));
        reasons = slice_from(reasons, word.len + 1);
        struct slice found = slice_head(word, slice_find(word, '='));
        if (!slice_equal(found, name))
            continue;
        *value = slice_from(word, found.len + 1);
        return true;
    }
    return false;
}

static void copy(char text[FINDINGS_NAME_SIZE], const char *prefix,
                 struct slice value)
{
    (void)snprintf(text, FINDINGS_NAME_SIZE, "%s%.*s", prefix,
                   SLICE_ARG(slice_head(value, FINDINGS_NAME_SIZE)));
}

static void find_declared(const struct finding *event,
                          char declared[FINDINGS_NAME_SIZE])
{
    static const char *const by_stream[] = { "declared-header", "declared-tag",
                                             "declared-listener",
                                             "declared-account" };
    struct slice reasons = slice_text(event->reasons);
    struct slice value = slice_text(event->declared);
    declared[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(by_stream) && value.len == 0; i++)
        (void)find_reason(reasons, slice_text(by_stream[i]), &value);
    if (value.len > 0)
        copy(declared, "", value);
    else if (find_reason(reasons, SLICE("declared-rule"), &value))
        copy(declared, "rule ", value);
}

/* Without a kind in the event: the class that the evidence left. */
static void find_kind(const struct finding *event,
                      char kind[FINDINGS_NAME_SIZE])
{
    struct slice value = slice_text(event->kind);
    kind[0] = '\0';
    if (value.len > 0
        || find_reason(slice_text(event->reasons), SLICE("moved-down"), &value))
        copy(kind, "", value);
}

static struct finding_account *account_of(struct findings *findings,
                                          const char *name)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strncmp(findings->accounts[i].name, name, FINDINGS_NAME_SIZE - 1)
            == 0)
            return &findings->accounts[i];
    if (findings->count == findings->size) {
        findings->size =
            findings->size > 0 ? 2 * findings->size : ACCOUNTS_FIRST;
        findings->accounts = mem_resize(findings->accounts, findings->size,
                                        sizeof *findings->accounts);
    }
    struct finding_account *account = &findings->accounts[findings->count++];
    *account = (struct finding_account){ .count = 0 };
    copy(account->name, "", slice_text(name));
    return account;
}

static struct finding_row *row_of(struct finding_account *account,
                                  const struct finding_row *wanted)
{
    for (size_t i = 0; i < account->row_count; i++) {
        struct finding_row *row = &account->rows[i];
        if (strcmp(row->declared, wanted->declared) == 0
            && strcmp(row->kind, wanted->kind) == 0
            && strcmp(row->stream, wanted->stream) == 0)
            return row;
    }
    if (account->row_count == FINDINGS_ROWS_MAX)
        return &account->rows[FINDINGS_ROWS_MAX - 1];
    account->rows[account->row_count] = *wanted;
    return &account->rows[account->row_count++];
}

void findings_add(struct findings *findings, const struct finding *event)
{
    struct slice reasons = slice_text(event->reasons);
    struct slice value;
    struct finding_row wanted = { .count = 0 };
    find_declared(event, wanted.declared);
    find_kind(event, wanted.kind);
    copy(wanted.stream, "", slice_text(event->stream));
    struct finding_account *account = account_of(findings, event->account);
    struct finding_row *row = row_of(account, &wanted);
    bool disagrees = find_reason(reasons, SLICE("moved-down"), &value);
    bool is_observed = find_reason(reasons, SLICE("observe-only"), &value);
    account->count++;
    account->disagreed += disagrees;
    (void)snprintf(row->examples[row->count++ % FINDINGS_EXAMPLES_MAX],
                   FINDINGS_ID_SIZE, "%s", event->id);
    row->moved += disagrees && !is_observed;
    row->would_move += disagrees && is_observed;
}

void findings_add_complaint(struct findings *findings, const char *account)
{
    account_of(findings, account)->complaints++;
}

static int by_disagreement(const void *a, const void *b)
{
    const struct finding_account *left = a;
    const struct finding_account *right = b;
    if (left->disagreed != right->disagreed)
        return left->disagreed < right->disagreed ? 1 : -1;
    return strcmp(left->name, right->name);
}

static int by_moves(const void *a, const void *b)
{
    const struct finding_row *left = a;
    const struct finding_row *right = b;
    uint64_t left_moves = left->moved + left->would_move;
    uint64_t right_moves = right->moved + right->would_move;
    if (left_moves != right_moves)
        return left_moves < right_moves ? 1 : -1;
    return (left->count < right->count) - (left->count > right->count);
}

void findings_sort(struct findings *findings)
{
    if (findings->count == 0)
        return;
    qsort(findings->accounts, findings->count, sizeof *findings->accounts,
          by_disagreement);
    for (size_t i = 0; i < findings->count; i++)
        qsort(findings->accounts[i].rows, findings->accounts[i].row_count,
              sizeof *findings->accounts[i].rows, by_moves);
}
