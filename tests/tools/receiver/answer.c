/* answer.c - what a provider answers, and in which way. */
#include "answer.h"

#include <string.h>

#define GARBAGE "\x07\xff\xfe not a reply at all\r\n\x01"

static void add_filled(struct text *out, const char *words, size_t len,
                       const struct topic *topic)
{
    const struct {
        const char *name;
        const char *value;
    } blanks[] = {
        { "{ip}", topic->ip },
        { "{rcpt}", topic->rcpt },
        { "{id}", topic->id },
    };

    for (size_t i = 0; i < len;) {
        size_t skip = 0;

        for (size_t j = 0; j < sizeof blanks / sizeof *blanks; j++) {
            const size_t name_len = strlen(blanks[j].name);

            if (i + name_len <= len
                && memcmp(words + i, blanks[j].name, name_len) == 0) {
                text_add_string(out, blanks[j].value);
                skip = name_len;
            }
        }
        if (skip == 0)
            text_add(out, words + i, 1);
        i += skip > 0 ? skip : 1;
    }
}

void answer_say(struct answer *answer, const char *lines,
                const struct topic *topic)
{
    text_clear(&answer->reply);
    for (const char *line = lines; *line != '\0';) {
        const size_t len = strcspn(line, "\n");

        add_filled(&answer->reply, line, len, topic);
        text_add(&answer->reply, "\r\n", 2);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    answer->hang_up |= strncmp(lines, "421", 3) == 0;
}

void answer_say_usual(struct answer *answer, const struct provider *provider,
                      unsigned code, const char *enhanced, const char *words)
{
    const bool bare =
        enhanced[0] == '\0'
        || !(provider->config->capabilities & CAP_ENHANCEDSTATUSCODES);

    text_clear(&answer->reply);
    text_addf(&answer->reply, "%u %s%s%s\r\n", code, bare ? "" : enhanced,
              bare ? "" : " ", words);
    answer->hang_up |= code == 421;
}

static bool is_refusal(const char *lines)
{
    return lines[0] == '4' || lines[0] == '5';
}

static enum course perform(struct answer *answer, const struct rule *rule,
                           const struct topic *topic)
{
    switch (rule->deed) {
    case DEED_REPLY:
        answer_say(answer, rule->reply, topic);
        return is_refusal(rule->reply) ? COURSE_REFUSED : COURSE_OTHER_WORDS;
    case DEED_SILENCE:
        answer->silent = true;
        return COURSE_REFUSED;
    case DEED_CLOSE:
        answer->hang_up = true;
        return COURSE_REFUSED;
    case DEED_TAKE_AND_CLOSE:
        answer->hang_up = true;
        return COURSE_OTHER_WORDS;
    case DEED_GARBAGE:
        text_add(&answer->reply, GARBAGE, sizeof GARBAGE - 1);
        return COURSE_REFUSED;
    case DEED_WAIT:
    case DEED_COUNT:
        break;
    }
    return COURSE_USUAL;
}

enum course answer_begin(struct answer *answer, struct provider *provider,
                         enum step step, const struct topic *topic)
{
    text_clear(&answer->reply);
    *answer = (struct answer){ .reply = answer->reply,
                               .delay_ms = provider->config->delays_ms[step],
                               .drip_ms = provider->config->drip_ms };
    const struct rule *rule =
        provider_rule(provider, step, topic->ip, topic->argument);
    if (rule == NULL)
        return COURSE_USUAL;
    if (rule->delay_ms > 0)
        answer->delay_ms = rule->delay_ms;
    if (rule->drip_ms > 0)
        answer->drip_ms = rule->drip_ms;
    return perform(answer, rule, topic);
}
