//! Columns are found by names and contents, with reasons, and by what was asked for.

use super::super::tests::bytes;
use super::super::{FileFormat, ReadOptions};
use crate::jobs::{ScoreKind, Table};

fn table(text: &str, options: &ReadOptions) -> Result<Table, crate::error::Error> {
    let options = ReadOptions { format: Some(FileFormat::Csv), ..options.clone() };
    bytes("x.csv", text, &options).map(|(table, _)| table)
}

fn notes(text: &str) -> Vec<String> {
    table(text, &ReadOptions::default()).unwrap().layout.notes
}

#[test]
fn every_finding_has_a_reason() {
    let csv = "id,Email,UserLanguage,NPS,Comment,Comment - Topics,Submitted at\n\
        1,a@b.example,en,9,it was very good,Price,2026-03-01\n2,c@d.example,en,8,so so for me,Price,2026-03-02\n";
    assert_eq!(
        notes(csv),
        [
            "column 1 \"id\": the row's id, for its name and no two alike",
            "column 2 \"Email\": not read as text, for its name is that of data about a person",
            "column 3 \"UserLanguage\": the language of the answer, for its name",
            "column 4 \"NPS\": a score from 0 to 10 (NPS), for its name and numbers",
            "column 5 \"Comment\": free text, for its name and words",
            "column 6 \"Comment - Topics\": not read as text, for its name is that of an earlier enrichment",
            "column 7 \"Submitted at\": the time of the answer, for its name",
        ]
    );
}

#[test]
fn scores_are_told_by_name_and_range() {
    for (name, values, expected) in [
        ("NPS", [0, 10], Some(ScoreKind::Nps)),
        ("How likely are you to recommend us?", [3, 4], Some(ScoreKind::Nps)),
        ("Weiterempfehlung", [3, 4], Some(ScoreKind::Nps)),
        ("score", [9, 3], Some(ScoreKind::Nps)),
        ("score", [0, 3], Some(ScoreKind::Nps)),
        ("score", [1, 5], Some(ScoreKind::Csat(5))),
        ("Overall satisfaction", [1, 4], Some(ScoreKind::Csat(5))),
        ("Zufriedenheit", [1, 7], Some(ScoreKind::Csat(7))),
        ("rating", [8, 2], Some(ScoreKind::Csat(10))),
        ("rating", [0, 2], None),
        ("NPS", [10, 11], None),
        ("NPS group", [1, 2], None),
        ("visits", [1, 2], None),
    ] {
        let csv = format!("text,{name}\nit was very good,{}\nit was not good,{}\n", values[0], values[1]);
        let found = table(&csv, &ReadOptions::default()).unwrap().layout.score;
        assert_eq!(found, expected.map(|kind| (1, kind)), "{name} {values:?}");
    }
}

#[test]
fn names_of_people_addresses_choices_and_codes_are_no_texts() {
    let csv = "Full name,homepage,segment,plan chosen,what happened\n\
        Ada Maria Example,https://a.example,a,Very satisfied with it,The parcel never came to me\n\
        Ben Otto Beispiel,https://b.example,b,Not satisfied with it,I was billed twice this month\n\
        Chloé Marie Exemple,https://c.example,a,Very satisfied with it,All went well from start to end\n\
        Dan Erik Exempel,https://d.example,a,Very satisfied with it,Nobody called me back at all\n";
    assert_eq!(table(csv, &ReadOptions::default()).unwrap().layout.text, [4]);
}

#[test]
fn what_is_asked_for_overrules_what_is_found() {
    let csv = "id,comment,reply,points,key\n1,it was very good,we are so glad,3,a\n2,it was not good,oh dear me no,9,b\n";
    let options = ReadOptions {
        text_columns: vec!["3".into(), "reply".into()],
        id_column: Some("KEY".into()),
        score_column: Some("points".into()),
        ..ReadOptions::default()
    };
    let layout = table(csv, &options).unwrap().layout;
    assert_eq!((layout.text, layout.id, layout.score), (vec![2], Some(4), Some((3, ScoreKind::Nps))));
    assert!(layout.notes.iter().any(|note| note == "column 3 \"reply\": free text, as asked for"));
    let asked = |options: ReadOptions| table(csv, &options).err().unwrap().public().to_owned();
    let id = ReadOptions { id_column: Some("nope".into()), ..ReadOptions::default() };
    assert!(asked(id).starts_with("x.csv has no column \"nope\"; it has 1 \"id\", 2 \"comment\""));
    let score = ReadOptions { score_column: Some("comment".into()), ..ReadOptions::default() };
    assert!(asked(score).contains("holds more than numbers from 0 to 10"));
    let nothing = ReadOptions { detect: false, ..ReadOptions::default() };
    assert!(asked(nothing).contains("name one with --text-column"));
    let only = ReadOptions { detect: false, text_columns: vec!["comment".into()], ..ReadOptions::default() };
    let layout = table(csv, &only).unwrap().layout;
    assert_eq!((layout.text, layout.id, layout.source.as_str()), (vec![1], None, "table"));
}

#[test]
fn a_column_that_is_asked_for_as_something_else_is_no_text() {
    let csv = "comment,reply\nit was very good,we are so glad\nit was not good,oh dear me no\n";
    let options = ReadOptions { id_column: Some("reply".into()), ..ReadOptions::default() };
    assert_eq!(table(csv, &options).unwrap().layout.text, [0]);
}

#[test]
fn words_of_their_own_below_a_question_of_survey_monkeys_are_free_text_when_the_answers_are() {
    let mut csv = "Respondent ID,Collector ID,Which did you use?,,,How was it?\n\
        ,,The big blue one here,What else did you use then?,Autre (veuillez préciser),Getting it to the door\n"
        .to_owned();
    for (id, own) in ["my own old printer", "the one at work", "nothing that I know of", "a friend's new one"]
        .into_iter()
        .enumerate()
    {
        csv += &format!("{id},7,The big blue one here,{own},,Not so very good {}\n", id % 2);
    }
    assert_eq!(table(&csv, &ReadOptions::default()).unwrap().layout.text, [3, 4]);
}
