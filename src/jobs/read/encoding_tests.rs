//! Encodings are told by their bytes, and wrong bytes stay wrong.

use std::io::Cursor;

use super::*;

fn text(head: &[u8], label: Option<&str>) -> Result<Text, Error> {
    Text::find(&Origin::stream("x", Box::new(Cursor::new(head.to_vec()))).unwrap(), label)
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn an_encoding_is_told_by_its_bytes() {
    for (head, expected) in [
        (&b"plain"[..], "UTF-8"),
        ("café".as_bytes(), "UTF-8"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "UTF-8 with a byte order mark"),
        (b"le caf\xe9 \xe9tait tr\xe8s froid \x96 d\xe9\xe7u", "windows-1252"),
        (b"das M\xfcsli f\xfcr \x80 5, gr\xf6\xdfer", "windows-1252"),
        (b"\xff\xfea\0", "UTF-16LE with a byte order mark"),
        (b"\xfe\xff\0a", "UTF-16BE with a byte order mark"),
        (&wide("id,comment\n1,no mark"), "UTF-16LE"),
        // One wrong byte among many right characters spoils a row, not the file.
        (b"\xc3\xa9\xc3\xa9\xc3\xa9 \xe9", "UTF-8"),
        (b"a\0b", "UTF-8"),
    ] {
        assert_eq!(text(head, None).unwrap().form(), expected, "{head:?}");
    }
}

#[test]
fn a_label_overrules_what_the_bytes_say() {
    assert_eq!(text(b"caf\xc3\xa9", Some("latin1")).unwrap().form(), "windows-1252");
    assert_eq!(text(b"\xef\xbb\xbfx", Some("utf-8")).unwrap().form(), "UTF-8 with a byte order mark");
    let error = text(b"x", Some("klingon")).unwrap_err();
    assert!(error.public().contains("use a label such as utf-8"), "{error}");
}

#[test]
fn what_utf16_can_not_say_becomes_a_byte_that_utf8_has_not() {
    let read = |bytes: Vec<u8>| {
        let mut out = Vec::new();
        Transcoded::new(Box::new(Cursor::new(bytes)), UTF_16LE).read_to_end(&mut out).unwrap();
        out
    };
    let long = "é😀x".repeat(20_000);
    assert_eq!(read(wide(&long)), long.as_bytes());
    let lone = [wide("a"), vec![0x00, 0xd8], wide("b")].concat();
    assert_eq!(read(lone), b"a\xffb");
    assert_eq!(read(b"a\0b".to_vec()), b"a\xff");
}
