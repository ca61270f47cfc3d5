"""What hygiene sets aside and how strictly: the settings, with the practice's usual values, as `hygiene.yaml` has them.

Read by the batch rules and by a scoring process alike, so nothing heavy is imported here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from leadlight.documents import Document
from leadlight.errors import InputError
from leadlight.workspace import Workspace

Cause = Literal[
    "duplicate_id",
    "duplicate",
    "future",
    "too_early",
    "scanner_agent",
    "click_before_open",
    "many_links",
    "merged_lead",
    "merged_change",
    "internal_domain",
    "competitor_domain",
]

# Pieces of user agents that mail security gates, link checkers, crawlers and scripts give themselves, in small letters.
# Image proxies of mail providers (GoogleImageProxy, YahooMailProxy) are missing on purpose: behind them sits a reader.
SCANNER_AGENTS: Final = (
    "barracuda",
    "mimecast",
    "proofpoint",
    "messagelabs",
    "symantec",
    "ironport",
    "fireeye",
    "fortimail",
    "forcepoint",
    "sophos",
    "trend micro",
    "trendmicro",
    "zscaler",
    "safelinks",
    "existence discovery",
    "bingpreview",
    "urldefense",
    "linkscanner",
    "link scanner",
    "linkchecker",
    "link checker",
    "mail scanner",
    "mailscanner",
    "virustotal",
    "bot/",
    "googlebot",
    "bingbot",
    "ahrefsbot",
    "semrushbot",
    "slackbot",
    "crawler",
    "spider",
    "facebookexternalhit",
    "headlesschrome",
    "phantomjs",
    "python-requests",
    "python-urllib",
    "go-http-client",
    "apache-httpclient",
    "libwww-perl",
    "curl/",
    "wget/",
)
# Types whose `detail` is what somebody wrote, and may name a scanner without being one.
FREE_TEXT_TYPES: Final = ("chat", "survey_answered", "contact_form", "document_request", "business_card")


class DomainSettings(BaseModel):
    """Which leads are no prospects, by the domain in one of their attributes (a domain, an address or a URL)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    internal: tuple[str, ...] = ()
    competitors: tuple[str, ...] = ()

    @field_validator("internal", "competitors")
    @classmethod
    def _plain(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(domain.strip().lower().removeprefix("@").removeprefix("*.") for domain in domains)
        for domain in plain:
            if not domain or any(sign in domain for sign in " /@*:"):
                raise ValueError(f"`{domain}` is not a domain; write it as example.com")
        return plain


class HygieneSettings(BaseModel):
    """What is set aside; every key is optional, `null` switches a rule off.

    Attributes:
        duplicate_ids: set aside every activity but the first known of those with one id.
        duplicate_seconds: within so many seconds, activities of one lead that agree in type, actor, content and
            detail are one; the first known stays.
        scanner_agents: pieces of a `detail` (capitals ignored) by which a machine names itself.
        free_text_types: types in whose `detail` agents are not looked for.
        sent_types: types that are a mail sent; like the next two they are matched by lead and content.
        open_types: types that are a mail opened.
        click_types: types that are a link followed.
        click_before_open_seconds: a click so soon after its mail was sent, with no open known before it, is a gate's.
        burst_contents: so many different contents ...
        burst_seconds: ... clicked by one lead within so many whole seconds are a machine's.
        future: set aside what occurred after the end of the record.
        too_early_days: set aside what occurred more than so many days before the lead was created.
        domains: internal and competitor domains.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duplicate_ids: bool = True
    duplicate_seconds: float | None = Field(default=1.0, ge=0.000001, le=3_600)
    scanner_agents: tuple[str, ...] = SCANNER_AGENTS
    free_text_types: tuple[str, ...] = FREE_TEXT_TYPES
    sent_types: tuple[str, ...] = ("mail_sent",)
    open_types: tuple[str, ...] = ("mail_open",)
    click_types: tuple[str, ...] = ("mail_click",)
    click_before_open_seconds: float | None = Field(default=30.0, ge=0, le=3_600)
    burst_contents: int = Field(default=3, ge=2, le=100)
    burst_seconds: int | None = Field(default=5, ge=0, le=60)
    future: bool = True
    too_early_days: float | None = Field(default=365.0, ge=0)
    domains: DomainSettings | None = None

    @field_validator("scanner_agents")
    @classmethod
    def _small(cls, agents: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(agent.strip()) < 3 for agent in agents):
            raise ValueError("a piece of an agent needs at least 3 letters, or it would match people's browsers")
        return tuple(agent.lower() for agent in agents)

    def for_clock(self, clock: Literal["time", "order"]) -> "HygieneSettings":
        """Switch off what compares times where the data has an order but no clock."""
        if clock == "time":
            return self
        timed = ("duplicate_seconds", "click_before_open_seconds", "burst_seconds", "too_early_days")
        return self.model_copy(update=dict.fromkeys(timed))

    def to_json(self) -> dict[str, Any]:
        """Give the settings as JSON, as bundles carry them."""
        return self.model_dump(mode="json")


def load(path: Path) -> HygieneSettings:
    """Read a `hygiene.yaml`.

    Raises:
        InputError: located at the line that is wrong.
    """
    document = Document.read(path, InputError)
    return HygieneSettings() if document.data is None else document.validate(HygieneSettings)


def recorded(training: Mapping[str, Any]) -> HygieneSettings | None:
    """Give the settings that a bundle was trained with; None where it was trained without hygiene."""
    told = training.get("hygiene")
    return None if told is None else HygieneSettings.model_validate(told["settings"])


def of_workspace(workspace: Workspace) -> HygieneSettings:
    """Give the settings in force: the workspace's `hygiene.yaml`, else the defaults; fit for the data's clock.

    Raises:
        InputError: the file is wrong.
        WorkspaceError: nothing was ingested.
    """
    found = load(workspace.hygiene) if workspace.hygiene.exists() else HygieneSettings()
    return found.for_clock(workspace.tables_info().clock)
