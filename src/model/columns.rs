//! Where a head's labels stand in the network's outputs, for networks that were not made in attune's order.

use super::manifest::{Head, ManifestError, invalid};

/// The network's column of each label of the label axis; `None` when they are in the same order.
///
/// `outputs` holds what each head says of its own; a head that says nothing has the columns of its place.
pub(super) fn columns(
    outputs: Vec<Option<Vec<usize>>>,
    heads: &[Head],
) -> Result<Option<Vec<usize>>, ManifestError> {
    let count: usize = heads.iter().map(|head| head.labels.len()).sum();
    let mut all: Vec<usize> = Vec::with_capacity(count);
    let mut taken = vec![false; count];
    for (i, (own, head)) in outputs.into_iter().zip(heads).enumerate() {
        let start = all.len();
        let own = own.unwrap_or_else(|| (start..start + head.labels.len()).collect());
        let wrong = |problem: String| Err(invalid(format!("heads[{i}].outputs"), problem));
        if own.len() != head.labels.len() {
            return wrong(format!("has {} entries for {} labels", own.len(), head.labels.len()));
        }
        for column in &own {
            match taken.get_mut(*column) {
                Some(taken) if !*taken => *taken = true,
                Some(_) => return wrong(format!("column {column} belongs to two labels")),
                None => {
                    return wrong(format!("column {column} does not exist: the heads have {count} labels"));
                }
            }
        }
        all.extend(own);
    }
    let in_order = all.iter().copied().eq(0..count);
    Ok((!in_order).then_some(all))
}
