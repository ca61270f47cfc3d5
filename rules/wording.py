"""A rule card in words and rows, for people, in English and Japanese."""

from typing import Any, Final, Literal

from rules.condition import EVERY_TYPE, Condition, leaves
from rules.parse import SIDES, Card, Named, Rule

Lang = Literal["en", "ja"]

WORDS: Final[dict[Lang, dict[str, str]]] = {
    "en": {
        "behaviour": "behaviour",
        "fit": "fit",
        "rule": "rule",
        "points": "points",
        "limits": "limits",
        "when": "when",
        "threshold": "threshold",
        "hot": "hot at once",
        "exclude": "no points at all",
        "ours": "(ours)",
        "each": "each",
        "once": "once",
        "while": "while it is true",
        "cap": "at most {}",
        "within": "last {}",
        "ever": "at any time",
        "half_life": "halves in {}",
        "group": "{}: {}",
        "all": " and ",
        "any": " or ",
        "not": "not ({})",
        "older_than": "lead older than {}",
        "stage": "was {}",
        "known": "{} known",
        "unknown": "{} missing",
        "every_type": "any activity",
    },
    "ja": {
        "behaviour": "行動",
        "fit": "属性",
        "rule": "項目",
        "points": "配点",
        "limits": "上限・期間",
        "when": "条件",
        "threshold": "閾値",
        "hot": "即 hot",
        "exclude": "対象外(0点)",
        "ours": "(独自)",
        "each": "1回ごと",
        "once": "1回のみ",
        "while": "該当する間",
        "cap": "最大{}",
        "within": "直近{}",
        "ever": "期間を問わず",
        "half_life": "{}で半減",
        "group": "{}: {}",
        "all": " かつ ",
        "any": " または ",
        "not": "({})でない",
        "older_than": "作成から{}超",
        "stage": "{}になったことがある",
        "known": "{}が入力済み",
        "unknown": "{}が未入力",
        "every_type": "すべての行動",
    },
}


def rows(card: Card, lang: Lang) -> list[dict[str, str]]:
    """Give a card as rows of text: side, rule, points, limits, when; rules first, then what makes hot or excludes."""
    words = WORDS[lang]
    out = [
        {
            "side": words[side],
            "rule": _label(rule, lang),
            "points": f"{rule.points:+g}",
            "limits": limits(card, rule, lang),
            "when": subject(rule, lang) if rule.when is None else condition(rule.when, lang),
        }
        for side in SIDES
        for rule in card.side(side)
    ]
    for key, entries in (("hot", card.hot_when), ("exclude", card.exclude)):
        out += [
            {
                "side": words[key],
                "rule": _label(entry, lang),
                "points": "",
                "limits": "",
                "when": condition(entry.when, lang),
            }
            for entry in entries
        ]
    return out


def limits(card: Card, rule: Rule, lang: Lang) -> str:
    """Say how often and up to what a rule gives points."""
    words = WORDS[lang]
    mode = "while" if rule.when is not None else "once" if rule.once else "each"
    parts = [words[mode]]
    parts += [words["cap"].format(f"{rule.cap:g}")] if rule.cap is not None else []
    parts += [words["within"].format(rule.within)] if rule.within is not None else []
    parts += [words["half_life"].format(rule.half_life)] if rule.half_life is not None else []
    if rule.group is not None:
        group = card.groups[rule.group]
        parts.append(words["group"].format(getattr(group.label, lang), f"{group.cap:g}"))
    return ", ".join(parts)


def subject(chosen: Any, lang: Lang) -> str:
    """Say which activities a rule or condition looks at."""
    parts = ["/".join(WORDS[lang]["every_type"] if name == EVERY_TYPE else name for name in chosen.activity)]
    parts += [
        f"{key}={value}" for key in ("actor", "channel", "content") if (value := getattr(chosen, key)) is not None
    ]
    if isinstance(chosen, Condition) and chosen.within is not None:
        parts.append(f"({WORDS[lang]['within'].format(chosen.within)})")
    return " ".join(parts)


def condition(asked: Condition, lang: Lang) -> str:
    """Say a condition in one line."""
    words = WORDS[lang]
    for key, parts in (("all", asked.all_), ("any", asked.any_)):
        if parts is not None:
            inside = [condition(part, lang) for part in parts]
            nested = [f"({text})" if part.all_ or part.any_ else text for part, text in zip(parts, inside, strict=True)]
            return words[key].join(nested)
    if asked.not_ is not None:
        return words["not"].format(condition(asked.not_, lang))
    if asked.older_than is not None:
        return words["older_than"].format(asked.older_than)
    if asked.stage is not None:
        within = "" if asked.within is None else f" ({words['within'].format(asked.within)})"
        return words["stage"].format(asked.stage) + within
    if asked.attribute is not None:
        return _comparison(asked, asked.attribute, lang)
    bounds = _bounds(asked) or " >= 1"
    return subject(asked, lang) + bounds


def windows(asked: Condition, lang: Lang) -> tuple[str, ...]:
    """Say in which windows a condition looks at activities and stages, each once; none where it looks at neither."""
    words = WORDS[lang]
    found = (
        words["ever"] if leaf.within is None else words["within"].format(leaf.within)
        for leaf in leaves(asked)
        if leaf.activity is not None or leaf.stage is not None
    )
    return tuple(dict.fromkeys(found))


def _comparison(asked: Condition, name: str, lang: Lang) -> str:
    if asked.known is not None:
        return WORDS[lang]["known" if asked.known else "unknown"].format(name)
    if asked.one_of is not None:
        return f"{name} = {' / '.join(asked.one_of)}"
    return name + _bounds(asked)


def _bounds(asked: Condition) -> str:
    if asked.at_least == asked.at_most or (asked.activity is not None and asked.at_most == 0):
        return "" if asked.at_most is None else f" = {asked.at_most:g}"
    if asked.at_least is not None and asked.at_most is not None:
        return f" {asked.at_least:g}-{asked.at_most:g}"
    least = "" if asked.at_least is None else f" >= {asked.at_least:g}"
    return least + ("" if asked.at_most is None else f" <= {asked.at_most:g}")


def _label(entry: Rule | Named, lang: Lang) -> str:
    text: str = getattr(entry.label, lang)
    return f"{text} {WORDS[lang]['ours']}" if entry.ours else text
