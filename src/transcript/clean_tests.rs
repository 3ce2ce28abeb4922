//! Mails: what is cut, what stays, and what is kept when in doubt.

use crate::transcript::assemble::Assembly;
use crate::transcript::{ImportOptions, Skip};

fn cleaned(text: &str) -> (String, Vec<Skip>) {
    let options = ImportOptions::default();
    let mut assembly = Assembly::new(&options);
    let text = super::mail(text, &mut assembly);
    (text, assembly.import.skipped.counts().map(|(reason, _)| reason).collect())
}

fn check(rows: &[(&str, &str)], reason: Skip) {
    for (text, expected) in rows {
        let (left, reasons) = cleaned(text);
        assert_eq!(left, *expected, "{text}");
        let cut: &[Skip] = if text == expected { &[] } else { &[reason] };
        assert_eq!(reasons, cut, "{text}");
    }
}

#[test]
fn earlier_mails_are_cut_in_the_ways_in_which_mail_programs_quote_them() {
    check(
        &[
            ("No.\n\nOn 2 Mar 2026, at 10:00, Tom wrote:\n\n> Is it on?\n> Tom", "No."),
            ("No.\n\nOn Mon, 2 Mar 2026 at 10:00, Tom Okoro\n<tom@x.example> wrote:\nIs it on?", "No."),
            ("Nein.\n\nAm 02.03.2026 um 10:00 schrieb Tom <t@x.example>:\n> Geht es?", "Nein."),
            ("Non.\n\nLe lun. 2 mars 2026 à 10:00, Tom a écrit :\n> Et là ?", "Non."),
            ("No.\n\nEl lun, 2 mar 2026 a las 10:00, Tom escribió:\n> ¿Funciona?", "No."),
            ("No.\n\n-----Original Message-----\nFrom: Tom\nIs it on?", "No."),
            ("No.\n\nFrom: Tom\nSent: Monday\nTo: Ines\nSubject: Boiler\n\nIs it on?", "No."),
            (
                "No.\n\n________________________________\nVon: Tom\nGesendet: Montag\nAn: Ines\n\nGeht es?",
                "No.",
            ),
            ("No.\n##- Please type your reply above this line -##\nIs it on?", "No."),
            ("##- Please type your reply above this line -##\n\nIs it on?", "Is it on?"),
        ],
        Skip::Quoted,
    );
}

#[test]
fn the_writers_own_lines_between_and_below_quotes_stay() {
    check(
        &[
            ("On 2 Mar 2026 Tom wrote:\n> Is it on?\nNo.\n> Since when?\nMonday.", "No.\nMonday."),
            ("Hi Tom\n\nOn 2 Mar 2026 Tom wrote:\n> Is it on?\n\nNo.", "Hi Tom\n\nNo."),
        ],
        Skip::Quoted,
    );
}

#[test]
fn what_only_looks_like_a_quote_stays() {
    let texts = [
        "On Monday your colleague wrote:\nit would come on Tuesday.",
        "On 2 Mar 2026 Tom wrote:\nIs it on?",
        "> all of it\n> is quoted",
        "It costs\n>100 euros",
        "From: Berlin to Munich my seat was wet.\nTo: whom do I write?",
        "________________________________\nThat is my line.",
        "",
    ];
    check(&texts.map(|text| (text, text)), Skip::Quoted);
}

#[test]
fn signatures_are_cut_and_the_closing_and_the_name_stay() {
    check(
        &[
            ("It is off.\n\n-- \nInes Soler\nSoler Bakery", "It is off."),
            ("It is off.\n\nSent from my iPhone", "It is off."),
            ("It is off.\n\nGet Outlook for iOS", "It is off."),
            (
                "It is off.\n\nKind regards,\nInes Soler\nHead of Facilities\nSoler Bakery\n+34 600 000 000\ni@x.example",
                "It is off.\n\nKind regards,\nInes Soler",
            ),
            ("Sent from my iPhone", "Sent from my iPhone"),
            ("Thanks,\nInes", "Thanks,\nInes"),
            (
                "Thanks,\nInes\n\nThis is the third time I write!",
                "Thanks,\nInes\n\nThis is the third time I write!",
            ),
            ("Regards\nInes\nOrder 1234 never came", "Regards\nInes\nOrder 1234 never came"),
            ("Regards\nInes\nGIVE ME MY MONEY", "Regards\nInes\nGIVE ME MY MONEY"),
            ("Thanks\nto nobody.\nBye", "Thanks\nto nobody.\nBye"),
        ],
        Skip::Signature,
    );
}

#[test]
fn a_ticket_systems_lines_and_disclaimers_are_cut() {
    check(
        &[
            ("Your request (#1234) has been updated. See https://x.example\n\nIt is off.", "It is off."),
            ("It is off.\n\nTo add additional comments, reply to this email.", "It is off."),
            ("[Ticket #4417] It is off. [Case: 12-3] [#9]", "It is off."),
            ("It is [really] off [sic", "It is [really] off [sic"),
            (
                "It is off.\n\nThis email and any attachments are confidential\nand meant for you.\n\nInes",
                "It is off.\n\nInes",
            ),
            (
                "This email and any attachments are what I got.",
                "This email and any attachments are what I got.",
            ),
            ("Your request (for money) is odd", "Your request (for money) is odd"),
        ],
        Skip::Boilerplate,
    );
}

#[test]
fn nothing_is_cut_when_the_caller_does_not_want_it() {
    let options = ImportOptions { clean: false, ..ImportOptions::default() };
    let mut assembly = Assembly::new(&options);
    assert_eq!(super::mail("No.\n> Is it on?\n", &mut assembly), "No.\n> Is it on?");
    assert_eq!(assembly.import.skipped.counts().count(), 0);
}

#[test]
fn texts_that_repeat_what_is_looked_for_are_cleaned_in_time_that_grows_with_their_length() {
    for piece in [
        "[",
        "[ticket #1 ",
        "> a\n",
        "\n",
        "On 1 wrote:\n\n",
        "On 1 Tom\n",
        "From: a\nTo: b\n",
        "thanks\n",
        "-- \n",
        "the information contained in this\n",
        "Sent from my iPhone\n",
        "________________________\n",
    ] {
        let text = format!("> first\n{}last", piece.repeat(400_000 / piece.len()));
        assert!(!cleaned(&text).0.is_empty(), "{piece}");
    }
}
