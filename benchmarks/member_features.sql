-- The features of benchmarks/member_features.py in DuckDB, written from their definitions
-- (docs/features.md). The variables as_of and the views settlement, fee_detail, drug, institution and
-- person, with the columns of the landing contract, are there before it runs.

CREATE TEMP TABLE raw_visit AS
SELECT setl_id, psn_no, setl_time, fixmedins_code, med_type, dise_codg, mdtrt_cert_type,
    coalesce(begntime, setl_time)::DATE AS first_day, coalesce(endtime, setl_time)::DATE AS last_day,
    (medfee_sumamt * 100)::BIGINT AS cents, (fund_pay_sumamt * 100)::BIGINT AS fund_cents,
    coalesce(refd_setl_flag = '1', FALSE) AS is_refund,
    CASE WHEN refd_setl_flag = '1' THEN orig_setl_id END AS orig_setl_id
FROM settlement
WHERE setl_time >= getvariable('as_of') - 365 AND setl_time < getvariable('as_of');

-- What refunds leave of visits and of their lines.
CREATE TEMP TABLE netted AS
WITH refund AS (
    SELECT orig_setl_id, sum(cents) AS cents, sum(fund_cents) AS fund_cents
    FROM raw_visit WHERE orig_setl_id IS NOT NULL GROUP BY ALL
)
SELECT v.* EXCLUDE (cents, fund_cents, is_refund, orig_setl_id),
    v.cents + coalesce(r.cents, 0) AS cents,
    CASE WHEN v.cents > 0 THEN v.fund_cents / v.cents ELSE 0 END AS fund_share,
    datediff('day', setl_time::DATE, getvariable('as_of')) AS ago
FROM raw_visit v LEFT JOIN refund r ON r.orig_setl_id = v.setl_id
WHERE NOT v.is_refund AND v.orig_setl_id IS NULL
    AND (r.cents IS NULL OR v.cents + r.cents > 0);

CREATE TEMP TABLE line AS
WITH told AS (
    SELECT f.*, coalesce(v.orig_setl_id, v.setl_id) AS netted_id,
        (f.det_item_fee_sumamt * 100)::BIGINT AS cents,
        coalesce(f.prd_days, 0)::DOUBLE AS stated_days,
        CASE WHEN f.prd_days IS NULL THEN f.cnt ELSE 0 END::DOUBLE AS unstated,
        CASE WHEN med_list_codg IS NOT NULL THEN bilg_dr_codg END AS doctor
    FROM fee_detail f JOIN raw_visit v USING (setl_id)
    WHERE f.fee_ocur_time >= getvariable('as_of') - 365 AND f.fee_ocur_time < getvariable('as_of')
), touched AS (SELECT DISTINCT netted_id FROM told WHERE netted_id <> setl_id)
SELECT netted_id AS setl_id, item_type, med_list_codg, doctor, cnt::DOUBLE AS cnt, cents, stated_days, unstated
FROM told WHERE netted_id NOT IN (SELECT netted_id FROM touched)
UNION ALL
SELECT netted_id, CASE WHEN med_list_codg IS NULL THEN item_type END AS kind, med_list_codg, min(doctor),
    round(sum(cnt), 4)::DOUBLE, sum(cents), round(sum(stated_days), 4), round(sum(unstated), 4)
FROM told WHERE netted_id IN (SELECT netted_id FROM touched)
GROUP BY netted_id, kind, med_list_codg HAVING round(sum(cnt), 4) > 0 AND sum(cents) > 0;

CREATE TEMP TABLE visit AS
WITH amounts AS (
    SELECT setl_id,
        coalesce(sum(cents) FILTER (med_list_codg IS NOT NULL), 0) AS drug_cents,
        coalesce(sum(cents) FILTER (item_type = 'treatment'), 0) AS treatment_cents,
        coalesce(sum(cents) FILTER (item_type = 'exam'), 0) AS exam_cents,
        round(coalesce(sum(cnt) FILTER (med_list_codg IS NOT NULL), 0), 4) AS boxes,
        count(med_list_codg) AS drug_lines
    FROM line GROUP BY ALL
)
SELECT v.*, i.inst_type, i.visit_cap::DOUBLE AS visit_cap, i.admdvs, i.lat, i.lon,
    coalesce(drug_cents, 0) AS drug_cents, coalesce(treatment_cents, 0) AS treatment_cents,
    coalesce(exam_cents, 0) AS exam_cents, coalesce(treatment_cents, 0) + coalesce(exam_cents, 0) AS other_cents, coalesce(boxes, 0) AS boxes,
    coalesce(drug_lines, 0) > 0 AND med_type IS DISTINCT FROM '21' AS has_drug
