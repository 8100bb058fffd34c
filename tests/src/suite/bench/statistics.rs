//! Medians, percentiles and means.

/// The value below or at which so many percent of the values lie; sorts them. 0 where there are none.
pub(super) fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * percent / 100.0).ceil() as usize;
    let at = at.clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().unwrap_or_default()
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    if values.len().is_multiple_of(2) && half > 0 {
        (at(half - 1) + at(half)) / 2.0
    } else {
        at(half)
    }
}

/// The geometric mean of positive values, if there are any.
pub(super) fn geometric_mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_came() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        let shown = [0.0, 50.0, 75.0, 99.0, 100.0].map(|percent| percentile(&mut values, percent));
        assert_eq!(shown, [1.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(percentile(&mut [], 50.0), 0.0);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn twice_and_half_are_even() {
        assert_eq!(geometric_mean(&[2.0, 0.5]), Some(1.0));
        assert_eq!(geometric_mean(&[]), None);
    }
}
