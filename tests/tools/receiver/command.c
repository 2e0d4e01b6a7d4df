/* command.c - SMTP command lines, read as strictly as RFC 5321 says. */
#include "command.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const verb_names[VERB_COUNT] = {
    [VERB_UNKNOWN] = "",          [VERB_HELO] = "HELO", [VERB_EHLO] = "EHLO",
    [VERB_STARTTLS] = "STARTTLS", [VERB_MAIL] = "MAIL", [VERB_RCPT] = "RCPT",
    [VERB_DATA] = "DATA",         [VERB_BDAT] = "BDAT", [VERB_RSET] = "RSET",
    [VERB_NOOP] = "NOOP",         [VERB_QUIT] = "QUIT", [VERB_VRFY] = "VRFY",
};

struct command command_parse(const char *line)
{
    const size_t len = strcspn(line, " ");
    struct command command = { .verb = VERB_UNKNOWN, .argument = line + len };

    if (*command.argument == ' ')
        command.argument++;
    for (int verb = VERB_UNKNOWN + 1; verb < VERB_COUNT; verb++)
        if (strlen(verb_names[verb]) == len
            && strncasecmp(line, verb_names[verb], len) == 0)
            command.verb = (enum verb)verb;
    return command;
}

static bool is_eight_bit(char byte)
{
    return (unsigned char)byte >= 0x80;
}

static bool is_alnum_or_eight_bit(char byte)
{
    return isalnum((unsigned char)byte) != 0 || is_eight_bit(byte);
}

/* RFC 5321, 4.1.2: sub-domains of letters, digits, inner hyphens; or a
 * literal, whose inside is not looked at closely. */
static bool is_domain(const char *name, size_t len)
{
    if (len >= 2 && name[0] == '[')
        return name[len - 1] == ']' && memchr(name, ' ', len) == NULL;
    if (len == 0 || len > 255)
        return false;
    for (size_t i = 0; i < len; i++) {
        const bool at_edge =
            i == 0 || i + 1 == len || name[i - 1] == '.' || name[i + 1] == '.';
        if (is_alnum_or_eight_bit(name[i]))
            continue;
        if (at_edge || (name[i] != '-' && name[i] != '.'))
            return false;
    }
    return true;
}

bool command_is_host_name(const char *argument)
{
    for (const char *at = argument; *at != '\0'; at++)
        if (is_eight_bit(*at))
            return false;
    return is_domain(argument, strlen(argument));
}

static bool is_atom_byte(char byte)
{
    return is_alnum_or_eight_bit(byte)
           || (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

/* Length of the Local-part at the start of `path`; 0 if it is wrong. */
static size_t local_part_length(const char *path)
{
    size_t len = 0;

    if (path[0] == '"') {
        for (len = 1; path[len] != '"'; len++) {
            if (path[len] == '\\')
                len++;
            if (path[len] == '\0' || (unsigned char)path[len] < ' ')
                return 0;
        }
        return len + 1;
    }
    for (; is_atom_byte(path[len]) || path[len] == '.'; len++)
        if (path[len] == '.' && (len == 0 || path[len - 1] == '.'))
            return 0;
    return len > 0 && path[len - 1] == '.' ? 0 : len;
}

/* Length of the Mailbox at the start of `path`; 0 if it is wrong. */
static size_t mailbox_length(const char *path)
{
    const size_t local = local_part_length(path);

    if (local == 0)
        return 0;
    if (path[local] == '>') /* RFC 5321, 4.1.1.3: the one bare local part */
        return strncasecmp(path, "postmaster>", 11) == 0 ? local : 0;
    if (path[local] != '@')
        return 0;
    const size_t domain = strcspn(path + local + 1, "> ");
    return is_domain(path + local + 1, domain) ? local + 1 + domain : 0;
}

bool command_parse_path(const char *argument, const char *keyword,
                        bool null_allowed, struct path_argument *path)
{
    const size_t keyword_len = strlen(keyword);

    if (strncasecmp(argument, keyword, keyword_len) != 0
        || argument[keyword_len] != '<')
        return false;
    const char *start = argument + keyword_len + 1;
    const size_t len = mailbox_length(start);
    if (len == 0 && (!null_allowed || *start != '>'))
        return false;
    if (start[len] != '>' || len >= sizeof path->address)
        return false;

    memcpy(path->address, start, len);
    path->address[len] = '\0';
    path->not_ascii = false;
    for (size_t i = 0; i < len; i++)
        path->not_ascii |= is_eight_bit(start[i]);
    path->params = start + len + 1;
    if (*path->params == '\0')
        return true;
    return *path->params++ == ' ' && *path->params != '\0';
}

bool command_next_param(const char **at, struct param *param)
{
    const size_t len = strcspn(*at, " ");
    const size_t name_len = strcspn(*at, "= ");

    if (len == 0 || name_len == 0 || name_len >= sizeof param->name
        || len - name_len >= sizeof param->value)
        return false;
    for (size_t i = 0; i < name_len; i++)
        param->name[i] = (char)toupper((unsigned char)(*at)[i]);
    param->name[name_len] = '\0';
    const size_t skip = len > name_len ? 1 : 0;
    const size_t value_len = len - name_len - skip;
    memcpy(param->value, *at + name_len + skip, value_len);
    param->value[value_len] = '\0';
    *at += len;
    if (**at == ' ' && (*at)[1] != '\0')
        (*at)++;
    return true;
}

bool command_parse_number(const char *digits, uint64_t *number,
                          const char **end)
{
    uint64_t value = 0;
    const char *at = digits;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == digits || (*at != '\0' && *at != ' '))
        return false;
    *number = value;
    *end = at;
    return true;
}
