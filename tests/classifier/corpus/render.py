"""render - blocks to plain text, and to HTML in one of the skins.

A skin is a file of pieces, each begun by "== name"; %slot% is filled in. A
piece that a skin lacks is that of the skin "bare".
"""
import functools
import html
import os
import re
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
LINK = re.compile(r"<<(.+?)>>")
BOLD = re.compile(r"\*\*(.+?)\*\*")


@functools.cache
def skin_pieces(name):
    pieces = {} if name == "bare" else dict(skin_pieces("bare"))
    with open(os.path.join(HERE, "skins", name + ".html"),
              encoding="utf-8") as file:
        parts = re.split(r"^== (\w+)\n", file.read(), flags=re.M)
    for key, piece in zip(parts[1::2], parts[2::2]):
        pieces[key] = piece.rstrip("\n")
    return pieces


def fill(piece, **slots):
    return re.sub(r"%(\w+)%", lambda m: str(slots.get(m[1], m[0])), piece)


def utility_css(count):
    """The rules by the dozen with which frameworks fill the head."""
    rules = []
    for n in range(1, count + 1):
        rules.append(f".col-lg-{n}{{width:{n * 100 / count:.4f}%!important}}")
        rules.append(f".p-{n},.py-{n}{{padding-top:{n * 4}px!important;"
                     f"padding-bottom:{n * 4}px!important}}")
        rules.append(f".mt-{n}{{margin-top:{n * 4}px!important}} "
                     f".w-{n}{{width:{n * 8}px!important}}")
        rules.append(f"table.s-{n} td{{height:{n * 4}px;line-height:{n * 4}px}}")
    return "\n".join(rules)


class Html:
    """Writes one mail as HTML."""

    def __init__(self, skin, values, frame):
        self.pieces = skin_pieces(skin)
        self.values = values
        self.frame = frame
        self.colour = values.brand["colour"]

    def piece(self, name, **slots):
        return fill(self.pieces[name], colour=self.colour, **slots)

    def inline(self, text):
        safe = html.escape(text, quote=False)
        safe = re.sub(r"&lt;&lt;(.+?)&gt;&gt;",
                      lambda m: self.anchor(m[1]), safe)
        safe = BOLD.sub(r"<strong>\1</strong>", safe)
        return safe.replace("\n", self.pieces["br"])

    def anchor(self, text):
        return self.piece("a", text=text,
                          url=html.escape(self.values.link()))

    def block(self, kind, text):
        if kind == "item":
            return self.piece("list", text="\n".join(
                self.piece("item", text=self.inline(one)) for one in text))
        if kind == "row":
            return self.piece("table", text="\n".join(map(self.row, text)))
        if kind == "card":
            return self.piece("cards", text="\n".join(map(self.card, text)))
        if kind in ("quote", "pre"):
            safe = [self.inline(one) for one in text]
            glue = "\n" if kind == "pre" else self.pieces["br"]
            return self.piece(kind, text=glue.join(safe))
        return self.piece(kind, text=self.inline(text),
                          url=html.escape(self.values.link()),
                          src=self.values.picture())

    def row(self, text):
        cells = [self.piece("cell", text=self.inline(cell.strip()))
                 for cell in text.split("|")]
        return self.piece("row", text="".join(cells))

    def card(self, text):
        title, body, link = ([part.strip() for part in text.split("|")]
                             + ["", ""])[:3]
        return self.piece("card", title=self.inline(title),
                          text=self.inline(body),
                          link=self.anchor(link) if link else "",
                          url=html.escape(self.values.link()),
                          src=self.values.picture())

    def furniture(self, lines):
        return "\n".join(self.piece("foot", text=self.inline(line))
                         for line in lines)

    def page(self, subject, blocks, charset):
        frame = self.frame
        preheader = ""
        if frame["preheader"]:
            preheader = self.piece(
                "preheader", text=html.escape(frame["preheader"]),
                padding="&#847;&zwnj;&nbsp;&#8199;&shy;" * frame["padding"])
        pictures = "".join(self.piece("icon", url=self.values.link(),
                                      src=self.values.picture(), alt=alt)
                           for alt in frame["icons"])
        pixel = (f'<img src="{self.values.link()}" width="1" height="1" alt="">'
                 if frame["pixel"] else "")
        logo = self.piece("logo", src=self.values.picture(),
                          text=html.escape(self.values.brand["brand"]),
                          url=self.values.link()) if frame["logo"] else ""
        nav = "".join(self.piece("nav", text=self.inline(f"<<{one}>>"))
                      for one in frame["nav"])
        return self.piece(
            "page", title=html.escape(subject), charset=charset,
            lang=self.values.brand["lang"], css=utility_css(12),
            preheader=preheader, logo=logo, nav=nav,
            top=self.furniture(frame["top"]),
            body="\n".join(self.block(*block) for block in blocks),
            bottom=pictures + self.furniture(frame["bottom"]), pixel=pixel)


class Text:
    """Writes one mail as plain text, in the manner of its brand."""

    def __init__(self, values, frame):
        self.values = values
        self.frame = frame
        self.style = values.brand["text_style"]

    def inline(self, text):
        text = BOLD.sub(r"*\1*" if self.style == "stars" else r"\1", text)
        if self.style == "bare":
            return LINK.sub(r"\1", text)
        return LINK.sub(lambda m: f"{m[1]} ({self.values.link()})", text)

    def wrap(self, text):
        if self.style == "long":
            return text
        return "\n".join(textwrap.fill(line, 74, break_long_words=False,
                                       break_on_hyphens=False)
                         for line in text.split("\n"))

    def block(self, kind, text):
        if kind in ("item", "row", "card", "quote", "pre"):
            return "\n".join(self.line(kind, one) for one in text)
        return self.line(kind, text)

    def line(self, kind, text):
        text = self.inline(text)
        if kind == "h1":
            return text if self.style == "bare" else f"{text}\n{'=' * len(text)}"
        if kind == "h2":
            return text.upper() if self.style == "stars" else f"## {text}"
        if kind == "button":
            return f"{text}: {self.values.link()}"
        if kind == "image":
            return f"[{text}]" if self.style == "stars" else ""
        if kind == "rule":
            return "-" * 40
        marks = {"item": "* " if self.style == "stars" else "- ",
                 "quote": "> ", "code": "    "}
        if kind in ("row", "card"):
            cells = [cell.strip() for cell in text.split("|")]
            return ("  " if kind == "row" else "\n").join(cells)
        if kind in ("pre", "quote"):
            return marks.get(kind, "") + text
        return self.wrap(marks.get(kind, "") + text)

    def page(self, blocks):
        parts = [self.inline(line) for line in self.frame["top"]]
        parts += [self.block(*block) for block in blocks]
        body = "\n\n".join(part for part in parts if part)
        foot = "\n".join(self.wrap(self.inline(line))
                         for line in self.frame["bottom"])
        if foot:
            body += f"\n\n{self.values.brand['foot_rule']}\n{foot}"
        return body + "\n"
