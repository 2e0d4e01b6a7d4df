"""template - reads brand files and expands a template to blocks.

A brand file: lines "key: value", then templates, each begun by
"== LABEL KIND [@SKIN] Subject". README.md tells the marks of the body.
"""
import os
import re

LABELS = {"T": "transactional", "B": "bulk", "P": "personal", "L": "lifecycle"}
MARKS = {"# ": "h1", "## ": "h2", "- ": "item", "| ": "row", "! ": "image",
         "@ ": "card", "> ": "quote", "$ ": "code", "~ ": "small", "/ ": "pre",
         "ATTACH ": "file"}
OPTIONAL = 0.15      # how often a line marked ? is left out
TAIL = re.compile(r"^([^/>].*[^\[]) \[([^\[\]]{2,40})\]$")   # a button after a text
LOOP = re.compile(r"\*(\d+)-(\d+) (.*)")
HERE = os.path.dirname(os.path.abspath(__file__))


def split_list(text):
    return [word.strip() for word in text.split(";") if word.strip()]


def parse(path):
    """(keys, templates) of a brand file."""
    keys, templates, body = {}, [], None
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("== "):
                template = parse_head(line, path)
                body = template["body"]
                templates.append(template)
            elif body is not None:
                body.append(line)
            elif ":" in line:
                key, value = line.split(":", 1)
                keys[key.strip()] = value.strip()
    return keys, templates


def parse_head(line, path):
    match = re.fullmatch(r"== ([TBPL]) (\w+) (?:@(\w+) )?(.+)", line)
    if not match:
        raise ValueError(f"{path}: {line}")
    label, kind, skin, subject = match.groups()
    return {"label": LABELS[label], "kind": kind, "skin": skin,
            "subject": subject, "body": []}


def load_folder(name):
    """Its files by name without ending, in order: keys and templates of each."""
    folder = os.path.join(HERE, name)
    return {file.removesuffix(".txt"): parse(os.path.join(folder, file))
            for file in sorted(os.listdir(folder))}


def load_brands(name):
    """The brands of a folder, by name of file, each with its own and its shared
    templates."""
    shared = {keys["lang"]: templates
              for source, (keys, templates) in load_folder("brands").items()
              if source.startswith("shared_")}
    brands = [dict({"lang": "en"} | keys, source=source, templates=templates)
              for source, (keys, templates) in load_folder(name).items()
              if not source.startswith("shared_")]
    for brand in brands:
        for kind in brand.get("use", "").split():
            brand["templates"] += find_shared(shared[brand["lang"]], kind)
        number_templates(brand["templates"])
    return brands


def find_shared(templates, wanted):
    """kind: all of the kind; kind.2: the second only."""
    kind, _, number = wanted.partition(".")
    found = [dict(one) for one in templates if one["kind"] == kind]
    if not found:
        raise KeyError(f"no shared template {wanted}")
    return [found[int(number) - 1]] if number else found


def number_templates(templates):
    seen = {}
    for template in templates:
        kind = template["kind"]
        seen[kind] = seen.get(kind, 0) + 1
        template["name"] = f"{kind}-{seen[kind]}"


def settle(text, rng):
    """[[a|b]]: the choice of a brand, the same in all its mails. A bar within
    braces belongs to them."""
    def one(match):
        return rng.choice(re.split(r"\|(?![^{}]*\})", match[1]))
    return re.sub(r"\[\[(.*?)\]\](?!\])", one, text)


def expand(text, values, fresh=False):
    """{value} and {one|or another}, the innermost first."""
    def one(match):
        inside = match[1]
        if "|" in inside:
            return values.rng.choice(inside.split("|"))
        return values.get(inside, fresh)
    while True:
        text, count = re.subn(r"\{([^{}]*)\}", one, text)
        if not count:
            return text


def lines_of(template, values, brand_rng):
    """The lines of the body with loops, options and values worked out."""
    for line in settle("\n".join(template["body"]), brand_rng).split("\n"):
        if line.startswith("?"):
            if values.rng.random() < OPTIONAL:
                continue
            line = line[1:]
        loop = LOOP.match(line)
        if loop:
            for _ in range(values.rng.randint(int(loop[1]), int(loop[2]))):
                yield expand(loop[3], values, fresh=True)
        else:
            yield from TAIL.sub(r"\1\n[\2]", expand(line, values)).split("\n")


def block_of(line):
    if line.strip() == "---":
        return "rule", ""
    if re.fullmatch(r"\[[^\]]+\] ?", line):
        return "button", line.strip()[1:-1]
    for mark, kind in MARKS.items():
        if line.startswith(mark):
            return kind, line[len(mark):]
    return "p", line


def blocks(template, values, brand_rng):
    """The body as a list of (kind, text or list of texts)."""
    found, glue = [], None
    for line in lines_of(template, values, brand_rng):
        if not line.strip():
            glue = None
            continue
        kind, text = block_of(line)
        if kind == glue and kind in ("item", "row", "card", "quote", "pre"):
            found[-1][1].append(text)
        elif kind == glue == "p":
            found[-1] = (kind, found[-1][1] + "\n" + text)
        else:
            grouped = kind in ("item", "row", "card", "quote", "pre")
            found.append((kind, [text] if grouped else text))
        glue = kind
    return found
