-- What an expert in DuckDB would write by hand for this one catalog, to be fast. It shares nothing with the product.
-- {tables} is the folder of the workspace's tables, {snapshots} and {out} are Parquet files, {titles} are the job
-- titles with a code of their own. The log is read once and kept as narrow rows (codes instead of texts, its order in
-- the file instead of instant and id). One window gives neighbours in time; then it is aggregated per lead, type and
-- actor with plain aggregates, and pivoted after. A colleague is active if its newest activity is.

SET preserve_insertion_order = false;

CREATE TEMP TABLE leads AS
SELECT row_number() OVER ()::INTEGER AS lead, lead_id, account_id, epoch_us(created_at) AS created_at, industry,
       employees, job_title, country, contract_until
FROM read_parquet('{tables}/leads.parquet');

CREATE TEMP TABLE asked AS
SELECT l.lead, s.lead_id, s.as_of, l.account_id
FROM read_parquet('{snapshots}') s JOIN leads l USING (lead_id);

CREATE TEMP TABLE log AS
SELECT l.lead, a.file_row_number AS nr, epoch_us(a.occurred_at) AS instant, epoch_us(a.received_at) AS received,
       CASE a.type WHEN 'page_view' THEN 0 WHEN 'mail_sent' THEN 1 WHEN 'mail_open' THEN 2 WHEN 'blog_view' THEN 3
                   WHEN 'mail_click' THEN 4 WHEN 'call' THEN 5 WHEN 'pricing_view' THEN 6
                   WHEN 'case_study_view' THEN 7 WHEN 'download' THEN 8 WHEN 'seminar_attended' THEN 9
                   WHEN 'meeting' THEN 10 WHEN 'bounce' THEN 11 ELSE 12 END::UTINYINT AS kind,
       CASE a.actor WHEN 'lead' THEN 0 WHEN 'marketing' THEN 1 WHEN 'sales' THEN 2 ELSE 3 END::UTINYINT AS actor,
       a.content, a.value
FROM read_parquet('{tables}/activities.parquet', file_row_number = true) a JOIN leads l USING (lead_id);

CREATE TEMP TABLE known AS
SELECT g.lead, g.nr, g.instant, g.kind, g.actor, g.content, g.value, s.as_of - g.instant AS age
FROM log g JOIN asked s USING (lead)
WHERE g.instant < s.as_of AND (g.received IS NULL OR g.received < s.as_of);

