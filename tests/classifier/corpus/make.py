#!/usr/bin/env python3
"""make - writes the corpus: OUT_DIR/manifest.jsonl and one .eml per message.

    make.py OUT_DIR [--seed N] [--instances K]

The same arguments write the same bytes. README.md tells what is in it.
"""
import argparse
import collections
import configparser
import json
import os
import sys

import envelope
import render
import template as templates
from values import Values, seeded

SKINS = ["bare", "grid", "mjml", "ink", "hand", "card", "rich", "spacer",
         "react", "letter"]
HUMAN_SKINS = ["plain", "plain", "plain", "gmail", "outlook", "apple"]
TRACKERS = ["", "", "links", "click", "email.mg", "url4412", "t"]
PADDED = 0.6         # how many hidden first words are followed by padding
PLAIN = 0.12         # how many templates of a sender with a layout go without
LEAVE = [0.1, 0.1, 0.3, 0.8]   # how many notices of a sender offer to leave
PASSED_ON = 0.6      # how many letters a mailing list or web mailer adds to


def load_locales():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(os.path.join(templates.HERE, "locales.ini"), encoding="utf-8")
    locales = {}
    for name in parser.sections():
        keys = {key: templates.split_list(value)
                for key, value in parser[name].items()}
        keys["family_first"] = name in ("ja", "zh", "ko")
        locales[name] = keys
    return locales


def dress(brand, locale):
    """Fills in what a brand file leaves open: the habits of its senders."""
    rng = seeded("brand", brand["source"])
    brand["items"] = templates.split_list(brand.get("items", "")) \
        or locale["items"]
    skins = brand.get("skin", "").split() or rng.sample(SKINS, 2)
    brand["skins"] = skins
    brand["colour"] = f"#{rng.randrange(0x1000000):06x}"
    brand["tracks"] = rng.choice(TRACKERS)
    brand["utm"] = rng.random() < 0.3
    brand["text_style"] = rng.choice(["stars", "bare", "long", "marks"])
    brand["foot_rule"] = rng.choice(["--", "-- ", "", "* * *", "_" * 30])
    brand["wish"] = rng.choice(["quoted-printable", "quoted-printable", "8bit",
                                "base64"])
    brand["charset"] = rng.choice(locale["charset"])
    brand["style"] = rng.choice("bq") if locale["latin"][0] == "yes" else "b"
    brand["parts"] = rng.choice(["both", "both", "html", "mixed"])
    brand["frame"] = brand.get("frame") or " ".join(
        word for word in ("logo", "nav", "icons", "badges", "address", "legal",
                          "preheader", "pixel", "reason")
        if rng.random() < 0.5)
    brand["leave"] = rng.choice(LEAVE)
    return brand


def frame_of(brand, template, locale, habit, values):
    """What stands around the body: logo, navigation, footer, small print."""
    has = set(brand["frame"].split()) | {"body"}
    label = template["label"]
    bare = {"top": [], "bottom": [], "icons": [], "nav": [], "logo": False,
            "preheader": "", "padding": 0, "pixel": False}

    def say(key):
        return templates.expand(habit.choice(locale[key]), values)

    if label == "personal":
        key = "list_foot" if brand.get("list") else "letter_foot"
        rate = PASSED_ON if brand.get("list") else PASSED_ON / 4
        if key in locale and habit.random() < rate:
            bare["bottom"].append(say(key))
        return bare

    top, bottom = [], []
    campaign = label == "bulk" or (label == "lifecycle" and habit.random() < 0.6)
    if habit.random() < (0.35 if campaign else 0.05):
        top.append(f"<<{say('browser')}>>")
    if "reason" in has and habit.random() < 0.8:
        bottom.append(say("list_reason" if campaign else "own_reason"))
    if habit.random() < (0.85 if campaign else brand["leave"]):
        bottom.append(f"<<{say('unsubscribe')}>>")
    if habit.random() < (0.3 if campaign else 0.25):
        bottom.append(f"<<{say('settings')}>>")
    if "address" in has:
        bottom.append(f"{brand['brand']}, "
                      f"{brand.get('address') or locale['office'][0]}")
    if "legal" in has:
        bottom.append(say("legal"))
    icons = ["Facebook", "Instagram", "LinkedIn", "YouTube"] \
        if "icons" in has else []
    if "badges" in has:
        icons += ["App Store", "Google Play"]
    nav = templates.split_list(brand.get("nav", "")) if "nav" in has else []
    preheader = preheader_of(template, values) if "preheader" in has else ""
    return dict(bare, top=top, bottom=bottom, icons=icons, nav=nav,
                logo="logo" in has, preheader=preheader,
                padding=40 if habit.random() < PADDED else 0,
                pixel="pixel" in has)


def preheader_of(template, values):
    """The first words of the body, as they go hidden before the rest."""
    for line in template["body"]:
        if len(line) > 25 and line[0].isalnum() and "[[" not in line:
            text = templates.expand(line, values)[:90]
            return text.translate(str.maketrans("", "", "<>*[]"))
    return ""


