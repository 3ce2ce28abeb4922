//! A report of invented rows: what it says, what it never says, and that it is the same after a resumption.

use super::sample::{columns, facts, layout, rows, tally};
use super::*;

#[test]
fn a_report_is_one_file_with_every_panel_and_nothing_from_elsewhere() {
    let page = render(&tally(true, &rows()), &facts()).unwrap();
    for id in [
        "sentiment",
        "score",
        "cues",
        "emotions",
        "drivers",
        "time",
        "segments",
        "questions",
        "first",
        "conflicts",
        "coverage",
        "method",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    for foreign in ["http:", "https:", "url(", "src=", "@import", "<link", "<script", "{{", "{%"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for said in [
        "Customer survey, first half of 2024",
        "attune-en-small 1.0.0",
        "R-0",
        "Read these first",
        "has 4 cells",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("<svg viewBox=\"0 0 420 ").count(), 10, "charts");
    assert_eq!(page.matches("<caption").count(), page.matches("<table").count());
}

#[test]
fn what_customers_wrote_is_never_markup() {
    let mut rows = rows();
    for row in &mut rows {
        row.row.cells[2] = "\"><img src=x onerror=alert(1)>".into();
    }
    let mut hostile = facts();
    hostile.title = "</title><script>1</script>".into();
    for redact in [true, false] {
        let page = render(&tally(redact, &rows), &hostile).unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "redact {redact}");
        assert!(page.contains("&#60;script&#62;alert(&#39;hi&#39;)"), "redact {redact}");
    }
}

#[test]
fn persons_are_left_out_unless_the_caller_wants_them() {
    let rows = rows();
    let redacted = render(&tally(true, &rows), &facts()).unwrap();
    let whole = render(&tally(false, &rows), &facts()).unwrap();
    for person in ["020 7946 0958", "jane.doe@example.com", "4111 1111 1111 1111"] {
        assert!(!redacted.contains(person), "{person}");
    }
    assert!(redacted.contains("[CARD]") && redacted.contains("[PHONE]"));
    assert!(whole.contains("4111 1111 1111 1111") && whole.contains("without redaction"));
    let kept = serde_json::to_string(&tally(true, &rows)).unwrap();
    assert!(!kept.contains("4111") && !kept.contains("jane"), "a checkpoint holds what a report may show");
}

#[test]
fn a_run_that_was_interrupted_anywhere_gives_the_same_bytes() {
    let rows = rows();
    let expected = render(&tally(true, &rows), &facts()).unwrap();
    for at in [0, 1, 250, 499, 500] {
        let (before, after) = rows.split_at(at);
        let written = serde_json::to_string(&tally(true, before)).unwrap();
        let mut resumed: Tally = serde_json::from_str(&written).unwrap();
        after.iter().for_each(|row| resumed.push(row));
        assert_eq!(
            serde_json::to_string(&resumed).unwrap(),
            serde_json::to_string(&tally(true, &rows)).unwrap()
        );
        assert!(render(&resumed, &facts()).unwrap() == expected, "interrupted after {at}");
    }
}

#[test]
fn evidence_is_highlighted_where_it_stands_in_the_redacted_text() {
    let page = render(&tally(true, &rows()), &facts()).unwrap();
    for expected in [
        "<mark class=\"cue\" title=\"safety risk +4.1; negative +2.0\">burnt my hand</mark>",
        "<mark class=\"cue\" title=\"legal threat +3.8\">my lawyer</mark>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let hidden = page.contains("[PHONE]</mark>")
        || page.contains("[CARD] twice</mark>")
        || page.contains("[CARD] </mark>");
    assert!(hidden, "a span that touched a number marks the placeholder");
}

#[test]
fn a_table_without_rows_scores_times_or_segments_gives_a_report() {
    let mut plain = layout();
    (plain.score, plain.time, plain.id) = (None, None, None);
    let empty = Tally::new(Options::default(), &columns(), &plain);
    let page = render(&empty, &Facts { rows: Some(3), ..Facts::default() }).unwrap();
    assert!(page.contains("covers 0 of 3 rows") && page.contains("id=\"coverage\""));
    assert!(!page.contains("id=\"score\"") && !page.contains("NaN"));
}

#[test]
fn columns_that_are_not_there_are_empty_cells() {
    let mut rows = rows();
    rows.truncate(30);
    rows.iter_mut().for_each(|row| row.row.cells.truncate(2));
    let tally = tally(true, &rows);
    assert!(render(&tally, &facts()).is_ok());
}

#[test]
fn memory_stays_the_same_however_many_rows_differ() {
    let size = |times: usize| {
        let mut rows = rows();
        let mut tally = tally(true, &[]);
        for time in 0..times {
            for row in &mut rows {
                row.row.number += 500;
                row.row.cells[0] = format!("id {time} {}", row.row.number);
                row.row.cells[2] = format!("region {time} {}", row.row.number);
            }
            rows.iter().for_each(|row| tally.push(row));
        }
        serde_json::to_string(&tally).unwrap().len()
    };
    let (few, many) = (size(4), size(12));
    assert!(many < few + few / 10, "{few} bytes after 2,000 rows, {many} after 6,000");
}

#[test]
fn every_colour_of_a_chart_has_its_name_in_the_table_beside_it() {
    let page = render(&tally(true, &rows()), &facts()).unwrap();
    for class in ["negative", "mixed", "neutral", "positive"] {
        let key = format!("<span class=\"key b-{class}\"></span>");
        let name = format!("{}{}", class[..1].to_uppercase(), &class[1..]);
        assert!(page.contains(&format!("{key}{class}</th>")), "{class} of all comments");
        assert!(page.contains(&format!("{key}{name}</th>")), "{class} by score");
    }
}

#[test]
fn a_comment_names_its_question_only_where_there_are_several() {
    let mut single = layout();
    single.text.truncate(1);
    let mut of_one = Tally::new(Options { by: Some(2), redact: true }, &columns(), &single);
    rows().iter().for_each(|row| of_one.push(row));
    let (one, several) =
        (render(&of_one, &facts()).unwrap(), render(&tally(true, &rows()), &facts()).unwrap());
    assert!(several.contains("question: What went well?") && several.contains("region: "));
    assert!(!one.contains("question: ") && one.contains("region: "));
}