FROM netted v LEFT JOIN institution i USING (fixmedins_code) LEFT JOIN amounts USING (setl_id);

CREATE TEMP TABLE prefix AS
SELECT med_list_codg, unnest(string_split(indications, ';')) AS prefix FROM drug WHERE indications <> '';

CREATE TEMP TABLE told_item AS
SELECT v.psn_no, v.dise_codg, round_even(l.cents * v.fund_share, 0)::BIGINT AS fund_cents, v.setl_id, v.fixmedins_code, v.med_type, v.setl_time, v.ago, v.fund_share, l.doctor, l.cents, l.cnt,
    d.med_list_codg, d.atc, d.category, d.ddd_per_box, d.days_per_box, d.monthly_max_boxes, d.resale_ratio,
    d.chronic, d.cold_chain, d.watch_from, coalesce(d.ingredient, l.med_list_codg) AS ingredient,
    l.stated_days + l.unstated * coalesce(d.days_per_box, 0) AS supply
FROM line l JOIN visit v USING (setl_id) LEFT JOIN drug d USING (med_list_codg)
WHERE l.med_list_codg IS NOT NULL;

CREATE TEMP TABLE item AS
WITH fitting AS (
    SELECT DISTINCT med_list_codg, dise_codg
    FROM (SELECT DISTINCT med_list_codg, dise_codg FROM told_item) JOIN prefix USING (med_list_codg)
    WHERE starts_with(dise_codg, prefix)
), limited AS (SELECT DISTINCT med_list_codg, TRUE AS is_limited FROM prefix),
judged AS (
    SELECT t.*, is_limited IS NULL OR f.dise_codg IS NOT NULL AS fits_visit
    FROM told_item t LEFT JOIN limited USING (med_list_codg)
    LEFT JOIN fitting f ON f.med_list_codg = t.med_list_codg AND f.dise_codg = t.dise_codg
), open_pair AS (SELECT DISTINCT psn_no, med_list_codg FROM judged WHERE NOT fits_visit),
known AS (
    SELECT DISTINCT psn_no, dise_codg FROM visit WHERE med_type IS DISTINCT FROM '41' AND dise_codg IS NOT NULL
), fits AS (
    SELECT DISTINCT psn_no, med_list_codg, TRUE AS fits_known
    FROM open_pair JOIN prefix USING (med_list_codg) JOIN known USING (psn_no)
    WHERE starts_with(dise_codg, prefix) OR starts_with(prefix, dise_codg)
)
SELECT j.*, fits_visit OR coalesce(fits_known, FALSE) AS fits_member
FROM judged j LEFT JOIN fits USING (psn_no, med_list_codg);

CREATE TEMP TABLE drug_visit AS
WITH stepped AS (
    SELECT v.*, lag(ago) OVER w - ago AS gap, lag(setl_time) OVER w AS time_before, lag(lat) OVER w AS lat_before,
        lag(lon) OVER w AS lon_before, lag(fixmedins_code) OVER w AS place_before,
        max(ago) OVER (PARTITION BY psn_no, fixmedins_code) AS first_seen
    FROM visit v WHERE has_drug WINDOW w AS (PARTITION BY psn_no ORDER BY setl_time, setl_id)
), spelled AS (
    SELECT *, sum((coalesce(gap, 0) >= 90)::INT) OVER (
        PARTITION BY psn_no ORDER BY setl_time, setl_id ROWS UNBOUNDED PRECEDING) AS spell
    FROM stepped
)
SELECT *, spell > 0 AND max(ago) OVER (PARTITION BY psn_no, spell) - ago < 30 AS woken FROM spelled;

CREATE MACRO km(a, b, c, d) AS 2 * 6371.0 * asin(sqrt(least(1, greatest(0,
    pow(sin((radians(c) - radians(a)) / 2), 2)
    + cos(radians(a)) * cos(radians(c)) * pow(sin(radians(d - b) / 2), 2)))));

