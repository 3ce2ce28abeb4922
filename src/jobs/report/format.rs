//! Figures as people read them.

use super::figures::Estimate;

/// `12,345`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `12.3 %`, of a share in [0, 1]; what is there does not read as nothing, and what is missing not as all.
pub(super) fn percent(share: f64) -> String {
    let rounded = format!("{:.1}\u{a0}%", share * 100.0);
    match rounded.as_str() {
        "0.0\u{a0}%" if share > 0.0 => "<\u{a0}0.1\u{a0}%".into(),
        "100.0\u{a0}%" if share < 1.0 => ">\u{a0}99.9\u{a0}%".into(),
        _ => rounded,
    }
}

/// `+0.12`, with a real minus sign; what rounds to 0 has none.
pub(super) fn signed(value: f64) -> String {
    with_sign(value, 2)
}

/// `+12`, in points.
pub(super) fn points(value: f64) -> String {
    with_sign(value, 0)
}

/// `+1.2`, in log-odds.
pub(super) fn odds(value: f64) -> String {
    with_sign(value, 1)
}

fn with_sign(value: f64, places: usize) -> String {
    let size = format!("{:.places$}", value.abs());
    match size.chars().any(|c| ('1'..='9').contains(&c)) {
        true if value < 0.0 => format!("−{size}"),
        true => format!("+{size}"),
        false => size,
    }
}

/// `10.1 to 12.3 %`.
pub(super) fn percent_range(estimate: &Estimate) -> String {
    format!("{:.1} to {:.1}\u{a0}%", estimate.low * 100.0, estimate.high * 100.0)
}

/// `−0.12 to +0.34`.
pub(super) fn signed_range(estimate: &Estimate) -> String {
    format!("{} to {}", signed(estimate.low), signed(estimate.high))
}

/// `1 comment`, `2 comments`.
pub(super) fn many(value: u64, one: &str) -> String {
    format!("{} {one}{}", count(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.1234, -0.5, -0.001, 0.0].map(signed), ["+0.12", "−0.50", "0.00", "0.00"]);
        assert_eq!((percent(0.1234).as_str(), points(-12.4).as_str()), ("12.3\u{a0}%", "−12"));
        let shares = [0.0, 0.0001, 0.0006, 0.9999, 1.0].map(percent);
        assert_eq!(
            shares.map(|share| share.replace('\u{a0}', "")),
            ["0.0%", "<0.1%", "0.1%", ">99.9%", "100.0%"]
        );
        assert_eq!((many(1, "row"), many(1200, "row")), ("1 row".into(), "1,200 rows".into()));
    }
}
