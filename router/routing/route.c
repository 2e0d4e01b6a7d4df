/* route.c - which virtual route a recipient's mail takes. */
#include "router/routing/route.h"

#include "common/base/glob.h"
#include "common/proto/header.h"

static bool domain_matches(const char *pattern, struct slice domain)
{
    return !pattern || glob_match(slice_text(pattern), domain);
}

static bool account_matches(const struct conf_match *match,
                            const struct conf_account *account)
{
    if (match->account && match->account != account)
        return false;
    return !match->tenant || (account && match->tenant == account->tenant);
}

static bool matches(const struct conf_match *match,
                    const struct route_question *question,
                    struct slice recipient_domain)
{
    return (!match->stream || match->stream == question->stream)
           && account_matches(match, question->account)
           && domain_matches(match->sender_domain, question->sender_domain)
           && domain_matches(match->recipient_domain, recipient_domain)
           && (!match->header
               || header_matches(question->header, slice_text(match->header),
                                 slice_text(match->header_value)));
}

void route_choose(const struct conf *conf,
                  const struct route_question *question,
                  struct slice recipient_domain, struct route_answer *answer)
{
    for (size_t i = 0; i < conf->route_count; i++) {
        const struct conf_route *route = &conf->routes[i];
        for (size_t j = 0; j < route->match_count; j++) {
            if (!matches(&route->matches[j], question, recipient_domain))
                continue;
            *answer = (struct route_answer){ route, &route->matches[j] };
            return;
        }
    }
    *answer = (struct route_answer){ question->stream->route, NULL };
}
