"""The default market: six kinds of lead, in numbers. Rates are per day; see `leadlight.simulate.market`.

The funnel lies in the usual ranges of B2B practice, and the information sits where a marketer would look for it: in
recency, bursts, the kind of activity and the fit. The figures were chosen, not estimated from anyone's data.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from leadlight.schema import ACTIVITY_TYPES, STAGES
from leadlight.simulate.market import Floats, Market, Trait

# drifter: a name on a list; reader: student or competitor; gatherer: interested, no project; planner: a slow project;
# buyer: a project now; returner: long silence, then a project.
TYPES: Final = ("drifter", "reader", "gatherer", "planner", "buyer", "returner")
_TYPE_SHARE: Final = (0.405, 0.185, 0.24, 0.09, 0.06, 0.02)

# Activities a day while silent, active, evaluating; those of sales are below.
_BY_MOOD: Final[dict[str, tuple[float, float, float]]] = {
    "mail_sent": (0.085, 0.085, 0.085),
    "mail_open": (0.016, 0.055, 0.075),
    "mail_click": (0.001, 0.018, 0.035),
    "unsubscribe": (0.0001, 0.0001, 0.0001),
    "page_view": (0.014, 0.220, 0.280),
    "blog_view": (0.012, 0.200, 0.120),
    "case_study_view": (0.0006, 0.020, 0.160),
    "pricing_view": (0.0003, 0.010, 0.150),
    "download": (0.0006, 0.028, 0.045),
    "seminar_registered": (0.0004, 0.014, 0.020),
    "seminar_attended": (0.0002, 0.010, 0.015),
    "survey_answered": (0.0002, 0.006, 0.010),
    "chat": (0.0001, 0.002, 0.016),
    "business_card": (0.0002, 0.002, 0.004),
    "contact_form": (0.0001, 0.002, 0.018),
    "document_request": (0.0001, 0.003, 0.026),
}
_LEARNING: Final = ("blog_view", "page_view", "download", "seminar_registered", "seminar_attended", "survey_answered")
# How much more the types read and listen; what they do otherwise differs by mood alone.
_LEARNING_FACTOR: Final = (1.0, 1.3, 1.2, 1.0, 1.0, 1.0)
# What sales does by stage (lead, mql, sql, opportunity, customer, lost), alike for all types and moods.
_SALES_BY_STAGE: Final[dict[str, tuple[float, ...]]] = {
    "call": (0.0015, 0.060, 0.080, 0.070, 0.010, 0.003),
    "meeting": (0.0001, 0.004, 0.045, 0.060, 0.005, 0.0003),
}

# Moods: how long a silence, an active time, an evaluation lasts in days, and how they follow one another.
_SILENCE_DAYS: Final = (260.0, 220.0, 220.0, 220.0, 220.0, 220.0)
_ACTIVE_DAYS: Final = (7.0, 9.0, 9.0, 9.0, 9.0, 9.0)
_TO_EVALUATING: Final = (0.08, 0.08, 0.13, 0.19, 0.22, 0.20)  # share of active times that lead to an evaluation
_EVALUATION_DAYS: Final = (10.0, 10.0, 10.0, 10.0, 10.0, 10.0)
_INITIAL_MOOD: Final = (
    (0.62, 0.33, 0.05),
    (0.34, 0.58, 0.08),
    (0.26, 0.60, 0.14),
    (0.18, 0.58, 0.24),
    (0.14, 0.56, 0.30),
    (0.58, 0.28, 0.14),
)
# Once sales works on a lead, silences are shorter: factor on the silence by stage.
_SILENCE_FACTOR: Final = (1.0, 0.7, 0.5, 0.5, 2.0, 2.0)

# Moves of stage: per day while silent, active, evaluating.
_TO_MQL: Final = (0.0001, 0.0077, 0.0620)
_TO_MQL_FACTOR: Final = (0.26, 0.28, 0.65, 1.05, 1.25, 1.05)
_TO_SQL: Final = (0.031, 0.039, 0.051)
_TO_SQL_FACTOR: Final = (0.55, 0.55, 0.85, 1.0, 1.1, 1.0)
_RECYCLED: Final = (0.057, 0.041, 0.029)  # mql -> lead, with a reason
_RECYCLED_FACTOR: Final = (1.3, 1.3, 1.1, 0.85, 0.8, 0.85)
_TO_OPPORTUNITY: Final = (0.016, 0.024, 0.040)
_TO_OPPORTUNITY_FACTOR: Final = (0.4, 0.4, 0.8, 1.2, 1.5, 1.2)
_SQL_LOST: Final = (0.013, 0.009, 0.005)
_WON: Final = (0.0021, 0.0033, 0.0049)
_WON_FACTOR: Final = (0.3, 0.3, 0.6, 1.0, 1.4, 1.1)
_OPPORTUNITY_LOST: Final = (0.0040, 0.0027, 0.0022)
_REOPENED: Final = (0.00045, 0.0012, 0.0025)


def default_market() -> Market:
    """Build the default market."""
    return Market(
        types=TYPES,
        type_logit=np.log(np.array(_TYPE_SHARE)),
        company_traits=_company_traits(),
        person_traits=_person_traits(),
        initial_mood=np.array(_INITIAL_MOOD),
        mood_rates=_mood_rates(),
        stage_rates=_stage_rates(),
        rates=_activity_rates(),
    )


def _activity_rates() -> Floats:
    base = np.array([_BY_MOOD.get(kind, (0.0, 0.0, 0.0)) for kind in ACTIVITY_TYPES]).T  # (M, C)
    factor = np.ones((len(TYPES), len(ACTIVITY_TYPES)))
    for kind in _LEARNING:
        factor[:, ACTIVITY_TYPES.index(kind)] = _LEARNING_FACTOR
    rates = np.tile((base[None] * factor[:, None, :])[:, None], (1, len(STAGES), 1, 1))
    for kind, by_stage in _SALES_BY_STAGE.items():
        rates[..., ACTIVITY_TYPES.index(kind)] = np.array(by_stage)[None, :, None]
    return rates


def _mood_rates() -> Floats:
    rates = np.zeros((len(TYPES), len(STAGES), 3, 3))
    silence = np.outer(_SILENCE_DAYS, _SILENCE_FACTOR)
    active, evaluating, up = (np.array(x)[:, None] for x in (_ACTIVE_DAYS, _EVALUATION_DAYS, _TO_EVALUATING))
    rates[:, :, 0, 1] = 1 / silence
    rates[:, :, 1, 2] = up / active
    rates[:, :, 1, 0] = (1 - up) / active
    rates[:, :, 2, 1] = 1 / evaluating
    return rates


def _stage_rates() -> Floats:
    lead, mql, sql, opportunity, customer, lost = range(len(STAGES))
    one = (1.0,) * len(TYPES)
    moves = (
        (lead, mql, _TO_MQL, _TO_MQL_FACTOR),
        (mql, sql, _TO_SQL, _TO_SQL_FACTOR),
        (mql, lead, _RECYCLED, _RECYCLED_FACTOR),
        (sql, opportunity, _TO_OPPORTUNITY, _TO_OPPORTUNITY_FACTOR),
        (sql, lost, _SQL_LOST, one),
        (opportunity, customer, _WON, _WON_FACTOR),
        (opportunity, lost, _OPPORTUNITY_LOST, one),
        (lost, opportunity, _REOPENED, one),
    )
    rates = np.zeros((len(TYPES), len(STAGES), 3, len(STAGES)))
    for origin, target, by_mood, by_type in moves:
        rates[:, origin, :, target] = np.outer(by_type, by_mood)
    return rates


def _company_traits() -> tuple[Trait, ...]:
    """Company traits: their weight is added to the logit of each type, and nothing else depends on them."""
    none = (0.0,) * 6
    better, best = (-0.2, 0.0, 0.0, 0.3, 0.3, 0.2), (-0.4, 0.0, 0.1, 0.5, 0.6, 0.5)
    worse = (0.2, 0.3, 0.0, -0.5, -0.6, -0.4)
    industry = {
        "manufacturing": (0.22, best),
        "software": (0.18, better),
        "wholesale and retail": (0.15, none),
        "professional services": (0.13, none),
        "finance": (0.09, better),
        "construction": (0.09, none),
        "healthcare": (0.08, worse),
        "education": (0.06, (0.2, 0.8, 0.0, -0.9, -1.0, -0.8)),
    }
    size = {"10-49": (0.34, worse), "50-299": (0.34, none), "300-999": (0.20, better), "1000-9999": (0.12, best)}
    target = {"no": (0.80, (0.1, 0.1, 0.0, -0.1, -0.1, -0.1)), "yes": (0.20, (-0.4, -0.3, 0.0, 0.5, 0.6, 0.5))}
    prefecture = dict.fromkeys(PREFECTURES, (0.125, none))
    return (
        _company_trait("industry", industry, 0.02),
        _company_trait("company_size", size, 0.03),
        _company_trait("target_company", target, 0.0),
        _company_trait("prefecture", prefecture, 0.01),
    )


DEPARTMENTS: Final = (
    "marketing",
    "sales",
    "information systems",
    "corporate planning",
    "general affairs",
    "research",
)
PREFECTURES: Final = ("Tokyo", "Osaka", "Aichi", "Kanagawa", "Fukuoka", "Hyogo", "Saitama", "Hokkaido")


def _company_trait(name: str, values: Mapping[str, tuple[float, tuple[float, ...]]], missing: float) -> Trait:
    table = np.array([weights for _, weights in values.values()]).T
    marginal = np.array([share for share, _ in values.values()])
    return Trait(name, tuple(values), table, marginal, missing)


def _person_traits() -> tuple[Trait, ...]:
    """Person traits: one column of relative weights per value, by type; rows are then made to add up to 1."""
    department = dict.fromkeys(DEPARTMENTS, (1,) * len(TYPES))  # tells nothing
    title = {
        "staff": (54, 70, 44, 22, 16, 22),
        "chief": (20, 17, 24, 23, 20, 22),
        "manager": (15, 8, 19, 30, 32, 31),
        "director": (7, 3, 9, 17, 20, 17),
        "executive": (4, 2, 4, 8, 12, 8),
    }
    role = {
        "user": (44, 48, 42, 34, 31, 34),
        "influencer": (39, 38, 40, 42, 42, 42),
        "decision maker": (17, 14, 18, 24, 27, 24),
    }
    channel = {
        "list import": (30, 4, 6, 6, 3, 18),
        "exhibition": (26, 10, 18, 16, 10, 28),
        "paid search": (14, 20, 18, 18, 20, 12),
        "whitepaper": (14, 38, 28, 22, 14, 14),
        "seminar": (10, 20, 22, 20, 12, 14),
        "referral": (3, 2, 3, 8, 14, 8),
        "inquiry": (3, 6, 5, 10, 27, 6),
    }
    return (
        _person_trait("department", department, 0.04),
        _person_trait("job_title", title, 0.05),
        _person_trait("role", role, 0.25),
        _person_trait("acquisition_channel", channel, 0.0),
    )


def _person_trait(name: str, values: Mapping[str, tuple[int, ...]], missing: float) -> Trait:
    weight = np.array(list(values.values()), dtype=np.float64).T
    return Trait(name, tuple(values), weight / weight.sum(axis=1, keepdims=True), None, missing)
