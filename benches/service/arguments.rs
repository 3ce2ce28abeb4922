//! The benchmarks' command lines: `--name VALUE` and `--flag`, in any order.

/// What stands behind a name.
pub(crate) fn argument(name: &str) -> Option<String> {
    let all: Vec<String> = std::env::args().collect();
    all.iter().position(|a| a == name).and_then(|at| all.get(at + 1).cloned())
}

/// The number that stands behind a name.
pub(crate) fn number(name: &str, default: usize) -> usize {
    argument(name).map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name}: expected a number")))
}

/// Whether it is there.
pub(crate) fn flag(name: &str) -> bool {
    std::env::args().any(|a| a == name)
}