CREATE TEMP TABLE use_feature AS
SELECT psn_no,
    count_if(ago <= 30) AS visit_count_30d, count_if(ago <= 90) AS visit_count_90d, count(*) AS visit_count_365d,
    coalesce(sum(round_even(drug_cents * fund_share, 0)) FILTER (ago <= 90), 0) / 100 AS drug_fund_sum_90d,
    sum(round_even(drug_cents * fund_share, 0)) / 100 AS drug_fund_sum_365d,
    sum(drug_cents) / 100 AS drug_amount_sum_365d,
    count(DISTINCT ago) FILTER (ago <= 90) / 90 AS active_day_share_90d,
    avg((other_cents = 0)::INT) FILTER (ago <= 180) AS drug_only_share_180d,
    ln((coalesce(sum(drug_cents) FILTER (ago <= 90), 0) / 100 + 100)
        / (coalesce(sum(drug_cents) FILTER (ago > 90 AND ago <= 360), 0) / 3 / 100 + 100)) AS drug_amount_growth_360d,
    avg((hour(setl_time) >= 20 OR hour(setl_time) < 6)::INT) FILTER (ago <= 90) AS off_hour_share_90d,
    avg((cents * 10 >= round(visit_cap * 100) * 9 AND cents < round(visit_cap * 100))::INT) FILTER (ago <= 90) AS cap_hug_share_90d,
    CASE WHEN median(boxes) FILTER (ago <= 90) <= 2 THEN count_if(ago <= 90) ELSE 0 END AS small_visit_count_90d,
    stddev_samp(gap) FILTER (ago <= 180) / nullif(avg(gap) FILTER (ago <= 180), 0) AS gap_variation_180d,
    count_if(woken AND ago <= 180) AS wake_up_visit_count_180d,
    avg((inst_type = 'village')::INT) AS village_share_365d,
    count(DISTINCT fixmedins_code) FILTER (ago <= 30) AS institution_count_30d,
    count(DISTINCT fixmedins_code) FILTER (ago <= 90) AS institution_count_90d,
    count(DISTINCT admdvs) FILTER (ago <= 90) AS district_count_90d,
    count(DISTINCT fixmedins_code) FILTER (ago <= 90 AND first_seen <= 90)
        / nullif(count(DISTINCT fixmedins_code) FILTER (ago <= 90), 0) AS new_institution_share_90d,
    count_if(ago <= 180 AND coalesce(km(lat_before, lon_before, lat, lon) - 3
        > 120 * epoch(setl_time - time_before) / 3600, FALSE)) AS impossible_travel_count_180d,
    median(km(home_lat, home_lon, lat, lon)) FILTER (ago <= 180) AS home_km_median_180d,
    min(epoch(setl_time - time_before) / 60) FILTER (ago <= 90 AND place_before <> fixmedins_code) AS min_gap_minutes_90d,
    count_if(coalesce(setl_time::DATE > death_date, FALSE) OR coalesce(setl_time::DATE >= paused_from, FALSE))
        AS dead_or_paused_visit_count_365d,
    avg((mdtrt_cert_type = '01')::INT) FILTER (ago <= 90) AS e_voucher_share_90d,
    count_if(ago <= 90 AND mdtrt_cert_type = '01' AND km(home_lat, home_lon, lat, lon) > 50) AS far_voucher_count_90d
FROM drug_visit LEFT JOIN (SELECT psn_no, home_lat, home_lon, death_date, paused_from FROM person) USING (psn_no)
GROUP BY ALL;

CREATE TEMP TABLE day_feature AS
WITH days AS (
    SELECT psn_no, ago, count(*) AS visits, count(DISTINCT fixmedins_code) AS places
    FROM drug_visit WHERE ago <= 90 GROUP BY ALL
)
SELECT psn_no, count_if(places > 1) AS multi_institution_day_count_90d,
    sum(visits - places) AS split_settlement_count_90d FROM days GROUP BY ALL;

CREATE TEMP TABLE spread_feature AS
WITH places AS (
    SELECT psn_no, fixmedins_code, count(*) AS n FROM drug_visit WHERE ago <= 180 GROUP BY ALL
), parts AS (SELECT psn_no, n / sum(n) OVER (PARTITION BY psn_no) AS part FROM places)
SELECT psn_no, -sum(part * ln(part)) AS institution_entropy_180d,
    sum(part * part) AS institution_concentration_180d FROM parts GROUP BY ALL;

