"""The sentences of a threshold recommendation, in English and Japanese."""

from collections.abc import Mapping
from typing import Any, Final

from leadlight.vocabulary import Lang
from leadlight.wording import number
from scoring.wish import Wish

Row = Mapping[str, Any]

# What the success of a hand-over is called, as part of "... rate".
RATES: Final[dict[str, tuple[str, str]]] = {
    "sql": ("SQL rate", "SQL転換率"),
    "opportunity": ("opportunity rate", "商談転換率"),
    "customer": ("win rate", "受注転換率"),
}


def percent(share: float | None) -> str:
    """Write a share for people.

    >>> percent(0.3), percent(0.305), percent(None)
    ('30 %', '30.5 %', 'n/a')
    """
    return "n/a" if share is None else f"{number(100 * share)} %"


def chosen(row: Row, binding: str, wish: Wish, target: str, lang: Lang) -> str:
    """Say why a threshold is recommended."""
    limit = number(wish.capacity_per_week or 0.0)
    rate, volume = percent(row["sql_rate"]), number(row["mqls_per_week"])
    span = f"{percent(row['low'])} - {percent(row['high'])}"
    name = RATES[target][lang == "ja"]
    if lang == "ja":
        why = {
            "capacity": f"これより下げると週{limit}件の対応可能件数を超えます",
            "rate": f"これより下げると{name}が目標下限の{percent(wish.low)}を割ります",
            "none": "これより下げても捕捉できる成果は増えません",
        }[binding]
        return f"閾値{row['threshold']}点では{name}{rate}(95 %区間 {span})、引き渡しは週{volume}件。{why}。"
    why = {
        "capacity": f"a lower one would exceed the capacity of {limit} a week",
        "rate": f"a lower one would fall below the target rate of {percent(wish.low)}",
        "none": "a lower one would catch no more wins",
    }[binding]
    return (
        f"A threshold of {row['threshold']} catches the most wins that the limits allow: {name} {rate} "
        f"(95 % interval {span}), {volume} MQLs a week; {why}."
    )


def nothing(curve: Mapping[str, Any], nearest: Row | None, binding: str, wish: Wish, lang: Lang) -> str:
    """Say that no threshold fulfils the wish, why, and which comes nearest."""
    if nearest is None:
        most, least = max((row["mature"] for row in curve["rows"]), default=0), curve["min_mature"]
        if lang == "ja":
            return f"結果の確定した引き渡しが最大でも{most}件({least}件必要)のため、推奨できる閾値はありません。"
        return f"No threshold can be recommended: at most {most} crossings have a known outcome, {least} are needed."
    rate, volume, at = percent(nearest["sql_rate"]), number(nearest["mqls_per_week"]), nearest["threshold"]
    limit, low = number(wish.capacity_per_week or 0.0), percent(wish.low)
    name = RATES[str(curve.get("target", "sql"))][lang == "ja"]
    if lang == "ja":
        closest = f"最も近いのは{at}点({name}{rate}、週{volume}件)です。"
        if binding == "capacity":
            return f"{name}{low}以上の閾値はいずれも週{limit}件の対応可能件数を超えます。{closest}"
        return f"{name}{low}に届く閾値はありません。{closest}"
    closest = f"{at} comes nearest ({rate} at {volume} a week)."
    if binding == "capacity":
        return f"Every threshold that reaches {low} exceeds the capacity of {limit} a week; {closest}"
    return f"No threshold reaches the {name} of {low}; {closest}"


def notes(curve: Mapping[str, Any], row: Row, change: Row, wish: Wish, lang: Lang, *, binding: str) -> tuple[str, ...]:
    """Say what changes against the current threshold, and what else to know."""
    name = RATES[str(curve.get("target", "sql"))][lang == "ja"]
    found = [_against_current(row, change, name, lang)]
    if row["sql_rate"] > wish.high:
        found.append(_above_range(name, wish, lang, binding=binding))
    elif row["low"] < wish.low:
        found.append(
            f"{name}の95 %区間は目標下限の{percent(wish.low)}を含みます。"
            if lang == "ja"
            else f"The 95 % interval of the {name} includes values below {percent(wish.low)}."
        )
    if row["lead_to_mql"] is not None:
        found.append(_lead_to_mql(row["lead_to_mql"], curve["usual_lead_to_mql"], lang))
    return tuple(found)


def _above_range(name: str, wish: Wish, lang: Lang, *, binding: str) -> str:
    """Say that the rate is above the range; more capacity helps only where capacity keeps the threshold up."""
    above = f"The {name} is above the target range (up to {percent(wish.high)})"
    helps = ": with more capacity the threshold can be lowered"
    end = "."
    if lang == "ja":
        above = f"{name}が目標上限の{percent(wish.high)}を上回っています"
        helps, end = "。対応可能件数が増えれば閾値を下げられます", "。"
    return above + (helps if binding == "capacity" else "") + end


def _lead_to_mql(share: float, usual: tuple[float, float], lang: Lang) -> str:
    bottom, top = usual
    place = 1 + (share > top) - (share < bottom)
    span = f"{percent(bottom)} - {percent(top)}"
    if lang == "ja":
        return (
            f"リード→MQLの転換率は{percent(share)}で、目安({span}){('を下回ります', '内です', 'を上回ります')[place]}。"
        )
    return f"Lead to MQL is {percent(share)}, {('below', 'within', 'above')[place]} the usual range ({span})."


def _against_current(row: Row, change: Row, name: str, lang: Lang) -> str:
    now = number(change["current"])
    if row["threshold"] == change["current"]:
        return f"現在の閾値({now}点)と同じです。" if lang == "ja" else f"This is the current threshold ({now})."
    before = change["yields"]
    volumes = f"{number(before['mqls_per_week'])} -> {number(row['mqls_per_week'])}"
    rates = f"{percent(before['sql_rate'])} -> {percent(row['sql_rate'])}"
    wins = f"{percent(before['wins_share'])} -> {percent(row['wins_share'])}"
    if lang == "ja":
        return f"現在の{now}点と比べて、引き渡しは週{volumes}件、{name}は{rates}、捕捉できる成果は{wins}。"
    return f"Against the current {now}: {volumes} MQLs a week, {name} {rates}, wins caught {wins}."
