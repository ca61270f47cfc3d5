"""What a page, document, event or conversation is called. Drawn independently of the hidden type: it tells nothing."""

from typing import Final

import numpy as np

from leadlight.schema import ACTIVITY_TYPES
from leadlight.simulate.people import Codes

_SEMINARS: Final = (
    "introduction webinar",
    "case study webinar",
    "hands-on seminar",
    "industry trends seminar",
    "question and answer session",
)
CONTENTS: Final[dict[str, tuple[str, ...]]] = {
    "page_view": (
        "/",
        "/product/overview",
        "/product/features",
        "/product/security",
        "/product/demo",
        "/company",
        "/faq",
        "/news",
    ),
    "blog_view": (
        "/blog/how-to-start-lead-nurturing",
        "/blog/how-to-write-a-newsletter",
        "/blog/how-to-plan-a-webinar",
        "/blog/what-is-a-marketing-qualified-lead",
        "/blog/glossary-of-sales-terms",
        "/blog/trends-of-the-year",
        "/blog/ten-mistakes-in-mail-marketing",
        "/blog/comparing-marketing-tools",
        "/blog/inside-sales-basics",
        "/blog/measuring-content",
    ),
    "case_study_view": (
        "/cases/machine-maker",
        "/cases/software-house",
        "/cases/trading-company",
        "/cases/regional-bank",
        "/cases/builder",
    ),
    "pricing_view": ("/pricing", "/pricing/plans", "/pricing/estimate"),
    "download": (
        "/download/whitepaper-nurturing.pdf",
        "/download/whitepaper-scoring.pdf",
        "/download/checklist-handover.pdf",
        "/download/survey-report.pdf",
        "/download/product-guide.pdf",
    ),
    "seminar_registered": _SEMINARS,
    "seminar_attended": _SEMINARS,
    "survey_answered": _SEMINARS,
    "chat": ("plans", "features", "support"),
    "contact_form": ("contact",),
    "document_request": ("product documents",),
    "business_card": ("spring exhibition", "autumn exhibition"),
}
NEWSLETTER_EVERY_DAYS: Final = 10
# What creates a lead of each acquisition channel at its first instant; channels not named leave no activity.
FIRST_ACTIVITY: Final[dict[str, str]] = {
    "exhibition": "business_card",
    "paid search": "page_view",
    "whitepaper": "download",
    "seminar": "seminar_registered",
    "inquiry": "contact_form",
}


def draw_contents(kind: Codes, rng: np.random.Generator) -> Codes:
    """Choose one of the contents of each activity's kind, shape (n,); 0 where the kind has none."""
    sizes = np.array([len(CONTENTS.get(name, ("",))) for name in ACTIVITY_TYPES])
    position: Codes = np.floor(rng.random(len(kind)) * sizes[kind]).astype(np.int64)
    return position