CREATE TEMP TABLE doctor_feature AS
WITH doctors AS (
    SELECT psn_no, doctor, count(*) AS n, min(ago) AS ago FROM item
    WHERE doctor IS NOT NULL AND ago <= 180 AND med_type IS DISTINCT FROM '21' GROUP BY ALL
), parts AS (SELECT *, n / sum(n) OVER (PARTITION BY psn_no) AS part FROM doctors)
SELECT psn_no, count_if(ago <= 90) AS doctor_count_90d, -sum(part * ln(part)) AS doctor_entropy_180d,
    sum(part * part) AS doctor_concentration_180d FROM parts GROUP BY ALL;

CREATE TEMP TABLE care_feature AS
SELECT psn_no,
    count_if(ago <= 90 AND treatment_cents > exam_cents AND left(dise_codg, 3) IN ('N18', 'N19', 'Z49', 'Z99', 'Z94'))
        AS dialysis_visit_count_90d,
    count_if(dise_codg LIKE 'Z94%' OR dise_codg LIKE 'T86%') AS transplant_visit_count_365d,
    avg(coalesce(dise_codg LIKE 'C%', FALSE)::INT) AS cancer_visit_share_365d,
    count_if(med_type = '21') AS stay_count_365d,
    CASE WHEN sum(cents) > 0 THEN sum(other_cents) / sum(cents) END AS treatment_share_365d,
    bool_or(exam_cents > 0) AS has_exam
FROM visit GROUP BY ALL;

CREATE TEMP TABLE clash_feature AS
SELECT d.psn_no, count(DISTINCT d.setl_id) AS admitted_visit_count_365d
FROM drug_visit d JOIN visit s ON s.psn_no = d.psn_no AND s.med_type = '21'
WHERE d.setl_time::DATE > s.first_day AND d.setl_time::DATE < s.last_day AND d.fixmedins_code <> s.fixmedins_code
GROUP BY ALL;

CREATE TEMP TABLE product_feature AS
WITH items AS (
    SELECT *, cents * greatest(0, coalesce(resale_ratio, 0) - (1 - fund_share)) AS gain,
        coalesce(watch_from <= getvariable('as_of') - ago::INT, FALSE) AS watched
    FROM item WHERE med_type IS DISTINCT FROM '21'
), months AS (
    SELECT psn_no, date_trunc('month', getvariable('as_of') - ago::INT) AS month, med_list_codg,
        round(sum(cnt), 4) / any_value(monthly_max_boxes) AS filled FROM items GROUP BY ALL
), full_month AS (
    SELECT psn_no, month, max(filled) AS filled FROM months GROUP BY ALL
), full_months AS (SELECT psn_no, count_if(filled >= 0.95) AS month_cap_count_365d FROM full_month GROUP BY ALL),
shares AS (
    SELECT psn_no,
        sum(cents) FILTER (ago <= 90 AND coalesce(cold_chain, FALSE)) AS cold, sum(cents) FILTER (ago <= 90) AS in_90,
        sum(cents) FILTER (ago <= 90 AND category = 'tcm_injection') AS injection,
        sum(cents) FILTER (ago <= 90 AND category = 'herb_tonic') AS tonic,
        sum(cents) FILTER (ago <= 90 AND watched) AS watch,
        sum(cents) FILTER (ago <= 180) AS in_180, sum(cents) FILTER (ago <= 180 AND resale_ratio > 0) AS resalable,
        coalesce(sum(cents) FILTER (ago <= 180 AND NOT fits_visit), 0) AS mismatch,
        coalesce(sum(cents) FILTER (ago <= 180 AND NOT fits_member), 0) AS unexplained,
        coalesce(sum(fund_cents) FILTER (NOT fits_member), 0) / 100 AS unexplained_fund_sum_365d,
        coalesce(sum(gain) FILTER (ago <= 90), 0) / 100 AS resale_gain_sum_90d, sum(gain) / 100 AS resale_gain_sum_365d,
        count(DISTINCT left(atc, 1)) FILTER (ago <= 180 AND chronic AND atc <> '') AS chronic_class_count_180d,
        count(DISTINCT ingredient) FILTER (ago <= 180) AS ingredient_count_180d,
        coalesce(sum(cents) FILTER (chronic), 0) / 100 AS chronic_amount_sum_365d
    FROM items GROUP BY ALL
)
SELECT psn_no, coalesce(cold, 0) / nullif(in_90, 0) AS cold_chain_share_90d,
    coalesce(injection, 0) / nullif(in_90, 0) AS injection_share_90d, coalesce(tonic, 0) / nullif(in_90, 0) AS tonic_share_90d,
    coalesce(watch, 0) / nullif(in_90, 0) AS watch_share_90d,
    coalesce(resalable, 0) / nullif(in_180, 0) AS resalable_share_180d,
    mismatch / nullif(in_180, 0) AS visit_mismatch_share_180d, unexplained / nullif(in_180, 0) AS unexplained_share_180d,
    unexplained_fund_sum_365d, resale_gain_sum_90d, resale_gain_sum_365d, chronic_class_count_180d, ingredient_count_180d,
    chronic_amount_sum_365d, month_cap_count_365d
