//! What is fitted, what is kept, and that judging is done by fits that have not seen the row.

use super::super::scores::tests::{classes, multi_label};
use super::*;
use crate::model::ModelBundle;

/// Two labels: a holds in half of the rows and is scored too low; b holds in two rows.
fn lopsided(count: u32) -> Scores {
    let rows: Vec<[(f64, bool); 2]> = (0..count)
        .map(|row| {
            let holds = row % 2 == 0;
            [(if holds { 0.45 } else { 0.05 }, holds), (0.1, row < 2)]
        })
        .collect();
    multi_label(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>())
}

#[test]
fn a_label_with_few_positives_keeps_what_it_has() {
    let scores = lopsided(200);
    let fits = fit(&scores);
    assert!(fits[0].is_some() && fits[1].is_none(), "{fits:?}");
    let judged = cross_validated(&scores);
    assert_eq!(judged.column(1), scores.column(1));
    let lines = summary(&scores, &judged, &fits).join("\n");
    assert!(lines.contains("keeps what it has") && lines.contains("no worse in macro F1"), "{lines}");
}

#[test]
fn a_fit_helps_where_the_model_is_wrong_in_the_same_way_everywhere() {
    let scores = lopsided(200);
    let f1 = |scores: &Scores| Tallies::of_all(scores).counts[0].f1();
    assert_eq!(f1(&scores), 0.0);
    assert!(f1(&cross_validated(&scores)) > 0.99);
}

#[test]
fn a_distribution_is_fitted_as_a_whole_or_not_at_all() {
    let row = |truth| (&[0.7, 0.2, 0.1][..], truth);
    let full: Vec<_> = (0..60).map(|n| row(n % 3)).collect();
    let fits = fit(&classes(&full));
    assert!(fits.iter().all(|fit| fit.is_some_and(|fit| fit.line.scale < 0.5)), "{fits:?}");
    let lacking: Vec<_> = (0..60).map(|n| row(n % 2)).collect();
    assert!(fit(&classes(&lacking)).iter().all(Option::is_none));
}

#[test]
fn some_classes_of_a_distribution_are_not_fitted_as_labels_of_their_own() {
    let rows: Vec<_> = (0..60).map(|n| (&[0.7, 0.2, 0.1][..], n % 3)).collect();
    assert!(fit(&classes(&rows).select(&[0, 2])).iter().all(Option::is_none));
}

#[test]
fn a_label_with_just_enough_positives_is_judged_by_fits() {
    let rows: Vec<[(f64, bool); 1]> =
        (0..50).map(|row| [(if row < 5 { 0.45 } else { 0.05 }, row < 5)]).collect();
    let scores = multi_label(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>());
    let judged = cross_validated(&scores);
    assert!(judged.column(0).iter().zip(scores.column(0)).all(|(new, old)| new.0 != old.0));
}

#[test]
fn folds_have_the_same_size_and_are_always_the_same() {
    let dealt = folds(23);
    for fold in 0..FOLDS {
        assert!([4, 5].contains(&dealt.iter().filter(|f| **f == fold).count()));
    }
    assert_eq!(dealt, folds(23));
}

#[test]
fn an_overlay_holds_absolute_terms_composed_with_what_the_model_has() {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    let head = manifest.heads.iter().find(|head| head.name == "emotion").unwrap();
    let label = head.labels[2].clone();
    let fit = Fit { line: Line { scale: 2.0, shift: 0.5 }, threshold: Some(0.4) };
    let mut overlay = Overlay::new(&manifest);
    let calibration = Calibration { labels: vec![label], fits: vec![Some(fit)], summary: Vec::new() };
    calibration.extend(&mut overlay, head);
    let mut changed = manifest.clone();
    overlay.apply(&mut changed).unwrap();
    let new = changed.heads.iter().find(|head| head.name == "emotion").unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
    close(new.scale[2], 2.0 * head.scale[2]);
    close(new.shift[2], 2.0 * head.shift[2] + 0.5);
    close(new.thresholds[2].get(), 0.4);
    assert_eq!(new.scale[1], head.scale[1]);
}

#[test]
fn rows_without_enough_positives_are_refused_with_what_is_needed() {
    let error = Calibration::try_new(&multi_label(&[&[(0.4, true)], &[(0.2, false)]])).err().unwrap();
    assert!(error.public().contains("needs 5 rows in which it holds"), "{error}");
}
