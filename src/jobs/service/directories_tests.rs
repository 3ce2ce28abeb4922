//! Every way out of an allowed directory that we know of, and that none is found by chance.

use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

/// An allowed directory with a file and ways out of it, and a secret beside it.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for directory in ["data/deep", "data-not", "jobs", "secret"] {
            std::fs::create_dir_all(tree.path(directory)).unwrap();
        }
        for file in ["data/in.csv", "data/deep/in.csv", "data-not/in.csv", "secret/in.csv", "data/a b.csv"] {
            std::fs::write(tree.path(file), "comment\nfine\n").unwrap();
        }
        symlink(tree.path("secret/in.csv"), tree.path("data/link.csv")).unwrap();
        symlink(tree.path("secret"), tree.path("data/out")).unwrap();
        symlink("deep/in.csv", tree.path("data/inside.csv")).unwrap();
        symlink("nothing", tree.path("data/dangling.csv")).unwrap();
        symlink(tree.path("data"), tree.path("alias")).unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    fn allowed(&self) -> Allowed {
        Allowed::try_new(&[self.path("data")], &["exports".into()], &self.path("jobs")).unwrap()
    }

    fn spec(&self, input: &str, output: &str) -> Spec {
        let place = |name: &str| match name.contains("://") || name.starts_with('/') {
            true => name.replace("ROOT", self.path("").to_str().unwrap().trim_end_matches('/')),
            false => self.path(name).display().to_string(),
        };
        Spec { input: place(input), output: place(output), ..Spec::default() }
    }
}

#[test]
fn what_lies_in_an_allowed_directory_or_bucket_is_found_with_its_links_followed() {
    let tree = Tree::new();
    let allowed = tree.allowed();
    for (input, output, real) in [
        ("data/in.csv", "data/out.csv", "data/in.csv"),
        ("data/inside.csv", "data/deep/out.csv", "data/deep/in.csv"),
        ("file://ROOT/data/a%20b.csv", "file://localhostROOT/data/out.csv", "data/a b.csv"),
        ("data/deep/in.csv", "s3://exports/scored/out.csv", "data/deep/in.csv"),
    ] {
        let places = allowed.places(&tree.spec(input, output)).unwrap();
        assert_eq!(places.input, Place::File(tree.path(real)), "{input}");
    }
    let places = allowed.places(&tree.spec("s3://exports/in.csv", "data/out.csv")).unwrap();
    assert_eq!(places.input.to_string(), "s3://exports/in.csv");
    assert_eq!(places.quarantine, Place::File(tree.path("data/out.csv.quarantine.csv")));
    Allowed::check_free(&places).unwrap();
    // An allowed directory may itself be named through a link.
    let alias = Allowed::try_new(&[tree.path("alias")], &[], &tree.path("jobs")).unwrap();
    let places = alias.places(&tree.spec("alias/in.csv", "alias/out.csv")).unwrap();
    assert_eq!(places.output, Place::File(tree.path("data/out.csv")));
}

#[test]
fn every_way_out_is_refused_and_the_field_is_named() {
    use ErrorKind::{InvalidInput, NotFound};
    let tree = Tree::new();
    let rows = [
        ("secret/in.csv", InvalidInput),
        ("data-not/in.csv", InvalidInput),
        ("data/../secret/in.csv", InvalidInput),
        ("data/./in.csv", InvalidInput),
        ("data/link.csv", InvalidInput),
        ("data/out/in.csv", InvalidInput),
        ("data", InvalidInput),
        ("data/deep", InvalidInput),
        ("data/in.csv/", InvalidInput),
        ("data/none.csv", NotFound),
        ("data/dangling.csv", NotFound),
        ("/etc/passwd", InvalidInput),
        ("/etc/there-is-no-such-file", InvalidInput),
        ("file:///etc/passwd", InvalidInput),
        ("file://ROOT/data/%2e%2e/secret/in.csv", InvalidInput),
        ("file://ROOT/data/..%2Fsecret%2Fin.csv", InvalidInput),
        ("file://ROOT/data/in.csv%00", InvalidInput),
        ("file://ROOT/data/in.csv?x", InvalidInput),
        ("file://elsewhere/data/in.csv", InvalidInput),
        ("s3://other/in.csv", InvalidInput),
        ("s3://exports/a/../in.csv", InvalidInput),
        ("s3://exports/", InvalidInput),
        ("s3://exports", InvalidInput),
        ("s3:///in.csv", InvalidInput),
        ("s3://exports/a//b", InvalidInput),
        ("https://example.com/in.csv", InvalidInput),
    ];
    for (input, kind) in rows {
        let error = tree.allowed().places(&tree.spec(input, "data/out.csv")).unwrap_err();
        assert_eq!(error.kind(), kind, "{input}: {error}");
        let said = format!("{} {error}", error.field().unwrap_or_default());
        assert!(said.contains("spec.input") && !said.contains("secret"), "{input}: {said}");
    }
    let relative = Spec { input: "data/in.csv".into(), ..tree.spec("data/in.csv", "data/out.csv") };
    assert_eq!(tree.allowed().places(&relative).unwrap_err().field(), Some("spec.input"));
    for output in
        ["secret/out.csv", "data/out/new.csv", "data/../new.csv", "data/", "/tmp/x.csv", "s3://other/o.csv"]
    {
        let error = tree.allowed().places(&tree.spec("data/in.csv", output)).unwrap_err();
        assert_eq!(error.field(), Some("spec.output"), "{output}: {error}");
    }
}

