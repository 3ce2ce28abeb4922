//! Laws of the window and of the watch over it.

use proptest::prelude::*;

use super::window::{SLICES, Window};
use super::*;

const DAY_MS: i64 = 86_400_000;
const SPAN: Span = Span { texts: 500, time_ms: DAY_MS };

fn labels() -> Vec<String> {
    ["anger", "joy", "relief"].map(str::to_owned).into()
}

fn layout() -> Layout {
    let (sentiment, emotion) = (["negative", "neutral", "positive"].map(str::to_owned), labels());
    Layout::new(&[
        HeadShape { name: "sentiment", labels: &sentiment, exclusive: true, signed: true },
        HeadShape { name: "emotion", labels: &emotion, exclusive: false, signed: false },
    ])
}

fn seen(kind: u32) -> Observation {
    let mut said = Said::default();
    said.note(0, HeadSaid::new(std::iter::once(kind as usize % 3), f64::from(kind % 10) / 10.0));
    said.note(1, HeadSaid::new((0..3).filter(|label| kind >> label & 1 == 1), 0.5));
    match kind % 20 {
        0 => Observation::empty(),
        1 => Observation::unsupported(Some(Language::Other)),
        _ => Observation::read(Some(Language::OfModel), kind % 40, kind / 90, kind % 20 + 1, said),
    }
}

fn german(kind: u32) -> Observation {
    if kind.is_multiple_of(8) { seen(kind) } else { Observation::unsupported(Some(Language::Other)) }
}

/// Numbers that look random enough.
fn kinds() -> impl Iterator<Item = u32> {
    std::iter::successors(Some(12_345u64), |last| Some(last.wrapping_mul(6_364_136_223_846_793_005) | 1))
        .map(|state| (state >> 40) as u32 % 100)
}

fn reference() -> Reference {
    let texts: Vec<Observation> = kinds().take(5000).map(seen).collect();
    Reference::of(layout(), &texts)
}

fn counted(kinds: &[u32], at_ms: impl Fn(usize) -> i64) -> Window {
    let (layout, mut window) = (layout(), Window::new(layout().bins()));
    for (place, kind) in kinds.iter().enumerate() {
        window.add(&layout, &seen(*kind), SPAN, at_ms(place));
    }
    window
}

proptest! {
    #[test]
    fn inside_a_sub_window_the_order_of_texts_does_not_count(
        (kinds, shuffled) in prop::collection::vec(0u32..100, 1..50)
            .prop_flat_map(|kinds| (Just(kinds.clone()), Just(kinds).prop_shuffle())),
    ) {
        let (one, other) = (counted(&kinds, |_| 0), counted(&shuffled, |_| 0));
        prop_assert_eq!(one.counts(), other.counts());
        prop_assert_eq!(one.texts(), other.texts());
    }

    #[test]
    fn a_window_holds_what_a_count_of_its_last_texts_would(
        kinds in prop::collection::vec(0u32..100, 1..1500),
        every_ms in 0i64..DAY_MS,
    ) {
        let window = counted(&kinds, |place| place as i64 * every_ms);
        prop_assert!(window.texts() <= SPAN.texts);
        let last = &kinds[kinds.len() - window.texts() as usize..];
        let mut expected = vec![0u32; layout().bins()];
        last.iter().for_each(|kind| layout().hits(&seen(*kind), |bin| expected[bin] += 1));
        prop_assert_eq!(window.counts(), &expected[..]);
        let (from, to) = window.reach_ms().unwrap();
        prop_assert!(to - from <= SPAN.time_ms + SPAN.time_ms / i64::from(SLICES), "{}", to - from);
    }

    #[test]
    fn a_clock_that_jumps_breaks_nothing(
        steps in prop::collection::vec((0u32..100, any::<i64>()), 1..300),
    ) {
        let (layout, mut window) = (layout(), Window::new(layout().bins()));
        for (kind, now_ms) in steps {
            window.add(&layout, &seen(kind), SPAN, now_ms);
            prop_assert!((1..=SPAN.texts).contains(&window.texts()));
        }
    }
}

#[test]
fn what_is_older_than_the_span_is_forgotten_without_a_text() {
    let mut window = counted(&[5; 120], |_| 0);
    assert!(!window.forget(SPAN, DAY_MS) && window.texts() == 120);
    assert!(window.forget(SPAN, DAY_MS + 1));
    assert_eq!((window.texts(), window.reach_ms()), (0, None));
    assert!(window.counts().iter().all(|count| *count == 0));
}

#[test]
fn texts_of_the_baselines_kind_are_never_news_and_others_are_within_a_window() {
    let (reference, mut kinds) = (reference(), kinds().skip(5000));
    let mut watch = Watch::new(&reference);
    for at in 0..20_000 {
        watch.observe(&reference, &seen(kinds.next().unwrap()), SPAN, at);
        assert_eq!(watch.level(), Level::Ok, "at text {at}: {:?}", watch.report(&reference, SPAN, at));
    }
    let fired = (0..500).find(|at| {
        watch.observe(&reference, &german(kinds.next().unwrap()), SPAN, 20_000 + at);
        watch.level() == Level::Alarm
    });
    assert!(fired.is_some_and(|at| at <= 200), "{fired:?}");
}

#[test]
fn a_report_names_what_moved_and_since_when() {
    let (reference, mut kinds) = (reference(), kinds());
    let mut watch = Watch::new(&reference);
    assert!(watch.report(&reference, SPAN, 0).features.iter().all(|f| f.divergence.is_none()));
    for at in 0..500 {
        watch.observe(&reference, &german(kinds.next().unwrap()), SPAN, at);
    }
    let report = watch.report(&reference, SPAN, 500);
    assert_eq!((report.texts, report.level, report.reach_ms), (500, Level::Alarm, Some((0, 499))));
    let language = report.features.iter().find(|f| f.name == "language").unwrap();
    let shift = language.shifts.iter().find(|shift| shift.bin == "other").unwrap();
    assert!(shift.window > 0.8 && shift.baseline < 0.1, "{shift:?}");
    assert!(language.since_ms.is_some_and(|since| since < 500), "{language:?}");
    let later = watch.report(&reference, SPAN, 500 + DAY_MS);
    assert_eq!((later.texts, later.level), (0, Level::Ok));
}

#[test]
fn a_feature_that_the_baseline_lacks_is_not_compared() {
    let full = reference();
    let features = full.features().filter(|(name, _)| *name != "label.emotion");
    let features = features.map(|(name, counts)| (name.to_owned(), counts.to_vec())).collect();
    let part = Reference::try_new(layout(), (layout::FORM, 5000), &features).unwrap();
    let mut watch = Watch::new(&part);
    kinds().take(500).for_each(|kind| {
        watch.observe(&part, &seen(kind & !7 | 1), SPAN, 0);
    });
    assert!(watch.report(&part, SPAN, 0).features.iter().all(|f| f.name != "label.emotion"));
}
