//! Comparisons of readings that are written down by hand.

use super::super::dataset::Row;
use super::super::left_out::Reason;
use super::*;

fn readings(labels: &[&str], rows: &[&[(f32, bool)]]) -> Readings {
    let point = |(p, predicted): &(f32, bool)| Point { probability: Some(*p), predicted: *predicted };
    Readings {
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        rows: rows.iter().map(|row| Some(row.iter().map(point).collect())).collect(),
        left_out: LeftOut::default(),
    }
}

fn compare(old: &Readings, new: &Readings) -> Comparison {
    let side = |version: &str| Side { model: "tiny".into(), version: version.into(), origin: String::new() };
    Comparison::of((side("1"), old), (side("2"), new))
}

#[test]
fn flips_are_counted_in_each_direction_and_the_largest_change_comes_first() {
    let old = readings(&["h.a", "h.b"], &[&[(0.6, true), (0.1, false)], &[(0.4, false), (0.1, false)]]);
    let new = readings(&["h.b", "h.a"], &[&[(0.1, false), (0.3, false)], &[(0.2, false), (0.9, true)]]);
    let found = compare(&old, &new);
    let a = &found.labels[0];
    assert_eq!((a.before, a.after, a.appears, a.disappears), (1, 1, 1, 1));
    assert!((a.mean_difference.unwrap() - 0.4).abs() < 1e-6);
    assert_eq!((found.rows, found.rows_changed), (2, 2));
    let rows: Vec<(u64, &[String])> = found.largest.iter().map(|row| (row.row, &row.flips[..])).collect();
    assert_eq!(rows, [(2, &["+h.a".to_owned()][..]), (1, &["-h.a".to_owned()][..])]);
    let text = found.text(str::to_owned);
    assert!(text.contains("row 2") && text.contains("0.400 → 0.900  +h.a"), "{text}");
}

#[test]
fn a_model_beside_itself_changes_nothing() {
    let same = readings(&["h.a"], &[&[(0.6, true)], &[(0.4, false)]]);
    let found = compare(&same, &same);
    assert_eq!((found.rows_changed, found.largest.len()), (0, 0));
    assert_eq!(found.labels[0].mean_difference, Some(0.0));
}

#[test]
fn labels_of_one_side_and_rows_that_were_not_read_are_said() {
    let mut old = readings(&["h.a", "h.gone"], &[&[(0.6, true), (0.5, true)]]);
    old.rows.push(None);
    old.left_out.note(Reason::Empty, 2, "");
    let mut new = readings(&["h.a", "h.new"], &[&[(0.6, true), (0.5, true)]]);
    new.rows.push(None);
    let text = compare(&old, &new).text(str::to_owned);
    for expected in
        ["only before: h.gone", "only after: h.new", "not read before: empty text (1)", "1 rows read by both"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn only_the_twenty_largest_changes_are_listed_and_texts_only_when_they_were_asked_for() {
    let values: Vec<[(f32, bool); 1]> = (0..50u8).map(|n| [(f32::from(n) / 100.0, false)]).collect();
    let rows: Vec<&[(f32, bool)]> = values.iter().map(|row| &row[..]).collect();
    let zeros = vec![&[(0.0, false)][..]; 50];
    let mut found = compare(&readings(&["h.a"], &zeros), &readings(&["h.a"], &rows));
    assert_eq!((found.largest.len(), found.largest[0].row), (20, 50));
    assert!(!found.json().unwrap().contains("\"text\""));
    let row = Row { number: 50, text: "hello".into(), labels: Vec::new() };
    found.add_texts(Box::new(std::iter::once(Ok(Ok(row))))).unwrap();
    assert!(found.json().unwrap().contains("\"text\": \"hello\""));
}

#[test]
fn every_label_of_a_model_has_a_place_and_sentiment_has_mixed() {
    let manifest = crate::model::ModelBundle::load_embedded().unwrap().manifest;
    let names = names(&manifest);
    assert_eq!(names.len(), manifest.label_count() + 1);
    assert!(names.contains(&"sentiment.mixed".to_owned()), "{names:?}");
}