FROM shares LEFT JOIN full_months USING (psn_no);

CREATE TEMP TABLE supply_feature AS
WITH fill AS (
    SELECT psn_no, ingredient, ago, fixmedins_code, min(setl_time) AS first_time, sum(supply) AS supply, coalesce(bool_or(chronic), FALSE) AS chronic,
        sum(fund_cents) AS fund_cents, coalesce(sum(fund_cents) FILTER (NOT fits_member), 0) AS unexplained_cents,
        sum(cnt * ddd_per_box) AS ddd, max(ddd_per_box / days_per_box) AS label_ddd
    FROM item WHERE supply > 0 AND med_type IS DISTINCT FROM '21' GROUP BY ALL
), told AS (
    SELECT psn_no, least(365, greatest(0, datediff('day', first_day, getvariable('as_of')))) AS first_ago,
        least(365, greatest(0, datediff('day', last_day, getvariable('as_of')))) AS last_ago
    FROM visit WHERE med_type = '21'
), stay AS (
    SELECT psn_no, least(first_ago, min(last_ago) OVER (PARTITION BY psn_no ORDER BY first_ago DESC, last_ago
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS first_ago, last_ago
    FROM told
    QUALIFY least(first_ago, min(last_ago) OVER (PARTITION BY psn_no ORDER BY first_ago DESC, last_ago
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) > last_ago
), admitted AS (
    SELECT f.psn_no, f.ago, sum(greatest(0, first_ago - greatest(last_ago, f.ago))) AS days
    FROM (SELECT DISTINCT psn_no, ago FROM fill) f JOIN stay USING (psn_no) GROUP BY ALL
), admitted_in_all AS (SELECT psn_no, sum(first_ago - last_ago) AS days_in_all FROM stay GROUP BY ALL
), placed AS (
    SELECT f.* REPLACE (round_even(least(f.supply, 3650), 2) AS supply),
        coalesce(a.days, 0) AS admitted_days, coalesce(t.days_in_all, 0) AS days_in_all,
        (-f.ago - coalesce(a.days, 0)) * 100 AS day, round_even(least(f.supply, 3650) * 100, 0)::BIGINT AS parts
    FROM fill f LEFT JOIN admitted a USING (psn_no, ago) LEFT JOIN admitted_in_all t USING (psn_no)
), running AS (
    SELECT *, day + parts AS ends, sum(parts) OVER w - parts - day AS level,
        max((day + parts, fixmedins_code)) OVER b AS longest,
        lag(parts) OVER w AS parts_before, lag(fixmedins_code) OVER w AS place_before, lag(ago) OVER w - ago AS gap
    FROM placed
    WINDOW w AS (PARTITION BY psn_no, ingredient ORDER BY first_time, fixmedins_code ROWS UNBOUNDED PRECEDING),
        b AS (PARTITION BY psn_no, ingredient ORDER BY first_time, fixmedins_code
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), stocked AS (
    SELECT *, level - min(level) OVER (PARTITION BY psn_no, ingredient ORDER BY first_time, fixmedins_code
            ROWS UNBOUNDED PRECEDING) AS stock,
        CASE WHEN longest[2] <> fixmedins_code THEN least(ends, longest[1]) ELSE day END AS until
    FROM running
), covered AS (
    SELECT *, greatest(0, until - greatest(day, coalesce(max(until) OVER (PARTITION BY psn_no, ingredient
        ORDER BY first_time, fixmedins_code ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), day))) / 100 AS elsewhere,
        row_number() OVER (PARTITION BY psn_no, ingredient ORDER BY first_time, fixmedins_code) AS rank
    FROM stocked
), by_ingredient AS (
    SELECT psn_no, ingredient, coalesce(sum(supply) FILTER (ago <= 90), 0) AS s90,
        coalesce(sum(supply) FILTER (ago <= 180), 0) AS s180, sum(supply) AS s365,
        greatest(0, arg_max((stock + parts) / 100.0 - ago + days_in_all - admitted_days, rank)) AS stock_now,
        max(stock / 100.0 + supply) AS stock_peak,
        coalesce(sum(elsewhere) FILTER (ago <= 180), 0) AS e180, sum(elsewhere) AS e365,
        count_if(ago <= 180 AND stock >= 0.25 * parts_before AND stock > 0) AS early,
        count_if(ago <= 180 AND stock >= 0.25 * parts_before AND stock > 0 AND place_before <> fixmedins_code) AS early_e,
        count(*) FILTER (ago <= 90 AND place_before <> fixmedins_code AND gap <= 7) AS repeat_e,
        coalesce(sum(ddd) FILTER (ago <= 90), 0) / (90 * max(label_ddd)) AS dose,
        count_if(chronic AND supply >= 28) AS long_fills, count_if(chronic) AS chronic_fills,
        greatest(0, least(1, 1 - (max(ago) + 30) / sum(supply))) AS excess, sum(fund_cents) AS fund_cents,
        sum(unexplained_cents) AS unexplained_cents
    FROM covered GROUP BY ALL
)
SELECT psn_no, max(s90) / 90 AS supply_ratio_max_90d, max(s180) / 180 AS supply_ratio_max_180d,
    max(s365) / 365 AS supply_ratio_max_365d, sum(greatest(0, s180 - 210)) AS excess_days_180d,
    max(stock_now) AS stock_days_max, max(stock_peak) AS stock_peak_days_365d,
    sum(e180) AS elsewhere_overlap_days_180d, sum(e365) AS elsewhere_overlap_days_365d,
    sum(early) AS early_refill_count_180d, sum(early_e) AS elsewhere_early_refill_count_180d,
    sum(repeat_e) AS repeat_elsewhere_7d_count_90d, max(dose) AS dose_ratio_max_90d,
    count_if(s180 / 180 > 1.2) AS oversupplied_ingredient_count_180d,
    sum(long_fills) / nullif(sum(chronic_fills), 0) AS long_fill_share_365d,
    sum(fund_cents * excess + unexplained_cents * (1 - excess)) / 100 AS excess_fund_sum_365d
FROM by_ingredient GROUP BY ALL;

-- Counts, days and sums are 0 where there is nothing to count; shares and the like are empty.
CREATE TEMP TABLE feature AS
SELECT m.psn_no AS member_id,
    COLUMNS(lambda c: regexp_matches(c, '(_count|_sum|^excess_days|overlap_days|^stock_days|^stock_peak).*_')
        AND c NOT LIKE 'doctor_count%').coalesce(0),
    COLUMNS(lambda c: regexp_matches(c, '_share_|_ratio|growth|variation|entropy|concentration|_km_|min_gap')),
    coalesce(o.doctor_count_90d, 0) AS doctor_count_90d,
    (coalesce(o.doctor_count_90d, 0) >= 5 AND coalesce(u.institution_count_90d, 0) >= 5)::INT AS is_multiple_provider_90d
FROM (SELECT DISTINCT psn_no FROM visit) m
LEFT JOIN use_feature u USING (psn_no) LEFT JOIN day_feature y USING (psn_no)
LEFT JOIN spread_feature e USING (psn_no) LEFT JOIN doctor_feature o USING (psn_no)
LEFT JOIN care_feature c USING (psn_no) LEFT JOIN clash_feature h USING (psn_no)
LEFT JOIN product_feature p USING (psn_no) LEFT JOIN supply_feature s USING (psn_no);
