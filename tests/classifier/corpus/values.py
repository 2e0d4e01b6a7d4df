"""values - draws the values that differ between two mails of one template."""
import datetime
import random

ALNUM = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
DEVICES = ["Chrome, Windows 11", "Safari, iPhone", "Firefox, Ubuntu",
           "Edge, Windows 10", "Chrome, Android", "Safari, macOS"]


def seeded(*parts):
    """A generator of its own for each combination of parts."""
    return random.Random("/".join(str(part) for part in parts))


class Values:
    """The values of one mail: an expression is drawn once and kept, so that
    subject and body agree; inside a loop each round draws anew."""

    def __init__(self, brand, locale, rng):
        self.brand = brand
        self.locale = locale
        self.rng = rng
        self.kept = {}
        self.day = (datetime.datetime(2024, 7, 1)
                    + datetime.timedelta(seconds=rng.randrange(2 * 365 * 86400)))
        self.name = self.person()
        self.first = self.name[0]
        self.rcpt = self.address(self.name)

    def pick(self, key):
        return self.rng.choice(self.locale[key])

    def person(self):
        return self.pick("first"), self.pick("last")

    def address(self, name):
        host = self.rng.choice(["inbox", "gmx", "posteo", "webmail", "tundra",
                                "postbox", "maple", "office"])
        return (f"{plain(name[0])}.{plain(name[1])}"
                f"{self.rng.randrange(1, 99)}@{host}.example")

    def get(self, word, fresh=False):
        """The value of an expression such as first, money:5-90 or ref:A##."""
        if not fresh and word in self.kept:
            return self.kept[word]
        name, _, argument = word.partition(":")
        draw = getattr(self, "draw_" + name.rstrip("23"), None)
        if draw is None:
            raise KeyError(f"no value {word!r}")
        value = draw(argument)
        if not fresh:
            self.kept[word] = value
        return value

    def between(self, argument, default):
        low, _, high = (argument or default).partition("-")
        return self.rng.randint(int(low), int(high or low))

    def draw_first(self, _):
        return self.name[0]

    def draw_last(self, _):
        return self.name[1]

    def draw_name(self, _):
        if self.locale["family_first"]:
            return f"{self.name[1]}{self.name[0]}"
        return " ".join(self.name)

    def draw_email(self, _):
        return self.rcpt

    def draw_user(self, _):
        return plain(self.name[0]) + plain(self.name[1])[:3]

    def draw_brand(self, _):
        return self.brand["brand"]

    def draw_domain(self, _):
        return self.brand["domain"]

    def draw_person(self, _):
        name = self.person()
        if self.locale["family_first"]:
            return name[1] + name[0]
        return " ".join(name)

    def draw_me(self, _):
        """Who writes a personal mail: display name, tab, local part."""
        name = self.person()
        self.kept["my"] = name[0]
        shown = name[1] + name[0] if self.locale["family_first"] else " ".join(name)
        return f"{shown}\t{plain(name[0])}.{plain(name[1])}"

    def draw_my(self, _):
        self.get("me")
        return self.kept["my"]

    def draw_phone(self, _):
        return self.locale["phone"][0]

    def draw_friend(self, _):
        return self.pick("first")

    def draw_city(self, _):
        return self.pick("city")

    def draw_street(self, _):
        return f"{self.pick('street')} {self.rng.randint(1, 190)}"

    def draw_company(self, _):
        return self.pick("company")

    def draw_item(self, _):
        return self.rng.choice(self.brand["items"])

    def draw_n(self, argument):
        return str(self.between(argument, "2-9"))

    def draw_money(self, argument):
        whole = self.between(argument, "5-240")
        cents = self.rng.choice(["00", "50", "90", "99", "25", "49"])
        mark = self.brand.get("money") or self.locale["money"][0]
        if mark in "¥₩":
            return f"{mark}{whole * 100:,}"
        if mark in "$£":
            return f"{mark}{whole:,}.{cents}"
        return f"{whole},{cents} {mark}"

    def draw_code(self, argument):
        digits = int(argument or 6)
        return "".join(self.rng.choice("0123456789") for _ in range(digits))

    def draw_ref(self, argument):
        sets = {"#": "0123456789", "A": "ABCDEFGHJKLMNPRSTVWXYZ",
                "x": "0123456789abcdef", "*": ALNUM}
        return "".join(self.rng.choice(sets[c]) if c in sets else c
                       for c in argument or "########")

    def draw_date(self, argument):
        """The day of the mail, moved by so many days (-30 or +3-9)."""
        days = 0
        if argument:
            sign = -1 if argument[0] == "-" else 1
            days = sign * self.between(argument.lstrip("+-"), "0")
        day = self.day + datetime.timedelta(days=days)
        return self.locale["date"][0].format(
            d=day.day, m=day.month, y=day.year,
            month=self.locale["month"][day.month - 1])

    def draw_month(self, _):
        return self.locale["month"][self.day.month - 1]

    def draw_time(self, _):
        return f"{self.rng.randint(7, 21)}:{self.rng.randrange(0, 60, 5):02d}"

    def draw_ip(self, _):
        return f"203.0.113.{self.rng.randint(2, 250)}"

    def draw_device(self, _):
        return self.rng.choice(DEVICES)

    def draw_url(self, _):
        return self.link(seen=True)

    def draw_wrote(self, _):
        """The line that a mail program puts above a quotation."""
        return self.locale["wrote"][0].format(
            date=self.get("date:-1"), time=self.get("time"), name=self.get("person"))

    def token(self, low, high):
        return "".join(self.rng.choice(ALNUM)
                       for _ in range(self.rng.randint(low, high)))

    def link(self, seen=False):
        """An address behind a link: tracked by some brands, plain by others."""
        domain = self.brand["domain"]
        if self.brand["tracks"] and not seen:
            return (f"https://{self.brand['tracks']}.{domain}/"
                    f"{self.rng.choice(['ls/click?upn=', 'c/', 'CL0/', 'e/'])}"
                    f"{self.token(30, 90)}")
        path = self.rng.choice(["a", "account", "go", "view", "p", "id", "t"])
        tail = f"?utm_source=email&utm_medium={self.rng.choice(['email', 'notice'])}"
        return (f"https://{self.rng.choice(['www.', '', 'my.'])}{domain}/{path}/"
                f"{self.token(5, 22)}{tail if self.brand['utm'] else ''}")

    def picture(self):
        return (f"https://{self.rng.choice(['static', 'cdn', 'img'])}."
                f"{self.brand['domain']}/{self.token(4, 12)}.png")


FOLD = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ł": "l",
        "ç": "c", "ñ": "n", "á": "a", "ã": "a", "ó": "o", "í": "i", "å": "a",
        "ş": "s", "ğ": "g", "ı": "i", "ń": "n", "ś": "s", "ż": "z", "ą": "a"}


def plain(name):
    """A name as it looks in an address."""
    folded = "".join(FOLD.get(c, c) for c in name.lower())
    kept = "".join(c for c in folded if c.isascii() and c.isalnum())
    return kept or "u" + str(sum(map(ord, name)) % 9973)
