//! Tests of the tally: known differences, and the laws.

use proptest::prelude::*;

use super::*;

/// A sentiment head on 0..3 of both axes, and a sigmoid head with two labels that stand the other way round on the
/// candidate's axis.
fn plan() -> Plan {
    let label = |name: &str, places, thresholds| LabelPlan { name: name.into(), places, thresholds };
    let softmax = ["negative", "neutral", "positive"].iter().enumerate();
    let sentiment = HeadPlan {
        name: "sentiment".into(),
        activation: Activation::Softmax,
        sentiment: true,
        ranges: [0..3, 0..3],
        labels: softmax.map(|(n, name)| label(name, [n, n], [0.5, 0.5])).collect(),
    };
    let cue = HeadPlan {
        name: "cue".into(),
        activation: Activation::Sigmoid,
        sentiment: false,
        ranges: [3..5, 3..5],
        labels: vec![label("urgency", [3, 4], [0.5, 0.5]), label("legal_threat", [4, 3], [0.5, 0.9])],
    };
    Plan { heads: vec![sentiment, cue], not_compared: Vec::new() }
}

const MS: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(6)];

#[test]
fn known_differences_come_out_as_they_went_in() {
    let plan = plan();
    let mut tally = Tally::new(&plan);
    // negative → neutral; urgency stays reported; legal_threat is below the candidate's higher threshold.
    tally.add(&plan, &[0.6, 0.3, 0.1, 0.9, 0.8], &[0.3, 0.5, 0.2, 0.8, 0.7], MS);
    // The same sentiment; urgency is gained.
    tally.add(&plan, &[0.1, 0.1, 0.8, 0.2, 0.1], &[0.1, 0.1, 0.8, 0.1, 0.6], MS);
    tally.fail();
    assert_eq!((tally.compared, tally.failed, tally.seconds()), (2, 1, [0.002, 0.006]));
    let [sentiment, cue] = &tally.heads[..] else { panic!() };
    assert_eq!(sentiment.agreed, 1);
    assert_eq!(sentiment.confusion, [0, 1, 0, 0, 0, 0, 0, 0, 1]);
    assert!(
        (sentiment.labels[0].mean(2) - 0.15).abs() < 1e-9
            && (sentiment.labels[0].largest - 0.3).abs() < 1e-12
    );
    let [urgency, legal] = &cue.labels[..] else { panic!() };
    assert_eq!((urgency.gained, urgency.lost, legal.gained, legal.lost), (1, 0, 0, 1));
    assert!((urgency.mean(2) - 0.3).abs() < 1e-9, "{urgency:?}");
    let [mean, largest] = cue.difference(2);
    assert!((mean - 0.15).abs() < 1e-9 && (largest - 0.4).abs() < 1e-9, "{mean} {largest}");
    assert_eq!(Tally::new(&plan).heads[0].difference(0), [0.0, 0.0]);
}

fn text() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (proptest::collection::vec(0.0..=1.0f64, 5), proptest::collection::vec(0.0..=1.0f64, 5))
}

fn of(texts: &[(Vec<f64>, Vec<f64>)]) -> Tally {
    let plan = plan();
    let mut tally = Tally::new(&plan);
    texts.iter().for_each(|(model, candidate)| tally.add(&plan, model, candidate, MS));
    tally
}

proptest! {
    #[test]
    fn the_order_of_the_texts_changes_nothing(
        (texts, shuffled) in proptest::collection::vec(text(), 0..40)
            .prop_flat_map(|texts| (Just(texts.clone()), Just(texts).prop_shuffle()))
    ) {
        prop_assert_eq!(of(&texts), of(&shuffled));
    }

    #[test]
    fn counts_add_up_and_nothing_grows_with_the_texts(texts in proptest::collection::vec(text(), 0..60)) {
        let tally = of(&texts);
        let count = texts.len() as u64;
        prop_assert_eq!(tally.compared, count);
        prop_assert_eq!(tally.heads[0].confusion.iter().sum::<u64>(), count);
        let diagonal = [0, 4, 8].iter().map(|n| tally.heads[0].confusion[*n]).sum::<u64>();
        prop_assert_eq!(tally.heads[0].agreed, diagonal);
        prop_assert_eq!((tally.heads.len(), tally.heads[0].labels.len(), tally.heads[1].labels.len()), (2, 3, 2));
        for label in tally.heads.iter().flat_map(|head| &head.labels) {
            prop_assert!(label.gained + label.lost <= count);
            prop_assert!(label.mean(count) <= label.largest + 1e-9 && label.largest <= 1.0);
        }
    }

    #[test]
    fn a_model_does_not_differ_from_itself(texts in proptest::collection::vec(text(), 1..20)) {
        let same: Vec<_> = texts
            .into_iter()
            .map(|(model, _)| {
                let candidate = vec![model[0], model[1], model[2], model[4], model[3]];
                (model, candidate)
            })
            .collect();
        let tally = of(&same);
        prop_assert_eq!(tally.heads[0].agreed, same.len() as u64);
        prop_assert_eq!(tally.heads[1].difference(tally.compared), [0.0, 0.0]);
    }
}
