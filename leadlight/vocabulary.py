"""The words of the product for activities, actors, stages and attributes, in English and Japanese."""

from typing import Final, Literal, NamedTuple, get_args

Lang = Literal["en", "ja"]
LANGS: Final[tuple[Lang, ...]] = get_args(Lang)


class Phrase(NamedTuple):
    """How an activity is spoken of.

    Attributes:
        did: English past tense ("viewed the pricing page").
        noun: English, one of them ("pricing page view").
        nouns: English, many of them.
        obj: Japanese object with its particle (「料金ページを」).
        act: Japanese verbal noun (「閲覧」); `obj` without particle + `act` is the Japanese noun.
    """

    did: str
    noun: str
    nouns: str
    obj: str
    act: str

    @property
    def ja(self) -> str:
        """The Japanese noun (「料金ページ閲覧」)."""
        return (self.obj[:-1] + "の" if self.obj.endswith("が") else self.obj.rstrip("をにで")) + self.act


ACTIVITIES: Final[dict[str, Phrase]] = {
    "mail_sent": Phrase("was sent an e-mail", "e-mail sent", "e-mails sent", "メールを", "送信"),
    "mail_open": Phrase("opened an e-mail", "e-mail opened", "e-mails opened", "メールを", "開封"),
    "mail_click": Phrase("clicked in an e-mail", "click in an e-mail", "clicks in e-mails", "メールを", "クリック"),
    "unsubscribe": Phrase("unsubscribed from e-mails", "unsubscription", "unsubscriptions", "メール配信を", "停止"),
    "page_view": Phrase("viewed a page of the site", "page view", "page views", "サイトのページを", "閲覧"),
    "blog_view": Phrase("read a blog article", "blog article view", "blog article views", "ブログ記事を", "閲覧"),
    "case_study_view": Phrase("viewed a case study", "case study view", "case study views", "導入事例を", "閲覧"),
    "pricing_view": Phrase(
        "viewed the pricing page", "pricing page view", "pricing page views", "料金ページを", "閲覧"
    ),
    "download": Phrase("downloaded a document", "download", "downloads", "資料を", "ダウンロード"),
    "seminar_registered": Phrase(
        "registered for a seminar", "seminar registration", "seminar registrations", "セミナーに", "申し込み"
    ),
    "seminar_attended": Phrase("attended a seminar", "seminar attendance", "seminar attendances", "セミナーに", "参加"),
    "survey_answered": Phrase("answered a survey", "survey answer", "survey answers", "アンケートに", "回答"),
    "chat": Phrase("used the chat", "chat", "chats", "チャットで", "会話"),
    "business_card": Phrase(
        "exchanged business cards", "exchange of business cards", "exchanges of business cards", "名刺を", "交換"
    ),
    "contact_form": Phrase(
        "sent the contact form", "contact form sent", "contact forms sent", "フォームで", "問い合わせ"
    ),
    "document_request": Phrase("requested documents", "document request", "document requests", "資料を", "請求"),
    "call": Phrase("had a call", "call", "calls", "", "通話"),
    "meeting": Phrase("had a meeting", "meeting", "meetings", "打ち合わせを", "実施"),
}
ANY_ACTIVITY: Final = Phrase("was active", "activity", "activities", "", "活動")
# What is said where no type is named but an actor is.
BY_ACTOR: Final[dict[str, Phrase]] = {
    "lead": Phrase("was active", "activity of the lead", "activities of the lead", "リードが", "行動"),
    "marketing": Phrase(
        "was contacted by marketing", "contact by marketing", "contacts by marketing", "マーケティングが", "接触"
    ),
    "sales": Phrase("was contacted by sales", "contact by sales", "contacts by sales", "営業が", "接触"),
    "system": Phrase("had a system event", "system event", "system events", "システムの", "記録"),
}
ACTORS_JA: Final = {"lead": "リード", "marketing": "マーケティング", "sales": "営業", "system": "システム"}
STAGES_EN: Final = {
    "lead": "lead",
    "mql": "MQL",
    "sql": "SQL",
    "opportunity": "opportunity",
    "customer": "customer",
    "lost": "lost",
}
STAGES_JA: Final = {
    "lead": "リード",
    "mql": "MQL",
    "sql": "SQL",
    "opportunity": "商談",
    "customer": "受注",
    "lost": "失注",
}
ATTRIBUTES_JA: Final = {
    "industry": "業種",
    "company_size": "企業規模",
    "employees": "従業員数",
    "department": "部署",
    "job_title": "役職",
    "role": "役割",
    "target_company": "ターゲット企業",
    "source": "獲得経路",
    "origin": "獲得経路",
    "channel": "獲得経路",
    "acquisition_channel": "獲得経路",
    "lead_source": "獲得経路",
    "employee_count": "従業員数",
    "company": "企業",
    "country": "国",
    "prefecture": "都道府県",
    "region": "地域",
}
WEEKDAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_JA: Final = "月火水木金土日"
# Parts of a rule's sum that are not rules of the card (see `rules.engine.RulePoints.by_rule`).
SPECIAL_RULES: Final[dict[str, tuple[str, str]]] = {
    "behaviour:floor": ("behaviour points never fall below 0", "行動スコアは0点を下回らない"),
    "behaviour:excluded": ("excluded by the rule card: no behaviour points", "配点表の除外条件により行動スコアなし"),
    "fit:excluded": ("excluded by the rule card: no fit points", "配点表の除外条件により属性スコアなし"),
}


def humanised(name: str) -> str:
    """Make a technical name readable.

    >>> humanised("w_nabellen_start"), humanised("job title")
    ('W nabellen start', 'Job title')
    """
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:] if words else name


def attribute_name(attribute: str, lang: Lang) -> str:
    """Name an attribute of a lead."""
    readable = humanised(attribute)
    return ATTRIBUTES_JA.get(attribute.lower(), readable) if lang == "ja" else readable


def activity_noun(activity_type: str, lang: Lang) -> str:
    """Name an activity type as a noun."""
    found = phrase_of(activity_type)
    return found.ja if lang == "ja" else found.noun


def phrase_of(activity_type: str) -> Phrase:
    """Give the phrase of an activity type; one that is not canonical is quoted by its readable name."""
    if activity_type in ACTIVITIES:
        return ACTIVITIES[activity_type]
    readable = humanised(activity_type)
    return Phrase(f"had “{readable}”", f"“{readable}”", f"“{readable}”", f"「{readable}」を", "記録")
