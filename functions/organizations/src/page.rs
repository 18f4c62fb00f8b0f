//! Pages of lists that are read whole.

/// Those of `ids`, which are in order, that a page of `limit` after `after` holds, and where the next page begins.
pub fn cut<T: Copy + PartialEq>(ids: &[T], after: Option<T>, limit: i32) -> (&[T], Option<T>) {
    let start = match after {
        None => 0,
        // What is gone since leads to the end rather than to the start again.
        Some(after) => ids.iter().position(|&id| id == after).map_or(ids.len(), |at| at + 1),
    };
    let rest = ids.get(start..).unwrap_or_default();
    let page = rest.get(..usize::try_from(limit).unwrap_or(0)).unwrap_or(rest);
    (page, page.last().copied().filter(|_| page.len() < rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let ids = [5, 3, 9];
        assert_eq!(cut(&ids, None, 2), (&ids[..2], Some(3)));
        assert_eq!(cut(&ids, Some(3), 2), (&ids[2..], None));
        assert_eq!(cut(&ids, None, 3), (&ids[..], None));
        assert_eq!(cut(&ids, Some(9), 3), (&[][..], None));
        assert_eq!(cut(&ids, Some(7), 3), (&[][..], None));
    }
}