#[test]
fn an_output_is_neither_the_input_nor_something_that_is_there() {
    let tree = Tree::new();
    let allowed = tree.allowed();
    let same = allowed.places(&tree.spec("data/inside.csv", "data/deep/in.csv")).unwrap_err();
    assert_eq!(same.field(), Some("spec.output"));
    for output in ["data/inside.csv", "data/dangling.csv", "data/a b.csv"] {
        let places = allowed.places(&tree.spec("data/in.csv", output)).unwrap();
        assert_eq!(Allowed::check_free(&places).unwrap_err().kind(), ErrorKind::AlreadyExists, "{output}");
    }
    for report in ["data/in.csv", "data/out.csv", "data/out.csv.quarantine.csv"] {
        let mut spec = tree.spec("data/in.csv", "data/out.csv");
        let uri = tree.path(report).display().to_string();
        spec.report = Some(crate::jobs::service::ReportSpec { uri, ..Default::default() });
        assert_eq!(allowed.places(&spec).unwrap_err().field(), Some("spec.report.uri"), "{report}");
    }
}

#[test]
fn without_allowed_places_the_setting_is_named() {
    let tree = Tree::new();
    let none = Allowed::default();
    for (input, setting) in [("data/in.csv", "jobs.directories"), ("s3://exports/in.csv", "jobs.buckets")] {
        let error = none.places(&tree.spec(input, "data/out.csv")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.public().contains(setting), "{error}");
    }
}

#[test]
fn settings_that_would_let_jobs_read_each_other_are_refused() {
    let tree = Tree::new();
    let jobs = tree.path("jobs");
    for directory in
        [tree.path(""), jobs.join(""), "relative".into(), tree.path("data/in.csv"), tree.path("none")]
    {
        let error = Allowed::try_new(std::slice::from_ref(&directory), &[], &jobs).unwrap_err();
        let said = format!("{} {error}", error.field().unwrap_or_default());
        assert!(said.contains("jobs.directories"), "{}: {said}", directory.display());
    }
}

proptest! {
    #[test]
    fn no_name_leads_out_of_the_allowed_directory(parts in prop::collection::vec(
        prop_oneof![
            Just(".."), Just("."), Just("%2e%2e"), Just("..%2f"), Just("%2F"), Just("out"), Just("link.csv"),
            Just("in.csv"), Just("deep"), Just("secret"), Just(""), Just("%00"), Just("\\.."), Just("data"),
        ], 0..7), scheme in 0usize..3)
    {
        let tree = Tree::new();
        let root = tree.path("data");
        let rest = parts.join("/");
        let begin = match scheme {
            0 => format!("{}/", root.display()),
            1 => format!("file://{}/", root.display()),
            _ => "/".to_owned(),
        };
        let spec = Spec { input: format!("{begin}{rest}"), output: format!("{begin}{rest}x"), ..Spec::default() };
        if let Ok(places) = tree.allowed().places(&spec) {
            for place in [&places.input, &places.output, &places.quarantine] {
                let path = place.path().unwrap();
                let directory = std::fs::canonicalize(path.parent().unwrap()).unwrap();
                prop_assert!(directory.starts_with(&root), "{}", path.display());
                prop_assert!(!path.to_string_lossy().contains(".."));
            }
            prop_assert!(std::fs::canonicalize(places.input.path().unwrap()).unwrap().starts_with(&root));
        }
    }
}
