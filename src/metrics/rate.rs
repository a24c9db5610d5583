//! Counters and histograms over time, by Prometheus' rules.

/// By how much a counter grew between two readings. A smaller reading is a restart: then it grew by all of it.
///
/// NaN and infinite readings count as no growth.
pub fn increase(before: f64, after: f64) -> f64 {
    if !before.is_finite() || !after.is_finite() {
        0.0
    } else if after >= before {
        after - before
    } else {
        after.max(0.0)
    }
}

/// The quantile (`q` in 0..1) of a histogram given as pairs of upper bound and cumulative count, in any order.
///
/// Linear inside a bucket, the first of which begins at 0 when its bound is positive; within the bucket without an upper bound the answer is the
/// highest finite bound. `None` without that bucket, without observations, or when only it exists.
pub fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let mut buckets: Vec<(f64, f64)> = buckets
        .iter()
        .copied()
        .filter(|(bound, count)| !bound.is_nan() && count.is_finite())
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    make_cumulative(&mut buckets);
    let (last_bound, total) = *buckets.last()?;
    if last_bound != f64::INFINITY || buckets.len() < 2 || total <= 0.0 {
        return None;
    }
    let rank = q.clamp(0.0, 1.0) * total;
    let at = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (bound, count) = *buckets.get(at)?;
    if bound == f64::INFINITY {
        return buckets.get(at.checked_sub(1)?).map(|(bound, _)| *bound);
    }
    let (start, below) = match at.checked_sub(1).and_then(|before| buckets.get(before)) {
        Some(before) => *before,
        None if bound <= 0.0 => return Some(bound),
        None => (0.0, 0.0),
    };
    let within = count - below;
    if within <= 0.0 {
        return Some(bound);
    }
    Some(start + (bound - start) * (rank - below) / within)
}

/// Counts of a histogram that was read while it grew may sink from bucket to bucket; they never do in truth.
fn make_cumulative(buckets: &mut [(f64, f64)]) {
    let mut highest = 0.0_f64;
    for (_, count) in buckets {
        highest = highest.max(*count);
        *count = highest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|f| (f - expected).abs() < 1e-9)
    }

    #[test]
    fn a_counter_that_fell_was_restarted() {
        assert!(near(Some(increase(10.0, 25.0)), 15.0));
        assert!(near(Some(increase(25.0, 4.0)), 4.0));
        assert!(near(Some(increase(f64::NAN, 4.0)), 0.0));
        assert!(near(Some(increase(4.0, INF)), 0.0));
    }

    #[test]
    fn quantiles_are_linear_inside_a_bucket() {
        let buckets = [(0.1, 50.0), (0.2, 90.0), (0.5, 100.0), (INF, 100.0)];
        assert!(near(quantile(0.5, &buckets), 0.1));
        assert!(near(quantile(0.95, &buckets), 0.35));
        assert!(near(quantile(0.25, &buckets), 0.05));
    }

    #[test]
    fn beyond_the_last_bound_the_last_bound_is_the_answer() {
        assert!(near(quantile(0.95, &[(0.1, 10.0), (INF, 100.0)]), 0.1));
    }

    #[test]
    fn without_observations_or_an_open_bucket_there_is_no_quantile() {
        assert_eq!(quantile(0.95, &[(0.1, 0.0), (INF, 0.0)]), None);
        assert_eq!(quantile(0.95, &[(0.1, 5.0), (0.2, 6.0)]), None);
        assert_eq!(quantile(0.95, &[(INF, 6.0)]), None);
        assert_eq!(quantile(0.95, &[]), None);
    }

    #[test]
    fn order_and_small_dents_do_not_matter() {
        let buckets = [(INF, 100.0), (0.2, 49.0), (0.1, 50.0), (f64::NAN, 1.0)];
        assert!(near(quantile(0.5, &buckets), 0.1));
    }
}
