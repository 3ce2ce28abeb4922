//! What a graph must take and give.

use super::*;
use crate::inference::interface::Port;

fn port(name: &str, element: &str, shape: &[Option<usize>]) -> Port {
    Port { name: name.into(), element: element.into(), shape: shape.to_vec() }
}

fn input(name: &str) -> Port {
    port(name, "i64", &[None, None])
}

#[test]
fn a_graph_that_takes_or_gives_something_else_is_told_what_was_expected() {
    let inputs = || vec![input("input_ids"), input("attention_mask")];
    let logits = |shape: &[Option<usize>]| vec![port("logits", "f32", shape)];
    let three = || logits(&[None, Some(3)]);
    let cases: [(Vec<Port>, Vec<Port>, Option<&str>); 9] = [
        (inputs(), three(), None),
        ([inputs(), vec![input("token_type_ids")]].concat(), logits(&[None, None]), None),
        (
            [inputs(), vec![input("pixel_values")]].concat(),
            three(),
            Some("takes pixel_values; expected input_ids"),
        ),
        (vec![input("attention_mask")], three(), Some("takes no input_ids")),
        (vec![port("input_ids", "i32", &[None, None])], three(), Some("its input input_ids is of type i32")),
        (
            inputs(),
            vec![port("last_hidden_state", "f32", &[None])],
            Some("gives last_hidden_state; expected logits"),
        ),
        (inputs(), vec![port("logits", "f16", &[None, Some(3)])], Some("logits are of type f16")),
        (inputs(), logits(&[None, Some(28)]), Some("have 28 columns, and config.json names 3 labels")),
        (inputs(), logits(&[None, None, Some(3)]), Some("have 3 axes; expected two")),
    ];
    for (inputs, outputs, expected) in cases {
        let interface = Interface { inputs, outputs };
        let problem = check_interface(&interface, 3).err();
        match expected {
            None => assert_eq!(problem, None, "{interface:?}"),
            Some(expected) => {
                assert!(problem.as_ref().is_some_and(|p| p.contains(expected)), "{problem:?}: {interface:?}");
            }
        }
    }
}
