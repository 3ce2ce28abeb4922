//! An evaluation for people, as plain text.

use super::report::{Confusion, LabelReport, Report};

/// Headline metrics in the order in which they are read, with what is said of them.
const HEADLINE: [(&str, &str, &str); 10] = [
    ("accuracy", "accuracy", ""),
    ("macro_f1", "macro F1", ""),
    ("macro_f1_swept", "macro F1, swept", "optimistic: thresholds chosen on the rows they are judged on"),
    ("micro_f1", "micro F1", ""),
    ("macro_precision", "macro precision", ""),
    ("macro_recall", "macro recall", ""),
    ("top_label_acceptable", "top label acceptable", ""),
    ("pr_auc", "PR-AUC, mean", ""),
    ("ece", "ECE", ""),
    ("brier", "Brier score", ""),
];
/// Width of the column of label names.
const NAME: usize = 26;

/// The whole report.
pub(super) fn report(report: &Report) -> String {
    let mut lines = head(report);
    lines.extend(HEADLINE.iter().filter_map(|row| headline(report, row)));
    lines.push(String::new());
    lines.push(columns());
    lines.extend(report.labels().iter().map(label));
    if let Some(confusion) = report.confusion() {
        lines.push(String::new());
        lines.extend(matrix(confusion));
    }
    if let Some(mixed) = report.mixed() {
        lines.push(String::new());
        lines.push(format!(
            "mixed: {} labelled so (not in the score), {} of them found; {} with another label called mixed",
            mixed.labelled, mixed.found, mixed.called
        ));
    }
    if !report.rows().lines.is_empty() {
        lines.push(String::new());
        lines.push("not in the score:".into());
        lines.extend(report.rows().lines.iter().map(|line| format!("  {line}")));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn head(report: &Report) -> Vec<String> {
    let rows = report.rows();
    let speed = report.value("texts_per_second").map_or(0.0, |(value, _)| value);
    vec![
        format!("{} · {}", report.title(), report.data()),
        format!("{} of {} rows scored, {speed:.0} texts/s", rows.scored, rows.read),
        String::new(),
    ]
}

fn headline(report: &Report, (name, title, note): &(&str, &str, &str)) -> Option<String> {
    let (value, interval) = report.value(name)?;
    let interval = interval.map_or_else(String::new, |[low, high]| format!("95 % {low:.3} to {high:.3}"));
    Some(format!("{title:<NAME$}{value:>7.4}  {interval:<24}{note}"))
}

fn columns() -> String {
    format!(
        "{:<NAME$}{:>8}{:>10}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}{:>10}",
        "label", "support", "predicted", "precision", "recall", "F1", "PR-AUC", "ECE", "Brier", "threshold"
    )
}

fn label(label: &LabelReport) -> String {
    if label.support == 0 {
        return format!(
            "{:<NAME$}{:>8}{:>10}  no positives: not in the macro averages",
            label.label, 0, label.predicted
        );
    }
    let optional = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    format!(
        "{:<NAME$}{:>8}{:>10}{:>10.3}{:>8.3}{:>8.3}{:>8}{:>8.4}{:>8.4}{:>10}",
        label.label,
        label.support,
        label.predicted,
        label.precision,
        label.recall,
        label.f1,
        optional(label.pr_auc),
        label.ece,
        label.brier,
        optional(label.threshold)
    )
}

fn matrix(confusion: &Confusion) -> Vec<String> {
    let cells = |cells: Vec<String>| cells.iter().map(|cell| format!("{cell:>12}")).collect::<String>();
    let title = "true \\ predicted";
    let header = format!("{title:<NAME$}{}", cells(confusion.labels.clone()));
    let rows = confusion.labels.iter().zip(&confusion.counts).map(|(label, counts)| {
        format!("{label:<NAME$}{}", cells(counts.iter().map(u64::to_string).collect()))
    });
    std::iter::once(header).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::super::report::tests::report;
    use super::super::scores::tests::{classes, multi_label};

    #[test]
    fn a_report_says_what_was_scored_what_was_not_and_what_is_optimistic() {
        let text = report(multi_label(&[&[(0.9, true), (0.4, false)]]), Task::Cues).text();
        for expected in [
            "1 of 2 rows scored, 2 texts/s",
            "macro F1                   1.0000  95 % 1.000 to 1.000",
            "optimistic: thresholds chosen on the rows they are judged on",
            "no positives: not in the macro averages",
            "1 row: empty text (7)",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("mixed") && !text.contains("true \\ predicted"), "{text}");
    }

    #[test]
    fn classes_are_shown_with_their_confusion_and_the_mixed_rows() {
        let text = report(classes(&[(&[0.7, 0.3], 0), (&[0.6, 0.4], 1)]), Task::Sentiment).text();
        assert!(text.contains("true \\ predicted") && text.contains("mixed: 4 labelled so"), "{text}");
        assert!(!text.contains("swept"), "{text}");
    }
}