def skin_of(brand, template, habit):
    if template["skin"]:
        return template["skin"]
    if template["label"] == "personal":
        return habit.choice(HUMAN_SKINS)
    return "plain" if habit.random() < PLAIN else habit.choice(brand["skins"])


def sender_of(brand, template, locale, habit, values):
    """(name, address): overlapping between the labels, like all headers."""
    domain = brand["domain"]
    if template["label"] == "personal":
        person = values.get("me").split("\t")
        return person[0], f"{person[1]}@{domain}"
    names = templates.split_list(brand.get("from", "")) or [
        brand["brand"], brand["brand"], f"{habit.choice(locale['first'])}, {brand['brand']}", f"{brand['brand']} Team"]
    local = habit.choice(["noreply", "no-reply", "hello", "team", "info", "mail",
                          "news", "notifications", "support", "service"])
    sub = habit.choice(["", "", "", "mail.", "e.", "notify."])
    return templates.expand(habit.choice(names), values), f"{local}@{sub}{domain}"


def compose(brand, template, locale, instance, seed):
    """(mail, envelope recipient) of one instance."""
    source, name = brand["source"], template["name"]
    habit = seeded(seed, "habit", source, name)
    values = Values(brand, locale, seeded(seed, source, name, instance))
    settled = seeded("settled", source, name)
    subject = templates.expand(
        templates.settle(template["subject"], settled), values)
    blocks = templates.blocks(template, values, settled)
    files = [text for kind, text in blocks if kind == "file"]
    blocks = [block for block in blocks if block[0] != "file"]
    skin = skin_of(brand, template, habit)
    frame = frame_of(brand, template, locale, habit, values)
    sender = sender_of(brand, template, locale, habit, values)
    charset, wish = brand["charset"], brand["wish"]
    if habit.random() < 0.5:
        charset = habit.choice(locale["charset"])
    text = render.Text(values, frame).page(blocks)
    parts = [("plain", text)]
    if skin != "plain":
        page = render.Html(skin, values, frame).page(subject, blocks, charset)
        choice = brand["parts"] if brand["parts"] != "mixed" \
            else habit.choice(["both", "html"])
        parts = parts * (choice == "both") + [("html", page)]
    whole = "".join(part[1] for part in parts) + subject + sender[0]
    if not envelope.fits(whole, charset):
        parts = [(kind, one.replace(f"charset={charset}", "charset=utf-8")
                  .replace(f'charset="{charset}"', 'charset="utf-8"'))
                 for kind, one in parts]
        charset = "utf-8"
    made = [envelope.text_part(kind, one, charset, wish) for kind, one in parts]
    body = made[0] if len(made) == 1 else envelope.multipart(
        "alternative", made, values)
    if files:
        body = envelope.multipart("mixed", [body] + [
            envelope.attachment(file, values) for file in files], values)
    return envelope.message(template, values, sender, subject, body, habit,
                            (charset, brand["style"])), values.rcpt


def write(out, seed, instances, brands="brands"):
    """Writes everything; the entries of the manifest."""
    locales = load_locales()
    entries = []
    for brand in templates.load_brands(brands):
        locale = locales[brand["lang"]]
        dress(brand, locale)
        count = collections.Counter()
        for template in brand["templates"]:
            folder = os.path.join("own", template["label"])
            os.makedirs(os.path.join(out, folder), exist_ok=True)
            for instance in range(instances):
                mail, rcpt = compose(brand, template, locale, instance, seed)
                count[template["label"]] += 1
                file = os.path.join(folder, f"{brand['source']}-"
                                    f"{count[template['label']]:04d}.eml")
                with open(os.path.join(out, file), "wb") as stream:
                    stream.write(mail)
                entries.append({
                    "file": file, "label": template["label"],
                    "kind": template["kind"], "source": brand["source"],
                    "template": template["name"], "instance": instance,
                    "split": "own", "real": False, "licence": "project",
                    "bytes": len(mail), "rcpt": rcpt, "lang": brand["lang"]})
    with open(os.path.join(out, "manifest.jsonl"), "w",
              encoding="utf-8") as stream:
        for entry in entries:
            stream.write(json.dumps(entry) + "\n")
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--unseen", action="store_true",
                        help="the senders that no model is trained on")
    asked = parser.parse_args()
    entries = write(asked.out, asked.seed, asked.instances,
                    "unseen" if asked.unseen else "brands")
    for key in ("label", "lang", "kind"):
        counts = collections.Counter(entry[key] for entry in entries)
        print(f"{key}:", ", ".join(f"{name} {count}" for name, count
                                   in counts.most_common()))
    sources = {entry["source"] for entry in entries}
    print(f"{len(entries)} messages of {len(entries) // asked.instances} "
          f"templates, {len(sources)} sources")


if __name__ == "__main__":
    sys.exit(main())
