//! `attune models shadow-report`: how a candidate differs, for people.

use std::fmt::Write;

use clap::Args;

use super::ServerOptions;
use crate::api::grpc::v1;
use crate::cli::paint::{BOLD, DIM, styled};
use crate::error::Error;

/// Labels of a head that are shown: those that differ most.
const SHOWN: usize = 10;
const CLASSES: [&str; 3] = ["negative", "neutral", "positive"];

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportOptions {
    /// The model that answers
    #[arg(value_name = "MODEL", default_value = "default")]
    of: String,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) async fn run(options: &ReportOptions) -> Result<String, Error> {
    Ok(shown(&options.server.connect().await?.shadow_report(&options.of).await?))
}

/// A report as text.
pub(super) fn shown(report: &v1::ShadowReport) -> String {
    let mut out = String::new();
    // Writing into a String can't fail.
    let _ = write_report(report, &mut out);
    out
}

fn write_report(report: &v1::ShadowReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{} beside {}", styled(BOLD, &report.candidate), styled(BOLD, &report.model))?;
    writeln!(
        out,
        "  {} texts compared ({:.0} % of all were to be), {} dropped, {} not readable by the candidate",
        report.compared,
        report.share * 100.0,
        report.dropped,
        report.failed
    )?;
    writeln!(
        out,
        "  {:.1} ms a text against {:.1} ms, waiting included",
        report.candidate_seconds_per_text * 1e3,
        report.model_seconds_per_text * 1e3
    )?;
    for head in &report.heads {
        write_head(head, report.compared, out)?;
    }
    if !report.not_compared.is_empty() {
        let names = report.not_compared.join(", ");
        writeln!(out, "  {}", styled(DIM, &format!("in one of them only: {names}")))?;
    }
    Ok(())
}

fn write_head(head: &v1::ShadowHead, texts: u64, out: &mut String) -> std::fmt::Result {
    write!(out, "  head {}: ", styled(BOLD, &head.name))?;
    if head.activation() == v1::Activation::Softmax {
        write!(out, "the same label for {} of {texts} ({:.1} %); ", head.agreed, share(head.agreed, texts))?;
    }
    let (mean, largest) = (head.mean_difference, head.largest_difference);
    writeln!(out, "probabilities differ by {mean:.4} on the mean, by {largest:.3} at most")?;
    for (class, row) in CLASSES.iter().zip(head.confusion.chunks(3)) {
        let cells: Vec<String> = row.iter().zip(CLASSES).map(|(n, to)| format!("{n:>8} {to}")).collect();
        writeln!(out, "    {class:<9} became {}", cells.join(" "))?;
    }
    if head.confusion.is_empty() {
        write_labels(head, texts, out)?;
    }
    Ok(())
}

fn write_labels(head: &v1::ShadowHead, texts: u64, out: &mut String) -> std::fmt::Result {
    let mut labels: Vec<_> = head.labels.iter().collect();
    let flips = |label: &v1::ShadowLabel| label.gained + label.lost;
    labels.sort_by(|a, b| {
        flips(b)
            .cmp(&flips(a))
            .then(b.mean_difference.total_cmp(&a.mean_difference))
            .then(a.name.cmp(&b.name))
    });
    for label in labels.iter().take(SHOWN) {
        writeln!(
            out,
            "    {:<26} {:>7} gained {:>7} lost ({:.2} %)  mean {:.4}  most {:.3}",
            label.name,
            label.gained,
            label.lost,
            share(flips(label), texts),
            label.mean_difference,
            label.largest_difference
        )?;
    }
    if labels.len() > SHOWN {
        let more = labels.len() - SHOWN;
        writeln!(out, "    {}", styled(DIM, &format!("{more} more that differ less")))?;
    }
    Ok(())
}

fn share(part: u64, all: u64) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_what_differs_most_first() {
        let label = |n: u64| v1::ShadowLabel {
            name: format!("label-{n}"),
            gained: n,
            mean_difference: 0.01,
            ..Default::default()
        };
        let report = v1::ShadowReport {
            model: "m@1".into(),
            candidate: "m@2".into(),
            share: 0.25,
            compared: 200,
            heads: vec![
                v1::ShadowHead {
                    name: "sentiment".into(),
                    activation: v1::Activation::Softmax.into(),
                    agreed: 190,
                    confusion: vec![90, 4, 0, 0, 60, 0, 0, 6, 40],
                    ..Default::default()
                },
                v1::ShadowHead {
                    name: "cue".into(),
                    labels: (0..12).map(label).collect(),
                    ..Default::default()
                },
            ],
            not_compared: vec!["emotion".into()],
            ..Default::default()
        };
        let text = shown(&report);
        for part in
            ["200 texts compared (25 %", "190 of 200 (95.0 %)", "2 more that differ less", "only: emotion"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.find("label-11").unwrap() < text.find("label-10").unwrap());
        assert!(
            text.contains("positive  became        0 negative        6 neutral       40 positive"),
            "{text}"
        );
    }
}
