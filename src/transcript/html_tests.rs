//! HTML as plain text, and that nothing in it costs more than its length.

use super::*;

#[test]
fn blocks_become_lines_and_nothing_else_wraps() {
    let long = "word ".repeat(400);
    let long_page = format!("<p>{long}</p>");
    for (page, expected) in [
        ("plain", "plain"),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("see <a href=\"https://x.example/?a>b\">the <b>visit</b></a>!", "see the visit!"),
        ("a<style>p > a {}</style><SCRIPT>if (1 < 2) '</p>'</SCRIPT>b<!-- <p>no -->c", "abc"),
        (
            "caf&eacute; &amp;lt; &#39;x&#x27; &hearts; a&nbsp;b &unknown; \"q\"",
            "café &lt; 'x' ♥ a b &unknown; \"q\"",
        ),
        ("I <3 you, 1 < 2 > 0 and a <b", "I <3 you, 1 < 2 > 0 and a <b"),
        ("<p title='it isn\\'t'>x</p>", "x"),
        ("<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd"),
        (
            "<p>mine</p><blockquote>one<br>two<blockquote>three</blockquote></blockquote><p>too</p>",
            "mine\n\n> one\n> two\n\n> three\n\ntoo",
        ),
        ("hi<div class=\"x gmail_signature\">Tom<br>Sales</div>", "hi\n-- \nTom\nSales"),
        ("<!DOCTYPE html><html><head><title>no</title></head><body>yes</body></html>", "yes"),
        ("", ""),
        ("<p> \n </p>", ""),
        (&long_page, long.trim_end()),
    ] {
        assert_eq!(to_text(page), expected, "{page}");
    }
}

#[test]
fn pages_that_are_nested_or_never_closed_are_read_in_time_that_grows_with_their_length() {
    let count = 100_000;
    let nested = format!("{}x{}", "<div>".repeat(count), "</div>".repeat(count));
    assert_eq!(to_text(&nested), "x");
    assert_eq!(to_text(&format!("{}x", "<blockquote><b>".repeat(count))), "> x");
    assert!(to_text(&"<a href=\"".repeat(count)).contains("href"));
    for page in ["<", "<a ", "<a b='> ", "<!--", "</", "<script>", "&#", "&amp", "<p></p", "'\">"] {
        let _ = to_text(&page.repeat(count));
    }
}
