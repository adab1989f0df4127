-- Evidence of the indicators in `found`, by another engine: benchmarks/indicator_speed.py runs it on DuckDB.
CREATE TEMP TABLE fee AS
SELECT settlement_id, drug_id FROM fee_fact
WHERE drug_id IS NOT NULL AND valid_from < getvariable('as_of')
    AND (valid_to IS NULL OR valid_to >= getvariable('as_of'));

CREATE TEMP TABLE kind AS
SELECT settlement_id, true AS has_drug,
    bool_or(coalesce(d.is_cold_chain, false)) AS has_cold_chain,
    bool_or(coalesce(d.category = 'herb_tonic', false)) AS has_tonic
FROM fee LEFT JOIN (
    SELECT drug_id, is_cold_chain, category FROM drug
    WHERE valid_from < getvariable('as_of') AND (valid_to IS NULL OR valid_to >= getvariable('as_of'))
) d USING (drug_id)
GROUP BY settlement_id;

CREATE TEMP TABLE visit AS
SELECT * FROM visit_fact
WHERE valid_from < getvariable('as_of') AND (valid_to IS NULL OR valid_to >= getvariable('as_of'));

CREATE TEMP TABLE refund AS
SELECT original_settlement_id AS settlement_id, sum(total_amount) AS amount
FROM visit WHERE is_refund GROUP BY original_settlement_id;

CREATE TEMP TABLE shown AS
SELECT f.subject_id, f.reason_code, v.settlement_id, v.service_date, v.total_amount
FROM visit v
JOIN found f ON f.subject_id = v.member_id
LEFT JOIN refund r ON r.settlement_id = v.settlement_id
LEFT JOIN kind k ON k.settlement_id = v.settlement_id
WHERE NOT v.is_refund AND (r.amount IS NULL OR v.total_amount > -r.amount)
    AND getvariable('as_of') - v.service_date BETWEEN 1 AND greatest(f.window_days, 30)
    AND coalesce(shows(
        f.evidence, k.has_drug, k.has_cold_chain, k.has_tonic,
        len(list_filter(v.proxies, lambda p: p.valid_from < getvariable('as_of')
            AND (p.valid_to IS NULL OR p.valid_to >= getvariable('as_of')))) > 0,
        v.visit_type = '14', v.credential_type = '01'
    ), false);

CREATE TEMP TABLE indicator AS
SELECT found.* EXCLUDE (evidence), first_date, last_date, coalesce(settlement_ids, []) AS settlement_ids
FROM found LEFT JOIN (
    SELECT subject_id, reason_code, min(service_date) AS first_date, max(service_date) AS last_date,
        list(settlement_id ORDER BY total_amount DESC, settlement_id)[:getvariable('most_named')]
            AS settlement_ids
    FROM shown GROUP BY subject_id, reason_code
) USING (subject_id, reason_code);