CREATE TEMP TABLE totals AS
WITH neighbours AS (
    SELECT lead, nr, instant, kind, actor, value, age, age / 86400000000.0 AS days,
           instant // 86400000000 AS day,
           lag(instant // 86400000000) OVER lead_time AS day_before,
           CASE WHEN actor = 0 THEN lag(CASE WHEN actor = 0 THEN instant END IGNORE NULLS) OVER lead_time END AS own_before,
           lead(CASE WHEN actor = 0 THEN instant END IGNORE NULLS) OVER lead_time AS own_after
    FROM known
    WINDOW lead_time AS (PARTITION BY lead ORDER BY nr)
), kinds AS (
    SELECT lead, kind, actor, count(*) AS n, sum((age <= 86400000000)::INTEGER) AS n1,
           sum((age <= 604800000000)::INTEGER) AS n7, sum((age <= 1209600000000)::INTEGER) AS n14,
           sum((age <= 2592000000000)::INTEGER) AS n30, sum((age <= 5184000000000)::INTEGER) AS n60,
           sum((age <= 7776000000000)::INTEGER) AS n90, min(age) AS newest, max(age) AS oldest, sum(value) AS value,
           sum(CASE WHEN age <= 2592000000000 THEN age END) AS age30,
           sum(exp(days * (-ln(2) / 3))) AS d3, sum(exp(days * (-ln(2) / 14))) AS d14,
           sum(exp(days * (-ln(2) / 45))) AS d45,
           sum((day IS DISTINCT FROM day_before)::INTEGER) AS new_days,
           sum((instant - own_before) / 86400000000.0) AS gaps, sum(((instant - own_before) / 86400000000.0) ** 2) AS squares,
           sum((age <= 2592000000000 AND (own_before IS NULL OR instant - own_before > 1800000000
                                          OR age + instant - own_before > 2592000000000))::INTEGER) AS visits,
           sum((instant % 86400000000 >= 32400000000 AND instant % 86400000000 < 64800000000 AND (day + 3) % 7 < 5)::INTEGER)
               AS office,
           sum((own_after - instant <= 86400000000)::INTEGER) AS returned,
           sum((own_after - instant <= 604800000000)::INTEGER) AS answered,
           max(nr, 3) AS last3
    FROM neighbours GROUP BY lead, kind, actor
)
SELECT lead, sum(n) AS n, sum(n1) AS n1, sum(n7) AS n7, sum(n30) AS n30, sum(n90) AS n90, sum(value) AS value,
       sum(new_days) AS days_active, min(newest) AS newest, max(oldest) AS oldest,
       sum(d3) AS d3, sum(d14) AS d14, sum(d45) AS d45,
       min(newest) FILTER (kind = 0) AS r0, min(newest) FILTER (kind = 1) AS r1, min(newest) FILTER (kind = 2) AS r2,
       min(newest) FILTER (kind = 3) AS r3, min(newest) FILTER (kind = 4) AS r4, min(newest) FILTER (kind = 5) AS r5,
       min(newest) FILTER (kind = 6) AS r6, min(newest) FILTER (kind = 7) AS r7,
       sum(d14) FILTER (kind = 0) AS e0, sum(d14) FILTER (kind = 1) AS e1, sum(d14) FILTER (kind = 2) AS e2,
       sum(d14) FILTER (kind = 3) AS e3, sum(d14) FILTER (kind = 4) AS e4, sum(d14) FILTER (kind = 5) AS e5,
       sum(d14) FILTER (kind = 6) AS e6, sum(d14) FILTER (kind = 7) AS e7,
       sum(d3) FILTER (kind = 0) AS page3, sum(d45) FILTER (kind = 0) AS page45,
       sum(n) FILTER (actor = 0) AS own, sum(n7) FILTER (actor = 0) AS own7, sum(n14) FILTER (actor = 0) AS own14,
       sum(n30) FILTER (actor = 0) AS own30, sum(n60) FILTER (actor = 0) AS own60,
       sum(age30) FILTER (actor = 0) AS age30, sum(gaps) AS gaps, sum(squares) AS squares,
       sum(visits) FILTER (actor = 0) AS visits, sum(office) FILTER (actor = 0) AS office,
       sum(returned) FILTER (actor = 0) AS returned, count(DISTINCT kind) FILTER (actor = 0) AS breadth,
       count(DISTINCT kind) FILTER (actor = 0 AND n90 > 0) AS breadth90,
       min(newest) FILTER (actor = 0) AS by_lead, min(newest) FILTER (actor = 1) AS by_marketing,
       min(newest) FILTER (actor = 2) AS by_sales,
       sum(answered) FILTER (actor = 1) AS answered, sum(n) FILTER (actor = 1) AS contacts,
       list_sort(flatten(list(list_transform(last3, lambda nr: nr * 16 + kind))), 'DESC')[:3] AS last_types
FROM kinds GROUP BY lead;

CREATE TEMP TABLE contents AS
SELECT lead, count(*) AS contents
FROM (SELECT DISTINCT lead, content FROM known WHERE content IS NOT NULL) GROUP BY lead;

CREATE TEMP TABLE pairs AS
SELECT i.lead, i.as_of, j.lead AS theirs
FROM asked i JOIN leads j ON j.account_id = i.account_id AND j.lead <> i.lead AND j.created_at < i.as_of
QUALIFY row_number() OVER (PARTITION BY i.lead ORDER BY j.created_at DESC, j.lead_id DESC) <= 50;

CREATE TEMP TABLE company AS
SELECT lead, count(*) FILTER (age <= 2592000000000) AS active, min(age) AS newest
FROM (
    SELECT p.lead, p.theirs, min(p.as_of - g.instant) AS age
    FROM pairs p JOIN log g ON g.lead = p.theirs
    WHERE g.actor = 0 AND g.instant < p.as_of AND (g.received IS NULL OR g.received < p.as_of)
    GROUP BY p.lead, p.theirs
) GROUP BY lead;

CREATE TEMP TABLE titles AS
WITH changes AS (
    SELECT l.lead AS theirs, epoch_us(c.changed_at) AS instant, c.old_value, c.value
    FROM read_parquet('{tables}/attribute_changes.parquet') c JOIN leads l USING (lead_id) WHERE c.field = 'job_title'
), everybody AS (
    SELECT lead, as_of, lead AS theirs FROM asked UNION ALL SELECT lead, as_of, theirs FROM pairs
), changed AS (
    SELECT e.lead, e.theirs, true AS changed, arg_min(c, c.instant).old_value AS before,
           max_by(c.value, c.instant) FILTER (c.instant < e.as_of) AS after
    FROM everybody e JOIN changes c USING (theirs) GROUP BY e.lead, e.theirs
)
SELECT e.lead, e.theirs, CASE WHEN c.changed THEN coalesce(c.after, c.before) ELSE l.job_title END AS title
FROM everybody e JOIN leads l ON l.lead = e.theirs
LEFT JOIN changed c ON c.lead = e.lead AND c.theirs = e.theirs;

CREATE TEMP TABLE stages AS
SELECT s.lead, min(s.as_of - epoch_us(e.entered_at)) AS in_stage,
       min(s.as_of - epoch_us(e.entered_at)) FILTER (e.stage = 'lost') AS lost,
       min(s.as_of - epoch_us(e.entered_at)) FILTER (e.stage = 'mql') AS mql,
       min(s.as_of - epoch_us(e.entered_at)) FILTER (e.stage = 'sql') AS sql
FROM read_parquet('{tables}/stages.parquet') e JOIN asked s USING (lead_id)
WHERE epoch_us(e.entered_at) < s.as_of GROUP BY s.lead;

COPY (
    WITH roles AS (
        SELECT lead, count(DISTINCT title) AS roles, any_value(title) FILTER (theirs = lead) AS title
        FROM titles GROUP BY lead
    )
    SELECT s.lead_id, s.as_of,
        (s.as_of - l.created_at) / 86400000000.0 AS age,
        ((l.created_at // 86400000000 + 3) % 7)::DOUBLE AS created_weekday,
        (l.created_at // 3600000000 % 24)::DOUBLE AS created_hour,
        g.in_stage / 86400000000.0 AS in_stage, g.lost / 86400000000.0 AS "since.lost",
        g.mql / 86400000000.0 AS "since.mql", g.sql / 86400000000.0 AS "since.sql",
        l.employees::DOUBLE AS "fit.employees",
        CASE WHEN l.industry IS NOT NULL THEN coalesce(list_position(
            ['it', 'retail', 'manufacturing', 'public', 'education', 'health', 'finance', 'logistics'], l.industry
            ) - 1, 8)::DOUBLE END AS "fit.industry",
        CASE WHEN r.title IS NOT NULL THEN
            coalesce(list_position({titles}, r.title) - 1, len({titles}))::DOUBLE END AS "fit.job_title",
        CASE WHEN l.country IS NOT NULL THEN coalesce(list_position(
            ['JP', 'US', 'DE', 'FR', 'GB', 'IN', 'BR', 'CN', 'KR', 'AU', 'CA', 'NL'], l.country
            ) - 1, 12)::DOUBLE END AS "fit.country",
        (s.as_of - epoch_us(l.contract_until::DATE::TIMESTAMP)) / 86400000000.0 AS "fit.contract_until",
        (l.contract_until IS NULL)::DOUBLE AS "missing.contract_until",
        coalesce(t.n, 0)::DOUBLE AS count, coalesce(t.days_active, 0)::DOUBLE AS days_active,
        coalesce(t.n1, 0)::DOUBLE AS count_1d, coalesce(t.n7, 0)::DOUBLE AS count_7d,
        coalesce(t.n30, 0)::DOUBLE AS count_30d, coalesce(t.n90, 0)::DOUBLE AS count_90d,
        coalesce(t.value, 0)::DOUBLE AS value, coalesce(c.contents, 0)::DOUBLE AS contents,
        t.newest / 86400000000.0 AS recency, t.oldest / 86400000000.0 AS first_activity,
        t.r0 / 86400000000.0 AS "recency.page_view", t.r1 / 86400000000.0 AS "recency.mail_sent",
        t.r2 / 86400000000.0 AS "recency.mail_open", t.r3 / 86400000000.0 AS "recency.blog_view",
        t.r4 / 86400000000.0 AS "recency.mail_click", t.r5 / 86400000000.0 AS "recency.call",
        t.r6 / 86400000000.0 AS "recency.pricing_view", t.r7 / 86400000000.0 AS "recency.case_study_view",
        log2((coalesce(own7, 0) + 1) / (coalesce(own14 - own7, 0) + 1)::DOUBLE) AS momentum_7d,
        log2((coalesce(own30, 0) + 1) / (coalesce(own60 - own30, 0) + 1)::DOUBLE) AS momentum_30d,
        CASE WHEN own30 > 0 THEN 1 - t.age30 / own30 * (2 / 2592000000000.0) END AS trend_30d,
        coalesce(t.d3, 0) AS decayed_3d, coalesce(t.d14, 0) AS decayed_14d, coalesce(t.d45, 0) AS decayed_45d,
        coalesce(t.e0, 0) AS "decayed_14d.page_view", coalesce(t.e1, 0) AS "decayed_14d.mail_sent",
        coalesce(t.e2, 0) AS "decayed_14d.mail_open", coalesce(t.e3, 0) AS "decayed_14d.blog_view",
        coalesce(t.e4, 0) AS "decayed_14d.mail_click", coalesce(t.e5, 0) AS "decayed_14d.call",
        coalesce(t.e6, 0) AS "decayed_14d.pricing_view", coalesce(t.e7, 0) AS "decayed_14d.case_study_view",
        coalesce(t.page3, 0) AS "decayed_3d.page_view", coalesce(t.page45, 0) AS "decayed_45d.page_view",
        coalesce(t.visits, 0)::DOUBLE AS sessions_30d,
        CASE WHEN t.own > 1 THEN t.gaps / (t.own - 1) END AS gap_mean,
        CASE WHEN t.own > 0 THEN t.office / t.own::DOUBLE END AS "share.office_hours",
        CASE WHEN t.own > 1 AND t.gaps > 0 THEN sqrt(t.squares / (t.own - 1)) / (t.gaps / (t.own - 1)) END AS gap_spread,
        coalesce(t.breadth90, 0)::DOUBLE AS breadth_90d, coalesce(t.breadth, 0)::DOUBLE AS breadth,
        (t.last_types[1] % 16)::DOUBLE AS last_type_1, (t.last_types[2] % 16)::DOUBLE AS last_type_2,
        CASE WHEN t.own > 0 THEN coalesce(t.returned, 0) / t.own::DOUBLE END AS returned_1d,
        (t.last_types[3] % 16)::DOUBLE AS last_type_3,
        t.by_lead / 86400000000.0 AS "recency.by_lead", t.by_marketing / 86400000000.0 AS "recency.by_marketing",
        t.by_sales / 86400000000.0 AS "recency.by_sales",
        CASE WHEN t.contacts > 0 THEN coalesce(t.answered, 0) / t.contacts::DOUBLE END AS "answered_7d.by_marketing",
        coalesce(o.active, 0)::DOUBLE AS colleagues_active_30d, o.newest / 86400000000.0 AS colleague_recency,
        coalesce(r.roles, 0)::DOUBLE AS "roles.job_title"
    FROM asked s JOIN leads l USING (lead)
    LEFT JOIN totals t USING (lead) LEFT JOIN contents c USING (lead) LEFT JOIN company o USING (lead)
    LEFT JOIN roles r USING (lead) LEFT JOIN stages g USING (lead)
) TO '{out}' (FORMAT parquet, COMPRESSION lz4);
